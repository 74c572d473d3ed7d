"""Single frames with their class maps, as a data set that `seg-trainer` reads: `images/`, `masks/`, `labels.toml`.

`answers/` keeps what the model said, so that the trainer sees which masks somebody has corrected since.
"""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import ByteArray, Shot, Size
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.long_names import joined
from seg_viewer.core.paint import ids_gray
from seg_viewer.core.part_file import make_folder, write_bytes, write_text
from seg_viewer.media.palette_png import PalettePng
from seg_viewer.sinks.mask_folder import label_map

IMAGES, MASKS, ANSWERS, MARGINS = "images", "masks", "answers", "margins"
LABELS, README = "labels.toml", "README.txt"
_TITLE = "Masks of a model's own making, to be corrected by hand"
_MARK = 8
_README = """\
Frames sent here by seg-viewer (key D).

images/   the pictures, as the source has them
masks/    what a model took each pixel for: the value of a pixel is the id of its class, 255 means "ignore"
answers/  the same once more; leave it as it is
margins/  how sure the model was of it, 0 to 255, where it says so
labels.toml  the names, ids and colours of the classes

The masks are a model's own answers, not the truth. Correct them before a model learns from them: a model that learns
from its own answers learns its own mistakes. "seg-trainer check FOLDER" says which to correct first.

A mask that differs from its answer counts as corrected. Is one right as it is? Then write the name of its picture into
reviewed.txt in this folder, one name a line. Masks that are neither count less in training (--pseudo) and are never
held out for scores.

"seg-trainer train --data FOLDER" trains on them.
"""


@dataclass(frozen=True)
class LabelledFrame:
    """A frame that was sent to a data set.

    Args:
        folder: of the data set.
        files: that were made for it, and how each stood when it was written: size and time of change.
        new: False where the frame was in the data set already, and nothing was written.
    """

    folder: Path
    files: tuple[tuple[Path, tuple[int, int]], ...]
    new: bool = True


def save_labelled(shot: Shot, folder: Path, name: str) -> LabelledFrame:
    """Write picture, mask, answer and margin of a frame; all of them or none.

    A frame of the same `Frame.id` is written once. A folder whose classes are others is left alone: the frame goes into
    `FOLDER-2` beside it.

    Args:
        shot: the frame and its first class map.
        folder: of the data set; made when it is not there.
        name: of the source, for the names of the files.

    Raises:
        ExportError: it cannot be written.
    """
    folder = _of_these_classes(folder, shot.labels)
    stem = _stem(shot, name)
    picture = shot.frame.picture
    size = Size(picture.width, picture.height)
    images, masks, answers, margins = (folder / part / f"{stem}.png" for part in (IMAGES, MASKS, ANSWERS, MARGINS))
    if images.exists() or masks.exists():
        return LabelledFrame(folder, (), new=False)
    made: list[Path] = []

    def write(path: Path, data: bytes) -> None:
        make_folder(path.parent)
        write_bytes(path, data, overwrite=False)
        made.append(path)

    try:
        _describe(folder, shot.labels)
        answer = PalettePng(shot.labels.palette()).encode(ids_gray(shot.classes, size))
        write(answers, answer)
        write(masks, answer)
        margin = shot.maps[0].margin
        if margin is not None:
            write(margins, _png(cv2.resize(margin, size, interpolation=cv2.INTER_NEAREST)))
        write(images, _png(cv2.cvtColor(picture.rgb(), cv2.COLOR_RGB2BGR)))  # last: no picture is without its mask
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.unlink()
        raise
    return LabelledFrame(folder, tuple((path, _state(path)) for path in made))


def remove_labelled(saved: LabelledFrame) -> None:
    """Remove exactly the files of a frame again; what is gone already is fine.

    Raises:
        ExportError: one was changed since, as by whoever corrected the mask: then all stay.
    """
    for path, state in saved.files:
        if path.exists() and _state(path) != state:
            raise ExportError(f"{path}: was changed since it was saved; it stays, remove it by hand if you mean to")
    for path, _ in saved.files:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ExportError(f"{path}: cannot be removed: {error.strerror or error}") from error


def _of_these_classes(folder: Path, labels: LabelSet) -> Path:
    wanted, number = _classes(label_map(labels)), 1
    while True:
        path = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        try:
            if _classes((path / LABELS).read_text(encoding="utf-8")) == wanted:
                return path
        except (FileNotFoundError, NotADirectoryError):
            if not (path / MASKS).exists():
                return path
        except (OSError, UnicodeDecodeError) as error:
            raise ExportError(f"{path / LABELS}: cannot be read: {error}; choose another folder") from error
        number += 1


def _classes(text: str) -> object:
    """What a label map calls the ids; None where it is none."""
    try:
        values = tomllib.loads(text).get("values")
    except tomllib.TOMLDecodeError:
        return None
    return {name: ids for name, ids in values.items() if name != "ignore"} if isinstance(values, dict) else None


def _describe(folder: Path, labels: LabelSet) -> None:
    make_folder(folder)
    for name, text in ((LABELS, label_map(labels, _TITLE)), (README, _README)):
        if not (folder / name).exists():
            write_text(folder / name, text)


def _stem(shot: Shot, name: str) -> str:
    clean = re.sub(r"[^\w.-]+", "_", name).strip("._") or "frame"
    frame = shot.frame.id
    return joined(clean, f"_{frame.source[:_MARK] or 'x'}_{frame.pts}", len(".png") + len("..01234567.part"))


def _png(picture: ByteArray) -> bytes:
    _ok, data = cv2.imencode(".png", picture)
    return bytes(data)


def _state(path: Path) -> tuple[int, int]:
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns
