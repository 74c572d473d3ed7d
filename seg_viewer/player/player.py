"""Plays one source at a time on threads of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from seg_viewer.core.frame import Shot
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.recording import Recording
from seg_viewer.pipeline import BUSY_RECORDER
from seg_viewer.player.looks import Looks
from seg_viewer.player.models import ModelWish
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.pool import EnginePool
from seg_viewer.player.session import Session
from seg_viewer.player.showing import Shown, Wish
from seg_viewer.sinks.base import Sink
from seg_viewer.sources import is_live

_KEEP_S = 5.0
"""For a file that is finished when its session ends."""


class Player(Looks):
    """Opens sources, plays them, keeps the newest shot until the window takes it.

    Every method returns at once; what it asked for happens on the player's threads. What plays goes on while another
    source is opened: with the first picture of that one, `take` changes over; where there is none, it just goes on.

    Args:
        options: model, engine and style of a run.
        pool: of engines that several players share; None for an engine of its own.
    """

    def __init__(self, options: RunOptions, pool: EnginePool | None = None) -> None:
        super().__init__(options)
        self._pool = pool
        self._opened_count = 0
        self._former: str | None = None
        self._failed: deque[str] = deque()
        self._passwords: deque[tuple[str, str]] = deque()
        self._recording: Recording | None = None
        self._threads: dict[threading.Thread, bool] = {}
        """Of the sessions; and whether one has a table to finish."""
        self._playback.on_problem = self._problems.append
        self._partings: deque[str] = deque()
        self._playback.on_parting = self._partings.append

    def listen(self, on_news: Callable[[], None], on_change: Callable[[], None]) -> None:
        """Call back, on any thread: `on_news` when a shot waits for `take`, `on_change` when the state is another."""
        self._playback.on_news, self._playback.on_change = on_news, on_change

    # -- opening and closing ---------------------------------------------------------------------------------------

    def open(self, source: str, scores: Sequence[Path] = ()) -> None:
        """Play another source; the present one plays on until the first picture of that is there.

        Args:
            source: what `open_source` takes.
            scores: files for its scores against the ground truth: tables, and reports that end in .html.
        """
        self.give_up_opening()
        session, present = self._session_of(source, scores), self._session
        self._former = None
        if present is not None and present.has_picture and not _shares_device(present, source):
            self._opening = session
            self._start(session)
            return
        if present is not None and present.has_picture:
            self._former = present.source  # a device has room for one; should that fail, this one comes back
        self.stop()
        self._begin(session)

    @property
    def opening(self) -> str | None:
        """The source that is opened while what was there before goes on; None while none is."""
        if self._former is not None and self.state is PlayerState.LOADING:
            return self.source
        return self._opening.source if self._opening is not None else None

    @property
    def is_opening(self) -> bool:
        """A source is being opened, whether or not another one plays on."""
        return self._opening is not None or self.state is PlayerState.LOADING

    def give_up_opening(self) -> None:
        """What plays goes on, and no other source is opened any more; without one, there is none."""
        session, self._opening = self._opening, None
        if session is not None:
            session.stop()
        elif self.state is PlayerState.LOADING:
            self.stop()

    @property
    def opened_count(self) -> int:
        """Grows with each source that takes the place of the one before."""
        return self._opened_count

    def take_failed(self) -> str | None:
        """A source that could not be opened while another one plays on, once; `take_problem` says why."""
        return self._failed.popleft() if self._failed else None

    def take_password_wanted(self) -> tuple[str, str] | None:
        """A source whose server wants another user and password, and what it said, once; before `take_problem`."""
        for session in (self._opening, self._session):
            self._note_password(session)
        return self._passwords.popleft() if self._passwords else None

    def _note_password(self, session: Session | None) -> None:
        if session is not None and session.needs_password and session.error is not None:
            session.needs_password = False
            self._passwords.append((session.source, session.error))

    def _settle(self) -> None:
        """What has become of the source that was being opened."""
        session = self._opening
        if session is not None and session.error is not None:
            self._opening = None
            self._note_password(session)
            self._problems.append(session.error)
            self._failed.append(session.source)
            session.stop()
        elif self._session is not None and self._former is not None:
            if self._session.has_picture:
                self._former = None
            elif self._session.error is not None:
                former, failed = self._former, self._session
                self._note_password(failed)
                self._problems.append(failed.error or "")
                self._failed.append(failed.source)
                self.stop()
                self._begin(self._session_of(former, ()))
                self._former = None

    def _change_over(self) -> None:
        """To the source that was being opened, once it has a picture."""
        session = self._opening
        if session is not None and session.has_news:
            self._opening = None
            self.stop()
            self._session = session
            self._opened_count += 1

    def open_again(self, session: Session) -> None:
        self.open(session.source)

    def take_problem(self) -> str | None:
        """Why a source could not be opened, or a model not take over: one line, once; None when all is well."""
        self._settle()
        return self._problems.popleft() if self._problems else None

    def take_parting(self) -> str | None:
        """What a source that was left has left behind, one line, once; also after `close`."""
        return self._partings.popleft() if self._partings else None

    def _session_of(self, source: str, scores: Sequence[Path]) -> Session:
        return Session(source, ModelWish(self.options, self.against), self._playback, scores, self.cache, self._pool)

    def _begin(self, session: Session) -> None:
        self._session = session
        self._opened_count += 1
        self._start(session)

    def _start(self, session: Session) -> None:
        session.timelines.look_ahead(self._looks_ahead)
        session.models.want_margin(self._wants_margin)
        session.models.want_steady(self.steady)
        self._threads = {thread: keeps for thread, keeps in self._threads.items() if thread.is_alive()}
        self._threads[session.thread] = bool(session.comparison.files)
        session.thread.start()

    def stop(self) -> None:
        """Leave the present source."""
        if self._opening is not None:
            self.give_up_opening()
        session, self._session = self._session, None
        if session is not None:
            self._against = session.wish.against
            session.stop()

    def close(self, timeout_s: float = 0.8) -> bool:
        """Stop and wait for the threads; returns whether all ended in time (compiling cannot be interrupted).

        A thread that has a table to finish is waited for longer.
        """
        self.listen(lambda: None, lambda: None)
        self.stop()
        began_s = time.perf_counter()
        for thread, keeps in self._threads.items():
            until_s = began_s + (max(timeout_s, _KEEP_S) if keeps else timeout_s)
            thread.join(max(0.0, until_s - time.perf_counter()))
        self.cache.close()
        return self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether no thread of it is at work any more; so it is before the first `open`, too."""
        return not any(thread.is_alive() for thread in self._threads)

    # -- where it goes, and what comes ----------------------------------------------------------------------------

    def stop_loading(self) -> None:
        """Stop making the engine ready: the model before goes on; without one, the session ends with an error."""
        if session := self._opening or self._session:
            session.stop_loading()

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
        """The newest shot, once; of another source from the first one on that it has."""
        self._settle()
        self._change_over()
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

    @property
    def in_full(self) -> bool:
        """Every frame of a file is shown, however long that takes; else frames that come too late are left out."""
        return self._playback.in_full

    @in_full.setter
    def in_full(self, value: bool) -> None:
        self._playback.in_full = value
        pipeline = self._pipeline()
        if pipeline and not pipeline.source.info.live:
            pipeline.policy = self._playback.policy

    @property
    def deadline_s(self) -> float | None:
        """Of what is live, 95 in 100 pictures are to be painted within so many seconds of their arrival; None: off."""
        return self._playback.deadline_s

    @deadline_s.setter
    def deadline_s(self, value: float | None) -> None:
        self._playback.deadline_s = value

    @property
    def part(self) -> tuple[float, float] | None:
        """First and last moment of the part that is played again and again, seconds; None for none."""
        pipeline = self._pipeline()
        return pipeline.part if pipeline else None

    @part.setter
    def part(self, value: tuple[float, float] | None) -> None:
        if (pipeline := self._pipeline()) and self._session:
            if value is not None and self.state is PlayerState.ENDED:
                pipeline.pause()  # it stands, and stands until somebody plays it
            self._session.course.set_part(value)

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

    def step(self, count: int = 1) -> None:
        """Pause, and show the frame so many on, or back where negative, from where was wished to be last."""
        self.stop_finding()
        if pipeline := self._pipeline():
            pipeline.pause()
            if self._session:
                self._session.course.step(count)

    def seek(self, time_s: float) -> None:
        """Show the frame at a time, seconds; while one seek is under way only the newest wish is kept."""
        self.stop_finding()
        if self._pipeline() and self._session:
            self._session.course.seek(time_s)

    def seek_by(self, delta_s: float) -> None:
        """So many seconds on, or back where negative, from where was wished to be last; none is lost."""
        self.stop_finding()
        if self._pipeline() and self._session:
            self._session.course.seek_by(delta_s)


def _shares_device(present: Session, source: str) -> bool:
    """Whether another source can only be opened once the present one is closed: a camera, a server's client."""
    return present.info is not None and present.info.live and is_live(source)
