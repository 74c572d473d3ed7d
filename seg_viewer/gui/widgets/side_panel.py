"""What stands beside the picture: the classes, and the numbers."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from seg_viewer.gui.widgets.legend import Legend
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import t

LEAST_WIDTH = 200
MOST_WIDTH = 480


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
        self._ordered: list[QWidget] = []
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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            # a list of classes is not squeezed where the whole panel can be scrolled
            self._legend.setMinimumHeight(self._legend.sizeHint().height())
            self._order()
        return super().eventFilter(watched, event)

    def _order(self) -> None:
        """Tab goes from the top to the bottom, also to classes that came later than what is below them."""
        inner = self._inner
        widgets = [each for each in inner.findChildren(QWidget) if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
        if widgets == self._ordered:
            return
        self._ordered = widgets
        places = {each: each.mapTo(inner, QPoint(0, 0)) for each in widgets}
        before: QWidget = self.area
        for each in sorted(widgets, key=lambda each: (places[each].y(), places[each].x())):
            QWidget.setTabOrder(before, each)
            before = each
