"""Names from files, cameras and networks, as they are: Qt takes `<b>` for HTML, `&` for a key and `[*]` for a mark."""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel


class PlainLabel(QLabel):
    """A label that shows its text as it is; for every text that is not our own."""

    def __init__(self, text: str = "", **properties: Any) -> None:
        super().__init__(text, **properties)
        self.setTextFormat(Qt.TextFormat.PlainText)


def plain_tip(text: str) -> str:
    """For `setToolTip`, which knows no plain text."""
    return f"<span>{html.escape(text)}</span>" if "<" in text else text


def plain_action(text: str) -> str:
    """For the text of menu entries, buttons and check boxes: no key, and nothing in the column of the shortcuts."""
    return text.replace("&", "&&").replace("\t", " ")


def plain_title(text: str) -> str:
    """For `setWindowTitle`."""
    return text.replace("[*]", "[*][*]")
