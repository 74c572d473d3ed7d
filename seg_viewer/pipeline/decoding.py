"""The decoding thread of a pipeline: takes frames from the source and scales them for the segmenter."""

from __future__ import annotations

import time

from seg_viewer.core.frame import Frame
from seg_viewer.pipeline.moves import Move, Seek, go
from seg_viewer.pipeline.state import BUSY_ENGINE, DEADLINE, TODO_FRAMES, PipelineState, Policy, Work, scaled
from seg_viewer.sources.base import Stepping

_EPSILON_S = 1e-6
_REST_S = 0.03
"""After a jump or step, before anything is prepared: the next one often comes at once, and finds the cores free."""


class DecodeLoop:
    """Runs until the pipeline stops; at the end of the source it waits for a seek.

    While nothing is under way it has the source make the next steps back quick.

    Args:
        state: of the pipeline.
    """

    def __init__(self, state: PipelineState) -> None:
        self._state = state
        self._is_inside = False  # the latest frame is of the part that is repeated
        self._steps = isinstance(state.source, Stepping)
        self._has_more_to_prepare = self._steps
        self._has_moved = False  # and has not rested since
        self._left_out = 0  # in a row, for the deadline

    def run(self) -> None:
        state = self._state
        frames = iter(state.source)
        lap = 0
        while True:
            with state.changed:
                state.changed.wait_for(lambda: state.stopping or self._wants_frame() or self._may_prepare())
                if state.stopping:
                    return
                wants_frame = self._wants_frame()
                if self._has_moved and not wants_frame:
                    self._has_moved = False
                    state.changed.wait_for(lambda: state.stopping or self._wants_frame(), _REST_S)
                    continue
                generation, moves, base, state.moves = state.generation, state.moves, state.moves_from, None
                if moves is None and state.exhausted and wants_frame:  # it has ended, and is to be repeated after all
                    state.exhausted = False
                    moves, lap = (), lap + 1
                sizes = (state.present or state.wanted).sizes
            if not wants_frame:
                self._prepare()
                continue
            self._has_more_to_prepare = self._steps
            if moves is not None:
                go(state.source, base, moves)
                frames = iter(state.source)
                self._has_moved = True
                self._is_inside = False
            start_s = time.perf_counter()
            frame = next(frames, None)
            if frame is None or self._leaves_part(frame):
                again = self._end(frame is None)
                if again is not None:
                    go(state.source, None, again)
                    frames = iter(state.source)
                    lap += 1
                continue
            decoded_s = time.perf_counter()
            if self._is_left_out():
                state.ledger.tick("source", decoded_s)
                continue
            pictures = scaled(frame, sizes)
            scaled_s = time.perf_counter()
            # the wait for a live picture is no work
            begun_s = frame.arrived_s if state.source.info.live else start_s
            times_s = {"decode": max(0.0, decoded_s - begun_s), "convert": scaled_s - decoded_s}
            for stage, seconds in times_s.items():
                state.ledger.record(stage, seconds)
            state.ledger.tick("source", scaled_s)
            with state.changed:
                if generation == state.generation:
                    if state.policy is Policy.LATEST and state.todo:
                        state.ledger.drop(BUSY_ENGINE)
                        if state.is_on_screen(state.todo[0].frame):
                            continue
                        state.todo.popleft()
                    state.todo.append(Work(generation, lap, frame, sizes, pictures, times_s))
                    state.changed.notify_all()

    def _wants_frame(self) -> bool:
        state = self._state
        if state.moves is not None:
            return True
        if state.exhausted:
            return state.loop
        if state.policy is Policy.LATEST:
            return True
        if state.paused and state.last is not None:  # the next answer soon, rather than much that may not be wanted
            flying = sum(work.generation == state.generation for work in state.flying)
            return len(state.todo) + flying + len(state.done) < max(1, state.steps)
        return len(state.todo) < TODO_FRAMES

    def _is_left_out(self) -> bool:
        """Whether the latest picture is one of those that a deadline leaves out; counted if it is."""
        state = self._state
        if state.policy is not Policy.LATEST or self._left_out + 1 >= state.every:
            self._left_out = 0
            return False
        self._left_out += 1
        state.ledger.drop(DEADLINE)
        return True

    # -- what is repeated ------------------------------------------------------------------------------------------

    def _leaves_part(self, frame: Frame) -> bool:
        """Whether a frame is the first one behind the part that is repeated; it is not, after a jump to there."""
        part = self._state.part
        was_inside = self._is_inside
        self._is_inside = part is not None and part[0] - _EPSILON_S <= frame.time_s <= part[1] + _EPSILON_S
        return part is not None and was_inside and frame.time_s > part[1] + _EPSILON_S

    def _end(self, of_source: bool) -> tuple[Move, ...] | None:
        """How to start over, None for not at all: the source, or the part that is repeated, has ended."""
        state = self._state
        with state.changed:
            if state.moves is not None:
                return None
            was_inside = self._is_inside or not of_source
            if state.part is not None and was_inside:
                return (Seek(state.part[0]),)
            if state.loop:
                return ()  # iterating anew begins at the start
            state.exhausted = True
            state.changed.notify_all()
            return None

    # -- in advance ------------------------------------------------------------------------------------------------

    def _may_prepare(self) -> bool:
        """Nothing is under way, and the source can make the next steps back quick."""
        state = self._state
        stands_still = (state.paused and state.last is not None and not state.steps) or state.exhausted
        return stands_still and self._has_more_to_prepare

    def _prepare(self) -> None:
        source = self._state.source
        self._has_more_to_prepare = isinstance(source, Stepping) and source.prepare()
