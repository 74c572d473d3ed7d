"""A picture with its time, and that picture with its class maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.disagreement import Disagreement, disagreement
from seg_viewer.core.frame_stats import FrameStats, frame_stats
from seg_viewer.core.labels import LabelSet

ByteArray = NDArray[np.uint8]

TICKS = 90_000
"""Ticks per second where a source has no time base of its own."""

UNSPECIFIED = 2
"""What ITU-T H.273 calls a colour property that nobody has told."""


@dataclass(frozen=True)
class Colours:
    """What the numbers of a picture mean; its fields are those of `YuvPlanes`."""

    matrix: str = "bt709"
    full_range: bool = False
    coefficients: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    primaries: int = UNSPECIFIED


BT709 = Colours()
"""Limited range; nothing more is said."""


@dataclass(frozen=True)
class YuvPlanes:
    """A picture as YUV 4:2:0 with 8 bits; the chroma planes are half as wide and high, rounded up.

    Args:
        y: luma, shape (H, W), uint8.
        u: blue-difference chroma, shape (⌈H/2⌉, ⌈W/2⌉), uint8.
        v: red-difference chroma, shape (⌈H/2⌉, ⌈W/2⌉), uint8.
        matrix: "bt601", "bt709" or "bt2020", the colour matrix between these planes and RGB.
        full_range: luma spans 0…255 rather than 16…235.
        coefficients, transfer, primaries: what the source says of its colours, as in ITU-T H.273, tables 4, 3 and 2;
            2 where it says nothing.
        sample_aspect: width ÷ height of one pixel.
    """

    y: ByteArray
    u: ByteArray
    v: ByteArray
    matrix: str = "bt709"
    full_range: bool = False
    coefficients: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    sample_aspect: Fraction = Fraction(1)

    @property
    def colours(self) -> Colours:
        return Colours(self.matrix, self.full_range, self.coefficients, self.transfer, self.primaries)


@runtime_checkable
class Picture(Protocol):
    """A picture that converts itself when asked, from whatever the source delivered. Safe from any thread."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def rgb(self) -> ByteArray:
        """Full size, shape (H, W, 3), uint8, RGB; converted once and kept. Do not write into it."""
        ...

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        """Stretched to (height, width, 3), uint8, RGB, contiguous, straight from the source's format; a new array."""
        ...

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        """Stretched to (height, width, 4), uint8, blue-green-red-255, contiguous, for windows; a new array."""
        ...

    def yuv420(self) -> YuvPlanes:
        """Full size as planes that belong to the caller and may be written."""
        ...


class Size(NamedTuple):
    """Columns and rows of a picture, pixels."""

    width: int
    height: int


class FrameId(NamedTuple):
    """Which picture of which source: the same for the same picture, however it was reached.

    Args:
        source: `SourceInfo.fingerprint`.
        pts: presentation time in units of the source's time base.
    """

    source: str
    pts: int


@dataclass(frozen=True)
class Frame:
    """A picture with its place in the source.

    Args:
        index: number for people, counted from 0. Exact while the source is played from its start; after a jump into
            what was not played yet, worked out from the frame rate. `id` tells pictures apart, this does not.
        time_s: presentation time (pts × time base) from the start of the source, seconds.
        picture: the picture; never changes.
        truth: ground-truth class map, shape (H, W), uint8, 255 = ignore, or None.
        arrived_s: `time.perf_counter()` when the source had the frame.
        captured_s: `time.perf_counter()` when the camera took it, where that says so, by its own clock; else None.
        pts: presentation time in units of the source's time base, not shifted to 0; by default `time_s` in ticks of
            1/TICKS s.
        source: `SourceInfo.fingerprint` of where it is from.
        duration_s: how long the source shows it, seconds, or None where it does not say; the last picture of a video
            has no successor that would say it.
    """

    index: int
    time_s: float
    picture: Picture
    truth: ByteArray | None = None
    arrived_s: float = 0.0
    pts: int | None = None
    source: str = ""
    duration_s: float | None = None
    captured_s: float | None = None

    @property
    def id(self) -> FrameId:
        return FrameId(self.source, round(self.time_s * TICKS) if self.pts is None else self.pts)


@dataclass(frozen=True)
class Shot:
    """A frame with the class maps computed from it.

    Args:
        frame: the frame.
        maps: one for each model that looked at it; at least one.
        times_s: seconds that each stage took ("decode", "convert", "inference"), and "latency": from arrival to class
            map where the newest frame wins (live), else the sum of the stages.
    """

    frame: Frame
    maps: tuple[ClassMap, ...]
    times_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def classes(self) -> ByteArray:
        """Class ids of the first map, shape (h, w), uint8."""
        return self.maps[0].ids

    @property
    def labels(self) -> LabelSet:
        """What the ids of the first map mean."""
        return self.maps[0].labels

    @cached_property
    def stats(self) -> FrameStats:
        """The first map in numbers; counted once, whoever asks."""
        return frame_stats(self.classes, self.labels)

    @cached_property
    def disagreement(self) -> Disagreement | None:
        """Where the second model sees another class than the first; compared once, whoever asks. None without one."""
        return disagreement(self.maps[0], self.maps[1]) if len(self.maps) > 1 else None
