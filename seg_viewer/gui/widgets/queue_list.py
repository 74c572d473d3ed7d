"""The exports of the queue, a row each: the file, a bar, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from seg_viewer.gui import theme
from seg_viewer.gui.tasks.export_queue import UNDER_WAY, ExportQueue, QueuedExport, State
from seg_viewer.gui.widgets.export_text import progress_text, state_text
from seg_viewer.gui.widgets.plain import plain_tip
from seg_viewer.gui.words import said, t

_FILE, _STATE = range(2)
_SHARE = Qt.ItemDataRole.UserRole
_COLOR = Qt.ItemDataRole.UserRole + 1
_ROW_HEIGHT = 34
_COLORS = {
    State.DONE: "good",
    State.SKIPPED: "good",
    State.FAILED: "problem",
    State.STOPPED: "dim",
    State.WAITING: "dim",
}
_WITH_NOTES = "caution"
_EMPTY = "No exports yet.\nAdd files, drop some here, or choose “Add to queue” in the export dialog."


class QueueList(QTreeWidget):
    """Shows a queue; one row can be chosen.

    Args:
        queue: what is shown.
    """

    chosen = Signal()
    """Another one is chosen, or what can be done with it has changed."""

    def __init__(self, queue: ExportQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._rows: dict[QueuedExport, QTreeWidgetItem] = {}
        self.setObjectName("queue")
        self.setAccessibleName(t("Exports"))
        self.setColumnCount(2)
        self.setHeaderLabels([t("File"), t("State")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setItemDelegate(_RowDelegate(self))
        header = self.header()
        header.setStretchLastSection(True)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(_FILE, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(_FILE, 240)
        header.setMinimumSectionSize(90)
        self.itemSelectionChanged.connect(self.chosen)
        queue.changed.connect(self._on_changed)
        queue.rearranged.connect(self.refresh)
        self.refresh()

    @property
    def current(self) -> QueuedExport | None:
        """The one that is chosen."""
        rows = self.selectedItems()
        return next((item for item, row in self._rows.items() if rows and row is rows[0]), None)

    def choose(self, item: QueuedExport) -> None:
        """As a click does."""
        if item in self._rows:
            self.setCurrentItem(self._rows[item])

    def refresh(self) -> None:
        """All rows anew; what was chosen stays, or its neighbour."""
        chosen = self.current
        place = self.indexOfTopLevelItem(self._rows[chosen]) if chosen else 0
        self.blockSignals(True)
        try:
            self.clear()
            self._rows = {}
            for item in self._queue.items:
                row = self._rows[item] = QTreeWidgetItem(self)
                row.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                self._fill(item)
            rows = list(self._rows)
            if rows:
                self.choose(chosen if chosen in self._rows else rows[min(place, len(rows) - 1)])
        finally:
            self.blockSignals(False)
        self.viewport().update()
        self.chosen.emit()

    def _on_changed(self, item: QueuedExport) -> None:
        if item in self._rows:
            self._fill(item)
            if item is self.current:
                self.chosen.emit()

    def _fill(self, item: QueuedExport) -> None:
        row = self._rows[item]
        row.setText(_FILE, item.name)
        row.setToolTip(_FILE, plain_tip(f"{item.job.source} → {item.made}"))
        row.setText(_STATE, state_text(item))
        row.setToolTip(_STATE, plain_tip(said(item.problem or "\n".join(item.notes)) or progress_text(item)))
        row.setData(_STATE, _SHARE, item.share if item.state in UNDER_WAY else None)
        row.setData(_STATE, _COLOR, _WITH_NOTES if item.notes else _COLORS.get(item.state))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._rows:
            return
        painter = QPainter(self.viewport())
        try:
            painter.setPen(QColor(theme.colors().dim))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(24, 12, -24, -12), int(flags), t(_EMPTY))
        finally:
            painter.end()


class _RowDelegate(QStyledItemDelegate):
    """Draws the bar of the one that runs below its text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(super().sizeHint(option, index).width(), max(_ROW_HEIGHT, option.fontMetrics.height() + 16))

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        color = index.data(_COLOR)
        if color:
            option.palette.setColor(option.palette.ColorRole.Text, QColor(getattr(theme.colors(), color)))
        if index.column() == _STATE:
            option.textElideMode = Qt.TextElideMode.ElideRight

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        share = index.data(_SHARE)
        if share is None:
            return
        rect: QRect = option.rect
        track = QRect(rect.bottomLeft() + QPoint(4, -5), QSize(rect.width() - 12, 3))
        painter.save()
        try:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.colors().track))
            painter.drawRoundedRect(track, 1.5, 1.5)
            track.setWidth(round(track.width() * share))
            painter.setBrush(QColor(theme.colors().accent))
            painter.drawRoundedRect(track, 1.5, 1.5)
        finally:
            painter.restore()
