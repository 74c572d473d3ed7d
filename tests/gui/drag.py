"""Drags something onto a widget, by the events that a desktop sends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

_AT = QPoint(50, 50)
_COPY = Qt.DropAction.CopyAction
_LEFT, _NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def files(paths: Iterable[Path]) -> QMimeData:
    """As a file manager has them."""
    return urls(QUrl.fromLocalFile(str(path)) for path in paths)


def urls(texts: Iterable[str | QUrl]) -> QMimeData:
    """As a browser has links."""
    data = QMimeData()
    data.setUrls([QUrl(text) for text in texts])
    return data


def text(text: str) -> QMimeData:
    """As an editor has what is selected."""
    data = QMimeData()
    data.setText(text)
    return data


def enter(widget: QWidget, data: QMimeData) -> bool:
    """Move it over a widget; returns whether it may be dropped there."""
    event = QDragEnterEvent(_AT, _COPY, data, _LEFT, _NO_KEY)
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def leave(widget: QWidget) -> None:
    QApplication.sendEvent(widget, QDragLeaveEvent())


def drop(widget: QWidget, data: QMimeData) -> None:
    """Move it over a widget, which takes it, and let it go."""
    assert enter(widget, data)
    QApplication.sendEvent(widget, QDropEvent(QPointF(_AT), _COPY, data, _LEFT, _NO_KEY))
