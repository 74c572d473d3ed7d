"""Part of a source: from one moment to another, every so many frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from seg_viewer.core.errors import UsageError
from seg_viewer.core.frame import Frame, Picture
from seg_viewer.sources.base import Source

_EPSILON_S = 1e-6


@dataclass(frozen=True)
class Moment:
    """A place in a source: by time or by number.

    Args:
        time_s: seconds from the start, or None.
        frame: number counted from 0, or None.
    """

    time_s: float | None = None
    frame: int | None = None

    @classmethod
    def read(cls, text: str) -> Moment:
        """From "90", "90.5", "1:30", "1:02:03.5" (time), or "250f" (frame number). Raises: UsageError."""
        text = text.strip()
        try:
            if text.lower().endswith("f"):
                frame = int(text[:-1])
                if frame < 0:
                    raise ValueError
                return cls(frame=frame)
            seconds = 0.0
            parts = text.split(":")
            if len(parts) > 3:
                raise ValueError
            for position, part in enumerate(parts):
                number = float(part)
                if not 0 <= number < float("inf") or (position and number >= 60):
                    raise ValueError
                seconds = 60 * seconds + number
        except ValueError:
            raise UsageError(
                f"'{text}' is no place in a video: write seconds (90.5), a time (1:30, 1:02:03.5), "
                "or a frame number (250f)"
            ) from None
        return cls(time_s=seconds)

    def is_at_or_before(self, number: int, time_s: float) -> bool:
        """Whether a frame lies there or later."""
        return number >= self.frame if self.frame is not None else time_s >= (self.time_s or 0.0)


@dataclass(frozen=True)
class Selection:
    """Which frames of a source are wanted.

    Args:
        start: the frame that is on the screen there is the first, or None for the beginning.
        end: the first frame that is not wanted, or None for the end.
        every: of those, the first and each `every`-th after it.
    """

    start: Moment | None = None
    end: Moment | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(f"every {self.every}: choose 1 (all frames) or more")
        for unit in ("time_s", "frame"):
            start, end = (getattr(moment, unit, None) for moment in (self.start, self.end))
            if end is not None and end <= (start or 0):
                raise UsageError("the end is not after the start; choose a later end")

    @classmethod
    def read(cls, start: object = None, end: object = None, every: int = 1) -> Selection:
        """From places as people write them, see `Moment.read`, numbers among them. Raises: UsageError."""
        first, last = (None if place is None else Moment.read(str(place)) for place in (start, end))
        return cls(first, last, every)

    @property
    def is_all(self) -> bool:
        return self == Selection()


@dataclass(frozen=True)
class Place:
    """How far frames of a selection were taken.

    Args:
        pts: of the frame taken last, in units of the source's time base.
        time_s: of that frame, seconds.
        index: its number for people.
        ordinal: its number among all frames from the first of the selection on.
    """

    pts: int
    time_s: float
    index: int
    ordinal: int


class Between:
    """Frames of a source that are wanted; their times, pts and numbers stay those of the source.

    Args:
        source: closed together with this one.
        selection: what is wanted.
        after: go on behind this frame, which somebody took earlier, or None.
        change: of each picture, or None.
    """

    def __init__(
        self,
        source: Source,
        selection: Selection,
        *,
        after: Place | None = None,
        change: Callable[[Frame], Picture] | None = None,
    ) -> None:
        self.info = source.info
        self.warnings = source.warnings
        self._frames: Iterator[Frame] | None = None
        self._source = source
        self._selection = selection
        self._after = after
        self._change = change

    def seek(self, time_s: float) -> None:
        """Part of a source is read once, in order. Raises: UsageError."""
        raise UsageError(f"{self.info.name}: only part of it is read; seeking is not meant here")

    def close(self) -> None:
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        frames, self._frames = self._frames, None
        return self._wanted() if frames is None else frames

    def first(self) -> Frame:
        """The first frame that is wanted; it stays in line. Raises: UsageError when there is none."""
        frames = iter(self)
        first = next(frames, None)
        if first is None:
            length_s = self.info.duration_s
            until = f"; it ends at {length_s:.2f} s" if length_s else ""
            raise UsageError(f"{self.info.name}: holds no frame in that part{until}")
        self._frames = chain((first,), frames)
        return first

    def _wanted(self) -> Iterator[Frame]:
        start, end, after = self._selection.start, self._selection.end, self._after
        ordinal = -1 if after is None else after.ordinal
        offset = 0  # between numbers counted from the start and those that a jump worked out
        for frame in self._from_first():
            if after is not None and frame.time_s < after.time_s + _EPSILON_S:
                offset = after.index - frame.index
                continue
            number = frame.index + offset
            if start is not None and start.frame is not None and number < start.frame:
                continue
            if end is not None and end.is_at_or_before(number, frame.time_s):
                return
            ordinal += 1
            if ordinal % self._selection.every == 0:
                yield self._as_wanted(frame, number)

    def _from_first(self) -> Iterator[Frame]:
        start = self._selection.start
        if self._after is not None:
            self._source.seek(self._after.time_s)
        elif start is not None and start.time_s:
            self._source.seek(start.time_s)
            frames = iter(self._source)
            head = list(islice(frames, 2))
            if len(head) == 1 and start.time_s >= self._end_of(head[0]):
                return  # a jump behind the end leads to the last frame, which is over by then
            yield from head
            yield from frames
            return
        yield from self._source

    def _end_of(self, last: Frame) -> float:
        """When the last frame goes from the screen, seconds."""
        lasts_s = last.duration_s
        if lasts_s is None:
            lasts_s = 1 / self.info.rate if self.info.rate else 0.0
        return last.time_s + lasts_s

    def _as_wanted(self, frame: Frame, number: int) -> Frame:
        picture = frame.picture if self._change is None else self._change(frame)
        duration_s = frame.duration_s if self._selection.every == 1 else None
        return replace(frame, index=number, picture=picture, duration_s=duration_s)
