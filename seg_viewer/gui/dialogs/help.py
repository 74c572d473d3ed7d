"""Help and about."""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterable, Mapping

import PySide6
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

import seg_viewer
from seg_viewer.gui.actions import MENUS, MORE_KEYS, ActionSpec
from seg_viewer.gui.dialogs.room import RoomForText
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import key_text, t

_ARRANGEMENTS = (
    (("&Playback", "&Help"), ("&View",), ("&File", "&Model")),
    (("&Playback", "&Help"), ("&View", "&File", "&Model")),
    (("&Playback", "&View", "&File", "&Model", "&Help"),),
)
_GAP = 40  # between columns, pixels
_ABOUT = (
    "Segments driving video in real time. A demonstration of a neural network, not a safety device: do not drive by it."
)
_FRAME = QSize(8, 40)  # what a window manager usually adds
_LINE = 44  # characters
_KEY_NAMES = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}


class HelpDialog(QDialog):
    """Every key, in as many columns as the screen has room for; what does not fit is scrolled to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Keyboard shortcuts"))
        self.setMinimumSize(320, 200)
        parts = {title: _part(title, items) for title, items in MENUS}
        page = QWidget()
        columns = QHBoxLayout(page)
        columns.setContentsMargins(24, 20, 24, 10)
        columns.setSpacing(_GAP)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setAccessibleName(t("Keyboard shortcuts"))
        bar = self.area.verticalScrollBar().sizeHint().width()
        room = self.screen().availableSize() - _FRAME
        for names in _columns(parts, room.width() - bar - 48):
            column = QVBoxLayout()
            column.setSpacing(18)
            for name in names:
                column.addWidget(parts[name])
            column.addStretch(1)
            columns.addLayout(column)
        self.area.setWidget(page)
        close = _close_button(self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.area, 1)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(24, 10, 24, 14)
        bottom.addWidget(close)
        outer.addLayout(bottom)
        all_of_it = page.sizeHint() + QSize(0, close.sizeHint().height() + 24)
        if all_of_it.height() > room.height():
            all_of_it += QSize(bar, 0)
        self.resize(all_of_it.boundedTo(room))
        self.area.setFocus()  # the arrows scroll; Esc closes


class AboutDialog(QDialog):
    """What this is and what it stands on."""

    def __init__(self, engine_line: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("About seg-viewer"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 22, 24, 18)
        outer.setSpacing(14)
        line = QHBoxLayout()
        line.setSpacing(20)
        logo = QLabel()
        logo.setPixmap(icon("seg-viewer").pixmap(QSize(84, 84), self.devicePixelRatioF()))
        line.addWidget(logo, 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(6)
        text.addWidget(PlainLabel("seg-viewer", objectName="title"))
        text.addWidget(PlainLabel(t("Version {version}", version=seg_viewer.__version__), objectName="dim"))
        about = QLabel(t(_ABOUT))
        about.setWordWrap(True)
        about.setMinimumWidth(360)
        text.addWidget(about)
        parts = f"Python {platform.python_version()} · Qt {PySide6.__version__}"
        text.addWidget(PlainLabel(parts, objectName="dim"))
        if engine_line:
            engine = PlainLabel(engine_line, objectName="dim")
            engine.setWordWrap(True)
            text.addWidget(engine)
        text.addWidget(PlainLabel(t("MIT licence"), objectName="dim"))
        line.addLayout(text, 1)
        outer.addLayout(line)
        outer.addWidget(_close_button(self))
        RoomForText(self)


def _part(title: str, items: Iterable[ActionSpec | None]) -> QWidget:
    """The keys of a menu."""
    rows = [(tuple(map(_key_name, spec.keys)), t(spec.text).replace("&", "")) for spec in items if spec and spec.keys]
    if title == "&View":
        rows += [((t(keys),), t(text)) for keys, text in MORE_KEYS]
    part = QWidget()
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    column.addWidget(PlainLabel(t(title).replace("&", "").upper(), objectName="heading"))
    column.addLayout(_key_table(rows))
    return part


def _key_name(key: str) -> str:
    """As a keyboard has it; what Qt names in too many words, in our own."""
    last = key.rpartition("+")[2]
    if last in _KEY_NAMES:
        return "".join(key_text(key).rpartition("+")[:2]) + _KEY_NAMES[last]
    return t(key) if t(key) != key else key_text(key)


def _columns(parts: Mapping[str, QWidget], room: int) -> tuple[tuple[str, ...], ...]:
    """Which menus stand below each other, where there are so many pixels beside each other."""
    for columns in _ARRANGEMENTS:
        widths = [max(parts[name].sizeHint().width() for name in names) for names in columns]
        if sum(widths) + _GAP * (len(columns) - 1) <= room:
            break
    return columns


def _key_table(rows: list[tuple[tuple[str, ...], str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(5)
    for row, (keys, text) in enumerate(rows):
        holder = QHBoxLayout()
        holder.setSpacing(4)
        for key in keys:
            holder.addWidget(PlainLabel(key, objectName="key"))
        holder.addStretch(1)
        grid.addLayout(holder, row, 0)
        grid.addWidget(QLabel(textwrap.fill(text.rstrip("…"), _LINE)), row, 1)
    grid.setColumnStretch(1, 1)
    return grid


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
    buttons.rejected.connect(dialog.reject)
    return buttons
