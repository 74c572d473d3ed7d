"""What went wrong or was done, one line each; the same said again is counted, the same cause stands in one message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from seg_viewer.core.redact import redact_text
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.icon_label import IconLabel
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import said, t

_AT_MOST = 3
_LINES = 5
_INFO_MS = 8000
_ROOM_FOR_TEXT = 220
_LEAST = 180
_MAY_BREAK = "\u200b"
_NAMES = re.compile(r"\S*[/\\\d]\S*|\S+\.\w{2,4}(?=[\s:,;]|$)")


def cause_of(text: str) -> str:
    """A message without the files and numbers that it names: two of the same cause differ in nothing else."""
    return " ".join(_NAMES.sub("#", text).split())


class MessageBar(QWidget):
    """A stack of messages; the oldest leaves when there are too many, and a piece of information after a while."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(6)
        self._rows: list[_Message] = []
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setAccessibleName(t("Messages"))
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
        """What was said and still stands, oldest first: all of it, or the "error", "warning" or "info" messages."""
        return [text for row in self._rows if kind in ("", row.kind) for text in row.counts]

    def clear(self) -> None:
        for row in list(self._rows):
            self._remove(row)

    def take_back(self, text: str) -> None:
        """Remove a message that says just this, where it still stands."""
        for row in list(self._rows):
            if list(row.counts) == [said(redact_text(text))]:
                self._remove(row)

    def dismiss(self) -> bool:
        """Remove the newest message; returns whether there was one."""
        if self._rows:
            self._remove(self._rows[-1])
            return True
        return False

    def _show(self, kind: str, text: str, button: str = "", on_button: Callable[[], None] | None = None) -> None:
        text = said(redact_text(text))
        before = next((row for row in self._rows if row.kind == kind and row.takes(text, bool(button))), None)
        row = _Message(kind, text, button, on_button, before.counts if before else {})
        row.close_button.clicked.connect(lambda: self._remove(row))
        self._rows.append(row)
        self._column.addWidget(row)
        row.show()
        if before is not None:
            self._remove(before)
        for old in self._rows[:-_AT_MOST]:
            self._remove(old)
        if kind == "info":
            QTimer.singleShot(_INFO_MS, row, lambda: self._remove(row))
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(row, QAccessible.Event.Alert))

    def _remove(self, row: _Message) -> None:
        if row not in self._rows:
            return
        self._rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.setVisible(bool(self._rows))
        self.updateGeometry()


class _Message(QFrame):
    """One message; `counts` has what it says, oldest first, and how often each was said."""

    def __init__(
        self, kind: str, text: str, button: str, on_button: Callable[[], None] | None, before: dict[str, int]
    ) -> None:
        super().__init__()
        self.kind = kind
        self.cause = cause_of(text)
        self.counts = {other: count for other, count in before.items() if other != text}
        self.counts[text] = before.get(text, 0) + 1
        self.setObjectName("message")
        self.setProperty("kind", kind)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 6, 6)
        column.setSpacing(4)
        self._line = line = QHBoxLayout()
        line.setSpacing(10)
        self._below = QHBoxLayout()
        self._below.addStretch(1)
        self._button: QPushButton | None = None
        column.addLayout(line)
        column.addLayout(self._below)
        line.addWidget(IconLabel(kind, 18))
        label = PlainLabel(_may_break(self._text()))
        label.setWordWrap(True)
        label.setAccessibleName(f"{t(kind)}: {self._text()}")
        label.setMinimumWidth(60)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line.addWidget(label, 1)
        times = sum(self.counts.values())
        self.count = PlainLabel(f"{times}×" if times > 1 else "", objectName="count")
        self.count.setAccessibleName(t("Said {count} times", count=times))
        line.addWidget(self.count)
        self.count.setVisible(times > 1)  # not before it is in here: it would be a window, and take the focus
        if button and on_button:
            do_it = QPushButton(button)
            do_it.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            do_it.clicked.connect(lambda: on_button())
            self._button = do_it
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("close"))
        self.close_button.setIconSize(QSize(14, 14))
        self.close_button.setToolTip(t("Dismiss (Esc)"))
        self.close_button.setAccessibleName(t("Dismiss message"))
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        line.addWidget(self.close_button)
        self._put_button()

    def takes(self, text: str, has_button: bool) -> bool:
        """Whether another one of its kind stands in it, too.

        One with a button does so only where it says the same: its button is about what it says.
        """
        if text in self.counts:
            return True
        return not has_button and self._button is None and self.cause == cause_of(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._put_button()

    def minimumSizeHint(self) -> QSize:
        """So narrow that the button goes below the text, wherever it is now."""
        return QSize(_LEAST, super().minimumSizeHint().height())

    def _put_button(self) -> None:
        """Beside the text, or below it where that would leave no room for the text."""
        if self._button is None:
            return
        here, there = self._line, self._below
        if self.width() < self._button.sizeHint().width() + _ROOM_FOR_TEXT:
            here, there = there, here
        if here.indexOf(self._button) < 0:
            there.removeWidget(self._button)
            here.insertWidget(here.indexOf(self.close_button) if here is self._line else here.count(), self._button)

    def _text(self) -> str:
        """The newest lines, and how many stand before them."""
        lines = list(self.counts)
        if len(lines) > _LINES:
            lines = [t("… and {count} more like these", count=len(lines) - _LINES), *lines[-_LINES:]]
        return "\n".join(lines)


def _may_break(text: str) -> str:
    """Long paths have no spaces to break at, and would widen the window."""
    for sign in "/\\_":
        text = text.replace(sign, sign + _MAY_BREAK)
    return text
