"""What went wrong or was done, one line each, above the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from seg_viewer.core.redact import redact_text
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.icon_label import IconLabel
from seg_viewer.gui.widgets.plain import PlainLabel

_AT_MOST = 3
_INFO_MS = 8000
_MAY_BREAK = "\u200b"


class MessageBar(QWidget):
    """A stack of messages; the oldest leaves when there are too many, and a piece of information after a while."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(6)
        self._rows: list[_Message] = []
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setAccessibleName("Messages")
        self.hide()

    def set_margin(self, pixels: int) -> None:
        """Around the messages."""
        self._column.setContentsMargins(pixels, pixels, pixels, pixels)

    def show_error(self, text: str) -> None:
        self._show("error", text)

    def show_warning(self, text: str, button: str = "", on_button: Callable[[], None] | None = None) -> None:
        self._show("warning", text, button, on_button)

    def show_warnings(self, texts: Sequence[str]) -> None:
        """All of them: those that would push each other out stand in one message."""
        together = ["\n".join(texts)] if len(texts) > _AT_MOST else texts
        for text in together:
            self.show_warning(text)

    def show_info(self, text: str, button: str = "", on_button: Callable[[], None] | None = None) -> None:
        self._show("info", text, button, on_button)

    def texts(self, kind: str = "") -> list[str]:
        """What is shown, oldest first: all of it, or the "error", "warning" or "info" messages."""
        return [row.text for row in self._rows if kind in ("", row.kind)]

    def clear(self) -> None:
        for row in list(self._rows):
            self._remove(row)

    def dismiss(self) -> bool:
        """Remove the newest message; returns whether there was one."""
        if self._rows:
            self._remove(self._rows[-1])
            return True
        return False

    def _show(self, kind: str, text: str, button: str = "", on_button: Callable[[], None] | None = None) -> None:
        text = redact_text(text)
        for row in [row for row in self._rows if row.text == text]:
            self._remove(row)
        row = _Message(kind, text, button, on_button)
        row.close_button.clicked.connect(lambda: self._remove(row))
        self._rows.append(row)
        self._column.addWidget(row)
        for old in self._rows[:-_AT_MOST]:
            self._remove(old)
        if kind == "info":
            QTimer.singleShot(_INFO_MS, row, lambda: self._remove(row))
        self.show()

    def _remove(self, row: _Message) -> None:
        if row in self._rows:
            self._rows.remove(row)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
            self.setVisible(bool(self._rows))


class _Message(QFrame):
    def __init__(self, kind: str, text: str, button: str, on_button: Callable[[], None] | None) -> None:
        super().__init__()
        self.kind = kind
        self.text = text
        self.setObjectName("message")
        self.setProperty("kind", kind)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 6, 6)
        line.setSpacing(10)
        line.addWidget(IconLabel(kind, 18))
        # long paths have no spaces to break at, and would widen the window
        label = PlainLabel(
            text.replace("/", "/" + _MAY_BREAK).replace("\\", "\\" + _MAY_BREAK).replace("_", "_" + _MAY_BREAK)
        )
        label.setWordWrap(True)
        label.setAccessibleName(f"{kind}: {text}")
        label.setMinimumWidth(60)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line.addWidget(label, 1)
        if button and on_button:
            do_it = QPushButton(button)
            do_it.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            do_it.clicked.connect(lambda: on_button())
            line.addWidget(do_it)
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("close"))
        self.close_button.setIconSize(QSize(14, 14))
        self.close_button.setToolTip("Dismiss (Esc)")
        self.close_button.setAccessibleName("Dismiss message")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        line.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
