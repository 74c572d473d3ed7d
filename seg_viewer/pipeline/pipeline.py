"""One way through: source → class maps → whoever iterates.

Three threads overlap: one decodes and scales, one drives the engine, and the caller's consumes. Every hand-over is
bounded, every frame that is not delivered is counted with its cause, and a class map only ever travels with its frame.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

import cv2

from seg_viewer.core.frame import ByteArray, Frame, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import Engine, EngineReport
from seg_viewer.sources.base import Source
from seg_viewer.sources.live import LiveSource

LATE_ENGINE = "late: engine too slow"
LATE_DISPLAY = "late: display too slow"
BUSY_ENGINE = "newer frame: engine busy"
BUSY_DISPLAY = "newer frame: display busy"
BUSY_RECORDER = "newer frame: recorder busy"
WHILE_PAUSED = "paused"

_TODO_FRAMES = 4
_DONE_SHOTS = 3
_SLIP_S = 0.5


class Policy(StrEnum):
    """What happens when something is too slow.

    every-frame: everything waits, nothing is dropped. real-time: the media clock runs on and frames whose successor
    is already due are dropped. latest: the newest frame wins (live).
    """

    EVERY_FRAME = "every-frame"
    REAL_TIME = "real-time"
    LATEST = "latest"


@dataclass
class _Work:
    generation: int
    lap: int
    frame: Frame
    small: ByteArray
    times_s: dict[str, float]


class _MediaClock:
    """Media time as a function of wall time; not running until the next delivered shot starts it."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._anchor: tuple[float, float] | None = None

    def start(self, media_s: float) -> None:
        self._anchor = (media_s, time.perf_counter())

    def stop(self) -> None:
        self._anchor = None

    def now(self) -> float | None:
        """Media time, seconds, or None while it does not run."""
        if self._anchor is None:
            return None
        media_s, wall_s = self._anchor
        return media_s + (time.perf_counter() - wall_s) * self.speed

    def wait_for(self, media_s: float) -> float:
        """Wall seconds until a media time, 0 or less when it is due."""
        now_s = self.now()
        return 0.0 if now_s is None else (media_s - now_s) / self.speed


