"""Plays one source at a time on threads of its own. Knows no Qt: `bridge.py` tells the window when there is news."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.live_score import LiveScore, Score, truth_for
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.redact import redact_text
from seg_viewer.engines.base import READY, EngineReport, LoadWatch
from seg_viewer.options import RunOptions
from seg_viewer.pipeline import BUSY_DISPLAY, BUSY_RECORDER, Pipeline, Policy
from seg_viewer.record import Recording
from seg_viewer.sinks.truth_csv import TruthCsv
from seg_viewer.sources import LiveSource, LiveStatus, SourceInfo, open_source

LATE_WINDOW = "late: window too slow"
_ANSWER_WITHIN_S = 2.0
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


class Player:
    """Opens sources, plays them, keeps the newest shot until the window takes it.

    Every method returns at once; what it asked for happens on the player's threads.

    Args:
        options: model, engine and style of a run.
    """

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self.view_size = (1280, 720)
        """Where pictures will be shown, device pixels."""
        self._lock = threading.Lock()
        self._on_news: Callable[[], None] = lambda: None
        self._on_change: Callable[[], None] = lambda: None
        self._speed = 1.0
        self._loop = False
        self._session: _Session | None = None
        self._threads: list[threading.Thread] = []

    def listen(self, on_news: Callable[[], None], on_change: Callable[[], None]) -> None:
        """Call back, on any thread: `on_news` when a shot waits for `take`, `on_change` when the state is another."""
        with self._lock:
            self._on_news, self._on_change = on_news, on_change

    # -- opening and closing ---------------------------------------------------------------------------------------

    def open(self, source: str, truth_csv: Path | None = None) -> None:
        """Leave the present source and play another; its scores against the ground truth go to `truth_csv`."""
        self.stop()
        self._session = _Session(self, source, truth_csv)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(self._session.thread)
        self._session.thread.start()

    def stop(self) -> None:
        """Leave the present source."""
        session, self._session = self._session, None
        if session is not None:
            session.stop()

    def close(self, timeout_s: float = 0.8) -> bool:
        """Stop and wait for the threads; returns whether all ended in time (compiling cannot be interrupted)."""
        self.listen(lambda: None, lambda: None)
        self.stop()
        until_s = time.perf_counter() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.perf_counter()))
        return not any(thread.is_alive() for thread in self._threads)

    # -- what there is ---------------------------------------------------------------------------------------------

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
        return self._session.spec if self._session else None

    @property
    def error(self) -> str | None:
        """One line, when the state is ERROR."""
        return self._session.error if self._session else None

    @property
    def ledger(self) -> Ledger | None:
        return self._session.ledger if self._session else None

    @property
    def score(self) -> Score | None:
        """Of the latest frames against their ground truth; None without one."""
        live_score = self._session.live_score if self._session else None
        return live_score.score() if live_score else None

    @property
    def engine_report(self) -> EngineReport | None:
        pipeline = self._session.pipeline if self._session else None
        return pipeline.engine_report if pipeline else None

    @property
    def loading(self) -> tuple[str, float] | None:
        """What is being made ready and which share of it is done, while an engine takes long to; else None."""
        return self._session.loading if self._session and self._session.error is None else None

    def stop_loading(self) -> None:
        """Stop making the engine ready; the session ends with an error that says so."""
        if self._session:
            self._session.watch.stop()

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

    def set_recording(self, recording: Recording | None) -> None:
        """Shots go there too, from the next one on."""
        if self._session:
            self._session.recording = recording

    def take(self) -> Shown | None:
        """The newest shot, once."""
        return self._session.take() if self._session else None

    def rescale(self, shown: Shown) -> None:
        """Deliver the same shot again, converted for the present `view_size`, unless a newer one comes first."""
        if self._session:
            threading.Thread(target=self._session.rescale, args=(shown,), name="seg-rescale", daemon=True).start()

    # -- steering --------------------------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        self._speed = value
        if pipeline := self._pipeline():
            pipeline.speed = value

    @property
    def loop(self) -> bool:
        return self._loop

    @loop.setter
    def loop(self, value: bool) -> None:
        self._loop = value
        if pipeline := self._pipeline():
            pipeline.loop = value

    def play(self) -> None:
        """Go on, or start over after the end."""
        if pipeline := self._pipeline():
            ended = self.state is PlayerState.ENDED
            pipeline.resume()
            if ended:
                self.seek(0.0)

    def pause(self) -> None:
        if pipeline := self._pipeline():
            pipeline.pause()

    def step(self) -> None:
        """Pause, and show the next frame. Ignored while the last step is still under way."""
        if pipeline := self._pipeline():
            pipeline.pause()
            if not pipeline.at_end and self._session and self._session.expect():
                pipeline.step()

    def step_back(self) -> None:
        """Pause, and show the frame before. Ignored while the last step is still under way."""
        if pipeline := self._pipeline():
            pipeline.pause()
            if self._session and self._session.expect():
                pipeline.step_back()

    def seek(self, time_s: float) -> None:
        """Show the frame at a time; while one seek is under way only the newest wish is kept."""
        if self._pipeline() and self._session:
            self._session.seek(max(0.0, time_s))

    def _pipeline(self) -> Pipeline | None:
        return self._session.pipeline if self._session and self._session.error is None else None


class _Session:
    """One source from opening to closing, on one thread."""

    def __init__(self, player: Player, source: str, truth_csv: Path | None = None) -> None:
        self.source = source
        self.live_score: LiveScore | None = None
        self._truth_csv = truth_csv
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
            _log.error("the player stopped\n%s", redact_text(traceback.format_exc()))
            self._fail(f"{self.source}: stopped by an unexpected error: {type(error).__name__}: {error}")

    def _play(self) -> None:
        player = self._player
        self.spec = player.options.read_spec()
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
        with pipeline, TruthCsv(self._truth_csv, spec.labels) if self._truth_csv else nullcontext() as table:
            self.pipeline = pipeline
            if self._stopping:
                return
            player._on_change()
            for shot in pipeline:
                self._post(shot, self._compare(shot, spec, table))
                self._record(shot, pipeline)
                if self._stopping:
                    return

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
