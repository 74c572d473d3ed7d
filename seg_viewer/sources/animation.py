"""Animated WebP, through OpenCV: FFmpeg reads the stills only."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import ByteArray, Frame
from seg_viewer.core.printable import printable
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.animated import webp_durations_ms
from seg_viewer.media.bgr_picture import BgrPicture
from seg_viewer.media.picture_file import quiet_opencv
from seg_viewer.media.video_reader import check_readable
from seg_viewer.sources.base import SourceInfo, SourceKind, file_fingerprint

_UNSAID_MS = 100
"""How long a frame is shown that says 0, as web browsers do."""
_MOST_BYTES = 256 * 2**20


class AnimatedPicture:
    """The frames of an animated WebP with their times; what is transparent keeps the colour beneath.

    Args:
        path: of the file.

    Raises:
        UsageError: there is no such file.
        SourceError: it cannot be read, or is no animated WebP.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.warnings: list[str] = []
        check_readable(self.path)
        durations = webp_durations_ms(self.path)
        self._data = np.fromfile(self.path, np.uint8)
        first = self._decoded(0, 1) if durations else []
        if not first:
            raise SourceError(f"{self.path}: is no animated WebP, or is cut off; copy it again from where it is whole")
        name = printable(self.path.name)
        if 0 in durations:
            self.warnings.append(f"{name}: frames that say no duration are shown for {_UNSAID_MS} ms, as browsers do")
        self._durations = [duration or _UNSAID_MS for duration in durations]
        self._starts = [0, *accumulate(self._durations)][:-1]
        self._position = 0
        height, width = first[0].shape[:2]
        self._chunk = max(1, _MOST_BYTES // (height * width * 4))
        count, length_s = len(durations), sum(self._durations) / 1000
        self.info = SourceInfo(
            name=name,
            width=width,
            height=height,
            rate=count / length_s,
            duration_s=length_s,
            frame_count=count,
            can_seek=True,
            is_animation=True,
            path=self.path,
            codec="webp",
            time_base=Fraction(1, 1000),
            fingerprint=file_fingerprint([self.path]),
        )

    def __iter__(self) -> Iterator[Frame]:
        count = len(self._starts)
        if self._position >= count:
            self._position = 0
        pictures: list[ByteArray] = []
        begin = 0
        while self._position < count:
            index = self._position
            if not begin <= index < begin + len(pictures):
                begin, pictures = index, self._decoded(index, self._chunk)
                if not pictures:
                    self._warn(f"{self.info.name}: declares {counted(count, 'frame')}, but holds {index}; kept these")
                    self._position = count
                    return
            self._position += 1
            start = self._starts[index]
            yield Frame(
                index,
                start / 1000,
                BgrPicture(pictures[index - begin]),
                arrived_s=time.perf_counter(),
                pts=start,
                source=self.info.fingerprint,
                duration_s=self._durations[index] / 1000,
            )

    def seek(self, time_s: float) -> None:
        """See `Source.seek`. Times beyond the ends mean the first or the last frame."""
        self._position = max(0, bisect.bisect_right(self._starts, time_s * 1000 + 1e-6) - 1)

    def close(self) -> None:
        """Nothing is held open."""

    def _decoded(self, start: int, count: int) -> list[ByteArray]:
        try:
            with quiet_opencv():
                _good, animation = cv2.imdecodeanimation(self._data, start=start, count=count)
        except cv2.error:
            return []
        return [np.asarray(frame, np.uint8) for frame in animation.frames]

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


SOURCE = SourceKind(
    "animation",
    lambda text: bool(webp_durations_ms(typed_path(text))),
    lambda text: AnimatedPicture(typed_path(text)),
    forms=(("an animated WebP", ""),),
    suffixes=(".webp",),
)
