"""What the window shows before anything is open."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.recent_list import RecentButton, RecentItem
from seg_viewer.gui.words import t

_RECENT_SHOWN = 5
_LEAD = "Shows what a neural network sees in driving video: cars blue, people red, road green."
_SIDE = 24


class StartPage(QScrollArea):
    """What this is, and the ways in.

    Where there is little room, what is only nice to have goes first (`_parts`), the oldest of the recent ones next; the
    ways in stay, one below the other if need be, and can be scrolled to.
    """

    open_wanted = Signal()
    address_wanted = Signal()
    demo_wanted = Signal()
    recent_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(160, 120)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(t("Start page"))
        self._covered = 0
        self._fitted = QSize()
        self.recent_buttons: list[RecentButton] = []
        inner = QWidget()
        middle = Qt.AlignmentFlag.AlignHCenter
        self._column = column = QVBoxLayout(inner)
        column.setContentsMargins(_SIDE, 6, _SIDE, 6)
        column.setSpacing(10)
        column.addStretch(2)
        logo = QLabel()
        logo.setPixmap(icon("seg-viewer").pixmap(QSize(88, 88), self.devicePixelRatioF()))
        title = PlainLabel("seg-viewer", objectName="title")
        lead = PlainLabel(t(_LEAD), objectName="lead")
        lead.setWordWrap(True)
        lead.setAlignment(Qt.AlignmentFlag.AlignCenter)
        drop = PlainLabel(t("or drop a video, a picture or a folder of pictures here"), objectName="dim")
        drop.setWordWrap(True)
        drop.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._recent_title = PlainLabel(t("RECENT"), objectName="heading")
        column.addWidget(logo, 0, middle)
        column.addWidget(title, 0, middle)
        column.addWidget(lead)
        column.addLayout(self._make_buttons())
        column.addWidget(drop)
        column.addWidget(self._recent_title, 0, middle)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(1)
        column.addLayout(self._recent)
        column.addStretch(3)
        self._parts: tuple[QWidget, ...] = (logo, drop, lead, title)
        """What can be missing, the least important first."""
        self._inner = inner
        self.setWidget(inner)
        self.set_recent(())

    def _make_buttons(self) -> QBoxLayout:
        self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._buttons.setSpacing(12)
        self._buttons.addStretch()
        self.open_button = QPushButton(t("Open video…"))
        self.open_button.setObjectName("primary")
        self.open_button.setAccessibleName(t("Open video"))
        self.open_button.clicked.connect(self.open_wanted)
        self.address_button = QPushButton(t("Camera or address…"))
        self.address_button.setAccessibleName(t("Open camera or address"))
        self.address_button.clicked.connect(self.address_wanted)
        self.demo_button = QPushButton(t("Try the demo clip"))
        self.demo_button.setAccessibleName(t("Try the demo clip"))
        self.demo_button.clicked.connect(self.demo_wanted)
        self._ways_in = (self.open_button, self.address_button, self.demo_button)
        for button in self._ways_in:
            button.setProperty("big", True)
            self._buttons.addWidget(button)
        self._buttons.addStretch()
        return self._buttons

    def set_recent(self, items: Sequence[RecentItem]) -> None:
        """Newest first."""
        items = items[:_RECENT_SHOWN]
        if [item.source for item in items] != [button.item.source for button in self.recent_buttons]:
            self._make_recent(items)
        for button, item in zip(self.recent_buttons, items, strict=True):
            button.show_item(item)
        self._fit()

    def _make_recent(self, items: Sequence[RecentItem]) -> None:
        for button in self.recent_buttons:
            self._recent.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.recent_buttons = [RecentButton(item) for item in items]
        for button in self.recent_buttons:
            source = button.item.source
            button.clicked.connect(lambda _checked=False, source=source: self.recent_wanted.emit(source))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def set_covered(self, pixels: int) -> None:
        """So much of the top lies under messages: nothing is there to be read or pressed."""
        if pixels != self._covered:
            self._covered = pixels
            self.setViewportMargins(0, pixels, 0, 0)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.size() != self._fitted:  # it is also told of its viewport's, which depends on what is shown
            self._fit()

    def _fit(self) -> None:
        """Show as much as there is room for."""
        self._elide()
        self._fitted = self.size()
        width = self.width() - self.verticalScrollBar().sizeHint().width()
        room = self.height() - self._covered
        across = sum(button.sizeHint().width() for button in self._ways_in) + 4 * self._buttons.spacing()
        beside = across + 2 * _SIDE <= width
        direction = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        self._buttons.setDirection(direction)
        self._buttons.setSpacing(12 if beside else 6)
        for button in self._ways_in:
            self._buttons.setAlignment(button, Qt.AlignmentFlag.AlignHCenter)
        for widget in (*self._parts, *self.recent_buttons):
            widget.show()
        self._recent_title.setVisible(bool(self.recent_buttons))
        goes_first = [*self._parts[:2], *reversed(self.recent_buttons[1:]), *self._parts[2:]]
        for widget in goes_first:
            if self._needed(width) <= room:
                break
            widget.hide()
        # Qt does not count wrapped lines in what can be scrolled
        self._inner.setMinimumHeight(self._needed(width))

    def _needed(self, width: int) -> int:
        self._column.invalidate()
        return max(0, self._column.totalMinimumHeightForWidth(width))  # -1 while it is hidden

    def _elide(self) -> None:
        for button in self.recent_buttons:
            button.set_room(max(120, min(560, self.width() - 200)))
        widest = max((button.sizeHint().width() for button in self.recent_buttons), default=0)
        for button in self.recent_buttons:
            button.setFixedWidth(widest)  # their pictures stand below each other
