"""Names from files, cameras and networks, as they are: Qt takes `<b>` for HTML, `&` for a key and `[*]` for a mark."""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy


class PlainLabel(QLabel):
    """A label that shows its text as it is; for every text that is not our own."""

    def __init__(self, text: str = "", **properties: Any) -> None:
        super().__init__(text, **properties)
        self.setTextFormat(Qt.TextFormat.PlainText)


class ElidedLabel(PlainLabel):
    """One line that may be longer than there is room for: what is missing is an "…" in its middle, and in its tool tip.

    It takes any width; `text` is all of it.
    """

    def __init__(self, text: str = "", **properties: Any) -> None:
        super().__init__(text, **properties)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(60)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            room = self.contentsRect()
            text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room.width())
            role, enabled = self.foregroundRole(), self.isEnabled()
            side = int(self.alignment())
            self.style().drawItemText(painter, room, side, self.palette(), enabled, text, role)
        finally:
            painter.end()


def plain_tip(text: str) -> str:
    """For `setToolTip`, which knows no plain text."""
    return f"<span>{html.escape(text)}</span>" if "<" in text else text


def plain_action(text: str) -> str:
    """For the text of menu entries, buttons and check boxes: no key, and nothing in the column of the shortcuts."""
    return text.replace("&", "&&").replace("\t", " ")


def plain_title(text: str) -> str:
    """For `setWindowTitle`."""
    return text.replace("[*]", "[*][*]")
