"""The edge between two contents in one place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt

from seg_viewer.gui.view.arrangement import Arrangement

_GRAB = 9.0  # logical pixels to either side
_KEY_STEP = 0.05

VIEW_KEYS = (
    ("Alt+arrows", "Move a picture that is zoomed in"),
    ("Alt+Shift+← →", "Move the edge of a wipe"),
    ("Wheel", "Zoom at the pointer"),
    ("Click", "Play or pause; twice: full screen"),
)
"""Keys and mouse on the picture that are no actions of a menu."""


class WipeEdge:
    """Where the left content ends and the right one begins; see `Grip`.

    Args:
        places: of which it moves `edge`.
        ratio: device pixels for a logical one.
        changed: called when it was moved.
    """

    def __init__(self, places: Arrangement, ratio: Callable[[], float], changed: Callable[[], None]) -> None:
        self._places, self._ratio, self._changed = places, ratio, changed

    def move(self, steps: int) -> None:
        """By keys: to the right, or to the left where negative."""
        self._set(self._places.edge + steps * _KEY_STEP)

    def cursor_at(self, at: QPointF) -> Qt.CursorShape | None:
        x = self._places.edge_x()
        near = x is not None and abs(at.x() - x / self._ratio()) <= _GRAB
        return Qt.CursorShape.SplitHCursor if near else None

    def take(self, at: QPointF) -> None:
        """It stays where it is until the pointer moves."""

    def drag(self, at: QPointF) -> None:
        seen = self._places.wiped()
        if seen is not None and seen.width:
            self._set((at.x() * self._ratio() - seen.left) / seen.width)

    def drop(self) -> None:
        """It stays where it is."""

    def twice(self, at: QPointF) -> bool:
        """Nothing of its own."""
        return False

    def _set(self, share: float) -> None:
        self._places.edge = min(1.0, max(0.0, share))
        self._changed()
