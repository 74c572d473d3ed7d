"""The ego zone as a shape on the picture: painted, and changed by mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPolygonF

from seg_viewer.core.zone import LEAST_CORNERS, MOST_CORNERS, NOTHING_INSIDE, Point, Zone
from seg_viewer.gui.view.plates import plate, plate_size, put
from seg_viewer.gui.view.scene import Scene
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.words import t

NOTE = "ego zone · no safety function"
KEYS = "Tab: corner · arrows: move · Ins: add · Del: remove · Backspace: as at first · Enter: keep · Esc: undo"
QUIET, LOUD = QColor("#f5c542"), QColor("#ff3b41")
_HANDLE, _MIDDLE = 7.0, 4.0
_GRAB = 16
_STEP, _FINE_STEP = 0.02, 0.004
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_KEYS = frozenset(
    {
        *_ARROWS, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Insert, Qt.Key.Key_Delete, Qt.Key.Key_Backspace,
        Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape,
    }
)  # fmt: skip


class ZoneShape(QObject):
    """A polygon that a person draws; a `Grip` of the mouse. While it is edited, keys that it knows are its own.

    Args:
        view: is drawn on.
        layer: whose being on says whether there is a zone at all.
    """

    changed = Signal(object)
    """The `Zone` that holds from now on; not while a corner is under way."""
    told = Signal(str)
    """One line: why something cannot be done."""
    editing_changed = Signal(bool)

    def __init__(self, view: VideoView, layer: str) -> None:
        super().__init__(view)
        self._view, self._layer = view, layer
        self._zone = Zone()
        self._dragged: int | None = None
        self._before: Zone | None = None  # what Esc goes back to
        self._chosen = 0
        self.editing = False
        view.mouse.grips.insert(0, self)
        view.installEventFilter(self)

    @property
    def zone(self) -> Zone:
        return self._zone

    def show_zone(self, zone: Zone) -> None:
        """Another one, of another camera; what is being changed is given up."""
        self._dragged = self._before = None
        self.set_editing(False)
        self._zone = zone
        self._view.update()

    def set_editing(self, on: bool) -> None:
        """Keys change it from now on, or no longer; what was changed is kept."""
        if on == self.editing:
            return
        self.editing = on
        self._before = self._zone if on else None
        self._chosen = 0
        if on:
            self._view.setFocus()
        self.editing_changed.emit(on)
        self._view.update()

    def _take_over(self, zone: Zone) -> None:
        self._zone = zone
        self._chosen = min(self._chosen, len(zone.corners) - 1)
        self._view.update()
        self.changed.emit(zone)

    # -- by mouse --------------------------------------------------------------------------------------------------

    def cursor_at(self, at: QPointF) -> Qt.CursorShape | None:
        """Corners are moved; the middle of an edge becomes a corner."""
        if not self._view.is_on(self._layer):
            return None
        if self._near(at, self._zone.corners) is not None:
            return Qt.CursorShape.SizeAllCursor
        return Qt.CursorShape.CrossCursor if self._middle_at(at) is not None else None

    def take(self, at: QPointF) -> None:
        if not self.editing:
            self._before = self._zone
        self._dragged = self._near(at, self._zone.corners)
        if self._dragged is None and (edge := self._middle_at(at)) is not None:
            if len(self._zone.corners) >= MOST_CORNERS:
                self.told.emit(f"a zone has at most {MOST_CORNERS} corners")
                return
            self._zone = self._zone.with_more(edge, self._zone.middles()[edge])
            self._dragged = edge
        if self._dragged is not None:
            self._chosen = self._dragged
        if not self.editing:
            self._view.setFocus()  # Esc undoes

    def drag(self, at: QPointF) -> None:
        rect = self._view.picture_rect(at)
        if self._dragged is None or rect.isEmpty():
            return
        point = ((at.x() - rect.x()) / rect.width(), (at.y() - rect.y()) / rect.height())
        with suppress(ValueError):  # nothing would be inside: it stays where something was
            self._zone = self._zone.with_corner(self._dragged, point)
        self._view.update()

    def drop(self) -> None:
        was, self._dragged = self._dragged, None
        if was is not None:
            self._take_over(self._zone)
        if not self.editing:
            self._before = None

    def twice(self, at: QPointF) -> bool:
        """A double click on a corner removes it; whether it was that."""
        index = self._near(at, self._zone.corners)
        if index is not None:
            self._remove(index)
        return index is not None

    def _near(self, at: QPointF, points: tuple[Point, ...] | list[Point]) -> int | None:
        rect = self._view.picture_rect(at)
        if rect.isEmpty():
            return None
        distances = [(point - at).manhattanLength() for point in _placed(points, rect)]
        nearest = min(range(len(distances)), key=distances.__getitem__)
        return nearest if distances[nearest] <= _GRAB else None

    def _middle_at(self, at: QPointF) -> int | None:
        return self._near(at, self._zone.middles())

    def _remove(self, index: int) -> None:
        if len(self._zone.corners) <= LEAST_CORNERS:
            self.told.emit(f"a zone has at least {LEAST_CORNERS} corners")
            return
        self._change(lambda: self._zone.without(index))

    def _change(self, changed: Callable[[], Zone]) -> None:
        """Take over another shape, unless nothing would be inside."""
        try:
            zone = changed()
        except ValueError:
            self.told.emit(NOTHING_INSIDE)
            return
        self._take_over(zone)

    # -- by keys ---------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.FocusOut and self.editing and not self._view.window().isActiveWindow():
            return False  # another window is looked at for a moment
        if kind is QEvent.Type.FocusOut and self.editing:
            self.set_editing(False)
            return False
        if not isinstance(event, QKeyEvent) or not self._is_own(event):
            return False
        if kind is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if kind is QEvent.Type.KeyPress:
            self._press(event)
            return True
        return False

    def _is_own(self, event: QKeyEvent) -> bool:
        if self._dragged is not None and event.key() == Qt.Key.Key_Escape:
            return True
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        return self.editing and plain and event.key() in _KEYS

    def _press(self, event: QKeyEvent) -> None:
        key, count = event.key(), len(self._zone.corners)
        if key == Qt.Key.Key_Escape:
            self._undo()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.set_editing(False)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            back = key == Qt.Key.Key_Backtab or event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._chosen = (self._chosen + (-1 if back else 1)) % count
            self._view.update()
        elif key == Qt.Key.Key_Delete:
            self._remove(self._chosen)
        elif key == Qt.Key.Key_Backspace:
            self._take_over(Zone())
        elif key == Qt.Key.Key_Insert:
            self._add()
        else:
            step = _FINE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP
            (right, down), (x, y) = _ARROWS[Qt.Key(key)], self._zone.corners[self._chosen]
            self._change(lambda: self._zone.with_corner(self._chosen, (x + right * step, y + down * step)))

    def _add(self) -> None:
        """In the middle of the edge that begins at the chosen corner; it is the chosen one then."""
        if len(self._zone.corners) >= MOST_CORNERS:
            self.told.emit(f"a zone has at most {MOST_CORNERS} corners")
            return
        index = self._chosen + 1
        more = self._zone.with_more(index, self._zone.middles()[index % len(self._zone.corners)])
        self._chosen = index
        self._take_over(more)

    def _undo(self) -> None:
        """Back to what it was before the drag, or before it was edited."""
        before, self._before, self._dragged = self._before, None, None
        self.set_editing(False)
        if before is not None and before != self._zone:
            self._take_over(before)

    # -- painting --------------------------------------------------------------------------------------------------

    def points(self, rect: QRectF) -> list[QPointF]:
        """Its corners on a picture that is in a rectangle of the view."""
        return _placed(self._zone.corners, rect)

    def paint(self, painter: QPainter, scene: Scene, color: QColor) -> None:
        """On one half of the view."""
        rect, seen = scene.logical(scene.half.picture), scene.logical(scene.half.seen)
        points = self.points(rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon(QPolygonF(points))
        for point in _placed(self._zone.middles(), rect):
            painter.drawEllipse(point, _MIDDLE, _MIDDLE)
        painter.setBrush(color)
        for number, point in enumerate(points):
            painter.drawEllipse(point, _HANDLE, _HANDLE)
            if self.editing and number == self._chosen:
                painter.setBrush(Qt.GlobalColor.white)
                painter.drawEllipse(point, _HANDLE + 3, _HANDLE + 3)
                painter.setBrush(color)
        lines = (t(NOTE), t(KEYS)) if self.editing else (t(NOTE),)
        note = plate(lines, painter.font(), scene.ratio, seen.width())
        width, height = plate_size(note)
        upper = min(points, key=lambda point: point.y())
        top = max(seen.top(), upper.y() - _GRAB - height)
        put(painter, note, max(seen.left(), min(upper.x(), seen.right() - width)), top)


def _placed(points: tuple[Point, ...] | list[Point], rect: QRectF) -> list[QPointF]:
    return [QPointF(rect.x() + x * rect.width(), rect.y() + y * rect.height()) for x, y in points]
