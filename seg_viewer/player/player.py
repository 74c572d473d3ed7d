"""Plays one source at a time on threads of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from seg_viewer.core.frame import Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scores import Score
from seg_viewer.engines.base import EngineReport
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.recording import Recording
from seg_viewer.pipeline import BUSY_RECORDER, Pipeline
from seg_viewer.player.models import ModelWish
from seg_viewer.player.search import Search
from seg_viewer.player.session import Playback, PlayerState, Session
from seg_viewer.player.showing import Shown, Wish
from seg_viewer.sinks.base import Sink
from seg_viewer.sources import LiveSource, LiveStatus, SourceInfo


class Player:
    """Opens sources, plays them, keeps the newest shot until the window takes it.

    Every method returns at once; what it asked for happens on the player's threads.

    Args:
        options: model, engine and style of a run.
    """

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self._playback = Playback()
        self._session: Session | None = None
        self._against: str | None = None
        self._recording: Recording | None = None
        self._threads: list[threading.Thread] = []
        self._problems: deque[str] = deque()
        self._playback.on_problem = self._problems.append

    def listen(self, on_news: Callable[[], None], on_change: Callable[[], None]) -> None:
        """Call back, on any thread: `on_news` when a shot waits for `take`, `on_change` when the state is another."""
        self._playback.on_news, self._playback.on_change = on_news, on_change

    # -- opening and closing ---------------------------------------------------------------------------------------

    def open(self, source: str, truth_csv: Path | None = None) -> None:
        """Leave the present source and play another; its scores against the ground truth go to `truth_csv`."""
        self.stop()
        self._begin(Session(source, ModelWish(self.options, self._against), self._playback, truth_csv))

    def use_model(self, model: str) -> None:
        """Go on with another model, playing or paused as before: what is shown stays until the first shot of it.

        Where it cannot run, the model before goes on, and `take_problem` says why. Scores that went to a table end with
        the model before.

        Args:
            model: name of a shipped model, or path of an .onnx file.
        """
        self._use(self.options.with_model(model), self.against)

    def use_pair(self, model: str | None) -> None:
        """Have a second model look at each frame too, at the same place; what is painted stays the first one's.

        Where it cannot run, the first one goes on alone, or with the second one before, and `take_problem` says why.

        Args:
            model: name of a shipped model, or path of an .onnx file; None for no second model.
        """
        if model != self.against:
            self._use(replace(self.options), model)

    def _use(self, options: RunOptions, against: str | None) -> None:
        self.options, self._against = options, against
        session = self._session
        if session is None:
            return
        if session.error is not None:
            session.wish = ModelWish(options, against)
            self.open(session.source)
            return

        def failed(text: str) -> None:
            if self.options is options:
                self.options, self._against = session.wish.options, session.wish.against
            self._problems.append(text)
            self._playback.on_change()

        session.use_models(ModelWish(options, against), failed)

    def take_problem(self) -> str | None:
        """Why a model could not take over, one line, once; None when there is nothing to tell."""
        return self._problems.popleft() if self._problems else None

    def _begin(self, session: Session) -> None:
        self._session = session
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(session.thread)
        session.thread.start()

    def stop(self) -> None:
        """Leave the present source."""
        session, self._session = self._session, None
        if session is not None:
            self._against = session.wish.against
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
        """Of the model whose class map is in the window; before there is one, of the one that loads."""
        return self._session.spec if self._session else None

    @property
    def against(self) -> str | None:
        """Name or file of the second model that is wanted; None for none."""
        return self._session.wish.against if self._session else self._against

    @property
    def against_spec(self) -> ModelSpec | None:
        """Of the second model whose class map is in the window too; None without one."""
        return self._session.against_spec if self._session else None

    @property
    def truth_csv(self) -> Path | None:
        """As given to `open`; None once another model runs."""
        return self._session.comparison.table if self._session else None

    @property
    def position_s(self) -> float:
        """Media time of the shot taken last, seconds."""
        return self._session.position_s if self._session else 0.0

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
        return self._session.comparison.score if self._session else None

    @property
    def engine_report(self) -> EngineReport | None:
        pipeline = self._session.pipeline if self._session else None
        return pipeline.engine_report if pipeline else None

    @property
    def loading(self) -> tuple[str, float] | None:
        """What is being made ready and which share of it is done, while an engine takes long to; else None."""
        return self._session.loading if self._session and self._session.error is None else None

    def stop_loading(self) -> None:
        """Stop making the engine ready: the model before goes on; without one, the session ends with an error."""
        if self._session:
            self._session.stop_loading()

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

    def add_sink(self, sink: Sink[Shot]) -> None:
        """Shots go there too, from the next one on; what may be slow must not make the player wait, see `Queued`."""
        if self._session:
            self._session.tee.add(sink)

    def remove_sink(self, sink: Sink[Shot]) -> None:
        """No more shots go there; whoever removes it finishes it."""
        if self._session:
            self._session.tee.remove(sink)

    def set_recording(self, recording: Recording | None) -> None:
        """Shots go there too, from the next one on, and no longer to the one before; what it leaves out is counted."""
        session = self._session
        before, self._recording = self._recording, recording
        if session is None:
            return
        if before is not None:
            session.tee.remove(before)
        if recording is not None:
            ledger = session.ledger
            recording.on_left_out = lambda: ledger.drop(BUSY_RECORDER)
            session.tee.add(recording)

    def take(self) -> Shown | None:
        """The newest shot, once."""
        return self._session.take() if self._session else None

    def rescale(self, shown: Shown) -> None:
        """Deliver the same shot again, made for the present `wish`, unless a newer one comes first."""
        if self._session:
            threading.Thread(target=self._session.rescale, args=(shown,), name="seg-rescale", daemon=True).start()

    # -- steering --------------------------------------------------------------------------------------------------

    @property
    def wish(self) -> Wish:
        """How the window wants its pictures; it changes it as it changes itself."""
        return self._playback.wish

    @wish.setter
    def wish(self, value: Wish) -> None:
        self._playback.wish = value

    @property
    def speed(self) -> float:
        return self._playback.speed

    @speed.setter
    def speed(self, value: float) -> None:
        self._playback.speed = value
        if pipeline := self._pipeline():
            pipeline.speed = value

    @property
    def loop(self) -> bool:
        return self._playback.loop

    @loop.setter
    def loop(self, value: bool) -> None:
        self._playback.loop = value
        if pipeline := self._pipeline():
            pipeline.loop = value

    def play(self) -> None:
        """Go on, or start over after the end."""
        self.stop_finding()
        if pipeline := self._pipeline():
            ended = self.state is PlayerState.ENDED
            pipeline.resume()
            if ended:
                self.seek(0.0)

    def pause(self) -> None:
        self.stop_finding()
        if pipeline := self._pipeline():
            pipeline.pause()

    def step(self) -> None:
        """Pause, and show the next frame. Ignored while the last step is still under way."""
        self.stop_finding()
        if pipeline := self._pipeline():
            pipeline.pause()
            if not pipeline.at_end and self._session and self._session.expect():
                pipeline.step()

    def step_back(self) -> None:
        """Pause, and show the frame before. Ignored while the last step is still under way."""
        self.stop_finding()
        if pipeline := self._pipeline():
            pipeline.pause()
            if self._session and self._session.expect():
                pipeline.step_back()

    def seek(self, time_s: float) -> None:
        """Show the frame at a time; while one seek is under way only the newest wish is kept."""
        self.stop_finding()
        if self._pipeline() and self._session:
            self._session.seek(max(0.0, time_s))

    def find(self, search: Search) -> None:
        """Pause, and go on to the next shot that is looked for; whatever else moves the video ends the search."""
        if self._pipeline() and self._session:
            self._session.find(search)

    @property
    def search(self) -> Search | None:
        """The last one that was begun; see `Search.outcome`."""
        return self._session.search if self._session else None

    def stop_finding(self) -> None:
        """Stay where the search has come to."""
        if self._session:
            self._session.stop_finding()

    def _pipeline(self) -> Pipeline | None:
        return self._session.pipeline if self._session and self._session.error is None else None
