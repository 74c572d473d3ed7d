"""The program as the desktop sees it: macOS asks a running program to open files, with an event for each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, QTimer, QUrl, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from seg_viewer.gui.drops import read_dropped


class Application(QApplication):
    """Takes what a double click, "Open with" and the Dock hand over; Linux and Windows use the command line instead."""

    files_asked = Signal(object)
    """A `Dropped`, of all that was asked for at a time; kept until `be_ready`."""

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self._urls: list[QUrl] = []
        self._ready = False

    def event(self, event: QEvent) -> bool:
        if not isinstance(event, QFileOpenEvent):
            return super().event(event)
        # several files are several events, one after the other: a playlist
        self._urls.append(event.url())
        QTimer.singleShot(0, self, self._hand_over)
        return True

    def be_ready(self) -> None:
        """Somebody takes `files_asked` from now on."""
        self._ready = True
        self._hand_over()

    def _hand_over(self) -> None:
        if not (self._ready and self._urls):
            return
        data = QMimeData()
        data.setUrls(self._urls)
        self._urls = []
        if found := read_dropped(data):
            self.files_asked.emit(found)
