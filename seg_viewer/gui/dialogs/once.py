"""Dialogs that there is one of: asked for again, it comes to the front."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid


def to_front(dialog: QWidget) -> None:
    """Show it before all others."""
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


class OneOfEach:
    """Dialogs that are deleted when they are closed."""

    def __init__(self) -> None:
        self._dialogs: dict[str, QWidget] = {}

    def show(self, name: str, make: Callable[[], QWidget]) -> None:
        """Show a new one, or the one of that name that is open."""
        dialog = self._dialogs.get(name)
        if dialog is None or not isValid(dialog) or not dialog.isVisible():
            dialog = self._dialogs[name] = make()
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        to_front(dialog)