class Pipeline:
    """Shots of a source, in order.

    Use it as a context manager, iterate it on one thread, steer it from any.

    Args:
        source: closed together with the pipeline.
        spec: the model's, so that decoding can start before the engine is ready.
        make_engine: called on the engine's thread.
        policy: see `Policy`.
        speed: of the media clock under real-time, 1 = as recorded.
        loop: start over at the end.
        keep_open: at the end, wait for `seek` or `close` instead of ending the iteration (for players).
        ledger: collects times, rates and drops; a new one by default.
        on_stop: called when the threads are asked to end, to stop whatever `make_engine` may be waiting for.
    """

    def __init__(
        self,
        source: Source,
        spec: ModelSpec,
        make_engine: Callable[[], Engine],
        *,
        policy: Policy = Policy.EVERY_FRAME,
        speed: float = 1.0,
        loop: bool = False,
        keep_open: bool = False,
        ledger: Ledger | None = None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        # OpenCV's own threads only take the cores from the stages that already fill them
        cv2.setNumThreads(1)
        self.source = source
        self.spec = spec
        self.policy = policy
        self.ledger = ledger or Ledger()
        self._make_engine = make_engine
        self._on_stop = on_stop
        self._keep_open = keep_open
        self._loop = loop
        self._changed = threading.Condition()
        self._todo: deque[_Work] = deque()
        self._done: deque[tuple[int, Shot]] = deque()  # with its lap
        self._lap = 0  # how often the source had started over when the last delivered shot was decoded
        self._in_flight = 0
        self._generation = 0
        self._seek_to: float | None = None
        self._exhausted = False
        self._stopping = False
        self._error: BaseException | None = None
        self._paused = False
        self._steps = 0
        self._clock = _MediaClock(speed)
        self._last: Shot | None = None
        self._report: EngineReport | None = None
        self.busy_cause = BUSY_DISPLAY
        """Why whoever iterates takes no newer shot, for the drops under `latest`."""
        if isinstance(source, LiveSource):
            source.on_drop = self.ledger.drop
        self._threads = [
            threading.Thread(target=self._guard, args=(self._decode,), name="seg-decode", daemon=True),
            threading.Thread(target=self._guard, args=(self._infer,), name="seg-engine", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    # -- steering, from any thread ---------------------------------------------------------------------------------

    @property
    def engine_report(self) -> EngineReport | None:
        """What really runs; None until the engine is ready."""
        return self._report

    @property
    def at_end(self) -> bool:
        """The last frame was delivered and nothing is under way."""
        with self._changed:
            return self._is_finished()

    @property
    def last_shot(self) -> Shot | None:
        """The shot delivered last; once `at_end` is true, the last one there is until somebody seeks."""
        return self._last

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def speed(self) -> float:
        return self._clock.speed

    @speed.setter
    def speed(self, value: float) -> None:
        if value <= 0:
            raise ValueError(f"speed {value} is not above 0")
        with self._changed:
            self._clock.speed = value
            self._clock.stop()
            self._changed.notify_all()

    @property
    def loop(self) -> bool:
        return self._loop

    @loop.setter
    def loop(self, value: bool) -> None:
        with self._changed:
            self._loop = value
            self._changed.notify_all()

    def pause(self) -> None:
        with self._changed:
            self._paused = True
            self._clock.stop()
            self._changed.notify_all()

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._steps = 0
            self._clock.stop()
            self._changed.notify_all()

    def step(self) -> None:
        """While paused: deliver one more shot."""
        with self._changed:
            self._steps += 1
            self._changed.notify_all()

    def step_back(self) -> None:
        """While paused: deliver the shot before the last one delivered."""
        if self._last is not None:
            tick_s = float(self.source.info.time_base or 0.001)
            self.seek(max(0.0, self._last.frame.time_s - 0.75 * tick_s))

    def seek(self, time_s: float) -> None:
        """Go on from the frame on the screen at `time_s`; shown also while paused. What is under way is discarded."""
        with self._changed:
            self._generation += 1
            self._seek_to = time_s
            self._exhausted = False
            self._todo.clear()
            self._done.clear()
            self._steps = 1 if self._paused else 0
            self._clock.stop()
            self._changed.notify_all()

    def stop(self) -> None:
        """Ask all threads to end, without waiting for them as `close` does; the iteration ends at once."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._on_stop()
        if isinstance(self.source, LiveSource):
            self.source.interrupt()

    def close(self) -> None:
        """Stop all threads and close the source; again is fine."""
        self.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
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
        """Raises: whatever stopped a thread, once; StopIteration at the end and after `close`."""
        with self._changed:
            while True:
                self._changed.wait_for(self._has_news)
                if self._error is not None:
                    error, self._error = self._error, None
                    self._stopping = True
                    self._changed.notify_all()
                    raise error
                if self._stopping or (self._is_finished() and not self._keep_open):
                    raise StopIteration
                shot = self._due_shot()
                if shot is not None:
                    self._last = shot
                    self._changed.notify_all()
                    return shot

    def _has_news(self) -> bool:
        if self._error is not None or self._stopping or (self._is_finished() and not self._keep_open):
            return True
        return bool(self._done) and (not self._paused or self._steps > 0)

    def _is_finished(self) -> bool:
        return self._exhausted and not self._todo and not self._done and self._in_flight == 0

    def _due_shot(self) -> Shot | None:
        """The next shot, or None after waiting for it for a while (the state may have changed meanwhile)."""
        stepping = self._paused
        lap, shot = self._done[0]
        time_s = shot.frame.time_s
        if self.policy is Policy.REAL_TIME and not stepping:
            if lap != self._lap:
                self._lap = lap
                self._clock.stop()
            wait_s = self._clock.wait_for(time_s)
            if wait_s > 0:
                self._changed.wait(wait_s)
                return None
            if wait_s < -_SLIP_S:
                self._clock.stop()  # hopelessly behind: the picture goes on from here rather than skip to catch up
            now_s = self._clock.now()
            if now_s is not None and len(self._done) > 1 and self._is_due(*self._done[1], now_s):
                self._done.popleft()
                self.ledger.drop(LATE_DISPLAY)
                self._changed.notify_all()
                return None
            if now_s is None:
                self._clock.start(time_s)
        self._done.popleft()
        self._lap = lap
        if stepping:
            self._steps -= 1
        return shot

    def _is_due(self, lap: int, item: Shot | Frame, now_s: float) -> bool:
        frame = item.frame if isinstance(item, Shot) else item
        return lap == self._lap and frame.time_s <= now_s

    # -- the decoder's thread --------------------------------------------------------------------------------------

    def _decode(self) -> None:
        frames = iter(self.source)
        lap = 0
        while True:
            with self._changed:
                self._changed.wait_for(self._wants_frame)
                if self._stopping:
                    return
                generation, target_s, self._seek_to = self._generation, self._seek_to, None
            if target_s is not None:
                self.source.seek(target_s)
                frames = iter(self.source)
            start_s = time.perf_counter()
            frame = next(frames, None)
            if frame is None:
                if self._end_of_source():
                    frames = iter(self.source)
                    lap += 1
                continue
            decoded_s = time.perf_counter()
            small = frame.picture.scaled_rgb(self.spec.width, self.spec.height)
            scaled_s = time.perf_counter()
            # the wait for a live picture is no work
            begun_s = frame.arrived_s if self.source.info.live else start_s
            times_s = {"decode": max(0.0, decoded_s - begun_s), "convert": scaled_s - decoded_s}
            for stage, seconds in times_s.items():
                self.ledger.record(stage, seconds)
            self.ledger.tick("source", scaled_s)
            with self._changed:
                if generation == self._generation:
                    if self.policy is Policy.LATEST and self._todo:
                        self._todo.popleft()
                        self.ledger.drop(BUSY_ENGINE)
                    self._todo.append(_Work(generation, lap, frame, small, times_s))
                    self._changed.notify_all()

    def _wants_frame(self) -> bool:
        if self._stopping or self._seek_to is not None:
            return True
        if self._exhausted:
            return False
        return self.policy is Policy.LATEST or len(self._todo) < _TODO_FRAMES

    def _end_of_source(self) -> bool:
        """Returns whether to start over."""
        with self._changed:
            if self._seek_to is not None:
                return False
            if self._loop:
                return True
            self._exhausted = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopping or self._seek_to is not None or self._loop)
            if self._loop and self._seek_to is None:
                self._exhausted = False
                return True
            return False

    # -- the engine's thread ---------------------------------------------------------------------------------------

    def _infer(self) -> None:
        engine = self._make_engine()
        try:
            with self._changed:
                self._report = engine.report
                self._changed.notify_all()
            flying: deque[_Work] = deque()
            engine.wake = self._wake
            while True:
                work = self._next_work(engine, room=len(flying) < engine.slots)
                if self._stopping:
                    return
                if work is not None:
                    engine.submit(work.small)
                    flying.append(work)
                else:
                    work = flying.popleft()
                    classes = engine.collect()
                    self._report = engine.report  # another one when the engine had to fall back
                    work.times_s["inference"] = engine.inference_s
                    self._deliver(work, classes)
        finally:
            engine.close()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _next_work(self, engine: Engine, *, room: bool) -> _Work | None:
        """The next frame to submit once there is one and room for it; None as soon as a class map can be collected."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or engine.ready() or (room and self._todo))
            if self._stopping or not (room and self._todo):
                return None
            work = self._todo.popleft()
            now_s = self._clock.now() if self.policy is Policy.REAL_TIME else None
            while now_s is not None and self._todo and self._is_due(self._todo[0].lap, self._todo[0].frame, now_s):
                self.ledger.drop(LATE_ENGINE)
                work = self._todo.popleft()
            self._in_flight += 1
            self._changed.notify_all()
            return work

    def _deliver(self, work: _Work, classes: ByteArray) -> None:
        now_s = time.perf_counter()
        if self.policy is Policy.LATEST:
            work.times_s["latency"] = now_s - work.frame.arrived_s
        else:  # a file is read ahead of its time on purpose: only the work counts, not the wait in the queue
            work.times_s["latency"] = sum(work.times_s.values())
        for stage in ("inference", "latency"):
            self.ledger.record(stage, work.times_s[stage])
        self.ledger.tick("engine", now_s)
        shot = Shot(work.frame, classes, work.times_s)
        with self._changed:

            def may_go() -> bool:
                full = self.policy is not Policy.LATEST and len(self._done) >= _DONE_SHOTS
                return self._stopping or work.generation != self._generation or not full

            self._changed.wait_for(may_go)
            self._in_flight -= 1
            if work.generation == self._generation:
                if self.policy is Policy.LATEST and self._done:
                    self._done.popleft()
                    self.ledger.drop(WHILE_PAUSED if self._paused else self.busy_cause)
                self._done.append((work.lap, shot))
            self._changed.notify_all()

    def _guard(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as error:  # handed to the caller, who iterates
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()
