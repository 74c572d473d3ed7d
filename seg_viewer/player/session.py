"""One source from opening to closing, on threads of its own. Knows no Qt; `player.py` keeps the one that plays."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.redact import redact_text
from seg_viewer.core.scores import LiveScore, truth_for
from seg_viewer.engines.base import READY, LoadWatch
from seg_viewer.jobs.record import Recording
from seg_viewer.pipeline import BUSY_DISPLAY, BUSY_RECORDER, Pipeline, Policy
from seg_viewer.sinks.truth_csv import TruthCsv
from seg_viewer.sources import SourceInfo, is_live, open_source

if TYPE_CHECKING:
    from seg_viewer.player.player import Player

LATE_WINDOW = "late: window too slow"
_ANSWER_WITHIN_S = 2.0
_LOOK_AGAIN_S = 0.05
_log = logging.getLogger(__name__)


class PlayerState(StrEnum):
    EMPTY = "empty"
    LOADING = "loading"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    ERROR = "error"


@dataclass(frozen=True)
class Shown:
    """A shot with its picture as a window wants it.

    Args:
        shot: frame and class map.
        pixels: the frame's picture, shape (h, w, 4), uint8, blue-green-red-255.
        truth: what the class map should have been, of its shape, 255 = ignore; None where nobody knows.
    """

    shot: Shot
    pixels: ByteArray
    truth: ByteArray | None = None


def size_to_show(width: int, height: int, sample_aspect: Fraction, view: tuple[int, int]) -> tuple[int, int]:
    """Largest size in a view, both in device pixels, that keeps the shape of a picture of non-square pixels."""
    shown_width = max(1.0, width * float(sample_aspect))
    scale = min(view[0] / shown_width, view[1] / height)
    return max(1, round(shown_width * scale)), max(1, round(height * scale))


@dataclass(frozen=True)
class Start:
    """Where a session goes on that another one began.

    Args:
        time_s: media time to begin at, seconds.
        paused: whether it only shows that frame.
        after: thread of the session before; what is live is opened once it has let go of it.
    """

    time_s: float = 0.0
    paused: bool = False
    after: threading.Thread | None = None


class Session:
    """One source from opening to closing, on one thread.

    Args:
        player: whose options, view size, speed and loop count, and who is told of news.
        source: what `open_source` takes.
        truth_csv: where its scores against the ground truth go, or None.
        start: where it begins.
    """

    def __init__(self, player: Player, source: str, truth_csv: Path | None = None, start: Start | None = None) -> None:
        self.source = source
        self.live_score: LiveScore | None = None
        self.truth_csv = truth_csv
        self._start = start or Start()
        self.spec: ModelSpec | None = None
        self.error: str | None = None
        self.pipeline: Pipeline | None = None
        self.recording: Recording | None = None
        self.ledger = Ledger()
        self.loading: tuple[str, float] | None = None
        self.watch = LoadWatch(self._told)
        self.thread = threading.Thread(target=self._run, name="seg-player", daemon=True)
        self._player = player
        self._changed = threading.Condition()
        self._newest: Shown | None = None
        self._latest_shot: Shot | None = None
        self._taken_shot: Shot | None = None
        self._stopping = False
        self._expected_at_s: float | None = None
        self._next_seek_s: float | None = None

    # -- the window's thread ---------------------------------------------------------------------------------------

    @property
    def info(self) -> SourceInfo | None:
        return self.pipeline.source.info if self.pipeline else None

    @property
    def position_s(self) -> float:
        """Media time of what is in the window, seconds; before there is anything, of what will be."""
        return self._taken_shot.frame.time_s if self._taken_shot else self._start.time_s

    @property
    def paused(self) -> bool:
        return self.pipeline.paused if self.pipeline else self._start.paused

    def state(self) -> PlayerState:
        if self.error is not None:
            return PlayerState.ERROR
        pipeline = self.pipeline
        if pipeline is None or self._latest_shot is None:
            return PlayerState.LOADING
        # a shot that the pipeline has delivered is still to be converted and taken: it ends with what the window has
        if pipeline.at_end and pipeline.last_shot is self._taken_shot:
            return PlayerState.ENDED
        return PlayerState.PAUSED if pipeline.paused else PlayerState.PLAYING

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self.watch.stop()
        if self.pipeline:
            self.pipeline.stop()

    def take(self) -> Shown | None:
        with self._changed:
            shown, self._newest = self._newest, None
            if shown is not None:
                self._taken_shot = shown.shot
            self._changed.notify_all()
            return shown

    def expect(self) -> bool:
        """Whether no shot is awaited already; from now on one is."""
        with self._changed:
            now_s = time.perf_counter()
            if self._expected_at_s is not None and now_s - self._expected_at_s < _ANSWER_WITHIN_S:
                return False
            self._expected_at_s = now_s
            return True

    def seek(self, time_s: float) -> None:
        if not self.expect():
            with self._changed:
                if self._expected_at_s is not None:
                    self._next_seek_s = time_s
                    return
        if self.pipeline:
            self.pipeline.seek(time_s)

    # -- its own threads -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._play()
        except SegViewerError as error:
            self._fail(str(error))
        except Exception as error:  # the window goes on, whatever a decoder or a runtime raises
            _log.error("the player stopped\n%s", redacted_traceback(error))
            self._fail(f"{self.source}: stopped by an unexpected error: {type(error).__name__}: {error}")

    def _play(self) -> None:
        player = self._player
        self.spec = player.options.read_spec()
        self._await_the_one_before()
        if self._stopping:
            return
        source = open_source(self.source)
        spec = self.spec
        options = player.options.watched(self.watch)
        live = source.info.live
        pipeline = Pipeline(
            source,
            spec,
            lambda: options.load(spec, "latency" if live else "throughput"),
            policy=Policy.LATEST if live else Policy.REAL_TIME,
            speed=player.speed,
            loop=player.loop,
            keep_open=True,
            ledger=self.ledger,
        )
        with pipeline, TruthCsv(self.truth_csv, spec.labels) if self.truth_csv else nullcontext() as table:
            self.pipeline = pipeline
            if self._stopping:
                return
            self._go_to_start(pipeline)
            player._on_change()
            for shot in pipeline:
                self._post(shot, self._compare(shot, spec, table))
                self._record(shot, pipeline)
                if self._stopping:
                    return

    def _await_the_one_before(self) -> None:
        """A camera, and a simulator's settings, belong to one at a time."""
        before = self._start.after
        while before is not None and is_live(self.source) and before.is_alive() and not self._stopping:
            before.join(_LOOK_AGAIN_S)

    def _go_to_start(self, pipeline: Pipeline) -> None:
        if pipeline.source.info.live:
            return
        if self._start.paused:
            pipeline.pause()
        if pipeline.source.info.can_seek and (self._start.time_s > 0 or self._start.paused):
            pipeline.seek(self._start.time_s)
        elif self._start.paused:
            pipeline.step()

    def _told(self, what: str, share: float) -> bool:
        self.loading = None if what == READY else (what, share)
        return not self._stopping

    def _record(self, shot: Shot, pipeline: Pipeline) -> None:
        recording = self.recording
        if recording is not None:
            pipeline.busy_cause = BUSY_RECORDER
            recording.shot(shot)
            pipeline.busy_cause = BUSY_DISPLAY

    def _fail(self, text: str) -> None:
        if not self._stopping:
            self.error = redact_text(" ".join(text.split()))
            self._player._on_change()

    def _compare(self, shot: Shot, spec: ModelSpec, table: TruthCsv | None) -> ByteArray | None:
        """Score a shot that brings its ground truth; returns that at the size of the class map."""
        if shot.frame.truth is None:
            return None
        height, width = shot.classes.shape
        truth = truth_for(shot.frame.truth, spec.labels, width, height)
        if self.live_score is None:
            self.live_score = LiveScore(spec.labels)
        score = self.live_score.add(shot.classes, truth)
        if table is not None:
            table.write(shot.frame.index, shot.frame.time_s, score)
        return truth

    def _post(self, shot: Shot, truth: ByteArray | None) -> None:
        first = self._latest_shot is None
        with self._changed:
            self._latest_shot = shot
        shown = Shown(shot, self._convert(shot), truth)
        with self._changed:
            if self._is_live():
                if self._newest is not None:
                    self.ledger.drop(LATE_WINDOW)
            else:  # the pipeline counts what comes too late while the window is busy
                self._changed.wait_for(lambda: self._newest is None or self._stopping)
            self._newest = shown
            self._expected_at_s = None
            next_seek_s, self._next_seek_s = self._next_seek_s, None
        self._player._on_news()
        if first:
            self._player._on_change()
        if next_seek_s is not None:
            self.seek(next_seek_s)

    def _is_live(self) -> bool:
        return self.info is not None and self.info.live

    def rescale(self, shown: Shown) -> None:
        again = Shown(shown.shot, self._convert(shown.shot), shown.truth)
        with self._changed:
            if self._latest_shot is not shown.shot or self._newest is not None or self._stopping:
                return
            self._newest = again
        self._player._on_news()

    def _convert(self, shot: Shot) -> ByteArray:
        picture = shot.frame.picture
        aspect = self.info.sample_aspect if self.info else Fraction(1)
        width, height = size_to_show(picture.width, picture.height, aspect, self._player.view_size)
        # enlarging is left to the painter: fewer bytes to convert and to carry
        with self.ledger.timed("picture"):
            return picture.scaled_bgra(min(width, picture.width), min(height, picture.height))
