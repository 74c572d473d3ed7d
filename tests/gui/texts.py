"""Every text that a window can show: of widgets, menus, items, tool tips, and for screen readers; hidden ones, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTreeView,
    QWidget,
)

from seg_viewer.gui.widgets.drop_veil import DropVeil
from seg_viewer.gui.widgets.thumbnail import ThumbnailPopup

MARK = "§"
_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)
_WORD = re.compile(r"[^\W\d_]{2,}")


def texts_of(top: QWidget) -> Iterator[tuple[str, str]]:
    """(what has it, the text) of a window and all that is in it."""
    for widget in (top, *top.findChildren(QWidget)):
        if isinstance(widget.parent(), QAbstractSpinBox):
            continue
        name = f"{type(widget).__name__} {widget.objectName()}"
        said = [widget.toolTip(), widget.accessibleName(), widget.accessibleDescription(), widget.statusTip()]
        said.append(widget.windowTitle())
        if isinstance(widget, QLabel | QAbstractButton | DropVeil | ThumbnailPopup):
            said.append(widget.text if isinstance(widget, DropVeil | ThumbnailPopup) else widget.text())
        elif isinstance(widget, QComboBox):
            said += [widget.itemText(place) for place in range(widget.count())]
        elif isinstance(widget, QMenu):
            said.append(widget.title())
            said += [text for action in widget.actions() for text in _of_action(action)]
        elif isinstance(widget, QLineEdit):
            said.append(widget.placeholderText())
        elif isinstance(widget, QAbstractSpinBox):
            said.append(widget.text())
        elif isinstance(widget, QPlainTextEdit):
            said += [widget.placeholderText(), *widget.toPlainText().split("\n")]
        elif isinstance(widget, QAbstractItemView):
            said += _of_items(widget)
        said += [text for action in widget.actions() for text in _of_action(action)]
        yield from ((name, text) for text in dict.fromkeys(said) if text)


def _of_action(action: QAction) -> list[str]:
    return [action.text(), action.iconText(), action.toolTip(), action.statusTip()]


def _of_items(view: QAbstractItemView) -> Iterator[str]:
    model = view.model()
    root = view.rootIndex()
    across = range(view.header().count()) if isinstance(view, QTreeView) else range(1)
    yield from (str(model.headerData(place, Qt.Orientation.Horizontal) or "") for place in across)
    for row in range(model.rowCount(root)):
        for place in across:
            yield from (str(model.data(model.index(row, place), role) or "") for role in _ROLES)


def write_marked(folder: Path, words: Mapping[str, str], phrases: Mapping[str, str]) -> None:
    """A catalogue in the place of the German one: English, a mark before each text, so that what lacks one is bare.

    Args:
        folder: what `assets/` is looked for in.
        words, phrases: the German ones, of which the English is marked.
    """
    (folder / "assets" / "i18n").mkdir(parents=True)
    for name, entries in (("de.toml", words), ("de-messages.toml", phrases)):
        lines = [f"{json.dumps(text)} = {json.dumps(MARK + text if _WORD.search(text) else text)}" for text in entries]
        text = "\n".join(["[all]", *lines, ""])
        (folder / "assets" / "i18n" / name).write_text(text, encoding="utf-8")


def is_bare(text: str, known: re.Pattern[str]) -> bool:
    """Whether a text has words, no mark, and more than what is known to be the same in every language."""
    return MARK not in text and bool(_WORD.search(known.sub("", text)))


def bare(top: QWidget, known: re.Pattern[str]) -> list[str]:
    """The texts of a window of which that is so, and what has them."""
    QApplication.processEvents()
    return sorted({f"{name}: {text!r}" for name, text in texts_of(top) if is_bare(text, known)})
