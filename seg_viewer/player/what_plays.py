"""What there is to know of a player's source, model and state."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scores import Score
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline import Pipeline
from seg_viewer.player.session import PlayerState, Session
from seg_viewer.sources import LiveSource, LiveStatus, SourceInfo


class WhatPlays:
    """Read at any time, from the window's thread."""

    def __init__(self) -> None:
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
        return source.status if isinstance(source, LiveSource) and source.info.live else None

    @property
    def spec(self) -> ModelSpec | None:
        """Of the model whose class map is in the window; before there is one, of the one that loads."""
        return self._session.spec if self._session else None

    @property
    def truth_csv(self) -> Path | None:
        """As given to `open`; None once another model runs."""
        return self._session.comparison.table if self._session else None

    @property
    def position_s(self) -> float:
        """Media time of the shot taken last, seconds."""
        return self._session.position_s if self._session else 0.0

    @property
    def wished_s(self) -> float:
        """Where seeks and steps that are under way lead to, seconds; else as `position_s`."""
        return self._session.wished_s if self._session else 0.0

    @property
    def length_s(self) -> float | None:
        """Of the source, as it declares it until its end was seen, seconds; None where nobody knows."""
        return self._session.length_s if self._session else None

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
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the source so far."""
        pipeline = self._session.pipeline if self._session else None
        return tuple(pipeline.source.warnings) if pipeline else ()

    @property
    def live_source(self) -> LiveSource | None:
        """What can be recorded; None unless it is live and open."""
        pipeline = self._pipeline()
        source = pipeline.source if pipeline else None
        return source if isinstance(source, LiveSource) and source.info.live else None

    def _pipeline(self) -> Pipeline | None:
        return self._session.pipeline if self._session and self._session.error is None else None
