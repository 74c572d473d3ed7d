"""Timers, made so that they are the same in every locale."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer


def timer(parent: QObject, interval_ms: int, *, once: bool = False) -> QTimer:
    """A timer that is not started yet.

    `QTimer(parent, interval=…)` fails where the system speaks Turkish: PySide looks for "set" and the name with its
    first letter in upper case, which is no I there. So does any other property that begins with an i.

    Args:
        parent: owns it.
        interval_ms: from start to time-out, milliseconds.
        once: it stops then, instead of starting again.
    """
    made = QTimer(parent)
    made.setInterval(interval_ms)
    made.setSingleShot(once)
    return made
