"""What tests of exports share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def first_color(path: Path) -> tuple[int, ...]:
    """RGB in the middle of the first picture."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return tuple(int(value) for value in picture[picture.shape[0] // 2, picture.shape[1] // 2])


def begun_names(folder: Path) -> list[str]:
    """What exports have made or begun there, hidden files and folders too."""
    return sorted(path.name for path in folder.iterdir() if "_seg" in path.name)


def drop(widget: QWidget, paths: Sequence[Path]) -> None:
    """Drag files over a window, and let go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys))
