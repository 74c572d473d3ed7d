"""What is known of a video over its time while it plays: shares of its classes, seen by playing or looked at ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from seg_viewer.core.class_table import ClassTable
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import class_shares
from seg_viewer.core.scores import truth_for, wrong_pixels
from seg_viewer.engines.base import EngineReport
from seg_viewer.jobs.analysis import Analysis
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.sources import SourceInfo

DISAGREEMENT, ERRORS = "disagreement", "errors"
"""Names of values that are no classes: share of the picture where two models differ; where the truth does."""
_FIRST_REST_S, _LONGEST_REST_S = 1.0, 30.0
_CALM_S = 10.0


@dataclass(frozen=True)
class Step:
    """Where to go from somewhere, or why not.

    Args:
        time_s: seconds, or None.
        text: one line for a person when there is nowhere to go.
    """

    time_s: float | None
    text: str = ""


class Courtesy:
    """Says whether there is time for other work beside what plays.

    There is from a second after the start on while shots wait to be shown; when frames were dropped all the same, the
    work rests for a second, and twice as long each further time. While nothing plays it need not rest.

    Args:
        ledger: of what plays.
    """

    def __init__(self, ledger: Ledger, now: Callable[[], float] = time.perf_counter) -> None:
        self._ledger, self._now = ledger, now
        self._dropped = ledger.dropped
        self._rest_s = _FIRST_REST_S
        self._until_s = now() + _FIRST_REST_S
        self._calm_since_s = now()

    def may_work(self, pipeline: Pipeline) -> bool:
        now_s = self._now()
        dropped = self._ledger.dropped
        if dropped > self._dropped:
            self._until_s = now_s + self._rest_s
            self._rest_s = min(_LONGEST_REST_S, 2 * self._rest_s)
            self._calm_since_s = self._until_s
        elif now_s - self._calm_since_s > _CALM_S:
            self._rest_s = max(_FIRST_REST_S, self._rest_s / 2)
            self._calm_since_s = now_s
        self._dropped = dropped
        stands_still = pipeline.paused or pipeline.at_end
        return (stands_still or now_s >= self._until_s) and pipeline.has_reserve


class Timeline:
    """Of one source and one model.

    Args:
        source: what `open_source` takes.
        info: of it.
        options: engine and device.
        spec: of the model.
        cache: what is known from earlier comes from there, and what is found goes there.
        key: of the maps in the cache.
        pipeline: what plays.
    """

    def __init__(
        self,
        source: str,
        info: SourceInfo,
        options: RunOptions,
        spec: ModelSpec,
        cache: MapCache,
        key: str,
        pipeline: Pipeline,
    ) -> None:
        assert info.duration_s is not None
        self.labels: LabelSet = spec.labels
        self.model = spec.sha256
        interval_s = 1 / info.rate if info.rate else 0.04
        self.table = ClassTable((*spec.labels.names, DISAGREEMENT, ERRORS), info.duration_s, interval_s)
        self._cache, self._key, self._pipeline = cache, key, pipeline
        self._courtesy = Courtesy(pipeline.ledger)
        self._ahead = False
        self._computed_by: EngineReport | None = None
        self._analysis = Analysis(source, options, spec, self.table, self._looked_at, self._may_work)
        rows = cache.rows(info.fingerprint, key)
        if rows is not None and len(rows) and rows["shares"].shape[1] == len(spec.labels):
            extras = np.full((len(rows), 2), np.nan)
            self.table.add_all(rows["pts"], rows["time_s"], np.concatenate((rows["shares"], extras), axis=1))

    @staticmethod
    def is_for(info: SourceInfo) -> bool:
        """Whether a source is one that has a timeline: of known length, no single picture, at hand."""
        return not info.live and info.can_seek and info.path is not None and bool(info.duration_s) \
            and info.frame_count != 1  # fmt: skip

    @property
    def looks(self) -> bool:
        """It looks ahead, or waits until it may."""
        return self._analysis.running

    @property
    def problem(self) -> str:
        """Why looking ahead has ended before it was done, one line."""
        return self._analysis.problem

    @property
    def is_done(self) -> bool:
        """All of the video has been looked at."""
        return self._analysis.done

    @property
    def looked_ahead(self) -> int:
        """How many frames were looked at that were not playing."""
        return self._analysis.computed

    def look_ahead(self, on: bool) -> None:
        """Whether the rest of the video is looked at while it plays; off at first."""
        self._ahead = on
        if on:
            self._analysis.start()

    def stop(self) -> None:
        self._analysis.stop()

    def end(self) -> None:
        """Stop, and wait until it has: within a frame, or until the engine is loaded."""
        self.stop()
        self._analysis.join()

    def look(self, shot: Shot, truth: ByteArray | None) -> None:
        """Take a shot that is shown; `truth`: of its first class map, or None."""
        first = shot.maps[0].ids
        shares = class_shares(first, self.labels)
        differs = shot.disagreement.share if shot.disagreement is not None else np.nan
        wrong = np.nan if truth is None else float(np.mean(wrong_pixels(first, truth)))
        self.table.add(
            shot.frame.id.pts, shot.frame.time_s, [*(shares[name] for name in self.labels.names), differs, wrong]
        )

    def step(self, name: str, least: float, from_s: float, *, forward: bool) -> Step:
        """To the next, or the last, part of the video where a class covers more than that share of the picture."""
        table = self.table
        what = f"{name} > {100 * least:g} %"
        slack_s = 0.75 * table.interval_s
        starts = [stretch.start_s for stretch in table.stretches(name, least)]
        if forward:
            found = next((start_s for start_s in starts if start_s > from_s + slack_s), None)
        else:
            found = next((start_s for start_s in reversed(starts) if start_s < from_s - slack_s), None)
        if found is not None:
            return Step(found)
        known = table.known_share(from_s) if forward else table.known_share(0.0, from_s)
        where = "further on" if forward else "before this"
        if known > 0.995:
            return Step(None, f"No {what} {where}")
        far = f"{100 * table.known_share():.0f} % of the video has been looked at"
        return Step(None, f"No {what} {where} yet: {far}{'' if not self.problem else f'; {self.problem}'}")

    def _may_work(self) -> bool:
        return self._ahead and self._courtesy.may_work(self._pipeline)

    def _looked_at(self, shot: Shot, engine: EngineReport) -> None:
        truth = None
        if shot.frame.truth is not None:
            height, width = shot.classes.shape
            truth = truth_for(shot.frame.truth, shot.labels, width, height)
        self.look(shot, truth)
        self._cache.put(shot.frame, self._key, shot.maps[0], engine)


class Timelines:
    """The timeline of what plays, another one for each model that is shown; a context manager.

    Args:
        source: what `open_source` takes.
        cache: see `Timeline`.
    """

    def __init__(self, source: str, cache: MapCache) -> None:
        self.now: Timeline | None = None
        """None until there is a shot, and for sources that have none."""
        self._source, self._cache = source, cache
        self._lock = threading.Lock()
        self._stopped = self._ahead = False

    def look(
        self, shot: Shot, truth: ByteArray | None, spec: ModelSpec | None, options: RunOptions, pipeline: Pipeline
    ) -> None:
        """Take a shot that is shown; on the thread that plays.

        Args:
            shot: with its class maps.
            truth: of the first one, or None.
            spec: of the model that the first one is of, or None where that is not known.
            options: engine and device.
            pipeline: what plays.
        """
        now, info = self.now, pipeline.source.info
        if now is None or now.model != shot.maps[0].model:
            if now is not None:
                now.end()
                self.now = None
            if spec is None or not Timeline.is_for(info):
                return
            now = Timeline(self._source, info, options, spec, self._cache, options.map_key(spec), pipeline)
            with self._lock:
                if self._stopped:
                    now.stop()
                    return
                self.now = now
                now.look_ahead(self._ahead)
        now.look(shot, truth)

    def look_ahead(self, on: bool) -> None:
        """See `Timeline`; of the one that is there, and those that come."""
        with self._lock:
            self._ahead = on
            if self.now is not None and not self._stopped:
                self.now.look_ahead(on)

    def stop(self) -> None:
        """From any thread, without waiting."""
        with self._lock:
            self._stopped = True
            if self.now is not None:
                self.now.stop()

    def __enter__(self) -> Timelines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self.now is not None:
            self.now.end()
