"""A contact sheet: painted pictures from the first frame to the last, each with its time."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import ByteArray, Shot, Size
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.printable import printable
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sinks.thumbnail import encoded, painted, time_text
from seg_viewer.sinks.whole import FileSink

COLUMNS, ROWS = 4, 5
BOX = Size(360, 360)
"""Each picture fits into that: 360×203 of a 16:9 video, 203×360 of an upright one."""

MOST_HELD = 4 * COLUMNS * ROWS
"""Pictures in memory: as many, at most, and at least half of that once there were so many frames."""

_GAP, _MARGIN, _LINE = 10, 24, 26
_PAPER, _INK, _FAINT = (24, 26, 30), (238, 240, 243), (164, 170, 178)


@dataclass(frozen=True)
class Cell:
    """One picture.

    Args:
        rgb: shape (h, w, 3), uint8, RGB.
        time_s: its time, seconds.
    """

    rgb: ByteArray
    time_s: float


class ContactSheet(FileSink):
    """Keeps every frame at first, then every second, fourth, … so that it works however many there will be.

    Args:
        request: what is asked for.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        self._overlay = Overlay(request.labels, request.style)
        self._cells: list[Cell] = []
        self._stride, self._seen = 1, 0

    def _add(self, shot: Shot) -> None:
        if self._seen % self._stride == 0:
            if len(self._cells) == MOST_HELD:
                self._cells = self._cells[::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                rgb = painted(shot, self._overlay, self.request.sample_aspect, BOX)
                self._cells.append(Cell(rgb, shot.frame.time_s))
        self._seen += 1

    def _complete(self) -> None:
        if not self._cells:
            raise ExportError(f"{self.path}: there was no frame to write")
        cells = evenly(self._cells, COLUMNS * ROWS)
        suffix = self.path.suffix.lower()
        self.part.write_bytes(encoded(drawn(cells, _title(self.request, cells)), suffix, quality=90))

    def _drop(self) -> None:
        self._cells = []


def evenly(cells: list[Cell], most: int) -> list[Cell]:
    """At most so many of them, as evenly over the time as they come."""
    if len(cells) <= most:
        return cells
    times = np.array([cell.time_s for cell in cells])
    wanted = np.linspace(times[0], times[-1], most)
    chosen = sorted({int(np.argmin(np.abs(times - time))) for time in wanted})
    return [cells[index] for index in chosen]


def drawn(cells: list[Cell], title: list[str]) -> ByteArray:
    """The sheet, shape (H, W, 3), uint8, RGB.

    Args:
        cells: at least one; the first one's size holds for all.
        title: lines above them; cut with "..." where they are too long.
    """
    height, width = cells[0].rgb.shape[:2]
    columns = min(len(cells), COLUMNS if width >= height else COLUMNS + 2)
    rows = -(-len(cells) // columns)
    across = max(2 * _MARGIN + columns * (width + _GAP) - _GAP, 2 * _MARGIN + 320)
    above = 2 * _MARGIN + _LINE * len(title)
    sheet = np.empty((above + rows * (height + _LINE + _GAP) + _MARGIN - _GAP, across, 3), np.uint8)
    sheet[:] = _PAPER
    for number, line in enumerate(title):
        ink, scale = (_INK, 0.62) if number == 0 else (_FAINT, 0.5)
        _write(sheet, line, (_MARGIN, _MARGIN + _LINE * number + 18), ink, scale, across - 2 * _MARGIN)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        top, left = above + row * (height + _LINE + _GAP), _MARGIN + column * (width + _GAP)
        rgb = cell.rgb if cell.rgb.shape == cells[0].rgb.shape else cv2.resize(cell.rgb, (width, height))
        sheet[top : top + height, left : left + width] = rgb
        _write(sheet, time_text(cell.time_s), (left + 2, top + height + 18), _FAINT, 0.5, max(width, 60))
    return sheet


def _title(request: SinkRequest, cells: list[Cell]) -> list[str]:
    size = f"{request.size.width}×{request.size.height}" if request.size else ""
    length = request.duration_s if request.duration_s is not None else cells[-1].time_s
    rate = f"{request.rate:.4g} frames/s" if request.rate else ""
    facts = ", ".join(filter(None, [size, time_text(length), rate]))
    about = ", ".join(f"{key} {text}" for key, text in request.about.items() if key in ("model", "engine"))
    return [printable(line) for line in (request.name or request.path.stem, " · ".join(filter(None, [facts, about])))]


def _write(
    sheet: ByteArray, line: str, at: tuple[int, int], ink: tuple[int, int, int], scale: float, room: int
) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    if cv2.getTextSize(line, font, scale, 1)[0][0] > room:
        while line and cv2.getTextSize(line + "...", font, scale, 1)[0][0] > room:
            line = line[:-1]
        line += "..."
    cv2.putText(sheet, line, at, font, scale, ink, 1, cv2.LINE_AA)


SINK = SinkKind("contact sheet", (".sheet.jpg", ".sheet.png"), "painted pictures over the whole length", ContactSheet)
