"""What the cameras see: pictures and CARLA tags of the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.assets import asset_path
from seg_viewer.core.carla_tags import TAGS
from tests.models import BLUE, GREEN, GREY, RED

ByteArray = NDArray[np.uint8]

_TAG_IDS = {tag.name: tag.id for tag in TAGS["0.9.14"]}
CLASS_TAGS = np.array([_TAG_IDS[name] for name in ("building", "road", "car", "pedestrian")], np.uint8)
"""The tag that stands for each of our classes."""


class Scene(Protocol):
    def look(self, moment: int, width: int, height: int) -> tuple[ByteArray, ByteArray]:
        """Picture (height, width, 3), uint8, blue-green-red, and tags (height, width), uint8, of the moment-th tick."""
        ...


class DemoScene:
    """The clip that ships, rendered by Blender, with its ground truth; starts over at its end."""

    def __init__(self) -> None:
        self._moments = self._decode()
        self._moment = -1
        self._now: tuple[ByteArray, ByteArray] | None = None

    def look(self, moment: int, width: int, height: int) -> tuple[ByteArray, ByteArray]:
        if moment != self._moment or self._now is None:
            self._now = next(self._moments)
            self._moment = moment
        picture, tags = self._now
        return (
            np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8),
            np.asarray(cv2.resize(tags, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8),
        )

    @staticmethod
    def _decode() -> Iterator[tuple[ByteArray, ByteArray]]:
        while True:
            with (
                av.open(str(asset_path("demo", "street.mp4"))) as pictures,
                av.open(str(asset_path("demo", "street_truth.mkv"))) as truths,
            ):
                for picture, truth in zip(pictures.decode(video=0), truths.decode(video=0), strict=True):
                    yield picture.to_ndarray(format="bgr24"), CLASS_TAGS[truth.to_ndarray()]


class ColorScene:
    """One colour all over, another each tick: class `moment % 4`, as the colour model of the tests sees it."""

    def look(self, moment: int, width: int, height: int) -> tuple[ByteArray, ByteArray]:
        class_id = moment % 4
        picture = np.full((height, width, 3), (GREY, GREEN, BLUE, RED)[class_id][::-1], np.uint8)
        return picture, np.full((height, width), CLASS_TAGS[class_id], np.uint8)


class PickleScene:
    """Pixels, picture and tags both, that are a pickle: unpickled, they make a folder in $SEG_VIEWER_TEST_FOLDER."""

    def look(self, moment: int, width: int, height: int) -> tuple[ByteArray, ByteArray]:
        call = b"cos\nsystem\n(Vmkdir $SEG_VIEWER_TEST_FOLDER/unpickled\ntR."
        pixels = np.zeros(3 * width * height, np.uint8)
        pixels[: len(call)] = np.frombuffer(call, np.uint8)
        tags = pixels[: width * height].reshape(height, width)
        rgb = pixels.reshape(height, width, 3)
        return np.ascontiguousarray(rgb[:, :, ::-1]), tags


SCENES: dict[str, type[DemoScene] | type[ColorScene] | type[PickleScene]] = {
    "demo": DemoScene,
    "colors": ColorScene,
    "pickle": PickleScene,
}
