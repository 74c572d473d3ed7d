"""What the threads of a pipeline share: one lock, bounded queues, and where the source and the consumer are."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from seg_viewer.core.frame import ByteArray, Frame, Shot, Size
from seg_viewer.core.ledger import Ledger
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline.clock import MediaClock
from seg_viewer.pipeline.moves import Move
from seg_viewer.pipeline.segmenter import Segmenter
from seg_viewer.sources.base import Source

LATE_ENGINE = "late: engine too slow"
LATE_DISPLAY = "late: display too slow"
BUSY_ENGINE = "newer frame: engine busy"
BUSY_DISPLAY = "newer frame: display busy"
BUSY_RECORDER = "newer frame: recorder busy"
WHILE_PAUSED = "paused"
MODEL_CHANGED = "model changed"
DEADLINE = "left out: deadline"

TODO_FRAMES = 4
"""Decoded frames that may wait for the segmenter."""
DONE_SHOTS = 3
"""Shots that may wait for the consumer."""
RESERVE_SHOTS = 2
"""That wait when all goes well."""


class Policy(StrEnum):
    """What happens when something is too slow.

    every-frame: everything waits, nothing is dropped, as fast as it goes. in-full: likewise, but never faster than
    recorded. real-time: the media clock runs on and frames whose successor is already due are dropped. latest: the
    newest frame wins (live).
    """

    EVERY_FRAME = "every-frame"
    IN_FULL = "in-full"
    REAL_TIME = "real-time"
    LATEST = "latest"


@dataclass
class Work:
    """A frame on its way through the segmenter."""

    generation: int
    lap: int
    frame: Frame
    sizes: tuple[Size, ...]
    pictures: tuple[ByteArray, ...]
    times_s: dict[str, float]
    is_alone: bool = False
    """See `Segmenter.submit`."""

    def scaled_to(self, sizes: tuple[Size, ...]) -> tuple[ByteArray, ...]:
        """Its pictures; scaled anew when they were made for another segmenter."""
        if sizes != self.sizes:
            self.pictures, self.sizes = scaled(self.frame, sizes), sizes
        return self.pictures


def scaled(frame: Frame, sizes: tuple[Size, ...]) -> tuple[ByteArray, ...]:
    """A picture for each size; models of one size share theirs."""
    pictures = {size: frame.picture.scaled_rgb(size.width, size.height) for size in dict.fromkeys(sizes)}
    return tuple(pictures[size] for size in sizes)


class PipelineState:
    """Guarded by `changed`, which is notified after every change; each field says who writes it.

    Args:
        source, segmenter, policy, speed, loop, keep_open, ledger: as for `Pipeline`.
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        *,
        policy: Policy,
        speed: float,
        loop: bool,
        keep_open: bool,
        ledger: Ledger,
    ) -> None:
        self.changed = threading.Condition()
        self.source, self.policy, self.ledger = source, policy, ledger
        self.clock = MediaClock(speed)
        # what is asked for, by the consumer's side
        self.loop, self.keep_open = loop, keep_open
        self.paused = False
        self.steps = 0
        self.goes_on = True  # the next step is likely to lead to the next frame: no jump and no step back came last
        self.moves: tuple[Move, ...] | None = None
        self.moves_from: Frame | None = None
        self.generation = 0  # of frames: one more with each seek
        self.wishes = 0  # seeks and steps asked for
        self.part: tuple[float, float] | None = None  # that is repeated, seconds
        self.every = 1  # under latest: of how many pictures one is looked at
        self.stopping = False
        self.wanted = segmenter
        # where things are
        self.todo: deque[Work] = deque()
        self.flying: deque[Work] = deque()  # submitted to the present segmenter, and not delivered yet
        self.done: deque[tuple[int, Shot]] = deque()  # with its lap
        self.lap = 0  # how often the source had started over when the last delivered shot was decoded
        self.last: Shot | None = None
        self.answered = 0  # how many of the wishes the shot delivered last answers
        self.exhausted = False
        self.present: Segmenter | None = None
        self.report: EngineReport | None = None
        self.error: BaseException | None = None
        self.source_failed = False  # with that error; what was decoded before it is still worth its shots

    def is_finished(self) -> bool:
        """The source has ended and nothing is under way."""
        return self.exhausted and not self.todo and not self.flying and not self.done

    def comes_before_error(self) -> bool:
        """There is an error, and shots from before it that can still be delivered."""
        under_way = self.source_failed and self.present is not None and (self.todo or self.flying)
        return bool(self.done or under_way)

    def is_at_end(self) -> bool:
        """The last frame was delivered; another model may still look at it again."""
        frame = self.last.frame if self.last is not None else None
        under_way = [work.frame for work in (*self.todo, *self.flying)] + [shot.frame for _lap, shot in self.done]
        return self.exhausted and all(other is frame for other in under_way)

    def is_unasked(self) -> bool:
        """It stands still where a jump or a step back has led: what is decoded next is for nobody yet."""
        return self.paused and self.last is not None and not self.steps and not self.goes_on

    def is_on_screen(self, frame: Frame) -> bool:
        """It was delivered last: on its way again, it is for another model, and no newer one may replace it."""
        return self.last is not None and frame is self.last.frame

    def is_due(self, lap: int, frame: Frame, now_s: float) -> bool:
        """Whether the media clock has reached a frame."""
        return lap == self.lap and frame.time_s <= now_s

    def wake(self) -> None:
        """Have every thread look again."""
        with self.changed:
            self.changed.notify_all()
