"""The decoding thread of a pipeline: takes frames from the source and scales them for the segmenter."""

from __future__ import annotations

import time

from seg_viewer.pipeline.state import BUSY_ENGINE, TODO_FRAMES, PipelineState, Policy, Work, scaled


class DecodeLoop:
    """Runs until the pipeline stops; at the end of the source it waits for a seek.

    Args:
        state: of the pipeline.
    """

    def __init__(self, state: PipelineState) -> None:
        self._state = state

    def run(self) -> None:
        state = self._state
        frames = iter(state.source)
        lap = 0
        while True:
            with state.changed:
                state.changed.wait_for(self._wants_frame)
                if state.stopping:
                    return
                generation, target_s, state.seek_to = state.generation, state.seek_to, None
                sizes = (state.present or state.wanted).sizes
            if target_s is not None:
                state.source.seek(target_s)
                frames = iter(state.source)
            start_s = time.perf_counter()
            frame = next(frames, None)
            if frame is None:
                if self._end_of_source():
                    frames = iter(state.source)
                    lap += 1
                continue
            decoded_s = time.perf_counter()
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
        if state.stopping or state.seek_to is not None:
            return True
        if state.exhausted:
            return False
        return state.policy is Policy.LATEST or len(state.todo) < TODO_FRAMES

    def _end_of_source(self) -> bool:
        """Returns whether to start over."""
        state = self._state
        with state.changed:
            if state.seek_to is not None:
                return False
            if state.loop:
                return True
            state.exhausted = True
            state.changed.notify_all()
            state.changed.wait_for(lambda: state.stopping or state.seek_to is not None or state.loop)
            if state.loop and state.seek_to is None:
                state.exhausted = False
                return True
            return False
