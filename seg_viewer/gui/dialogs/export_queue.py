"""The queue of exports: what runs, what waits, and what became of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from seg_viewer.gui.dialogs.export_form import look_text
from seg_viewer.gui.dialogs.keys import take_key
from seg_viewer.gui.dialogs.room import RoomForText
from seg_viewer.gui.drops import dropped_files, take_copy
from seg_viewer.gui.tasks.export_names import suggest_for
from seg_viewer.gui.tasks.export_queue import MADE, UNDER_WAY, ExportQueue, QueuedExport, State
from seg_viewer.gui.widgets.export_text import detail_text
from seg_viewer.gui.widgets.folders import open_folder_of
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.quality_box import QualityBox
from seg_viewer.gui.widgets.queue_list import QueueList
from seg_viewer.gui.words import t
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import file_suffixes

_BREAK = "\u200b"
_FRAME = QSize(8, 40)  # what a window manager usually adds


class ExportQueueDialog(QDialog):
    """Shows the queue and takes files into it; the exports go on when this closes.

    Args:
        queue: what is shown.
        options: gives model, engine and look of files that are added.
        folder: where the file dialog opens at first.
    """

    visible_changed = Signal(bool)

    def __init__(
        self,
        queue: ExportQueue,
        options: Callable[[], RunOptions],
        folder: Callable[[], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Export queue"))
        self.setMinimumHeight(380)
        self.resize(QSize(820, 460).boundedTo(self.screen().availableGeometry().size() - _FRAME))
        self.setAcceptDrops(True)
        self._queue, self._options = queue, options
        self._folder = folder
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        self.list = QueueList(queue)
        self.detail = PlainLabel("", objectName="dim")
        self.detail.setWordWrap(True)
        self.detail.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 2)
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.detail.setAccessibleName(t("About the chosen export"))
        self.summary = PlainLabel()
        self.summary.setAccessibleName(t("Summary"))
        column.addLayout(self._top())
        column.addWidget(self.list, 1)
        column.addWidget(self.detail)
        column.addLayout(self._chosen_buttons())
        column.addLayout(self._bottom())
        RoomForText(self, self.minimumHeight())
        self._connect()
        self._refresh()

    def _top(self) -> QHBoxLayout:
        self.add_button = _button("Add files…", "Export more files, each beside its source (Insert)")
        self.quality = QualityBox()
        self.quality.setToolTip(t("Of the files that are added from now on"))
        self.look = PlainLabel("", objectName="dim")
        self.look.setToolTip(t("How files that are added from now on will be painted"))
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self.add_button)
        line.addWidget(self.quality)
        line.addWidget(self.look, 1)
        return line

    def _chosen_buttons(self) -> QHBoxLayout:
        self.up_button = _button("Move up", "Have it run earlier (Alt+Up)")
        self.down_button = _button("Move down", "Have it run later (Alt+Down)")
        self.remove_button = _button("Remove", "Take it out of the list; its files stay (Del)")
        self.again_button = _button("Try again", "Have it wait again")
        self.stop_button = _button("Stop", "Stop this one; nothing of it is left behind")
        self.folder_button = _button("Open folder", "Show what it made (Enter)")
        line = QHBoxLayout()
        line.setSpacing(8)
        for button in (self.up_button, self.down_button, self.remove_button):
            line.addWidget(button)
        line.addStretch(1)
        for button in (self.again_button, self.stop_button, self.folder_button):
            line.addWidget(button)
        return line

    def _bottom(self) -> QHBoxLayout:
        self.stop_all_button = _button("Stop all", "Also those that wait")
        self.clear_button = _button("Clear finished", "Take all that ended out of the list; their files stay")
        self.close_button = _button("Close", "The exports go on")
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.summary, 1)
        for button in (self.stop_all_button, self.clear_button, self.close_button):
            line.addWidget(button)
        return line

    def _connect(self) -> None:
        queue = self._queue
        self.list.chosen.connect(self._refresh)
        self.list.itemActivated.connect(lambda _row: self._open_folder())
        queue.changed.connect(lambda _item: self._refresh())
        queue.rearranged.connect(self._refresh)
        queue.emptied.connect(self._refresh)
        self.add_button.clicked.connect(self._ask_files)
        self.folder_button.clicked.connect(self._open_folder)
        self.stop_all_button.clicked.connect(queue.stop_all)
        self.clear_button.clicked.connect(queue.clear_ended)
        self.close_button.clicked.connect(self.close)
        for button, act, keys in (
            (self.up_button, lambda item: queue.move(item, -1), "Alt+Up"),
            (self.down_button, lambda item: queue.move(item, 1), "Alt+Down"),
            (self.remove_button, queue.remove, "Del"),
            (self.again_button, queue.again, ""),
            (self.stop_button, queue.stop, ""),
        ):
            button.clicked.connect(lambda _on=False, act=act: self._act(act))
            if keys:
                QShortcut(QKeySequence(keys), self, button.click)
        QShortcut(QKeySequence("Ins"), self, self.add_button.click)

    # -- what a person does ----------------------------------------------------------------------------------------

    def add_files(self, paths: Sequence[str]) -> None:
        """Export each beside itself, as the window shows things now; a name that is taken gets a number."""
        quality, options = self.quality.quality, self._options()
        self._queue.add(
            [ExportJob(path, suggest_for(Path(path)), options, quality=quality) for path in paths], new_name=True
        )

    def refresh_look(self) -> None:
        """What is written on files that are added."""
        self.look.setText(look_text(self._options().style))

    def _ask_files(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in file_suffixes())
        names, _filter = QFileDialog.getOpenFileNames(
            self,
            t("Add files to the queue"),
            self._folder(),
            t("Videos and pictures ({kinds});;All files (*)", kinds=kinds),
        )
        if names:
            self._folder = lambda: str(Path(names[0]).parent)
            self.add_files(names)

    def _act(self, act: Callable[[QueuedExport], None]) -> None:
        item = self.list.current
        if item is not None:
            act(item)

    def _open_folder(self) -> None:
        item = self.list.current
        if item is not None and item.state in MADE:
            open_folder_of(item.made)

    # -- what is shown ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        item, items = self.list.current, self._queue.items
        place = items.index(item) if item is not None and item in items else -1
        state = item.state if item is not None else None
        self.detail.setText(_breakable(detail_text(item)) if item is not None else "")
        for button, on in (
            (self.up_button, place > 0),
            (self.down_button, 0 <= place < len(items) - 1),
            (self.remove_button, state is not None and state not in UNDER_WAY),
            (self.again_button, state in (State.FAILED, State.STOPPED)),
            (self.stop_button, state in (State.WAITING, State.RUNNING)),
            (self.folder_button, state in MADE),
            (self.stop_all_button, any(each.state in (State.WAITING, State.RUNNING) for each in items)),
            (self.clear_button, len(self._queue.unfinished) < len(items)),
        ):
            self._enable(button, on)
        self.summary.setText(self._summary())

    def _enable(self, button: QPushButton, on: bool) -> None:
        if not on and button.hasFocus():
            self.list.setFocus()  # otherwise it would wander to a button that does something else
        button.setEnabled(on)

    def _summary(self) -> str:
        items = self._queue.items
        counts = [(state, sum(item.state is state for item in items)) for state in State]
        text = ", ".join(f"{count} {t(state)}" for state, count in counts if count)
        return t("All ended: {text}", text=text) if items and not self._queue.unfinished else text

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event.mimeData()):
            take_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:
        paths = dropped_files(event.mimeData())
        if paths and take_copy(event):
            self.add_files(paths)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not take_key(self, event):
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh_look()
        self.list.setFocus()
        self.visible_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visible_changed.emit(False)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(t(text))
    button.setToolTip(t(tip))
    button.setAutoDefault(False)
    return button


def _breakable(text: str) -> str:
    """Long paths have no spaces to break at, and would widen the window."""
    for sign in "/\\_":
        text = text.replace(sign, sign + _BREAK)
    return text
