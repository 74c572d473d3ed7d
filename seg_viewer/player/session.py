"""One source from opening to closing, on threads of its own; `player.py` keeps the one that plays."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.redact import redact_text
from seg_viewer.engines.base import READY
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import EngineSegmenter, Pipeline, Policy, Segmenter
from seg_viewer.pipeline.cached import CachedSegmenter
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.player.comparison import Comparison
from seg_viewer.player.timeline import Timelines
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.tee import Tee
from seg_viewer.sources import Source, SourceInfo, open_source

LATE_WINDOW = "late: window too slow"
_ANSWER_WITHIN_S = 2.0
_log = logging.getLogger(__name__)


class PlayerState(StrEnum):
    """What a player does."""

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
        shot: frame and class maps.
        pixels: the frame's picture, shape (h, w, 4), uint8, blue-green-red-255.
        truth: what the class map should have been, of its shape, 255 = ignore; None where nobody knows.
    """

    shot: Shot
    pixels: ByteArray
    truth: ByteArray | None = None


@dataclass
class Playback:
    """What holds for whatever plays, and who is told of it; the player writes it, its sessions read it.

    Args:
        view_size: where pictures will be shown, (width, height), device pixels.
        speed: of playing, 1 = as recorded.
        loop: start over at the end.
        on_news: called, on any thread, when a shot waits to be taken.
        on_change: called, on any thread, when the state is another.
        on_problem: called, on any thread, with one line that a person has to know while what plays goes on.
    """

    view_size: tuple[int, int] = (1280, 720)
    speed: float = 1.0
    loop: bool = False
    on_news: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    on_problem: Callable[[str], None] = lambda _text: None


def size_to_show(width: int, height: int, sample_aspect: Fraction, view: tuple[int, int]) -> tuple[int, int]:
    """Largest size in a view, both in device pixels, that keeps the shape of a picture of non-square pixels."""
    shown_width = max(1.0, width * float(sample_aspect))
    scale = min(view[0] / shown_width, view[1] / height)
    return max(1, round(shown_width * scale)), max(1, round(height * scale))


