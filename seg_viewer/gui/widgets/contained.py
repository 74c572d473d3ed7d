"""Labels whose text changes often, and whose layout need not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QWidget


class Contained(QWidget):
    """Room for one label, which tells the layouts around it of a new text only where the label wants another size.

    A `QLabel` asks for a new layout with each text, and each layout asks the one around it, up to the window: with the
    time and the numbers of a video that plays, this is done for nothing many times a second.

    Args:
        label: has its size policy already; one that wraps its words takes any width. To be shown and hidden by way of
            this widget.
    """

    def __init__(self, label: QLabel) -> None:
        super().__init__()
        self._label = label
        label.setParent(self)
        policy = label.sizePolicy()
        policy.setHeightForWidth(label.hasHeightForWidth())
        self.setSizePolicy(policy)
        self._wanted = self._wants()

    def sizeHint(self) -> QSize:
        return self._label.sizeHint().expandedTo(self._label.minimumSize())

    def minimumSizeHint(self) -> QSize:
        return self._label.minimumSizeHint().expandedTo(self._label.minimumSize())

    def heightForWidth(self, width: int) -> int:
        return self._label.heightForWidth(width)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:  # of the label; this has no layout of its own
            self._tell()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._label.setGeometry(self.rect())
        self._wanted = self._wants()

    def showEvent(self, event: QShowEvent) -> None:
        self._tell()  # what is hidden is not told of other sizes

    def _tell(self) -> None:
        wanted = self._wants()
        if wanted != self._wanted:
            self._wanted = wanted
            self.updateGeometry()

    def _wants(self) -> tuple[QSize, QSize] | int:
        if self.sizePolicy().hasHeightForWidth():  # takes any width
            return self.heightForWidth(self.width())
        return self.sizeHint(), self.minimumSizeHint()
