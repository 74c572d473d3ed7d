"""What the window shows before anything is open."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.recent_list import RecentButton, RecentItem

_RECENT_SHOWN = 5
_LEAD = "Shows what a neural network sees in driving video: cars blue, people red, road green."


class StartPage(QWidget):
    """What this is, and the ways in."""

    open_wanted = Signal()
    address_wanted = Signal()
    demo_wanted = Signal()
    recent_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(160, 120)
        middle = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 16, 32, 16)
        column.setSpacing(10)
        column.addStretch(2)
        logo = QLabel()
        logo.setPixmap(icon("seg-viewer").pixmap(QSize(88, 88), self.devicePixelRatioF()))
        column.addWidget(logo, 0, middle)
        column.addWidget(PlainLabel("seg-viewer", objectName="title"), 0, middle)
        lead = PlainLabel(_LEAD, objectName="lead")
        lead.setWordWrap(True)
        lead.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(lead)
        column.addSpacing(12)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch()
        self.open_button = QPushButton("Open video…")
        self.open_button.setObjectName("primary")
        self.open_button.setAccessibleName("Open video")
        self.open_button.clicked.connect(self.open_wanted)
        self.demo_button = QPushButton("Try the demo clip")
        self.demo_button.clicked.connect(self.demo_wanted)
        self.address_button = QPushButton("Camera or address…")
        self.address_button.setAccessibleName("Open camera or address")
        self.address_button.clicked.connect(self.address_wanted)
        for button in (self.open_button, self.address_button, self.demo_button):
            button.setProperty("big", True)
            buttons.addWidget(button)
        buttons.addStretch()
        column.addLayout(buttons)
        column.addSpacing(4)
        drop = PlainLabel("or drop a video, a picture or a folder of pictures here", objectName="dim")
        column.addWidget(drop, 0, middle)
        column.addSpacing(14)
        self._recent_title = PlainLabel("RECENT", objectName="heading")
        column.addWidget(self._recent_title, 0, middle)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(1)
        column.addLayout(self._recent)
        column.addStretch(3)
        self.recent_buttons: list[RecentButton] = []
        self.set_recent(())

    def set_recent(self, items: Sequence[RecentItem]) -> None:
        """Newest first."""
        items = items[:_RECENT_SHOWN]
        if [item.source for item in items] != [button.item.source for button in self.recent_buttons]:
            self._make_recent(items)
        for button, item in zip(self.recent_buttons, items, strict=True):
            button.show_item(item)
        self._recent_title.setVisible(bool(items))
        self._elide()

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        for button in self.recent_buttons:
            button.set_room(max(120, min(560, self.width() - 200)))
        widest = max((button.sizeHint().width() for button in self.recent_buttons), default=0)
        for button in self.recent_buttons:
            button.setFixedWidth(widest)  # their pictures stand below each other
