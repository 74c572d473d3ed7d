"""What an export would write, leave out and change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from seg_viewer.core.redact import redact_text
from seg_viewer.gui.words import said, t

_LINES, _LEAST_LINES = 6, 3


class PlanView(QPlainTextEdit):
    """Some lines that can be read, scrolled and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plan")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(t("What will be written and left out"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(self._height_of(_LEAST_LINES))
        self.setPlaceholderText(t("Looking up what will be written …"))

    def sizeHint(self) -> QSize:
        return QSize(400, self._height_of(_LINES))

    def _height_of(self, lines: int) -> int:
        return self.fontMetrics().lineSpacing() * lines + 20

    def set_old(self) -> None:
        """What stands here may not be true any more; it is pale until the next lines come."""
        self.setEnabled(False)

    def show_lines(self, lines: Sequence[str]) -> None:
        self._show("\n".join(said(" ".join(line.splitlines())) for line in lines), problem=False)

    def show_problem(self, text: str) -> None:
        """Why nothing can be written."""
        self._show(said(" ".join(text.split())), problem=True)

    def _show(self, text: str, *, problem: bool) -> None:
        if self.property("problem") is not problem:
            self.setProperty("problem", problem)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setEnabled(True)
        text = redact_text(text)
        if text != self.toPlainText():
            self.setPlainText(text)
