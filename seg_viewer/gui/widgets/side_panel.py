"""What stands beside the picture: the classes, and the numbers."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.legend import Legend
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import t

LEAST_WIDTH = 200
MOST_WIDTH = 480
_STILL_MS = 120
"""After so long without another size of the window it is no longer being drawn larger or smaller."""


class SidePanel(QFrame):
    """Legend above, numbers below; what has no room is scrolled to.

    Args:
        legend: of the classes.
        stats: the numbers.
    """

    def __init__(self, legend: Legend, stats: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAccessibleName(t("Side panel"))
        self.setMinimumWidth(LEAST_WIDTH)
        self.setMaximumWidth(MOST_WIDTH)
        self._legend = legend
        self._in_order = False
        self._held = QPixmap()
        self._resizing = timer(self, _STILL_MS, once=True)
        self._resizing.timeout.connect(self._release)
        legend.rows_changed.connect(self._rows_changed)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 14, 12, 12)
        column.setSpacing(10)
        column.addWidget(PlainLabel(t("CLASSES"), objectName="heading"))
        column.addWidget(legend)
        column.addWidget(stats)
        column.addStretch(1)
        self._inner = inner
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setAccessibleName(t("Classes and numbers"))
        self.area.setWidget(inner)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.area)
        inner.installEventFilter(self)

    @property
    def is_still(self) -> bool:
        """Whether the window has had its size for a while."""
        return not self._resizing.isActive()

    def window_resized(self) -> None:
        """While the window is drawn larger or smaller, a picture of the panel stands for its many parts.

        All of a window is painted anew at each size. One change alone, as when it fills the screen, shows them at once.
        """
        if self._resizing.isActive() and self._held.isNull() and self.isVisible():
            self._held = self.area.grab()
            self.area.setUpdatesEnabled(False)
        self._resizing.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._held.isNull():
            painter = QPainter(self)
            try:
                painter.drawPixmap(self.area.pos(), self._held)
            finally:
                painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._release()

    def _release(self) -> None:
        if not self._held.isNull():
            self._held = QPixmap()
            self.area.setUpdatesEnabled(True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            # a list of classes is not squeezed where the whole panel can be scrolled
            self._legend.setMinimumHeight(self._legend.sizeHint().height())
            if not self._in_order:
                self._in_order = True
                self._order()
        return super().eventFilter(watched, event)

    def _rows_changed(self) -> None:
        self._in_order = False

    def _order(self) -> None:
        """Tab goes from the top to the bottom, also to classes that came later than what is below them."""
        inner = self._inner
        widgets = [each for each in inner.findChildren(QWidget) if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
        places = {each: each.mapTo(inner, QPoint(0, 0)) for each in widgets}
        before: QWidget = self.area
        for each in sorted(widgets, key=lambda each: (places[each].y(), places[each].x())):
            QWidget.setTabOrder(before, each)
            before = each
