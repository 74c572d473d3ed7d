"""Pictures made of pictures: colours of class maps, overlays, errors, tiles with captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID, LabelSet
from seg_viewer.core.part_file import write_bytes
from trainer.drawing.legend import BACK, IGNORED, INK, WRONG, Legend
from trainer.drawing.words import words_on

Rgb = NDArray[np.uint8]

CAPTION = 18


def colored(class_map: NDArray[np.uint8], labels: LabelSet) -> Rgb:
    """(H, W) class ids → (H, W, 3) uint8 RGB of their colours; ignored pixels are light grey."""
    palette = labels.palette()
    palette[IGNORE_ID] = IGNORED
    return np.ascontiguousarray(palette[class_map])


def overlay(picture: Rgb, class_map: NDArray[np.uint8], labels: LabelSet, opacity: float = 0.5) -> Rgb:
    """The picture with the painted classes' colours laid over it; other pixels are untouched."""
    painted = np.isin(class_map, [label.id for label in labels if label.painted])
    mixed = cv2.addWeighted(picture, 1 - opacity, colored(class_map, labels), opacity, 0)
    return np.where(painted[:, :, None], mixed, picture)


def errors(picture: Rgb, truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> Rgb:
    """The picture in dim grey, wrong pixels in red, ignored ones light grey."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) // 2
    out = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    out[(truth != predicted) & (truth != IGNORE_ID)] = WRONG
    out[truth == IGNORE_ID] = IGNORED
    return out


def fit(picture: NDArray[np.uint8], size: tuple[int, int], nearest: bool = False) -> NDArray[np.uint8]:
    """Stretch to (width, height)."""
    shrinks = size[0] < picture.shape[1]
    way = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, size, interpolation=way)


def caption(text: str, width: int, height: int = CAPTION) -> Rgb:
    """A strip with one line of text, in any script, cut with … where it is too long."""
    return words_on(text, width, height, INK, BACK)


def tiles(
    rows: Sequence[Sequence[Rgb]],
    captions: Sequence[str | tuple[str, ...]],
    legend: Legend,
    header: Sequence[str] = (),
    gap: int = 4,
) -> Rgb:
    """Rows of equally wide pictures under a legend, one header over each column; each row is as high as its pictures.

    Over each row stands its caption, or several of them, each over its equal share of the columns of the widest row.
    """
    width = rows[0][0].shape[1]
    columns = max(len(row) for row in rows)
    full = columns * width + (columns - 1) * gap
    parts: list[Rgb] = [legend.strip(full)]
    if header:
        heads = [caption(text, width) for text in header]
        parts.append(_in_row(heads, columns, gap, CAPTION, width))
    most = max((len(text) for text in captions if isinstance(text, tuple)), default=1)
    for row, text in zip(rows, captions, strict=True):
        if isinstance(text, tuple):
            share = (full + gap) // most
            parts.append(_in_row([caption(one, share - gap) for one in text], most, gap, CAPTION, share - gap, full))
        elif text:
            parts.append(caption(text, full))
        parts.append(_in_row(row, columns, gap, max(cell.shape[0] for cell in row), width))
        parts.append(np.full((gap, full, 3), BACK, np.uint8))
    return np.concatenate(parts)


def _in_row(pictures: Sequence[Rgb], columns: int, gap: int, height: int, width: int, full: int = 0) -> Rgb:
    out = np.full((height, full or columns * width + (columns - 1) * gap, 3), BACK, np.uint8)
    for index, picture in enumerate(pictures):
        left = index * (width + gap)
        out[: picture.shape[0], left : left + width] = picture
    return out


def sheet(pictures: Sequence[Rgb], captions: Sequence[str], columns: int, legend: Legend, gap: int = 4) -> Rgb:
    """Equally sized pictures in a grid under a legend, a caption under each."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    cells = [np.concatenate([p, caption(text, width)]) for p, text in zip(pictures, captions, strict=True)]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    drawn = [_in_row(row, columns, gap, height + CAPTION, width) for row in rows]
    return np.concatenate([legend.strip(drawn[0].shape[1]), *drawn])


def beside(parts: Sequence[Rgb], legend: Legend) -> Rgb:
    """Pictures of one height beside each other, a legend under them."""
    row = np.concatenate(list(parts), axis=1)
    return np.concatenate([row, legend.strip(row.shape[1])])


def write_png(path: Path, picture: NDArray[np.uint8]) -> Path:
    """Write (H, W, 3) RGB or (H, W) uint8 as PNG, whole or not at all. Raises: ExportError."""
    ordered = picture[:, :, ::-1] if picture.ndim == 3 else picture
    _, data = cv2.imencode(".png", np.ascontiguousarray(ordered))
    write_bytes(path, data.tobytes())
    return path


def decoded(png: bytes) -> Rgb:
    """The picture (H, W, 3) uint8 RGB of a PNG in memory."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_BGR2RGB), np.uint8)
