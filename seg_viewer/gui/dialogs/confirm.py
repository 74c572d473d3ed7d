"""The question before something is lost: one box with two verbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QMessageBox, QWidget

from seg_viewer.gui.widgets.plain import plain_action, plain_title


@dataclass(frozen=True)
class Over:
    """When a question has answered itself.

    Args:
        changed: emitted whenever that may be.
        holds: whether it is.
    """

    changed: SignalInstance
    holds: Callable[[], bool]


def confirm(parent: QWidget, title: str, text: str, *, yes: str, no: str, over: Over | None = None) -> bool:
    """Ask, and wait for the answer; Enter, Esc and closing the box are the safe one.

    Args:
        parent: the window that the question belongs to.
        title: of the box.
        text: the question, plain.
        yes: the button that does it, a verb.
        no: the button that leaves everything as it is, a verb; the default.
        over: when there is nothing left to be lost; the box then goes by itself.

    Returns:
        Whether `yes` was chosen, or nothing is left to be lost.
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
    ended = False

    def look(*_: object) -> None:
        nonlocal ended
        if over is not None and over.holds():
            ended = True
            box.done(0)

    if over is not None:
        over.changed.connect(look)
    try:
        box.exec()
        return ended or box.clickedButton() == do_it
    finally:
        if over is not None:
            over.changed.disconnect(look)
        box.deleteLater()
