"""The list of what plays one after the other, beside the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QFont, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.gui.drops import take_copy
from seg_viewer.gui.opening import short_name
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel, plain_tip
from seg_viewer.gui.words import said, t
from seg_viewer.player.playlist import Entry
from seg_viewer.sources import redact

_ENTRY = Qt.ItemDataRole.UserRole
_WIDTH = 230
_Drag = TypeVar("_Drag", QDragEnterEvent, QDragMoveEvent)


class PlaylistView(QWidget):
    """Shows entries; what a person does with them goes out through signals."""

    chosen = Signal(object)
    """Play this `Entry`."""
    removed = Signal(list)
    """Take these entries out."""
    rearranged = Signal(list)
    """All entries, in their new order."""
    dropped = Signal(QMimeData)
    """Something from outside, to be added."""
    add_wanted = Signal()
    export_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = _List()
        self.list.setAccessibleName(t("Playlist"))
        self._is_moved = False
        self._drawn: list[tuple[str, bool]] = []
        self._known: dict[str, Entry] = {}  # an item holds a name for its entry: drags carry no Python objects
        self.list.itemActivated.connect(lambda item: self.chosen.emit(self._entry(item)))
        self.list.moved.connect(self._moved)
        self.list.dropped.connect(self.dropped)
        self.summary = PlainLabel("", objectName="dim")
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.add_button = _button("Add…", "Add files at the end (Insert)")
        self.remove_button = _button("Remove", "Take out of the list; the files stay (Del)")
        self.export_button = _button("Export all…", "Put all files of this list into the export queue")
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("close"))
        self.close_button.setIconSize(QSize(14, 14))
        self.close_button.setToolTip(t("Hide the list (Ctrl+P)"))
        self.close_button.setAccessibleName(t("Hide the playlist"))
        self.close_button.clicked.connect(self.close_wanted)
        self.add_button.clicked.connect(self.add_wanted)
        self.export_button.clicked.connect(self.export_wanted)
        self.remove_button.clicked.connect(lambda: self._remove())
        self.list.keys = {
            "Del": self._remove,
            "Ins": self.add_wanted.emit,
            "Alt+Up": lambda: self._shift(-1),
            "Alt+Down": lambda: self._shift(1),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        top = QHBoxLayout()
        top.addWidget(PlainLabel(t("PLAYLIST"), objectName="heading"))
        top.addStretch(1)
        top.addWidget(self.close_button)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addWidget(self.summary)
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.add_button)
        line.addWidget(self.remove_button)
        column.addLayout(line)
        column.addWidget(self.export_button)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, 400)

    def show_entries(self, entries: Sequence[Entry], current: Entry | None) -> None:
        """All of them, the current one marked; what was selected stays so."""
        rows = self.list
        if list(self._known.values()) != list(entries) or rows.count() != len(entries) or self._is_moved:
            self._is_moved = False
            self._drawn = []
            selected = {item.data(_ENTRY) for item in rows.selectedItems()}
            rows.clear()
            self._known = {str(id(entry)): entry for entry in entries}
            for name in self._known:
                item = QListWidgetItem()
                item.setData(_ENTRY, name)
                rows.addItem(item)
                item.setSelected(name in selected)
        looks = [(entry.problem, entry is current) for entry in entries]
        for row, (entry, look) in enumerate(zip(entries, looks, strict=True)):
            if row >= len(self._drawn) or self._drawn[row] != look:
                _dress(rows.item(row), entry, current)
        self._drawn = looks
        if current is not None:
            rows.scrollToItem(rows.item(list(entries).index(current)))
        place = f"{len(entries)}"
        if current is not None:
            place = t("{number} of {count}", number=list(entries).index(current) + 1, count=len(entries))
        bad = sum(bool(entry.problem) for entry in entries)
        self.summary.setText(place + ("  ·  " + t("{count} skipped", count=bad) if bad else ""))
        self.summary.setToolTip(t("{count} cannot be played", count=bad) if bad else "")
        self.export_button.setEnabled(bool(entries))

    def _moved(self) -> None:
        self._is_moved = True
        self.rearranged.emit(self._entries())

    def _entry(self, item: QListWidgetItem) -> Entry:
        return self._known[str(item.data(_ENTRY))]

    def _entries(self) -> list[Entry]:
        return [self._entry(self.list.item(row)) for row in range(self.list.count())]

    def _remove(self) -> None:
        chosen = [self._entry(item) for item in self.list.selectedItems()]
        row = self.list.currentRow()
        if chosen:
            self.removed.emit(chosen)
            self.list.setCurrentRow(min(row, self.list.count() - 1))

    def _shift(self, by: int) -> None:
        row, entries = self.list.currentRow(), self._entries()
        to = row + by
        if row >= 0 and 0 <= to < len(entries):
            entries.insert(to, entries.pop(row))
            self.rearranged.emit(entries)
            self.list.setCurrentRow(to)


class _List(QListWidget):
    moved = Signal()
    dropped = Signal(QMimeData)

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(16, 16))
        self.setUniformItemSizes(True)
        self.keys: dict[str, Callable[[], object]] = {}
        """What keys do while the list has the focus; they are its own then, whatever they do in the window."""

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._act(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if act := self._act(event):
            act()
        else:
            super().keyPressEvent(event)

    def _act(self, event: QKeyEvent) -> Callable[[], object] | None:
        return self.keys.get(QKeySequence(event.keyCombination()).toString())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._take(event, super().dragEnterEvent)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._take(event, super().dragMoveEvent)

    def dropEvent(self, event: QDropEvent) -> None:
        if event.source() is self:
            super().dropEvent(event)
            self.moved.emit()
        elif take_copy(event):
            self.dropped.emit(event.mimeData())

    def _take(self, event: _Drag, otherwise: Callable[[_Drag], None]) -> None:
        if event.source() is self:
            otherwise(event)
        elif event.mimeData().hasUrls() or event.mimeData().hasText():
            take_copy(event)
        else:
            event.ignore()


def _dress(item: QListWidgetItem, entry: Entry, current: Entry | None) -> None:
    name = short_name(entry.source)
    item.setText(name)
    item.setToolTip(plain_tip(said(entry.problem) or redact(entry.source)))
    font = QFont(item.font())
    font.setBold(entry is current)
    item.setFont(font)
    item.setIcon(icon("warning") if entry.problem else icon("play" if entry is current else "open"))
    if entry.problem:
        name = t("{name}, cannot be played: {why}", name=name, why=said(entry.problem))
    elif entry is current:
        name = t("{name}, plays", name=name)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, name)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(t(text))
    button.setToolTip(t(tip))
    return button
