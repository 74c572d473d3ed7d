"""One source from opening to closing, on threads of its own; `player.py` keeps the one that plays."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from seg_viewer import __version__
from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.core.errors import PasswordError, SegViewerError
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.heap import give_back
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.machine import step_back
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.redact import redact_text
from seg_viewer.engines.base import READY
from seg_viewer.pipeline import Pipeline, Policy, Segmenter
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.player.comparison import Comparison
from seg_viewer.player.course import Course
from seg_viewer.player.deadline import Deadline
from seg_viewer.player.models import Models, ModelWish
from seg_viewer.player.partings import Partings
from seg_viewer.player.playback import BEHIND_WINDOW, JUMP_S, LATE_WINDOW, Playback, PlayerState
from seg_viewer.player.pool import EnginePool
from seg_viewer.player.search import Search
from seg_viewer.player.showing import Painter, Shown
from seg_viewer.player.timeline import Timelines
from seg_viewer.player.weakly import weakly
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.tee import Tee
from seg_viewer.sources import Source, SourceInfo, Stepping, bytes_to_keep
from seg_viewer.sources.awaited import open_when_there
from seg_viewer.sources.live import again_text, given_up_by

_log = logging.getLogger(__name__)


class Session:
    """One source from opening to closing, on one thread.

    Args:
        source: what `open_source` takes.
        wish: which models look at it.
        playback: how it is played.
        scores: files for its scores against the ground truth, see `Comparison`.
        cache: of class maps, closed by whoever made it.
        pool: of engines that several players share; None for an engine of its own.
    """

    def __init__(
        self,
        source: str,
        wish: ModelWish,
        playback: Playback,
        scores: Sequence[Path],
        cache: MapCache,
        pool: EnginePool | None = None,
    ) -> None:
        self.source = source
        self.wish = wish
        """Which models are wanted; they may still be loading."""
        # all that lives as long as a session knows it by a weak reference, so that it is gone once it has ended
        self.comparison = Comparison(scores, weakly(self._table_failed))
        self.error: str | None = None
        self.needs_password = False
        """The error is that another user and password are needed; taken back by whoever asks for them."""
        self.pipeline: Pipeline | None = None
        self.tee: Tee[Shot] = Tee(on_failure=weakly(self._sink_failed))
        self.ledger = Ledger()
        self.loading: tuple[str, float] | None = None
        self._waits_for = "", 0.0
        self.thread = threading.Thread(target=self._run, name="seg-player", daemon=True)
        self._playback = playback
        self._painter = Painter()
        self._changed = threading.Condition()
        self.course = Course(self._changed)
        self._segmenter: Segmenter | None = None
        self.models = Models(cache, pool)
        self.timelines = Timelines(source, cache)
        self.deadline = Deadline(weakly(self._change_network))
        self._newest: Shown | None = None
        self._latest_shot: Shot | None = None
        self.taken_shot: Shot | None = None
        """What is in the window."""
        self._left = threading.Event()  # it is being closed
        self._begun_with: ModelWish | None = None
        self._partings = Partings()
        self.search: Search | None = None
        """The last one that was begun; see `Search.outcome`."""

    # -- the window's thread ---------------------------------------------------------------------------------------

    @property
    def info(self) -> SourceInfo | None:
        return self.pipeline.source.info if self.pipeline else None

    @property
    def waiting(self) -> str:
        """Why a live source is not there yet, and when it is tried again, one line; "" while none is waited for."""
        return again_text(*self._waits_for)

    @property
    def awaited(self) -> str:
        """As `waiting`, without the time."""
        return self._waits_for[0]

    @property
    def spec(self) -> ModelSpec | None:
        """Of the model whose class map is in the window; before there is one, of the one that loads."""
        return self.models.of(self.taken_shot) or self.models.first

    @property
    def against_spec(self) -> ModelSpec | None:
        """Of the second model whose class map is in the window; None without one."""
        return self.models.of(self.taken_shot, 1)

    @property
    def position_s(self) -> float:
        """Media time of what is in the window, seconds."""
        return self.taken_shot.frame.time_s if self.taken_shot else 0.0

    @property
    def has_picture(self) -> bool:
        """There was one that could be shown."""
        return self._latest_shot is not None

    @property
    def has_news(self) -> bool:
        """A shot waits to be taken."""
        return self._newest is not None

    def state(self) -> PlayerState:
        if self.error is not None:
            return PlayerState.ERROR
        pipeline = self.pipeline
        if pipeline is None or self._latest_shot is None:
            return PlayerState.LOADING
        # a shot that the pipeline has delivered is still to be converted and taken: it ends with what the window has
        last, taken = pipeline.last_shot, self.taken_shot
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
            self._left.set()
            self._changed.notify_all()
            segmenter, pipeline = self._segmenter, self.pipeline
        self._partings.begin(pipeline.source if pipeline is not None else None)
        self.timelines.stop()
        if segmenter is not None:
            segmenter.interrupt()
        if pipeline is not None:
            pipeline.stop()
        if not self.thread.is_alive():
            self._let_go()

    def take(self) -> Shown | None:
        with self._changed:
            shown, self._newest = self._newest, None
            if shown is not None:
                self.taken_shot = shown.shot
                self.course.taken()
            self._changed.notify_all()
            return shown

    # -- its own threads -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        step_back(BEHIND_WINDOW)
        try:
            self._play()
        except SegViewerError as error:
            self.needs_password = isinstance(error, PasswordError)
            self._partings.hear(error)
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - the window goes on, whatever a decoder or a runtime raises
            _log.error("the player stopped\n%s", redacted_traceback(error))
            self._fail(f"{self.source}: stopped by an unexpected error: {type(error).__name__}: {error}")
        finally:
            if self._left.is_set():
                self._partings.tell(self._playback.on_parting)
                self._let_go()
            give_back()

    def _let_go(self) -> None:
        """Of all that is large, and of what knows this session; it has ended, and nobody asks it any more."""
        with self._changed:
            self.pipeline = self.course.pipeline = self._segmenter = None
            self._newest = self._latest_shot = self.taken_shot = self.course.latest = None
            self.models.let_go()

    def _play(self) -> None:
        wish = self.wish
        # before the source: it costs less, and its faults come first
        spec = self.models.first = wish.options.read_spec()
        if self._left.is_set():
            return
        with given_up_by(self._left):
            source = open_when_there(
                self.source, wait=self._wait, on_waiting=self._note_waiting, hardware=wish.options.hardware
            )
        if source is None:
            return
        self._waits_for = "", 0.0
        if isinstance(source, Stepping):
            source.keep(bytes_to_keep(), JUMP_S)
        try:
            while (pipeline := self._begin(source, wish, spec)) is None and not self._left.is_set():
                wish = self.wish  # another model was chosen meanwhile
                spec = wish.options.read_spec()
        except BaseException:
            source.close()
            raise
        if pipeline is None:
            self._partings.begin(source)
            source.close()
            return
        if wish.against is not None:  # the first model alone is there sooner, and plays on where the second cannot
            self.use_models(replace(wish), self._playback.on_problem)
        self.comparison.name = source.info.name
        self.comparison.about = {"model": spec.title, "program": f"seg_viewer {__version__}"}
        with pipeline, self.comparison, self.timelines:
            self._playback.on_change()
            for shot in pipeline:
                passed_over = self.search is not None and self.search.passes_over(pipeline, shot)
                truth = self.comparison.look(shot)
                if not passed_over:
                    self._post(shot, truth)
                options = (self.models.wish_of(pipeline.segmenter) or self.wish).options
                self.timelines.look(shot, truth, self.models.of(shot), options, pipeline)
                if not passed_over:
                    self.tee.write(shot)
                if source.info.live:
                    self.deadline.look(pipeline, self.wish, shot, self._playback.deadline_s)
                if self._left.is_set():
                    return

    def _wait(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(self._left.is_set, seconds)

    def _note_waiting(self, problem: str, again_s: float) -> None:
        self._waits_for = redact_text(problem), again_s
        self._playback.on_change()

    def _begin(self, source: Source, wish: ModelWish, spec: ModelSpec) -> Pipeline | None:
        """The pipeline under way; None when the session was stopped, or another model chosen, in the meantime."""
        live = source.info.live
        with self._changed:
            if self._left.is_set() or self.wish is not wish:
                return None
            self._begun_with = wish
            self.pipeline = self.course.pipeline = Pipeline(
                source,
                self._make_segmenter(ModelWish(wish.options), spec, None, source.info),
                policy=Policy.LATEST if live else self._playback.policy,
                speed=self._playback.speed,
                loop=self._playback.loop,
                keep_open=True,
                ledger=self.ledger,
                behind=BEHIND_WINDOW,
            )
            return self.pipeline

    def _make_segmenter(self, wish: ModelWish, spec: ModelSpec, other: ModelSpec | None, info: SourceInfo) -> Segmenter:
        wanted, self.loading = self.wish, None

        this = weakref.ref(self)

        def on_loading(what: str, share: float) -> bool:
            session = this()
            return session is not None and session.note_loading(wanted, what, share)

        self._segmenter = self.models.make(wish, spec, other, info, on_loading)
        return self._segmenter

    def note_loading(self, wish: ModelWish, what: str, share: float) -> bool:
        """How far an engine is; returns whether it is still wanted."""
        if wish is self.wish:  # the newest; what was overtaken has nothing more to say
            self.loading = None if what == READY else (what, share)
        return not self._left.is_set()

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
            if self._left.is_set() or wish is not self.wish or self.pipeline is None:
                return  # a newer wish, or `_play` has not come that far and takes it from `wish`
            if self._begun_with is wish:
                return  # `_play` has taken it from there
            # still under the lock, so that no newer wish comes in between and is replaced by this one
            self.pipeline.use(self._make_segmenter(wish, spec, other, self.pipeline.source.info), failed)

    def _change_network(self, wish: ModelWish, spec: ModelSpec, refused: Callable[[], None]) -> None:
        """For the deadline; see `Governing`. A wish that is not the newest any more changes nothing."""

        def failed(error: Exception) -> None:
            self.loading = None
            refused()
            self._playback.on_problem(redact_text(f"{spec.title}: {' '.join(str(error).split())}"))

        with self._changed:
            if not self._left.is_set() and wish is self.wish and self.pipeline is not None:
                self.models.forget_but(self.pipeline.segmenter)
                self.pipeline.use(self._make_segmenter(wish, spec, None, self.pipeline.source.info), failed)

    def _take_back(self, wish: ModelWish, before: ModelWish) -> None:
        """To what runs or loads, which need not be what was chosen before: that may have been given up for this one."""
        with self._changed:
            if self.wish is wish:
                running = self.pipeline.segmenter if self.pipeline is not None else None
                self.wish = self.models.wish_of(running) or before
                self.models.go_back_to(running)

    def _sink_failed(self, sink: Sink[Shot], error: Exception) -> None:
        self._playback.on_problem(redact_text(f"{type(sink).__name__}: {error}"))

    def _table_failed(self, text: str) -> None:
        if self._left.is_set():
            _log.warning(redact_text(text))  # perhaps nobody is there any more to see it in the window
        self._playback.on_problem(redact_text(text))

    def _fail(self, text: str) -> None:
        if not self._left.is_set():
            self.error = redact_text(" ".join(text.split()))
            self._playback.on_change()

    def _post(self, shot: Shot, truth: ByteArray | None) -> None:
        first = self._latest_shot is None
        _ = shot.disagreement  # compared here, not on the window's thread
        with self._changed:
            self._latest_shot = self.course.latest = shot
        shown = self._make(shot, truth)
        with self._changed:
            if self._is_live():
                if self._newest is not None:
                    self.ledger.drop(LATE_WINDOW)
            else:  # the pipeline counts what comes too late while the window is busy
                self._changed.wait_for(lambda: self._newest is None or self._left.is_set())
            self._newest = shown
            self.course.delivered(shot)
        self._playback.on_news()
        if first:
            self._playback.on_change()

    def _is_live(self) -> bool:
        return self.info is not None and self.info.live

    def rescale(self, shown: Shown) -> None:
        """Post the same shot again, converted for the present view, unless a newer one comes first."""
        again = self._make(shown.shot, shown.truth)
        with self._changed:
            if self._latest_shot is not shown.shot or self._newest is not None or self._left.is_set():
                return
            self._newest = again
        self._playback.on_news()

    def _make(self, shot: Shot, truth: ByteArray | None) -> Shown:
        aspect = self.info.sample_aspect if self.info else Fraction(1)
        with self.ledger.timed("picture"):
            return self._painter.make(shot, truth, aspect, self._playback.wish)
