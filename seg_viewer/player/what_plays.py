"""What there is to know of a player's source, model and state."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scores import Score
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline import GovernorStatus, Pipeline
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.session import Session
from seg_viewer.player.timeline import Timeline
from seg_viewer.sources import LiveSource, LiveStatus, SourceInfo


class WhatPlays:
    """Read at any time, from the window's thread.

    Args:
        cache: of class maps.
    """

    def __init__(self, cache: MapCache) -> None:
        self.cache = cache
        """Class maps that were computed, closed with the player."""
        self._session: Session | None = None
        self._opening: Session | None = None

    @property
    def state(self) -> PlayerState:
        return self._session.state() if self._session else PlayerState.EMPTY

    @property
    def source(self) -> str | None:
        """As given to `open`."""
        return self._session.source if self._session else None

    @property
    def info(self) -> SourceInfo | None:
        """Of the source; a live one may change its size."""
        return self._session.info if self._session else None

    @property
    def live_status(self) -> LiveStatus | None:
        """Whether a live source is connected; None for all others."""
        pipeline = self._session.pipeline if self._session else None
        source = pipeline.source if pipeline else None
        # what is cheap comes first: the window asks several times a second
        return source.status if source and source.info.live and isinstance(source, LiveSource) else None

    @property
    def spec(self) -> ModelSpec | None:
        """Of the model whose class map is in the window; before there is one, of the one that loads."""
        return self._session.spec if self._session else None

    @property
    def own_spec(self) -> ModelSpec | None:
        """As `spec`; None while a deadline may have another model look than the one that was chosen."""
        return self.spec if self.deadline is None else None

    @property
    def scores_to(self) -> tuple[Path, ...]:
        """Files for scores, as given to `open`; none once another model runs."""
        return self._session.comparison.files if self._session else ()

    @property
    def position_s(self) -> float:
        """Media time of the shot taken last, seconds."""
        return self._session.position_s if self._session else 0.0

    @property
    def wished_s(self) -> float:
        """Where seeks and steps that are under way lead to, seconds; else as `position_s`."""
        return self._session.course.wished_s(self._session.position_s) if self._session else 0.0

    @property
    def is_moving(self) -> bool:
        """A seek or step is under way, or its picture waits to be taken."""
        session = self._session
        return session is not None and (session.course.is_under_way or session.has_news)

    @property
    def length_s(self) -> float | None:
        """Of the source, as it declares it until its end was seen, seconds; None where nobody knows."""
        return self._session.course.length_s if self._session else None

    @property
    def clock_now_s(self) -> float | None:
        """Media time that is due now, seconds, for what is played beside the picture; None while it stands still."""
        pipeline = self._pipeline()
        return pipeline.clock_now_s if pipeline else None

    @property
    def error(self) -> str | None:
        """One line, when the state is ERROR."""
        return self._session.error if self._session else None

    @property
    def ledger(self) -> Ledger | None:
        return self._session.ledger if self._session else None

    @property
    def left_out(self) -> int | None:
        """Frames that were not shown so far, None without a source."""
        return sum(self.ledger.snapshot().drops.values()) if self.ledger is not None else None

    @property
    def score(self) -> Score | None:
        """Of the latest frames against their ground truth; None without one."""
        return self._session.comparison.score if self._session else None

    @property
    def engine_report(self) -> EngineReport | None:
        pipeline = self._session.pipeline if self._session else None
        return pipeline.engine_report if pipeline else None

    @property
    def loading(self) -> tuple[str, float] | None:
        """What is being made ready and which share of it is done, while an engine takes long to; else None."""
        session = self._opening or self._session
        return session.loading if session and session.error is None else None

    @property
    def waiting(self) -> str:
        """Why the live source that is being opened is not there yet, one line; "" while none is waited for."""
        session = self._opening or self._session
        return session.waiting if session and session.error is None else ""

    @property
    def awaited(self) -> tuple[str, str]:
        """The live source that is not there yet, and why; two times "" while none is waited for."""
        session = self._opening or self._session
        return (session.source, session.awaited) if session and session.error is None and session.awaited else ("", "")

    @property
    def deadline(self) -> GovernorStatus | None:
        """What the deadline of a live source has come to; None while nothing is governed."""
        return self._session.deadline.status if self._session and self._session.error is None else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the source so far."""
        pipeline = self._session.pipeline if self._session else None
        timeline = self.timeline
        problem = (timeline.problem,) if timeline is not None and timeline.problem else ()
        return (*pipeline.source.warnings, *self.cache.notes, *problem) if pipeline else ()

    @property
    def timeline(self) -> Timeline | None:
        """What is known of the video over its time; None until there is a shot, and for what is live."""
        return self._session.timelines.now if self._session else None

    @property
    def live_source(self) -> LiveSource | None:
        """What can be recorded; None unless it is live and open."""
        pipeline = self._pipeline()
        source = pipeline.source if pipeline else None
        return source if isinstance(source, LiveSource) and source.info.live else None

    def _pipeline(self) -> Pipeline | None:
        return self._session.pipeline if self._session and self._session.error is None else None
