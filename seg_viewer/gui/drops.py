"""What is dragged onto the window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class Drops(QObject):
    """Tells what was dropped on a window.

    Args:
        window: accepts drops from now on.
    """

    dropped = Signal(list)
    """Paths of files and folders, at least one."""
    hovering = Signal(bool)
    """Whether something that can be dropped is over the window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent) and event.type() is QEvent.Type.Drop:
            self.hovering.emit(False)
            if paths := dropped_files(event.mimeData()):
                event.acceptProposedAction()
                self.dropped.emit(paths)
            return True
        if isinstance(event, QDragEnterEvent) and event.type() is QEvent.Type.DragEnter:
            if dropped_files(event.mimeData()):
                event.acceptProposedAction()
                self.hovering.emit(True)
            return True
        if event.type() is QEvent.Type.DragLeave:
            self.hovering.emit(False)
        return False


def dropped_files(data: QMimeData) -> list[str]:
    """Paths of the files and folders in what is dragged."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
