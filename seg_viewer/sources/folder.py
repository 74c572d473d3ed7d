"""Folders of pictures, in natural order; CARLA recordings with ground truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from natsort import natsorted

from seg_viewer.core.carla_tags import carla_lookup, recorded_version
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import ByteArray, Frame
from seg_viewer.core.printable import printable
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.animated import is_animated_png
from seg_viewer.media.picture_file import read_picture_file
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sources.base import SourceInfo, SourceKind, file_fingerprint

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
DEFAULT_RATE = 10.0
_CARLA_PICTURES = "CameraRGB"
_CARLA_MASKS = ("CameraMask", "CameraSeg")


class PictureFolder:
    """Pictures of a folder, or one picture, as frames.

    A folder `CameraRGB` with `CameraMask` or `CameraSeg` beside it (or a folder that holds both) is a CARLA
    recording (tags in the red channel, of the version its `carla.json` names, else of CARLA 0.8 to 0.9.13): its masks
    become `Frame.truth` in our classes.

    A picture that cannot be read is shown as the one before it, without truth; at the start it is left out.

    Args:
        path: folder, or one picture file.
        rate: frames per second the pictures stand for.

    Raises:
        UsageError: there is no such folder.
        SourceError: it holds no pictures, or none of them can be read.
    """

    def __init__(self, path: str | Path, rate: float = DEFAULT_RATE) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise UsageError(f"{path}: no such file or folder")
        self.warnings: list[str] = []
        self._rate = rate
        folder = self.path / _CARLA_PICTURES if (self.path / _CARLA_PICTURES).is_dir() else self.path
        self._files = [folder] if folder.is_file() else _pictures(folder)
        if not self._files:
            kinds = ", ".join(sorted(PICTURE_SUFFIXES))
            raise SourceError(f"{path}: holds no pictures ({kinds})")
        self._masks = _mask_folder(folder)
        self._lookup = _lookup(folder.parent)
        self._position = 0
        self._good: ByteArray | None = None
        first = next((p for p in map(self._read, range(len(self._files))) if p is not None), None)
        if first is None:
            raise SourceError(f"{self._files[0]}: is no picture this program can read, nor is any beside it")
        count = len(self._files)
        self.info = SourceInfo(
            name=printable(self.path.resolve().name),
            width=first.shape[1],
            height=first.shape[0],
            rate=rate,
            duration_s=count / rate,
            frame_count=count,
            can_seek=True,
            path=self.path,
            codec=self._files[0].suffix.lstrip(".").lower(),
            time_base=1 / Fraction(rate).limit_denominator(100_000),
            fingerprint=file_fingerprint(self._files),
        )

    def __iter__(self) -> Iterator[Frame]:
        if self._position >= len(self._files):
            self._position, self._good = 0, None
        while self._position < len(self._files):
            index = self._position
            self._position += 1
            picture = self._read(index)
            truth = self._read_truth(index) if picture is not None else None
            if picture is None:
                picture = self._before(index)
            if picture is None:
                self._warn(f"{self._files[index].name}: cannot be read as a picture; left out")
                continue
            self._good = picture
            yield Frame(
                index,
                index / self._rate,
                RgbPicture(picture),
                truth,
                time.perf_counter(),
                pts=index,
                source=self.info.fingerprint,
                duration_s=1 / self._rate,
            )

    def seek(self, time_s: float) -> None:
        """See `Source.seek`. Times beyond the ends mean the first or the last picture."""
        index = int(time_s * self._rate + 1e-6)
        self._position = min(max(index, 0), len(self._files) - 1)
        self._good = None

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self, index: int) -> ByteArray | None:
        file = self._files[index]
        picture = read_picture_file(file, cv2.IMREAD_COLOR)
        if picture is None:
            return None
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

    def _before(self, index: int) -> ByteArray | None:
        """What stands in for a picture that cannot be read; None where nothing before it can."""
        before = self._good
        if before is None:  # after a jump
            before = next((p for p in map(self._read, range(index - 1, -1, -1)) if p is not None), None)
        if before is not None:
            self._warn(f"{self._files[index].name}: cannot be read as a picture; the one before is shown in its place")
        return before

    def _read_truth(self, index: int) -> ByteArray | None:
        if self._masks is None:
            return None
        file = self._masks / (self._files[index].stem + ".png")
        mask = read_picture_file(file, cv2.IMREAD_UNCHANGED)
        if mask is None:
            self._warn(f"{file.name}: mask missing or unreadable")
            return None
        tags = mask if mask.ndim == 2 else mask[:, :, 2]  # OpenCV reads blue, green, red
        return self._lookup[tags]

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def _pictures(folder: Path) -> list[Path]:
    try:
        files = [f for f in folder.iterdir() if f.suffix.lower() in PICTURE_SUFFIXES and not f.name.startswith(".")]
    except PermissionError:
        raise SourceError(f"{folder}: no permission to read this folder") from None
    return natsorted(files, key=lambda f: f.name)


def _lookup(recording: Path) -> ByteArray:
    try:
        return carla_lookup(recorded_version(recording))
    except ValueError as error:
        raise SourceError(str(error)) from None


def _mask_folder(folder: Path) -> Path | None:
    if folder.name != _CARLA_PICTURES:
        return None
    return next((folder.parent / name for name in _CARLA_MASKS if (folder.parent / name).is_dir()), None)


def _is_one(text: str) -> bool:
    path = typed_path(text)
    return path.is_dir() or (path.suffix.lower() in PICTURE_SUFFIXES and not is_animated_png(path))


SOURCE = SourceKind(
    "pictures",
    _is_one,
    lambda text: PictureFolder(typed_path(text)),
    forms=(("a picture, a folder of pictures", ""),),
    suffixes=tuple(sorted(PICTURE_SUFFIXES)),
)
