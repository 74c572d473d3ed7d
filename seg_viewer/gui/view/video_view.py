"""The picture with its class map, painted in layers."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from seg_viewer.core.ledger import Ledger
from seg_viewer.core.overlay import Overlay, mark_errors
from seg_viewer.core.scores import wrong_pixels
from seg_viewer.gui.colors import ON_PICTURE, PICTURE
from seg_viewer.player.session import LATE_WINDOW, Shown, size_to_show

_SETTLE_MS = 120
_MARGIN = 24


class VideoView(QWidget):
    """Shows one shot: its picture, letterboxed, under the colours of its own class map."""

    resized = Signal(QSize)
    """New size, device pixels."""
    settled = Signal()
    """The size has not changed for a moment."""
    painted_first = Signal()
    double_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Video")
        self.layer: Callable[[QPainter, QRectF], None] | None = None
        """Painted last, over the picture that is in the rectangle."""
        self._shown: Shown | None = None
        self._overlay: Overlay | None = None
        self._overlay_on = True
        self._errors_on = False
        self._aspect = Fraction(1)
        self._ledger: Ledger | None = None
        self._picture: QImage | None = None
        self._mask: QImage | None = None
        self._buffers: tuple[object, object] = (None, None)  # the images borrow this memory
        self._notice = ""
        self._lost = ""
        self._unpainted = False
        self._first_pending = True
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.settled)

    # -- what to show ----------------------------------------------------------------------------------------------

    @property
    def shown(self) -> Shown | None:
        return self._shown

    def clear(self, notice: str = "") -> None:
        """Nothing but a line of text."""
        self._shown = self._picture = self._mask = self._ledger = None
        self._buffers = (None, None)
        self._unpainted = False
        self._notice = notice
        self._lost = ""
        self.update()

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
        self._aspect = sample_aspect
        self._ledger = ledger

    def set_overlay(self, overlay: Overlay) -> None:
        """Paint the present shot, and those to come, with other colours."""
        self._overlay = overlay
        self._color()
        self.update()

    def set_overlay_on(self, on: bool) -> None:
        self._overlay_on = on
        self.update()

    def set_errors_on(self, on: bool) -> None:
        """Mark what differs from the ground truth, where there is one."""
        self._errors_on = on
        self._color()
        self.update()

    def show_shot(self, shown: Shown) -> None:
        """Take another shot, or the same one at another size."""
        is_new = self._shown is None or self._shown.shot is not shown.shot
        if is_new and self._unpainted and self._ledger:
            self._ledger.drop(LATE_WINDOW)
        self._shown = shown
        height, width = shown.pixels.shape[:2]
        self._picture = QImage(shown.pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        self._buffers = (shown.pixels, self._buffers[1])
        if is_new:
            self._unpainted = True
            self._color()
        self.update()

    def _color(self) -> None:
        if self._shown is None or self._overlay is None:
            self._mask = None
            return
        classes = self._shown.shot.classes
        colors = self._overlay.mask_bgra(classes)
        if self._errors_on and self._shown.truth is not None:
            mark_errors(colors, wrong_pixels(classes, self._shown.truth))
        height, width = colors.shape[:2]
        self._mask = QImage(colors.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        self._buffers = (self._buffers[0], colors)

    # -- where it is shown -----------------------------------------------------------------------------------------

    def device_size(self) -> tuple[int, int]:
        """Of the widget, device pixels."""
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))

    def picture_rect(self) -> QRectF:
        """Where the picture is, on whole device pixels; empty without one."""
        if self._shown is None:
            return QRectF()
        picture = self._shown.shot.frame.picture
        view = self.device_size()
        width, height = size_to_show(picture.width, picture.height, self._aspect, view)
        ratio = self.devicePixelRatioF()
        left, top = (view[0] - width) // 2, (view[1] - height) // 2
        return QRectF(left / ratio, top / ratio, width / ratio, height / ratio)

    # -- events ----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(event.rect(), QColor(PICTURE))
            if self._picture is None:
                self._paint_text(painter, self._notice)
                return
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            target = self.picture_rect()
            painter.drawImage(target, self._picture)
            if self._mask is not None and self._overlay_on:
                painter.drawImage(target, self._mask)
            if self.layer is not None:
                self.layer(painter, target)
            if self._lost:
                painter.fillRect(target, QColor(10, 12, 15, 185))
                self._paint_text(painter, self._lost)
        finally:
            painter.end()
        self._count_painted()

    def _paint_text(self, painter: QPainter, text: str) -> None:
        painter.setPen(QColor(ON_PICTURE))
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        painter.setFont(font)
        room = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)

    def _count_painted(self) -> None:
        if not self._unpainted or self._shown is None:
            return
        self._unpainted = False
        now_s = time.perf_counter()
        if self._ledger:
            self._ledger.tick("display", now_s)
            self._ledger.record("shown", now_s - self._shown.shot.frame.arrived_s)
        if self._first_pending:
            self._first_pending = False
            self.painted_first.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit(QSize(*self.device_size()))
        self._settle.start()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.double_clicked.emit()
