"""Our icons in the colour of the theme's text, dimmed where they are switched off."""

from __future__ import annotations

import re
from functools import cache

from PySide6.QtCore import QBuffer, QByteArray, QRect, QSize
from PySide6.QtGui import QIcon, QIconEngine, QImageReader, QPainter, QPixmap

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError
from seg_viewer.gui.colors import colors

INK = "#e8ebf0"
"""What an icon's file uses where the text's colour is meant."""

_COLORED = ("seg-viewer",)  # stays as it is drawn
_HEX = re.compile("#[0-9a-fA-F]{6}")
_kept: list[QIconEngine] = []  # Qt owns them, and has copies of an icon longer than Python; PySide would delete them


class _Engine(QIconEngine):
    """Draws a file of `assets/icons` at the size that is asked for; always in the theme of the moment."""

    def __init__(self, name: str, svg: str) -> None:
        super().__init__()
        self._name, self._svg = name, svg

    def clone(self) -> QIconEngine:
        copy = _Engine(self._name, self._svg)
        _kept.append(copy)
        return copy

    def key(self) -> str:
        return "seg-viewer"

    def iconName(self) -> str:
        return self._name

    def isNull(self) -> bool:
        return False

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:
        return size

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        off = mode is QIcon.Mode.Disabled
        ink = colors().faint if off else colors().text
        return _drawn(self._svg, ink, off, round(size.width() * scale), round(size.height() * scale))

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        scale = painter.device().devicePixelRatio()
        painter.drawPixmap(rect, self.scaledPixmap(rect.size(), mode, state, scale))


@cache
def _drawn(svg: str, ink: str, all_of_it: bool, width: int, height: int) -> QPixmap:
    """As large as asked for, in device pixels; `all_of_it`: other colours become ink too."""
    buffer = QBuffer()
    buffer.setData(QByteArray((_HEX.sub(ink, svg) if all_of_it else svg.replace(INK, ink)).encode()))
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"svg"))
    reader.setScaledSize(QSize(max(1, width), max(1, height)))
    return QPixmap.fromImage(reader.read())


@cache
def icon(name: str) -> QIcon:
    """One of our own icons; empty where it did not come with the installation."""
    try:
        path = asset_path("icons", f"{name}.svg")
        if name in _COLORED:
            return QIcon(str(path))
        engine = _Engine(name, path.read_text(encoding="utf-8"))
        _kept.append(engine)
        return QIcon(engine)
    except (SegViewerError, OSError):
        return QIcon()
