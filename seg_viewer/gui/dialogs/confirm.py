"""The question before something is lost: one box with two verbs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from seg_viewer.gui.widgets.plain import plain_action, plain_title


def confirm(parent: QWidget, title: str, text: str, *, yes: str, no: str) -> bool:
    """Ask, and wait for the answer; Enter, Esc and closing the box are the safe one.

    Args:
        parent: the window that the question belongs to.
        title: of the box.
        text: the question, plain.
        yes: the button that does it, a verb.
        no: the button that leaves everything as it is, a verb; the default.

    Returns:
        Whether `yes` was chosen.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(plain_title(title))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    do_it = box.addButton(plain_action(yes), QMessageBox.ButtonRole.DestructiveRole)
    leave_it = box.addButton(plain_action(no), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(leave_it)
    box.setEscapeButton(leave_it)
    try:
        box.exec()
        return box.clickedButton() == do_it
    finally:
        box.deleteLater()
