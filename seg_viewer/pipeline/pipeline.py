"""One way through: source → class maps → whoever iterates.

Three threads overlap: one decodes and scales, one drives the segmenter, and the caller's consumes. Every hand-over is
bounded, every frame that is not delivered is counted with its cause, and a class map only ever travels with its frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType

import cv2

from seg_viewer.core.frame import Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.machine import step_back
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline.decoding import DecodeLoop
from seg_viewer.pipeline.moves import Move, Seek, Step
from seg_viewer.pipeline.segmenter import Segmenter
from seg_viewer.pipeline.segmenting import SegmentLoop
from seg_viewer.pipeline.state import LATE_DISPLAY, RESERVE_SHOTS, WHILE_PAUSED, PipelineState, Policy
from seg_viewer.sources.base import Source
from seg_viewer.sources.live import LiveSource

_DECODE = "seg-decode"
_SLIP_S = 0.5


class Pipeline:
    """Shots of a source, in order.

    Use it as a context manager, iterate it on one thread, steer it from any.

    Args:
        source: closed together with the pipeline.
        segmenter: opened, used and closed on a thread of its own; decoding starts before it is open.
        policy: see `Policy`.
        speed: of the media clock under real-time, 1 = as recorded.
        loop: start over at the end.
        keep_open: at the end, wait for `seek` or `close` instead of ending the iteration (for players).
        ledger: collects times, rates and drops; a new one by default.
        behind: steps of priority by which its threads stand back, see `core.machine.step_back`; whoever starts them.
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        *,
        policy: Policy = Policy.EVERY_FRAME,
        speed: float = 1.0,
        loop: bool = False,
        keep_open: bool = False,
        ledger: Ledger | None = None,
        behind: int = 0,
    ) -> None:
        # OpenCV's own threads only take the cores from the stages that already fill them
        cv2.setNumThreads(1)
        self.source = source
        self.ledger = ledger or Ledger()
        self._state = PipelineState(
            source, segmenter, policy=policy, speed=speed, loop=loop, keep_open=keep_open, ledger=self.ledger
        )
        if isinstance(source, LiveSource):
            source.on_drop = self.ledger.drop
        self._threads: list[threading.Thread] = []
        self._behind = behind
        try:
            self._start(_DECODE, DecodeLoop(self._state).run)
            self._start("seg-engine", SegmentLoop(self._state, segmenter).run)
        except BaseException:  # Ctrl-C, while a thread was being started: nobody else can close it
            self.close()
            raise

    # -- steering, from any thread ---------------------------------------------------------------------------------

    @property
    def engine_report(self) -> EngineReport | None:
        """What really runs; None until the segmenter is open."""
        return self._state.report

    @property
    def segmenter(self) -> Segmenter:
        """The one that works, or that will as soon as it is open."""
        return self._state.wanted

    @property
    def at_end(self) -> bool:
        """The last frame was delivered and no other is under way."""
        with self._state.changed:
            return self._state.is_at_end()

    @property
    def has_reserve(self) -> bool:
        """Shots wait for the consumer, or none is wanted now: the processor has time for something else."""
        state = self._state
        with state.changed:
            is_idle = not (state.steps or state.moves is not None or (state.todo and not state.is_unasked()))
            stands_still = state.paused and state.last is not None and is_idle
            return state.exhausted or stands_still or len(state.done) >= RESERVE_SHOTS

    @property
    def last_shot(self) -> Shot | None:
        """The shot delivered last; once `at_end` is true, the last one there is until somebody seeks."""
        return self._state.last

    @property
    def paused(self) -> bool:
        return self._state.paused

    @property
    def clock_now_s(self) -> float | None:
        """Media time that is due now, under real-time, seconds; None while it stands still."""
        return self._state.clock.now()

    @property
    def speed(self) -> float:
        return self._state.clock.speed

    @speed.setter
    def speed(self, value: float) -> None:
        if value <= 0:
            raise ValueError(f"speed {value} is not above 0")
        with self._state.changed:
            self._state.clock.speed = value
            self._state.clock.stop()
            self._state.changed.notify_all()

    @property
    def loop(self) -> bool:
        return self._state.loop

    @loop.setter
    def loop(self, value: bool) -> None:
        with self._state.changed:
            self._state.loop = value
            self._state.changed.notify_all()

    @property
    def policy(self) -> Policy:
        return self._state.policy

    @policy.setter
    def policy(self, value: Policy) -> None:
        with self._state.changed:
            self._state.policy = value
            self._state.clock.stop()
            self._state.changed.notify_all()

    @property
    def every(self) -> int:
        """Under `latest`: of how many pictures one is looked at; the others are left out and counted."""
        return self._state.every

    @every.setter
    def every(self, value: int) -> None:
        self._state.every = value

    @property
    def part(self) -> tuple[float, float] | None:
        """First and last moment of a part that is played again and again, seconds; None for no such part."""
        return self._state.part

    @part.setter
    def part(self, value: tuple[float, float] | None) -> None:
        """What was read ahead is delivered all the same; a move ends that."""
        with self._state.changed:
            self._state.part = value
            self._state.changed.notify_all()

    def pause(self) -> None:
        """Stand still; what was asked for before, and has not been delivered yet, still comes."""
        with self._state.changed:
            if not self._state.paused and self._state.answered != self._state.wishes:
                self._state.steps = 1
            self._state.paused = True
            self._state.clock.stop()
            self._state.changed.notify_all()

    def resume(self) -> None:
        with self._state.changed:
            self._state.paused = False
            self._state.goes_on = True
            self._state.steps = 0
            self._state.clock.stop()
            self._state.changed.notify_all()

    def step(self) -> None:
        """While paused: deliver one more shot; at the end, the last one again."""
        with self._state.changed:
            self._state.wishes += 1
            self._state.goes_on = True
            self._state.steps += 1
            self._state.changed.notify_all()

    def step_back(self) -> None:
        """While paused: deliver the shot before the last one delivered."""
        self.move((Step(-1),))

    def seek(self, time_s: float) -> None:
        """Go on from the frame on the screen at `time_s`; shown also while paused. What is under way is discarded."""
        self.move((Seek(time_s),))

    def move(self, moves: Sequence[Move]) -> None:
        """Make several steps and jumps, beginning at the shot delivered last; only where they end is delivered."""
        with self._state.changed:
            self._state.wishes += 1
            self._state.generation += 1
            self._state.moves = tuple(moves)
            self._state.goes_on = bool(moves) and isinstance(moves[-1], Step) and moves[-1].count > 0
            self._state.moves_from = self._state.last.frame if self._state.last is not None else None
            self._state.exhausted = False
            self._state.todo.clear()
            self._state.done.clear()
            self._state.steps = 1 if self._state.paused else 0
            self._state.clock.stop()
            self._state.changed.notify_all()

    @property
    def wishes(self) -> int:
        """How many steps and moves were asked for."""
        return self._state.wishes

    @property
    def answered(self) -> int:
        """How many of the `wishes` the shot delivered last answers; all, unless some were made after it."""
        return self._state.answered

    def use(self, segmenter: Segmenter, on_failure: Callable[[Exception], None] = lambda _error: None) -> None:
        """Go on with another segmenter as soon as it is open; until then the present one works on.

        No frame is decoded again or left out for it, except under `latest`, where all but the newest are counted. While
        paused, and at the end, the picture delivered last is delivered once more. A newer call wins.

        Args:
            segmenter: as for the constructor.
            on_failure: called on a thread of the pipeline with the reason when it cannot be opened while another one
                works on; where there is none yet, iterating raises the reason instead.
        """
        with self._state.changed:
            if self._state.stopping:
                return
            pending = self._state.wanted if self._state.wanted is not self._state.present else None
            self._state.wanted = segmenter
            self._start("seg-engine", SegmentLoop(self._state, segmenter, on_failure).run)
        if pending is not None:
            pending.interrupt()

    def stop(self) -> None:
        """Ask all threads to end, without waiting for them as `close` does; the iteration ends at once."""
        with self._state.changed:
            self._state.stopping = True
            wanted = self._state.wanted
            self._state.changed.notify_all()
        wanted.interrupt()
        if isinstance(self.source, LiveSource):
            self.source.interrupt()

    def close(self) -> None:
        """Stop all threads and close the source; again is fine."""
        self.stop()
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                with suppress(RuntimeError):  # Ctrl-C came before it was started
                    thread.join()
        self.source.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- the caller's thread ---------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Shot]:
        return self

    def __next__(self) -> Shot:
        """Raises: whatever stopped a thread, once, after the shots from before it; StopIteration at the end and after
        `close`.
        """
        with self._state.changed:
            while True:
                self._state.changed.wait_for(self._has_news)
                if self._state.error is not None and self._gives_up():
                    error, self._state.error = self._state.error, None
                    self._state.stopping = True
                    for _shot in self._state.done:
                        self.ledger.drop(WHILE_PAUSED)
                    self._state.changed.notify_all()
                    raise error
                if self._state.stopping or (self._state.is_finished() and not self._state.keep_open):
                    raise StopIteration
                shot = self._due_shot()
                if shot is not None:
                    self._state.last = shot
                    self._state.answered = self._state.wishes
                    self._state.changed.notify_all()
                    return shot

    def _has_news(self) -> bool:
        state = self._state
        if state.stopping or (state.is_finished() and not state.keep_open) or self._gives_up():
            return True
        if not state.done:
            return self._steps_at_end()
        return not state.paused or state.steps > 0

    def _gives_up(self) -> bool:
        """There is an error, and nothing is to come before it; while paused, nothing comes."""
        state = self._state
        return state.error is not None and (state.paused or not state.comes_before_error())

    def _steps_at_end(self) -> bool:
        """A step is wanted, and there is no other frame."""
        return self._state.paused and self._state.steps > 0 and self._state.is_finished()

    def _due_shot(self) -> Shot | None:
        """The next shot, or None after waiting for it for a while (the state may have changed meanwhile)."""
        state = self._state
        stepping = state.paused
        if self._steps_at_end():
            state.steps = 0
            return state.last
        lap, shot = state.done[0]
        if state.policy in (Policy.REAL_TIME, Policy.IN_FULL) and not stepping:
            if lap != state.lap:
                state.lap = lap
                state.clock.stop()
            wait_s = state.clock.wait_for(shot.frame.time_s)
            if wait_s > 0:
                state.changed.wait(wait_s)
                return None
            if wait_s < -_SLIP_S:
                state.clock.stop()  # hopelessly behind: the picture goes on from here rather than skip to catch up
            now_s = state.clock.now()
            if now_s is not None and state.policy is Policy.REAL_TIME and self._is_next_due(now_s):
                state.done.popleft()
                self.ledger.drop(LATE_DISPLAY)
                state.changed.notify_all()
                return None
            if now_s is None:
                state.clock.start(shot.frame.time_s)
        state.done.popleft()
        state.lap = lap
        if stepping:
            state.steps -= 1
        return shot

    def _is_next_due(self, now_s: float) -> bool:
        if len(self._state.done) < 2:
            return False
        lap, shot = self._state.done[1]
        return self._state.is_due(lap, shot.frame, now_s)

    # -- threads ---------------------------------------------------------------------------------------------------

    def _start(self, name: str, loop: Callable[[], None]) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        guarded = (loop, name == _DECODE)
        self._threads.append(threading.Thread(target=self._guard, args=guarded, name=name, daemon=True))
        self._threads[-1].start()

    def _guard(self, loop: Callable[[], None], is_source: bool) -> None:
        if self._behind:
            step_back(self._behind)
        try:
            loop()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who iterates
            with self._state.changed:
                if self._state.error is None:
                    self._state.error, self._state.source_failed = error, is_source
                elif not is_source:
                    self._state.source_failed = False  # nobody is left to make shots of what was decoded
                self._state.changed.notify_all()
