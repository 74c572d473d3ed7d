"""Keys that dialogs with many buttons share."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QPushButton

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def take_key(dialog: QDialog, event: QKeyEvent) -> bool:
    """Esc closes, asking where that would lose something; Enter presses the button that has the focus.

    Left to Qt, Enter on a button that may not become the default one presses the default one: on "Close" it would
    begin an export.

    Args:
        dialog: the keys were pressed in.
        event: that none of its fields and lists has taken.

    Returns:
        Whether the key was one of these; any other is for the dialog.
    """
    if event.key() == Qt.Key.Key_Escape:
        dialog.close()
        return True
    button = dialog.focusWidget()
    if event.key() in _ENTER and isinstance(button, QPushButton) and button.isEnabled():
        if not event.isAutoRepeat():
            button.click()
        return True
    return False
