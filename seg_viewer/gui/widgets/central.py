"""What is where in the window, below its menus."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget


class CentralWidget(QWidget):
    """Messages above, the side panel beside, and the controls below what is shown.

    Args:
        above: one below the other.
        pages: one of them is shown, the first one at first.
        beside: on the right.
        controls: below all.
    """

    def __init__(
        self, above: tuple[QWidget, ...], pages: tuple[QWidget, ...], beside: QWidget, controls: QWidget
    ) -> None:
        super().__init__()
        self.stack = QStackedWidget()
        left = QVBoxLayout()
        left.setSpacing(0)
        for widget in above:
            left.addWidget(widget)
        for page in pages:
            self.stack.addWidget(page)
        left.addWidget(self.stack, 1)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addLayout(left, 1)
        row.addWidget(beside)
        self.column = QVBoxLayout(self)
        """The controls are at its end."""
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addLayout(row, 1)
        self.column.addWidget(controls)
