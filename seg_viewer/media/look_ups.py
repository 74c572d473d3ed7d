"""Pictures of a video file for a quick look: one near a time at once, then the one of that time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.timeline import Timeline
from seg_viewer.media.video_reader import VideoReader

_MOST_WORK_S = 0.6
"""Processor time for one look: where key frames are far apart, it ends with a picture before the one asked for."""


_BACK_S = (0.0, 1.0, 4.0, 16.0)
"""How far before a time a key frame is looked for, one after the other."""


@dataclass(frozen=True)
class Look:
    """A picture and its own time, seconds from the start of the file, and in units of its stream's time base."""

    time_s: float
    pts: int
    picture: AvPicture


class LookUps:
    """Looks at places of a file, beside whoever plays it. Made, used and closed on one thread.

    Args:
        path: of a file whose best video stream is looked at.

    Raises:
        UsageError, SourceError: as `VideoReader`.
    """

    def __init__(self, path: Path) -> None:
        self._reader = VideoReader(path)
        self._timeline = Timeline(path)
        self._shift_s = 0.0
        self._alone()

    def near(self, time_s: float, goes_on: Callable[[], bool]) -> Iterator[Look]:
        """The key frame before a time, and the picture on the screen at that time, or as near before it as is cheap.

        Args:
            time_s: seconds from the start.
            goes_on: asked now and then; its answer False ends the look.

        Returns:
            none, one or two; the last is the best.
        """
        begun_s = time.thread_time()
        half_tick_s = 0.5 * float(self._reader.stream.time_base or 0)
        first: Look | None = None
        best: tuple[float, av.VideoFrame] | None = None
        for frame_s, frame in self._frames_before(time_s + half_tick_s):
            if best is not None and frame_s > time_s + half_tick_s:
                break
            best = frame_s, frame
            if first is None:
                first = self._look(best)
                yield first
            if not goes_on() or time.thread_time() - begun_s > _MOST_WORK_S:
                break
        if best is not None and first is not None and best[0] != first.time_s:
            yield self._look(best)

    def close(self) -> None:
        self._reader.close()

    def _look(self, timed: tuple[float, av.VideoFrame]) -> Look:
        time_s, frame = timed
        return Look(time_s, frame.pts or 0, self._reader.picture(frame))

    def _frames_before(self, time_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
        """Frames from a key frame on that is not after a time; from the first one where there is none."""
        for back_s in _BACK_S:
            if back_s >= time_s:
                break
            self._jump(time_s - back_s)
            frames = self._frames()
            first = next(frames, None)
            if first is not None and first[0] <= time_s:  # an index may point behind what it is asked for
                return itertools.chain([first], frames)
        self._restart()
        return self._frames()

    def _frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        for packet in self._reader.packets():
            shift_s = self._timeline.shift_s(packet) if packet.size else self._shift_s
            self._shift_s = shift_s
            for frame in self._reader.decode(packet) or ():
                if frame.pts is not None and frame.time_base is not None:
                    yield float(frame.pts * frame.time_base) + shift_s, frame

    def _jump(self, time_s: float) -> None:
        stream = self._reader.stream
        position = self._timeline.position(stream.index, time_s)
        if position == 0 or stream.time_base is None:
            self._restart()
        elif position is not None:
            self._reader.seek_byte(position)
        else:
            self._reader.seek(int((time_s + self._timeline.origin_s) / stream.time_base))

    def _restart(self) -> None:
        self._reader.restart()
        self._alone()

    def _alone(self) -> None:
        """One thread, and each picture as soon as it is there."""
        self._reader.stream.thread_type = "NONE"
        self._shift_s = -self._timeline.origin_s
