"""The mouse on the picture: what is dragged, what a click and a wheel mean."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

_NOTCH = 120  # eighths of a degree, as Qt counts a wheel
_NOTCH_PIXELS = 60  # of a touchpad
_LONGEST_WAIT_MS = 250  # for a second click; no longer, so that a single one is answered at once


class Grip(Protocol):
    """Something on the picture that is dragged; points are logical pixels of the view."""

    def cursor_at(self, at: QPointF) -> Qt.CursorShape | None:
        """How the pointer looks there; None where there is nothing to take hold of."""
        ...

    def take(self, at: QPointF) -> None:
        """It is taken hold of at a point where `cursor_at` gave something."""
        ...

    def drag(self, at: QPointF) -> None: ...

    def drop(self) -> None: ...

    def twice(self, at: QPointF) -> bool:
        """A double click where `cursor_at` gave something; False: it means what two clicks mean."""
        ...


class Surface(Protocol):
    """What the mouse acts on."""

    @property
    def can_click(self) -> bool: ...
    @property
    def can_pan(self) -> bool: ...
    def pan(self, by: QPointF) -> None: ...
    def zoom_by(self, steps: float, at: QPointF | None = None) -> None: ...
    def clicked_once(self) -> None: ...
    def clicked_twice(self) -> None: ...
    def point_at(self, at: QPointF | None) -> None: ...
    def show_cursor(self, shape: Qt.CursorShape) -> None: ...


class Mouse(QObject):
    """Turns events into what they mean. A click counts once it is sure that it is not half of a double click.

    Args:
        surface: the view.
        parent: the same.
    """

    def __init__(self, surface: Surface, parent: QObject) -> None:
        super().__init__(parent)
        self.grips: list[Grip] = []
        """The first one that is at a point is taken."""
        self._surface = surface
        self._held: Grip | None = None
        self._pressed: QPointF | None = None
        self._last = QPointF()
        self._panning = False
        self._click = QTimer(self, singleShot=True)
        self._click.timeout.connect(self._answer)
        self._answered = False

    @property
    def dragging(self) -> bool:
        return self._held is not None or self._panning

    def press(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        at = event.position()
        self._answered = False
        self._held = next((grip for grip in self.grips if grip.cursor_at(at) is not None), None)
        if self._held is not None:
            self._held.take(at)
        else:
            self._pressed = self._last = at
        self._surface.point_at(at)

    def move(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._held is not None:
            self._held.drag(at)
        elif self._pressed is not None:
            self._move_pressed(at)
        elif not event.buttons():
            self._show_cursor(at)
        self._surface.point_at(at)

    def _move_pressed(self, at: QPointF) -> None:
        if not self._panning:
            assert self._pressed is not None
            if (at - self._pressed).manhattanLength() < QApplication.startDragDistance():
                return
            self._panning = True
            if self._surface.can_pan:
                self._surface.show_cursor(Qt.CursorShape.ClosedHandCursor)
        self._surface.pan(at - self._last)
        self._last = at

    def release(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        held, self._held = self._held, None
        pressed, self._pressed = self._pressed, None
        panned, self._panning = self._panning, False
        if held is not None:
            held.drop()
        elif pressed is not None and not panned and self._surface.can_click:
            self._click.start(min(_LONGEST_WAIT_MS, QApplication.doubleClickInterval()))
        self._show_cursor(event.position())

    def double(self, event: QMouseEvent) -> None:
        """The second press of a double click; a slow one undoes what its first half did."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        grip = next((grip for grip in self.grips if grip.cursor_at(event.position()) is not None), None)
        if grip is not None:
            if not grip.twice(event.position()):
                self.press(event)
            return
        if self._click.isActive():
            self._click.stop()
        elif self._answered:
            self._answer()
        self._surface.clicked_twice()

    def _answer(self) -> None:
        self._answered = True
        self._surface.clicked_once()

    def wheel(self, event: QWheelEvent) -> None:
        turned, moved = event.angleDelta().y(), event.pixelDelta().y()
        steps = turned / _NOTCH if turned else moved / _NOTCH_PIXELS
        if steps:
            self._surface.zoom_by(steps, event.position())
        event.accept()

    def gesture(self, event: QNativeGestureEvent) -> bool:
        """Two fingers that move apart on a touchpad; whether it was that."""
        if event.gestureType() is not Qt.NativeGestureType.ZoomNativeGesture:
            return False
        # the value is the growth since the last event; three steps double
        self._surface.zoom_by(3 * event.value(), event.position())
        return True

    def leave(self) -> None:
        if not self.dragging:
            self._surface.point_at(None)

    def cancel(self) -> None:
        """What was under the mouse is gone."""
        self._click.stop()
        self._held = self._pressed = None
        self._panning = False

    def _show_cursor(self, at: QPointF) -> None:
        shapes = (grip.cursor_at(at) for grip in self.grips)
        free = Qt.CursorShape.OpenHandCursor if self._surface.can_pan else Qt.CursorShape.ArrowCursor
        self._surface.show_cursor(next((shape for shape in shapes if shape is not None), free))
