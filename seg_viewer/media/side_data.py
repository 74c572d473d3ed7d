"""What a codec or a container says beside a frame."""

from __future__ import annotations

from typing import Any

import av
from av.sidedata.sidedata import Type


class UnknownSideData(Exception):
    """A frame has side data of a kind that PyAV has no name for, and then shows none at all."""


def side_data(frame: av.VideoFrame, kind: Type) -> bytes | None:
    """The bytes of one kind, as FFmpeg lays them out in memory; None where there are none. Raises: UnknownSideData."""
    try:
        found: list[Any] = list(frame.side_data)  # a mapping that iterates over its values
    except ValueError as error:
        raise UnknownSideData(str(error)) from None
    return next((bytes(data) for data in found if data.type is kind), None)
