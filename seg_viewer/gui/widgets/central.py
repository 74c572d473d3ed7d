"""What is where in the window, below its menus."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from seg_viewer.gui.widgets.notices import Notices
from seg_viewer.gui.words import t

_LEAST = 220  # a message and its buttons fit


class CentralWidget(QWidget):
    """The side panel beside, and the controls below what is shown; messages lie over it.

    Args:
        above: lie over the top of the page, one below the other.
        pages: one of them is shown, the first one at first.
        beside: on the right, as wide as a person makes it.
        controls: below all.
    """

    def __init__(
        self, above: tuple[QWidget, ...], pages: tuple[QWidget, ...], beside: QWidget, controls: QWidget
    ) -> None:
        super().__init__()
        self.stack = QStackedWidget()
        for page in pages:
            self.stack.addWidget(page)
        stage = QWidget()
        stage.setMinimumWidth(_LEAST)
        around = QVBoxLayout(stage)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.stack)
        self.notices = Notices(above, stage)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(5)
        self.splitter.setAccessibleName(t("Picture and side panel"))
        self.splitter.addWidget(stage)
        self.splitter.addWidget(beside)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setCollapsible(0, False)
        self.splitter.setCollapsible(1, True)
        self.column = QVBoxLayout(self)
        """The controls are at its end."""
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addWidget(self.splitter, 1)
        self.column.addWidget(controls)
