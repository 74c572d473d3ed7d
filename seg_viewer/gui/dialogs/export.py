"""Export: what to write and where, then progress, then where it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.core.errors import SegViewerError, UsageError
from seg_viewer.gui.dialogs.confirm import Over, confirm
from seg_viewer.gui.dialogs.export_form import ExportForm
from seg_viewer.gui.dialogs.export_stop import ask_stop
from seg_viewer.gui.dialogs.keys import take_key
from seg_viewer.gui.dialogs.room import RoomForText
from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.gui.tasks.export_names import suggest_output
from seg_viewer.gui.tasks.export_queue import UNFINISHED, ExportQueue, QueuedExport, State
from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.export_text import progress_text, result_text
from seg_viewer.gui.widgets.folders import open_folder_of
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import PlainLabel, plain_title
from seg_viewer.gui.widgets.plan_view import PlanView
from seg_viewer.gui.words import figure, t
from seg_viewer.jobs.export import ExportResult
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.export_plan import plan_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.unfinished import unfinished_s
from seg_viewer.media.codecs import CONTAINERS
from seg_viewer.sinks import sink_for
from seg_viewer.sources import SourceInfo

_PLAN_MS = 250
_PLAN_S = 2.0


@dataclass(frozen=True)
class _Plan:
    """What an export would do.

    Args:
        lines: as `plan_export` gives them.
        unfinished_s: what an earlier run left behind, seconds of the result.
    """

    lines: tuple[str, ...]
    unfinished_s: float


def _plan(job: ExportJob) -> _Plan:
    """Raises: SegViewerError."""
    return _Plan(plan_export(job), unfinished_s(job))


class ExportDialog(QDialog):
    """Asks, exports and says what was made; stays usable beside the window.

    Args:
        source: as given to `open_source`.
        info: what is known of it.
        options: model and engine of the run, and how classes are painted now.
        background: looks what an export would do.
        queue: runs the exports.
        position_s: where the seek bar is now, seconds.
    """

    queued = Signal()
    """An export was put into the queue."""
    visible_changed = Signal(bool)

    def __init__(
        self,
        source: str,
        info: SourceInfo,
        options: RunOptions,
        background: Background,
        queue: ExportQueue,
        position_s: Callable[[], float],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(plain_title(t("Export {name}", name=info.name)))
        self.setMinimumWidth(600)
        self.source = source
        self._options = options
        self._background = background
        self._queue = queue
        self._item: QueuedExport | None = None
        self._made: Path | None = None
        self._plan_timer = timer(self, _PLAN_MS, once=True)
        self._plan_timer.timeout.connect(self._look_ahead)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        self.messages = MessageBar()
        self.messages.set_margin(0)
        self.form = ExportForm(str(suggest_output(info)), position_s)
        self.output, self.browse, self.quality = self.form.output, self.form.browse, self.form.quality
        self.resume = QCheckBox()
        self.resume.hide()
        self.plan = PlanView()
        self.bar = QProgressBar()
        self.bar.setFormat("%p %")
        self.bar.setAccessibleName(t("Progress"))
        self.status = PlainLabel("", objectName="dim")
        self.status.setWordWrap(True)
        self.status.setAccessibleName(t("Progress text"))
        for widget in (self.messages, self.form, self.resume, self.plan, self.bar, self.status):
            column.addWidget(widget, 1 if widget is self.plan else 0)
        column.addStretch(0)  # while the plan has given way to progress
        column.addLayout(self._buttons())
        RoomForText(self)
        self.form.changed.connect(self._ask_anew)
        self.form.browse_wanted.connect(self._browse)
        queue.changed.connect(self._on_changed)
        self.set_options(options)
        self._set_running(False)
        self._ask_anew()

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.folder_button = QPushButton(t("Open folder"))
        self.folder_button.clicked.connect(self._open_folder)
        self.folder_button.hide()
        self.close_button = QPushButton(t("Close"))
        self.close_button.clicked.connect(self.close)
        self.cancel_button = QPushButton(t("Stop"))
        self.cancel_button.clicked.connect(self.cancel)
        self.queue_button = QPushButton(t("Add to queue"))
        self.queue_button.setToolTip(t("Export it after those that wait already; this dialog closes"))
        self.queue_button.clicked.connect(self.add_to_queue)
        self.export_button = QPushButton(t("Export"))
        self.export_button.setObjectName("primary")
        self.export_button.setDefault(True)
        self.export_button.clicked.connect(self.start)
        line.addWidget(self.folder_button)
        line.addStretch(1)
        for button in (self.close_button, self.cancel_button, self.queue_button, self.export_button):
            button.setAutoDefault(button is self.export_button)
            line.addWidget(button)
        return line

    # -- what a person does ----------------------------------------------------------------------------------------

    @property
    def item(self) -> QueuedExport | None:
        """Its export, once it was begun here."""
        return self._item

    @property
    def running(self) -> bool:
        """Whether its export runs, or waits for others."""
        return self._item is not None and self._item.state in UNFINISHED

    def set_options(self, options: RunOptions) -> None:
        """The look or the model is another one now."""
        if not self.running:
            self._options = options
            self.form.set_style(options.style)
            self._plan_later()

    def _ask_anew(self) -> None:
        """Something else is wanted than what was made: Enter exports again."""
        self.bar.hide()
        self._say("")
        self.plan.show()
        self.folder_button.hide()
        self.export_button.setText(t("Export"))
        self.export_button.setDefault(True)
        self._plan_later()

    def _plan_later(self) -> None:
        self.plan.set_old()
        self._plan_timer.start()

    def start(self) -> None:
        """Begin, after asking when something exists."""
        job = self._job()
        if job is None:
            return
        self._made = None
        self.bar.setRange(0, 0)
        (self._item,) = self._queue.add([job])
        self._set_running(True)
        self._on_changed(self._item)

    def add_to_queue(self) -> None:
        """Have it wait for the others, and close."""
        job = self._job()
        if job is not None:
            self._queue.add([job])
            self._item = None
            self.close()
            self.queued.emit()

    def cancel(self) -> None:
        """Stop the export; nothing of it is left behind."""
        if self._item is not None:
            self._queue.stop(self._item)

    def _job(self) -> ExportJob | None:
        """What is to be done; None when that cannot be, or not be replaced."""
        self.messages.clear()
        try:
            resume = not self.resume.isHidden() and self.resume.isChecked()
            there = [Path(name) for name in self.form.outputs if _is_there(Path(name))]
            job = self.form.job(self.source, self._options, overwrite=bool(there), resume=resume)
        except SegViewerError as error:
            self._show_error(str(error))
            return None
        return job if not there or self._ask_overwrite(there) else None

    def _ask_overwrite(self, there: list[Path]) -> bool:
        names = ", ".join(path.name for path in there)
        if len(there) == 1:
            title, text = "File exists", "{names} exists already. Replace it?"
        else:
            title, text = "Files exist", "{names} exist already. Replace them?"
        return confirm(self, t(title), t(text, names=names), yes=t("Replace"), no=t("Keep"))

    def _browse(self) -> None:
        name, _filter = QFileDialog.getSaveFileName(
            self,
            t("Save as"),
            self.output.text(),
            t("Video ({kinds});;All files (*)", kinds=" ".join(f"*.{end}" for end in CONTAINERS)),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if name:
            self.output.setText(name if _is_known(name) else f"{name}.mp4")

    def _open_folder(self) -> None:
        if self._made:
            open_folder_of(self._made)

    # -- what an export would do -----------------------------------------------------------------------------------

    def _look_ahead(self) -> None:
        if self.running or not self.isVisible():
            return
        try:
            job = self.form.job(self.source, self._options, overwrite=True)
        except UsageError as error:
            self._on_no_plan(str(error))
            return
        self._background.run(
            "export-plan",
            lambda: _plan(job),
            self._on_plan,
            self._on_no_plan,
            owner=self,
            subject=self.source,
            newest=True,
            wait=within(_PLAN_S),  # it reads a file, and the program does not end in the middle of that
        )

    def _on_plan(self, plan: _Plan) -> None:
        folder = f"{os.path.dirname(self.output.text().strip())}{os.sep}"  # it stands above already
        self.plan.show_lines([line.removeprefix(folder) for line in plan.lines])
        self._offer_resume(plan.unfinished_s)

    def _on_no_plan(self, text: str) -> None:
        self.plan.show_problem(text)
        self._offer_resume(0.0)

    def _offer_resume(self, seconds: float) -> None:
        offered = seconds > 0 and not self.running
        if offered and self.resume.isHidden():
            self.resume.setChecked(True)
        self.resume.setText(
            t("Go on with the unfinished export that lies there: {s} s are done", s=figure(seconds, ".0f"))
        )
        self.resume.setVisible(offered)

    # -- what the export says --------------------------------------------------------------------------------------

    def _on_changed(self, item: QueuedExport) -> None:
        if item is not self._item:
            return
        if item.state is State.WAITING:
            self._say(t("Waits in the queue for the exports before it."))
        elif item.state is State.STOPPING:
            self.cancel_button.setEnabled(False)
            self._say(t("Stopping …"))
        elif item.state is State.RUNNING:
            if item.progress is not None and item.progress.total:
                self.bar.setRange(0, item.progress.total)
                self.bar.setValue(min(item.progress.frames, item.progress.total))
            self._say(progress_text(item) or t("Preparing …"))
        else:
            self._on_ended(item)

    def _on_ended(self, item: QueuedExport) -> None:
        self._set_running(False)
        if item.result is not None:
            self._show_made(item.result)
        elif item.state is State.SKIPPED:
            self._made = item.made
            self.bar.hide()
            self._say(t("{name} was made already, of the same source and in the same way.", name=item.made.name))
            self.folder_button.show()
        elif item.state is State.STOPPED:
            self._ask_anew()
            self._say(t("Stopped; nothing was written."))
        else:
            self._ask_anew()
            self._show_error(item.problem)

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _show_made(self, result: ExportResult) -> None:
        self._made = result.path
        self.bar.setRange(0, 1)
        self.bar.setValue(1)
        names = ", ".join(path.name for path in result.files) or result.path.name
        self._say(t("Saved as {name}", name=names) + f"\n{result_text(result)}")
        self.messages.show_warnings(result.warnings)
        self.folder_button.show()
        self.export_button.setText(t("Export again"))
        self.export_button.setDefault(False)
        self.close_button.setDefault(True)
        self.close_button.setFocus()

    def _show_error(self, text: str) -> None:
        """The name is what can be mended; Enter tries again."""
        self.messages.show_error(text)
        self.output.setFocus()

    def _set_running(self, running: bool) -> None:
        self.cancel_button.setVisible(running)
        self.cancel_button.setEnabled(running)
        for button in (self.export_button, self.queue_button):
            button.setVisible(not running)
        self.form.set_editable(not running)
        if running:
            self.bar.show()
            self.plan.hide()
            self.resume.hide()
            self.folder_button.hide()
            self.cancel_button.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not take_key(self, event):
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.running and not event.spontaneous():
            self.messages.clear()
            self._ask_anew()
            self.output.setFocus()
        self.visible_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visible_changed.emit(False)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.running:
            over = Over(self._queue.changed, lambda: not self.running)
            if not ask_stop(self, 1, over) or not self.running:  # ended meanwhile: what came of it is shown
                event.ignore()
                return
            self.cancel()
        super().closeEvent(event)


def _is_there(path: Path) -> bool:
    """Something would be replaced; an empty folder holds nothing."""
    return any(path.iterdir()) if path.is_dir() and os.access(path, os.R_OK | os.X_OK) else path.is_file()


def _is_known(name: str) -> bool:
    try:
        sink_for(name)
    except UsageError:
        return False
    return True
