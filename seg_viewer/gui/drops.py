"""What is dragged onto the window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from seg_viewer.core.printable import printable
from seg_viewer.gui.words import t, tn
from seg_viewer.sources import is_live, redact

MODEL_SUFFIX = ".onnx"
_MOST_TEXT = 64 * 1024
_NAMED = 3
_OPEN_AND_USE = (
    "Drop to open, and to use the model",
    "Drop to open these {count}, one after the other, and to use the model",
)


@dataclass(frozen=True)
class Dropped:
    """What can be opened of what is dragged.

    Args:
        sources: paths of files and folders, and addresses, in order.
        models: paths of model files.
        refused: what cannot be opened, as it may be shown.
    """

    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sources or self.models)

    @property
    def invitation(self) -> str:
        """What would happen, for whoever still holds it."""
        if not self.sources:
            return t("Drop to use this model")
        count = len(self.sources)
        if self.models:
            one, many = _OPEN_AND_USE
            return tn(count, one, many)
        return tn(count, "Drop to open", "Drop to open these {count}, one after the other")

    @property
    def refusal(self) -> str:
        """One line on what is left out; "" where nothing is."""
        if not self.refused:
            return ""
        named = ", ".join(self.refused[:_NAMED]) + (", …" if len(self.refused) > _NAMED else "")
        return t(
            "{names}: cannot be opened; what can: files, folders, and addresses of cameras and streams", names=named
        )


class Drops(QObject):
    """Tells what was dropped on a window.

    Args:
        window: accepts drops from now on.
    """

    dropped = Signal(object)
    """A `Dropped`, of something that can be opened."""
    hovering = Signal(str)
    """Something that can be dropped is over the window: what would happen; "" when it is gone."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent) and event.type() is QEvent.Type.Drop:
            self.hovering.emit("")
            if (found := read_dropped(event.mimeData())) and take_copy(event):
                self.dropped.emit(found)
            return True
        if isinstance(event, QDragEnterEvent) and event.type() is QEvent.Type.DragEnter:
            if (found := read_dropped(event.mimeData())) and take_copy(event):
                self.hovering.emit(found.invitation)
            return True
        if event.type() is QEvent.Type.DragLeave:
            self.hovering.emit("")
        return False


def take_copy(event: QDropEvent) -> bool:
    """Accept a drag or a drop; what is dragged stays where it is. Returns whether it could be accepted.

    Accepting what is proposed could be a move, after which a file manager deletes the files: they were opened only.
    Where nothing but a move is offered, it is refused.
    """
    for action in (Qt.DropAction.CopyAction, Qt.DropAction.LinkAction):
        if event.possibleActions() & action:
            event.setDropAction(action)
            event.accept()
            return True
    event.ignore()
    return False


def read_dropped(data: QMimeData) -> Dropped:
    """What is in what is dragged: files and links, or plain text that holds addresses, one a line."""
    if data.hasUrls():
        urls = data.urls()
        texts = [url.toLocalFile() if url.isLocalFile() else bytes(url.toEncoded().data()).decode() for url in urls]
        return _sorted(zip(texts, (url.isLocalFile() for url in urls), strict=True))
    text = data.text()[:_MOST_TEXT] if data.hasText() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # of a text only what says itself what it is: anything may be the name of a file
    return _sorted((line, False) for line in lines) if all(map(is_address, lines)) else Dropped()


def is_address(text: str) -> bool:
    """Whether a text is an address by its own words, `SCHEME://…`, of something live or of a file."""
    scheme, mark, _rest = text.partition("://")
    return bool(mark) and (scheme.lower() == "file" or is_live(text))


def dropped_files(data: QMimeData) -> list[str]:
    """Paths of the files and folders in what is dragged."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


def _sorted(texts: Iterable[tuple[str, bool]]) -> Dropped:
    """Of texts, and whether each is the path of a file or folder."""
    sources: list[str] = []
    models: list[str] = []
    refused: list[str] = []
    for text, is_path in texts:
        if is_path and text.lower().endswith(MODEL_SUFFIX):
            models.append(text)
        elif is_path or is_address(text):
            sources.append(text)
        else:
            refused.append(printable(redact(text)))
    return Dropped(tuple(sources), tuple(models), tuple(refused))
