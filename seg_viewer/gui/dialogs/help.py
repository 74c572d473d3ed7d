"""Help and about."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

import seg_viewer
from seg_viewer.gui.actions import MENUS, MORE_KEYS
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import t

_KEY_NAMES = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}


class HelpDialog(QDialog):
    """Every key, in two columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Keyboard shortcuts"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 18)
        outer.setSpacing(14)
        columns = QHBoxLayout()
        columns.setSpacing(40)
        sections = [
            (title, [(spec.keys, t(spec.text).replace("&", "")) for spec in items if spec and spec.keys])
            for title, items in MENUS
        ]
        by_name = dict(sections)
        by_name["&View"] += [((keys,), t(text)) for keys, text in MORE_KEYS]
        for names in (("&Playback", "&Help"), ("&View",), ("&File", "&Model")):
            column = QVBoxLayout()
            column.setSpacing(8)
            for name in names:
                column.addWidget(PlainLabel(t(name).replace("&", "").upper(), objectName="heading"))
                column.addLayout(_key_table(by_name[name]))
                column.addSpacing(10)
            column.addStretch(1)
            columns.addLayout(column)
        outer.addLayout(columns)
        outer.addWidget(_close_button(self))


class AboutDialog(QDialog):
    """What this is and what it stands on."""

    def __init__(self, engine_line: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About seg-viewer")
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
        text.addWidget(PlainLabel(f"Version {seg_viewer.__version__}", objectName="dim"))
        about = QLabel(
            "Segments driving video in real time. A demonstration of a neural network, "
            "not a safety device: do not drive by it."
        )
        about.setWordWrap(True)
        about.setMinimumWidth(360)
        text.addWidget(about)
        parts = f"Python {platform.python_version()} · Qt {PySide6.__version__}"
        text.addWidget(PlainLabel(parts, objectName="dim"))
        if engine_line:
            engine = PlainLabel(engine_line, objectName="dim")
            engine.setWordWrap(True)
            text.addWidget(engine)
        text.addWidget(PlainLabel("MIT licence", objectName="dim"))
        line.addLayout(text, 1)
        outer.addLayout(line)
        outer.addWidget(_close_button(self))


def _key_table(rows: list[tuple[tuple[str, ...], str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(5)
    for row, (keys, text) in enumerate(rows):
        holder = QHBoxLayout()
        holder.setSpacing(4)
        for key in keys:
            holder.addWidget(PlainLabel(_KEY_NAMES.get(key, key), objectName="key"))
        holder.addStretch(1)
        grid.addLayout(holder, row, 0)
        grid.addWidget(QLabel(text.rstrip("…")), row, 1)
    grid.setColumnStretch(1, 1)
    return grid


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
    buttons.rejected.connect(dialog.reject)
    return buttons
