"""The picture with its class map, painted in layers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from seg_viewer.core.ledger import Ledger
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.gui.timers import timer
from seg_viewer.gui.view.arrangement import Arrangement, Point, half_at
from seg_viewer.gui.view.layers import BACKGROUND, LAYERS, paint_around, paint_layers, paint_text, solid
from seg_viewer.gui.view.modes import contents_of
from seg_viewer.gui.view.mouse import Mouse
from seg_viewer.gui.view.scene import Images, LayerPaint, Scene, ViewMode
from seg_viewer.gui.view.wipe import WipeEdge
from seg_viewer.gui.view.zoom import Zoom
from seg_viewer.gui.words import t
from seg_viewer.player.playback import LATE_WINDOW
from seg_viewer.player.showing import Painter, Shown, Wish

_SETTLE_MS = 120
_QUIET = {QEvent.Type.Paint, QEvent.Type.UpdateRequest, QEvent.Type.Timer, QEvent.Type.MetaCall, QEvent.Type.MouseMove}
"""Events that change nothing of what pictures are painted with, of the many that come while a video plays."""


class VideoView(QWidget):
    """Shows one shot: what its mode says, fitted or zoomed, in one or two halves, under the layers that are on."""

    wished = Signal(object)
    """How the pictures to come should be made, a `Wish`."""
    settled = Signal()
    """It has not changed for a moment, so that the present picture is worth making anew."""
    painted_first = Signal()
    clicked = Signal()
    double_clicked = Signal()
    menu_wanted = Signal(object)
    """A context menu, at a `QPoint` of the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(t("Video"))
        self._overlay: Overlay | None = None
        self.places = Arrangement(self.device_size, self.devicePixelRatioF)
        self._on = {layer.id for layer in LAYERS if layer.on}
        self._still: tuple[object, Scene] | None = None
        """As it was made last, and for what: all but the pictures that come in the same place."""
        self._painters: dict[str, LayerPaint] = {layer.id: layer.paint for layer in LAYERS if layer.paint is not None}
        self._images = Images(Painter())
        self._ledger: Ledger | None = None
        self._pointer: QPointF | None = None
        self._numbers: tuple[str, ...] = ()
        self._models: tuple[str, ...] = ()
        self._notice = ""
        self._lost = ""
        self._covered = 0
        self._unpainted = False
        self._first_pending = True
        self._wish = Wish()
        self.edge = WipeEdge(self.places, self.devicePixelRatioF, self.update)
        self.mouse = Mouse(self, self)
        self.mouse.grips.append(self.edge)
        self._settle = timer(self, _SETTLE_MS, once=True)
        self._settle.timeout.connect(self._settle_down)
        self._unsettled = False

    # -- what to show ----------------------------------------------------------------------------------------------

    def set_covered(self, pixels: int) -> None:
        """So much of the top lies under messages: words on the picture keep clear of it."""
        self._covered = pixels
        self.update()

    @property
    def shown(self) -> Shown | None:
        return self.places.shown

    def clear(self, notice: str = "") -> None:
        """Nothing but a line of text."""
        self.places.shown = self._ledger = None
        self._images.take(None)
        self._unpainted = False
        self._notice = notice
        self._lost = ""
        self.places.zoom = Zoom()
        self.mouse.cancel()
        self._wish_anew()

    @property
    def notice(self) -> str:
        """What `set_notice` was told."""
        return self._notice

    def set_notice(self, notice: str) -> None:
        """A line of text that is shown while there is no picture."""
        if notice != self._notice:
            self._notice = notice
            self.update()

    def set_lost(self, text: str) -> None:
        """Dim the picture, which is no longer what is now, and say why; "" when it is."""
        if text != self._lost:
            self._lost = text
            self.update()

    def set_source(self, sample_aspect: Fraction, ledger: Ledger | None) -> None:
        """Shape of a pixel (width ÷ height) of what comes next, and where its times go."""
        self.places.aspect = sample_aspect
        self._ledger = ledger

    def set_overlay(self, overlay: Overlay) -> None:
        """Paint the present shot, and those to come, with other colours."""
        self._overlay = overlay
        self._wish_anew()

    def set_numbers(self, lines: Sequence[str]) -> None:
        """Of the on-picture display."""
        if tuple(lines) != self._numbers:
            self._numbers = tuple(lines)
            if "hud" in self._on:
                self.update()

    def set_models(self, names: Sequence[str]) -> None:
        """Names of the models that the class maps are from, the first one's first."""
        if tuple(names) != self._models:
            self._models = tuple(names)
            self.update()

    def show_shot(self, shown: Shown) -> None:
        """Take another shot, or the same one at another size."""
        is_new = self.shown is None or self.shown.shot is not shown.shot
        if is_new and self._unpainted and self._ledger:
            self._ledger.drop(LATE_WINDOW)
        before = self.places.shape() if self.shown is not None else None
        self.places.shown = shown
        self._images.take(shown)
        if shown.wish is not None and replace(shown.wish, style=self._wish.style) != self._wish:
            self._unsettle()  # made before the wish was another one: if none follows, it is made again
        self._unpainted = self._unpainted or is_new
        if before != self.places.shape():  # zoom is counted in pixels of the picture, which is another one now
            self.places.zoom = Zoom()
            self._wish_anew()
        self.update()

    # -- how it is shown -------------------------------------------------------------------------------------------

    @property
    def mode(self) -> ViewMode:
        """That was chosen; `MODES[0]` is shown instead where a shot has not what it needs."""
        return self.places.wanted

    def set_mode(self, mode: ViewMode) -> None:
        self.places.wanted = mode
        self._wish_anew()

    def is_on(self, layer: str) -> bool:
        return layer in self._on

    def set_layer_on(self, layer: str, on: bool) -> None:
        """Paint a layer, by its id, or not."""
        (self._on.add if on else self._on.discard)(layer)
        self.update()

    def set_painter(self, layer: str, paint: LayerPaint) -> None:
        """What a layer of `LAYERS` is painted with that a part of the window brings."""
        self._painters[layer] = paint

    @property
    def zoom(self) -> Zoom:
        return self.places.zoom

    def set_zoom(self, zoom: Zoom) -> None:
        if zoom != self.places.zoom:
            self.places.zoom = zoom
            self._wish_anew()

    def zoom_by(self, steps: float, at: QPointF | None = None) -> None:
        """Larger, or smaller where negative, by notches of a wheel; what is at a point of the view stays there."""
        if self.shown is not None:
            self.set_zoom(self.places.zoomed_by(steps, self._device(at)))

    def zoom_to(self, scale: float, at: QPointF | None = None) -> None:
        """Device pixels for a pixel of the picture."""
        if self.shown is not None:
            self.set_zoom(self.places.zoomed_to(scale, self._device(at)))

    def pan(self, by: QPointF) -> None:
        """Move a picture that is zoomed in, logical pixels."""
        ratio = self.devicePixelRatioF()
        self.set_zoom(self.places.moved(by.x() * ratio, by.y() * ratio))

    def pan_by_keys(self, right: int, down: int) -> None:
        self.set_zoom(self.places.moved_by_keys(right, down))

    @property
    def can_click(self) -> bool:
        return self.shown is not None

    @property
    def can_pan(self) -> bool:
        return self.shown is not None and self.places.can_move()

    @property
    def wish(self) -> Wish:
        """How pictures should be made."""
        return self._wish

    def _wish_anew(self) -> None:
        """Say how pictures should be made, where that has changed."""
        room = self.places.rooms()[0]
        factor = self.places.factor() if self.shown is not None else 1.0
        before, wish = self._wish, Wish((room.width, room.height), factor, self._style())
        if wish != before:
            self._wish = wish
            self.wished.emit(wish)
        if replace(wish, style=before.style) != before:
            self._unsettle()
        self.update()

    def _unsettle(self) -> None:
        self._unsettled = True
        self._settle.start()

    def _settle_down(self) -> None:
        self._unsettled = False
        self.settled.emit()
        self.update()

    def _style(self) -> OverlayStyle | None:
        """In which the masks of the present mode are painted."""
        if self._overlay is None:
            return None
        alone = any("solid" in content.layers for content in contents_of(self.places.wanted))
        return solid(self._overlay.style) if alone else self._overlay.style

    # -- where it is shown -----------------------------------------------------------------------------------------

    def device_size(self) -> tuple[int, int]:
        """Of the widget, device pixels."""
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))

    def picture_rect(self, at: QPointF | None = None) -> QRectF:
        """Where the whole picture is, logical pixels, on whole device pixels; empty without one.

        Args:
            at: a point of the half that is meant, where there are two beside each other; the left one otherwise.
        """
        if self.shown is None:
            return QRectF()
        halves = self.places.halves()
        half = half_at(halves, self._device(at)) or halves[0]
        ratio = self.devicePixelRatioF()
        return QRectF(*(value / ratio for value in half.picture))

    def _device(self, at: QPointF | None) -> Point | None:
        ratio = self.devicePixelRatioF()
        return None if at is None else (at.x() * ratio, at.y() * ratio)

    # -- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            if self.shown is None:
                painter.fillRect(event.rect(), BACKGROUND)
                paint_text(painter, self._notice, QRectF(self.rect()), self.font())
                return
            scene = self._scene(self.shown)
            if not scene.once("filled", Scene.is_filled):
                paint_around(painter, scene, event.region())
            paint_layers(painter, scene, self._on, self._painters)
        finally:
            painter.end()
        self._count_painted()

    def _scene(self, shown: Shown) -> Scene:
        key = (self.places.asked(), self._overlay, self._models, self._covered)
        if self._still is None or self._still[0] != key:
            self._still = key, self._still_scene(shown).but(shown=None)  # the first shot is not kept with it
        return self._still[1].but(
            shown=shown,
            numbers=self._numbers,
            lost=self._lost,
            hasty=self._unsettled and self.places.zoom.scale is None,
        )

    def _still_scene(self, shown: Shown) -> Scene:
        """What stays until the next event that is none of `_QUIET`: to ask Qt for all of it takes 0.1 ms."""
        laid = self.places.laid()
        return Scene(
            shown=shown,
            images=self._images,
            style=self._overlay.style if self._overlay is not None else None,
            half=laid.halves[0],
            halves=laid.halves,
            mode=laid.mode,
            zoom=laid.zoom,
            shape=laid.shape,
            edge=laid.edge,
            pointer=None if self.cursor().shape() is Qt.CursorShape.BlankCursor else self._device(self._pointer),
            ratio=self.devicePixelRatioF(),
            font=self.font(),
            models=self._models,
            ceiling=self._covered,
            size=(self.width(), self.height()),
            floor=self.height() - self.contentsMargins().bottom(),
        )

    def _count_painted(self) -> None:
        if not self._unpainted or self.shown is None:
            return
        self._unpainted = False
        now_s = time.perf_counter()
        if self._ledger:
            self._ledger.tick("display", now_s)
            frame = self.shown.shot.frame
            self._ledger.record("shown", now_s - frame.arrived_s)
            if frame.captured_s is not None:
                self._ledger.record("since_capture", now_s - frame.captured_s)
        if self._first_pending:
            self._first_pending = False
            self.painted_first.emit()

    # -- events ----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._wish_anew()

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if kind not in _QUIET:
            self._still = None
        if kind is QEvent.Type.DevicePixelRatioChange:
            self._wish_anew()
        if isinstance(event, QNativeGestureEvent) and self.mouse.gesture(event):
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mouse.double(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.mouse.wheel(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.mouse.leave()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def clicked_once(self) -> None:
        self.clicked.emit()

    def clicked_twice(self) -> None:
        self.double_clicked.emit()

    def point_at(self, at: QPointF | None) -> None:
        """Where the pointer is; None when it has left."""
        self._pointer, self._still = at, None
        if "value" in self._on:
            self.update()

    def show_cursor(self, shape: Qt.CursorShape) -> None:
        if self.cursor().shape() is not shape:
            self.setCursor(shape)
