"""What a codec or a container says beside a frame."""

from __future__ import annotations

from typing import Any

import av
from av.sidedata.sidedata import SideDataContainer, Type


class UnknownSideData(Exception):
    """A frame has side data of a kind that PyAV has no name for, and then shows none at all."""


def side_data(frame: av.VideoFrame, kind: Type) -> bytes | None:
    """The bytes of one kind, as FFmpeg lays them out in memory; None where there are none. Raises: UnknownSideData."""
    try:
        # `frame.side_data` is kept by the frame that it keeps: each picture would stay until the collector comes
        found: list[Any] = list(SideDataContainer(frame))  # type: ignore[call-arg]  # a mapping of values
    except ValueError as error:
        raise UnknownSideData(str(error)) from None
    return next((bytes(data) for data in found if data.type is kind), None)
