"""Which way up a picture is: the display matrix that a file stores with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import av
import numpy as np
from av.sidedata.sidedata import Type

from seg_viewer.media.filters import Step
from seg_viewer.media.side_data import UnknownSideData, side_data

_STEPS: dict[tuple[int, int, int, int], tuple[Step, ...]] = {
    (1, 0, 0, 1): (),
    (-1, 0, 0, 1): (("hflip", {}),),
    (1, 0, 0, -1): (("vflip", {}),),
    (-1, 0, 0, -1): (("hflip", {}), ("vflip", {})),
    (0, 1, -1, 0): (("transpose", {"dir": "clock"}),),
    (0, -1, 1, 0): (("transpose", {"dir": "cclock"}),),
    (0, 1, 1, 0): (("transpose", {"dir": "cclock_flip"}),),
    (0, -1, -1, 0): (("transpose", {"dir": "clock_flip"}),),
}
_EXACT_DEG = 1.0


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways in which a picture can be stored.

    Args:
        a, b, c, d: where the axes go: a stored pixel (x, y) is shown at (a·x + c·y, b·x + d·y), each -1, 0 or 1; y
            counts downwards (ISO/IEC 14496-12, section 6.2.2).
        off_deg: by how much the file asks for another angle than this, degrees, -45…45.
    """

    a: int = 1
    b: int = 0
    c: int = 0
    d: int = 1
    off_deg: float = 0.0

    @property
    def steps(self) -> tuple[Step, ...]:
        """The filters that put the picture upright; none where it is."""
        return _STEPS[self.a, self.b, self.c, self.d]

    @property
    def swaps_sides(self) -> bool:
        """Width and height change places, and so do the sides of a pixel."""
        return self.a == 0


UPRIGHT = Orientation()


def read_matrix(matrix: tuple[float, float, float, float]) -> Orientation:
    """The orientation nearest to (a, b, c, d) of a display matrix of any scale; `UPRIGHT` for nonsense."""
    a, b, c, d = matrix
    across, down = math.hypot(a, c), math.hypot(b, d)
    if across == 0 or down == 0:
        return UPRIGHT
    a, c, b, d = a / across, c / across, b / down, d / down
    off = (math.degrees(math.atan2(b, a)) + 45) % 90 - 45
    off = off if abs(off) > _EXACT_DEG else 0.0
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(_sign(a), 0, 0, _sign(d), off)
    return Orientation(0, _sign(b), _sign(c), 0, off)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """How a decoded frame has to be turned; its file or its codec says so."""
    try:
        data = side_data(frame, Type.DISPLAYMATRIX)
    except UnknownSideData:  # then PyAV still tells the angle, though not what is mirrored
        angle = math.radians(-frame.rotation)
        return read_matrix((math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle)))
    if data is None:
        return UPRIGHT
    numbers = np.frombuffer(data, np.int32).reshape(3, 3)
    return read_matrix((float(numbers[0, 0]), float(numbers[0, 1]), float(numbers[1, 0]), float(numbers[1, 1])))


def _sign(value: float) -> int:
    return 1 if value > 0 else -1
