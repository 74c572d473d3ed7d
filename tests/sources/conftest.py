"""What tests of network streams share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from seg_viewer.core.frame import Frame
from seg_viewer.sources import NetworkStream
from seg_viewer.sources.address import parse_address
from seg_viewer.sources.live import Backoff
from tests.clips import CYCLE

SOON = Backoff(0.02, 0.1)


@pytest.fixture
def open_stream() -> Iterator[Callable[[str], NetworkStream]]:
    """Opens addresses, tries soon again; closed at the end of the test."""
    opened: list[NetworkStream] = []

    def make(text: str) -> NetworkStream:
        opened.append(NetworkStream(parse_address(text), SOON))
        return opened[-1]

    yield make
    for stream in opened:
        stream.interrupt()
        stream.close()


def cycle_color(frame: Frame) -> int:
    """Which of the cycle's colours a picture is."""
    pixel = frame.picture.rgb()[-4, 4].astype(int)
    return int(np.argmin([np.abs(pixel - color).sum() for color in CYCLE]))