class Session:
    """One source from opening to closing, on one thread.

    Args:
        source: what `open_source` takes.
        options: model and engine.
        playback: how it is played.
        truth_csv: where its scores against the ground truth go, or None.
        cache: of class maps, closed by whoever made it; None: none are kept.
    """

    def __init__(
        self,
        source: str,
        options: RunOptions,
        playback: Playback,
        truth_csv: Path | None = None,
        cache: MapCache | None = None,
    ) -> None:
        self.source = source
        self.options = options
        self.comparison = Comparison(truth_csv, self._table_failed)
        self.error: str | None = None
        self.pipeline: Pipeline | None = None
        self.tee: Tee[Shot] = Tee(on_failure=self._sink_failed)
        self.ledger = Ledger()
        self.loading: tuple[str, float] | None = None
        self.thread = threading.Thread(target=self._run, name="seg-player", daemon=True)
        self._playback = playback
        self._cache = cache or MapCache(off=True)
        self.timelines = Timelines(source, self._cache)
        self._changed = threading.Condition()
        self._segmenter: Segmenter | None = None
        self._specs: dict[str, ModelSpec] = {}
        self._spec: ModelSpec | None = None
        self._options: dict[Segmenter, RunOptions] = {}
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
    def spec(self) -> ModelSpec | None:
        """Of the model whose class map is in the window; before there is one, of the one that loads."""
        if self._taken_shot is not None:
            return self._specs.get(self._taken_shot.maps[0].model, self._spec)
        return self._spec

    @property
    def position_s(self) -> float:
        """Media time of what is in the window, seconds."""
        return self._taken_shot.frame.time_s if self._taken_shot else 0.0

    def state(self) -> PlayerState:
        if self.error is not None:
            return PlayerState.ERROR
        pipeline = self.pipeline
        if pipeline is None or self._latest_shot is None:
            return PlayerState.LOADING
        # a shot that the pipeline has delivered is still to be converted and taken: it ends with what the window has
        last, taken = pipeline.last_shot, self._taken_shot
        if pipeline.at_end and (last.frame if last else None) is (taken.frame if taken else None):
            return PlayerState.ENDED
        return PlayerState.PAUSED if pipeline.paused else PlayerState.PLAYING

    def use_model(self, options: RunOptions, on_failure: Callable[[str], None]) -> None:
        """Another model takes over as soon as it is ready; what plays or stands still goes on until then.

        Args:
            options: the model, and what else is to run it.
            on_failure: called, on any thread, with one line when it cannot; the model before goes on, and `options`
                are of that one again.
        """
        with self._changed:
            before, self.options = self.options, options

        def failed(error: Exception) -> None:
            self._take_back(options, before)
            on_failure(redact_text(" ".join(str(error).split()) or type(error).__name__))

        threading.Thread(target=self._change_model, args=(options, failed), name="seg-model", daemon=True).start()

    def stop_loading(self) -> None:
        """Stop making an engine ready: the one before goes on; without one, the session ends with an error."""
        segmenter = self._segmenter
        if segmenter is not None:
            segmenter.interrupt()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            segmenter, pipeline = self._segmenter, self.pipeline
        self.timelines.stop()
        if segmenter is not None:
            segmenter.interrupt()
        if pipeline is not None:
            pipeline.stop()

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
        except Exception as error:  # noqa: BLE001 - the window goes on, whatever a decoder or a runtime raises
            _log.error("the player stopped\n%s", redacted_traceback(error))
            self._fail(f"{self.source}: stopped by an unexpected error: {type(error).__name__}: {error}")

    def _play(self) -> None:
        options = self.options
        spec = self._spec = options.read_spec()  # before the source: it costs less, and its faults come first
        if self._stopping:
            return
        source = open_source(self.source)
        try:
            while (pipeline := self._begin(source, options, spec)) is None and not self._stopping:
                options = self.options  # another model was chosen meanwhile
                spec = options.read_spec()
        except BaseException:
            source.close()
            raise
        if pipeline is None:
            source.close()
            return
        with pipeline, self.comparison, self.timelines:
            self._playback.on_change()
            for shot in pipeline:
                truth = self.comparison.look(shot)
                self._post(shot, truth)
                options = self._options.get(pipeline.segmenter, self.options)
                self.timelines.look(shot, truth, self._specs.get(shot.maps[0].model), options, pipeline)
                self.tee.write(shot)
                if self._stopping:
                    return

    def _begin(self, source: Source, options: RunOptions, spec: ModelSpec) -> Pipeline | None:
        """The pipeline under way; None when the session was stopped, or another model chosen, in the meantime."""
        live = source.info.live
        with self._changed:
            if self._stopping or self.options is not options:
                return None
            self.pipeline = Pipeline(
                source,
                self._make_segmenter(options, spec, source.info),
                policy=Policy.LATEST if live else Policy.REAL_TIME,
                speed=self._playback.speed,
                loop=self._playback.loop,
                keep_open=True,
                ledger=self.ledger,
            )
            return self.pipeline

    def _make_segmenter(self, options: RunOptions, spec: ModelSpec, info: SourceInfo) -> Segmenter:
        self._specs[spec.sha256] = spec
        self._spec = spec
        self.loading = None

        def on_loading(what: str, share: float) -> bool:
            if options is self.options:  # the newest wish; what was overtaken has nothing more to say
                self.loading = None if what == READY else (what, share)
            return not self._stopping

        engine = options.segmenter(spec, "latency" if info.live else "throughput", on_loading)
        segmenter = options.with_cache(engine, spec, info, self._cache)
        self._segmenter = segmenter
        self._options[segmenter] = options
        return segmenter

    def _change_model(self, options: RunOptions, on_failure: Callable[[Exception], None]) -> None:
        try:
            spec = options.read_spec()
        except SegViewerError as error:
            on_failure(error)
            return

        def failed(error: Exception) -> None:
            self.loading = None
            on_failure(error)

        with self._changed:
            if self._stopping or options is not self.options or self.pipeline is None:
                return  # a newer wish, or `_play` has not come that far and takes it from `options`
            if self._segmenter is not None and self._options.get(self._segmenter) is options:
                return  # `_play` has taken it from there
            # still under the lock, so that no newer wish comes in between and is replaced by this one
            self.pipeline.use(self._make_segmenter(options, spec, self.pipeline.source.info), failed)

    def _take_back(self, options: RunOptions, before: RunOptions) -> None:
        """To what runs or loads, which need not be what was chosen before: that may have been given up for this one."""
        with self._changed:
            if self.options is options:
                running = self.pipeline.segmenter if self.pipeline is not None else None
                self.options = (self._options.get(running) if running is not None else None) or before
                if isinstance(running, EngineSegmenter | CachedSegmenter):
                    self._spec = running.spec

    def _sink_failed(self, sink: Sink[Shot], error: Exception) -> None:
        self._playback.on_problem(redact_text(f"{type(sink).__name__}: {error}"))

    def _table_failed(self, text: str) -> None:
        if self._stopping:
            _log.warning(redact_text(text))  # perhaps nobody is there any more to see it in the window
        self._playback.on_problem(redact_text(text))

    def _fail(self, text: str) -> None:
        if not self._stopping:
            self.error = redact_text(" ".join(text.split()))
            self._playback.on_change()

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
        self._playback.on_news()
        if first:
            self._playback.on_change()
        if next_seek_s is not None:
            self.seek(next_seek_s)

    def _is_live(self) -> bool:
        return self.info is not None and self.info.live

    def rescale(self, shown: Shown) -> None:
        """Post the same shot again, converted for the present view, unless a newer one comes first."""
        again = Shown(shown.shot, self._convert(shown.shot), shown.truth)
        with self._changed:
            if self._latest_shot is not shown.shot or self._newest is not None or self._stopping:
                return
            self._newest = again
        self._playback.on_news()

    def _convert(self, shot: Shot) -> ByteArray:
        picture = shot.frame.picture
        aspect = self.info.sample_aspect if self.info else Fraction(1)
        width, height = size_to_show(picture.width, picture.height, aspect, self._playback.view_size)
        # enlarging is left to the painter: fewer bytes to convert and to carry
        with self.ledger.timed("picture"):
            return picture.scaled_bgra(min(width, picture.width), min(height, picture.height))
