"""One source from opening to closing, on threads of its own; `player.py` keeps the one that plays."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from seg_viewer.pipeline import Pipeline, Policy, Segmenter
from seg_viewer.player.comparison import Comparison
from seg_viewer.player.models import Models, ModelWish
from seg_viewer.player.search import Search
from seg_viewer.player.showing import Painter, Shown, Wish
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


@dataclass
class Playback:
    """What holds for whatever plays, and who is told of it; the player writes it, its sessions read it.

    Args:
        wish: how the window wants its pictures.
        speed: of playing, 1 = as recorded.
        loop: start over at the end.
        on_news: called, on any thread, when a shot waits to be taken.
        on_change: called, on any thread, when the state is another.
        on_problem: called, on any thread, with one line that a person has to know while what plays goes on.
    """

    wish: Wish = field(default_factory=Wish)
    speed: float = 1.0
    loop: bool = False
    on_news: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    on_problem: Callable[[str], None] = lambda _text: None


class Session:
    """One source from opening to closing, on one thread.

    Args:
        source: what `open_source` takes.
        wish: which models look at it.
        playback: how it is played.
        truth_csv: where its scores against the ground truth go, or None.
    """

    def __init__(self, source: str, wish: ModelWish, playback: Playback, truth_csv: Path | None = None) -> None:
        self.source = source
        self.wish = wish
        """Which models are wanted; they may still be loading."""
        self.comparison = Comparison(truth_csv, self._table_failed)
        self.error: str | None = None
        self.pipeline: Pipeline | None = None
        self.tee: Tee[Shot] = Tee(on_failure=self._sink_failed)
        self.ledger = Ledger()
        self.loading: tuple[str, float] | None = None
        self.thread = threading.Thread(target=self._run, name="seg-player", daemon=True)
        self._playback = playback
        self._painter = Painter()
        self._changed = threading.Condition()
        self._segmenter: Segmenter | None = None
        self._models = Models()
        self._newest: Shown | None = None
        self._latest_shot: Shot | None = None
        self._taken_shot: Shot | None = None
        self._stopping = False
        self._expected_at_s: float | None = None
        self._next_seek_s: float | None = None
        self._begun_with: ModelWish | None = None
        self.search: Search | None = None
        """The last one that was begun; see `Search.outcome`."""

    # -- the window's thread ---------------------------------------------------------------------------------------

    @property
    def info(self) -> SourceInfo | None:
        return self.pipeline.source.info if self.pipeline else None

    @property
    def spec(self) -> ModelSpec | None:
        """Of the model whose class map is in the window; before there is one, of the one that loads."""
        if self._taken_shot is not None:
            return self._models.by_hash(self._taken_shot.maps[0].model) or self._models.first
        return self._models.first

    @property
    def against_spec(self) -> ModelSpec | None:
        """Of the second model whose class map is in the window; None without one."""
        maps = self._taken_shot.maps if self._taken_shot is not None else ()
        return self._models.by_hash(maps[1].model) if len(maps) > 1 else None

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

    def use_models(self, wish: ModelWish, on_failure: Callable[[str], None]) -> None:
        """Other models take over as soon as they are ready; what plays or stands still goes on until then.

        Args:
            wish: which.
            on_failure: called, on any thread, with one line when they cannot; what ran before goes on, and `wish` is
                the one of that again.
        """
        with self._changed:
            before, self.wish = self.wish, wish

        def failed(error: Exception) -> None:
            self._take_back(wish, before)
            on_failure(redact_text(" ".join(str(error).split()) or type(error).__name__))

        threading.Thread(target=self._change_model, args=(wish, failed), name="seg-model", daemon=True).start()

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

    def find(self, search: Search) -> None:
        """Pause, and go on to the shot that is looked for; pictures on the way are shown now and then."""
        self.stop_finding()
        if self.pipeline is not None and self._taken_shot is not None:
            self.search = search
            search.begin(self.pipeline, self._taken_shot)

    def stop_finding(self) -> None:
        """Stay where the search has come to."""
        if self.search is not None:
            self.search.stop()

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
        wish = self.wish
        # before the source: it costs less, and its faults come first
        spec = self._models.first = wish.options.read_spec()
        if self._stopping:
            return
        source = open_source(self.source)
        try:
            while (pipeline := self._begin(source, wish, spec)) is None and not self._stopping:
                wish = self.wish  # another model was chosen meanwhile
                spec = wish.options.read_spec()
        except BaseException:
            source.close()
            raise
        if pipeline is None:
            source.close()
            return
        if wish.against is not None:  # the first model alone is there sooner, and plays on where the second cannot
            self.use_models(replace(wish), self._playback.on_problem)
        with pipeline, self.comparison:
            self._playback.on_change()
            for shot in pipeline:
                if self.search is not None and self.search.passes_over(pipeline, shot):
                    continue
                self._post(shot, self.comparison.look(shot))
                self.tee.write(shot)
                if self._stopping:
                    return

    def _begin(self, source: Source, wish: ModelWish, spec: ModelSpec) -> Pipeline | None:
        """The pipeline under way; None when the session was stopped, or another model chosen, in the meantime."""
        live = source.info.live
        with self._changed:
            if self._stopping or self.wish is not wish:
                return None
            self._begun_with = wish
            self.pipeline = Pipeline(
                source,
                self._make_segmenter(ModelWish(wish.options), spec, None, live=live),
                policy=Policy.LATEST if live else Policy.REAL_TIME,
                speed=self._playback.speed,
                loop=self._playback.loop,
                keep_open=True,
                ledger=self.ledger,
            )
            return self.pipeline

    def _make_segmenter(self, wish: ModelWish, spec: ModelSpec, other: ModelSpec | None, *, live: bool) -> Segmenter:
        wanted, self.loading = self.wish, None

        def on_loading(what: str, share: float) -> bool:
            if wanted is self.wish:  # the newest; what was overtaken has nothing more to say
                self.loading = None if what == READY else (what, share)
            return not self._stopping

        self._segmenter = self._models.make(wish, spec, other, "latency" if live else "throughput", on_loading)
        return self._segmenter

    def _change_model(self, wish: ModelWish, on_failure: Callable[[Exception], None]) -> None:
        try:
            spec, other = wish.read()
        except SegViewerError as error:
            on_failure(error)
            return

        def failed(error: Exception) -> None:
            self.loading = None
            on_failure(error)

        with self._changed:
            if self._stopping or wish is not self.wish or self.pipeline is None:
                return  # a newer wish, or `_play` has not come that far and takes it from `wish`
            if self._begun_with is wish:
                return  # `_play` has taken it from there
            # still under the lock, so that no newer wish comes in between and is replaced by this one
            self.pipeline.use(self._make_segmenter(wish, spec, other, live=self._is_live()), failed)

    def _take_back(self, wish: ModelWish, before: ModelWish) -> None:
        """To what runs or loads, which need not be what was chosen before: that may have been given up for this one."""
        with self._changed:
            if self.wish is wish:
                running = self.pipeline.segmenter if self.pipeline is not None else None
                self.wish = self._models.wish_of(running) or before
                self._models.go_back_to(running)

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
        _ = shot.disagreement  # compared here, not on the window's thread
        with self._changed:
            self._latest_shot = shot
        shown = self._make(shot, truth)
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
        again = self._make(shown.shot, shown.truth)
        with self._changed:
            if self._latest_shot is not shown.shot or self._newest is not None or self._stopping:
                return
            self._newest = again
        self._playback.on_news()

    def _make(self, shot: Shot, truth: ByteArray | None) -> Shown:
        aspect = self.info.sample_aspect if self.info else Fraction(1)
        with self.ledger.timed("picture"):
            return self._painter.make(shot, truth, aspect, self._playback.wish)
