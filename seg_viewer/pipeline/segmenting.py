"""The segmenting thread of a pipeline: one for each segmenter, from its opening to its closing."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import Shot
from seg_viewer.pipeline.segmenter import Segmenter, TakesTurns
from seg_viewer.pipeline.state import (
    BUSY_DISPLAY,
    DONE_SHOTS,
    LATE_ENGINE,
    MODEL_CHANGED,
    WHILE_PAUSED,
    PipelineState,
    Policy,
    Work,
)


def _nobody() -> None: ...


class SegmentLoop:
    """Opens a segmenter, has it take over from the one before, and works with it until another one takes over.

    Args:
        state: of the pipeline.
        segmenter: not opened yet; closed at the end.
        on_failure: called when it cannot be opened while another one works on; None, or where no other does: `run`
            raises.
    """

    def __init__(
        self,
        state: PipelineState,
        segmenter: Segmenter,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        self._state = state
        self._segmenter = segmenter
        self._on_failure = on_failure

    def run(self) -> None:
        state = self._state
        try:
            self._run()
        except Exception:
            if self._segmenter is state.wanted or self._segmenter is state.present:
                raise  # what fails after another one has taken over, closing included, is of no account

    def _run(self) -> None:
        state, segmenter = self._state, self._segmenter
        try:
            try:
                segmenter.open()
            except Exception as error:  # noqa: BLE001
                self._not_opened(error)
                return
            segmenter.wake = state.wake
            if self._take_over():
                self._work()
        finally:
            segmenter.close()
            segmenter.wake = _nobody  # what it holds would hold it: both would stay until the collector comes

    def _not_opened(self, error: Exception) -> None:
        state = self._state
        with state.changed:
            if state.stopping or self._segmenter is not state.wanted:
                return
            if state.present is None or self._on_failure is None:
                raise error
            state.wanted = state.present
        self._on_failure(error)

    def _take_over(self) -> bool:
        """Make it the present one. Returns whether that is still wanted."""
        state = self._state
        with state.changed:
            if state.stopping or self._segmenter is not state.wanted:
                return False
            if state.present is not None:
                self._do_again()
                state.ledger.forget("inference", "latency")
            state.present, state.report = self._segmenter, self._segmenter.report
            state.changed.notify_all()
            return True

    def _do_again(self) -> None:
        """What another segmenter has begun, or what was not taken of it, is still to do."""
        state = self._state
        again = [self._to_work(lap, shot) for lap, shot in state.done]
        again += [work for work in (*state.flying, *state.todo) if work.generation == state.generation]
        stands_still = state.steps == 0 if state.paused else state.exhausted and not again
        if state.policy is Policy.LATEST:
            most = 0 if stands_still else 1
            while len(again) > most:
                again.pop(0)
                state.ledger.drop(MODEL_CHANGED)
        if state.last is not None and stands_still:  # what is on the screen, too
            again.insert(0, self._to_work(state.lap, state.last))
            state.steps = 1 if state.paused else 0
        state.done.clear()
        state.flying, state.todo = deque(), deque(again)

    def _to_work(self, lap: int, shot: Shot) -> Work:
        times_s = {stage: shot.times_s[stage] for stage in ("decode", "convert") if stage in shot.times_s}
        return Work(self._state.generation, lap, shot.frame, (), (), times_s)

    def _work(self) -> None:
        segmenter = self._segmenter
        while True:
            work = self._next_work()
            if self._is_over():
                return
            if work is not None:
                segmenter.submit(work.frame, work.scaled_to(segmenter.sizes), alone=work.is_alone)
            else:
                self._deliver(segmenter.collect())

    def _is_over(self) -> bool:
        """All is to end, or another segmenter has taken over."""
        return self._state.stopping or self._segmenter is not self._state.present

    def _next_work(self) -> Work | None:
        """The next frame to submit once there is one and room for it; None when class maps can be collected or
        `_is_over`.
        """
        state, segmenter = self._state, self._segmenter
        with state.changed:
            state.changed.wait_for(lambda: self._is_over() or segmenter.ready() or self._may_submit())
            if self._is_over() or not self._may_submit():
                return None
            work = state.todo.popleft()
            now_s = state.clock.now() if state.policy is Policy.REAL_TIME else None
            while now_s is not None and state.todo and state.is_due(state.todo[0].lap, state.todo[0].frame, now_s):
                state.ledger.drop(LATE_ENGINE)
                work = state.todo.popleft()
            work.is_alone = self._is_waited_for()
            state.flying.append(work)
            state.changed.notify_all()
            return work

    def _is_waited_for(self) -> bool:
        """Whether the next frame is the answer to a jump or a step that somebody has made: not so in exports."""
        state = self._state
        others = state.done or any(other.generation == state.generation for other in state.flying)
        return state.policy is not Policy.EVERY_FRAME and state.wishes != state.answered and not others

    def _may_submit(self) -> bool:
        """There is a frame, and it is wanted now; unasked for, it would hold up the next jump or step back."""
        segmenter, state = self._segmenter, self._state
        if not state.todo or len(state.flying) >= segmenter.slots or state.is_unasked():
            return False
        return not isinstance(segmenter, TakesTurns) or segmenter.may_submit()

    def _deliver(self, maps: tuple[ClassMap, ...]) -> None:
        """Hand over the answer to the oldest frame in flight."""
        state = self._state
        now_s = time.perf_counter()
        with state.changed:
            if self._is_over():
                return
            state.report = self._segmenter.report  # another one when the engine had to be given up
            work = state.flying[0]
            self._note_times(work, self._segmenter.inference_s, now_s)

            def may_go() -> bool:
                full = state.policy is not Policy.LATEST and len(state.done) >= DONE_SHOTS
                return self._is_over() or work.generation != state.generation or not full

            state.changed.wait_for(may_go)
            if self._is_over():
                return
            state.flying.popleft()
            if work.generation == state.generation:
                if state.policy is Policy.LATEST and state.done:
                    state.ledger.drop(WHILE_PAUSED if state.paused else BUSY_DISPLAY)
                    if not state.is_on_screen(state.done[0][1].frame):
                        state.done.popleft()
                if not state.done or state.policy is not Policy.LATEST:
                    state.done.append((work.lap, Shot(work.frame, maps, work.times_s)))
            state.changed.notify_all()

    def _note_times(self, work: Work, inference_s: float, now_s: float) -> None:
        state = self._state
        computed = not math.isnan(inference_s)  # what was kept says nothing of the model
        work.times_s["inference"] = inference_s if computed else 0.0
        if state.policy is Policy.LATEST:
            work.times_s["latency"] = now_s - work.frame.arrived_s
        else:  # a file is read ahead of its time on purpose: only the work counts, not the wait in the queue
            work.times_s["latency"] = sum(work.times_s.values())
        for stage in ("inference", "latency"):
            if stage != "inference" or computed:
                state.ledger.record(stage, work.times_s[stage])
        state.ledger.tick("engine", now_s)
