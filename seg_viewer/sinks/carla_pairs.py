"""Pictures and tag masks as the trainer reads them: `CameraRGB`, `CameraMask`, and what they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from seg_viewer.core.carla_tags import RECORD_FILE
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.part_file import PartFile, explain, part_file, sync
from seg_viewer.sinks.base import Sink

_PICTURES, _MASKS = "CameraRGB", "CameraMask"
_MASK_COLORS = 3


@dataclass(frozen=True)
class TaggedPicture:
    """A picture and what each of its pixels is.

    Args:
        rgb: shape (H, W, 3), uint8, RGB.
        tags: CARLA's semantic tags, shape (H, W), uint8.
    """

    rgb: ByteArray
    tags: ByteArray


class CarlaPairs(Sink[TaggedPicture]):
    """Numbered PNG pairs. Each file appears whole, a mask before its picture: every picture has its mask.

    Args:
        folder: to make, with the first `describe`; may exist, but holds no recording yet.

    Raises:
        UsageError: there is a recording already, or something that is no folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder}: is no folder; choose another name")
        for name in (_PICTURES, _MASKS):
            if (folder / name).is_dir() and any((folder / name).iterdir()):
                raise UsageError(f"{folder / name}: holds a recording already; choose another folder")

    def describe(self, version: str, drives: Sequence[Mapping[str, Any]], tags: str = "") -> None:
        """Say which version of CARLA the tags are of, and what was driven; before the first pair.

        Args:
            version: as the server says it.
            drives: so far.
            tags: the table of `seg_viewer.core.carla_tags.TAGS` that they follow; "" for that of the version.

        Raises: ExportError.
        """
        try:
            for name in (_PICTURES, _MASKS):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(explain(self.folder, error)) from error
        said = {"carla_version": version} | ({"tags": tags} if tags else {})
        text = json.dumps(said | {"drives": list(drives)}, indent=2)
        with part_file(self.folder / RECORD_FILE) as part:
            part.write_text(text + "\n", encoding="utf-8")

    def write(self, item: TaggedPicture) -> None:
        """Add a pair. Raises: ExportError."""
        name = f"{self.count:06}.png"
        mask = np.zeros((*item.tags.shape, _MASK_COLORS), np.uint8)
        mask[:, :, 2] = item.tags  # OpenCV writes blue, green, red
        _write(self.folder / _MASKS / name, mask)
        _write(self.folder / _PICTURES / name, np.asarray(cv2.cvtColor(item.rgb, cv2.COLOR_RGB2BGR), np.uint8))
        self.count += 1

    def finish(self) -> None:
        """Nothing is left to do: each pair was whole."""

    def abandon(self) -> None:
        """The pairs that are there are whole and stay."""


def _write(path: Path, bgr: ByteArray) -> None:
    encoded, data = cv2.imencode(".png", bgr)
    if not encoded:
        raise ExportError(f"{path}: this picture cannot be written as PNG")
    part = PartFile(path, overwrite=False)  # without a look at what killed processes left: that would list the folder
    try:
        part.part.write_bytes(data.tobytes())
        sync(part.part)
        if (made := part.commit()) != path:
            raise ExportError(f"{path}: exists by now: somebody else records into this folder; this one is {made}")
    except OSError as error:
        raise ExportError(explain(path, error)) from error
    finally:
        part.discard()
