"""Export: what to write and where, then progress, then where it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.core.long_names import joined
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.typed_path import typed_path
from seg_viewer.gui.dialogs.confirm import confirm
from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import PlainLabel, plain_title
from seg_viewer.gui.widgets.seek_bar import clock_text
from seg_viewer.jobs.export import ExportCancelled, ExportJob, ExportProgress, ExportResult, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import SourceInfo

QUALITIES = (("High · larger file", 17), ("Good", 20), ("Small file", 26))
"""Name and x264's constant rate factor."""

_KEEP_S = 5.0


def suggest_output(info: SourceInfo) -> Path:
    """`<name>_seg.mp4` beside the source, or in the user's Videos folder where the source's cannot be written."""
    name = joined(info.file_stem, "_seg.mp4")
    folder = info.path.resolve().parent if info.path else Path()
    if info.path and _writable(folder):
        return folder / name
    videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    home = Path(videos) if videos and Path(videos).is_dir() else Path.home()
    return home / name


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _export(
    job: ExportJob, on_progress: Callable[[ExportProgress], None], cancelled: Callable[[], bool]
) -> ExportResult | None:
    """Returns what was made; None when it was cancelled. Raises: SegViewerError."""
    try:
        return run_export(job, on_progress=on_progress, cancelled=cancelled)
    except ExportCancelled:
        return None


class ExportDialog(QDialog):
    """Asks, exports and says what was made; stays usable beside the window.

    Args:
        source: as given to `open_source`.
        info: what is known of it.
        options: model and engine of the run, and how classes are painted now.
        background: runs the export; the end of the program waits until a cancelled one has left nothing behind.
    """

    started = Signal()

    def __init__(
        self, source: str, info: SourceInfo, options: RunOptions, background: Background, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(plain_title(f"Export {info.name}"))
        self.setMinimumWidth(560)
        self._source = source
        self._options = options
        self._background = background
        self._cancelled: threading.Event | None = None
        self._made: Path | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        self.messages = MessageBar()
        self.messages.set_margin(0)
        column.addWidget(self.messages)
        column.addLayout(self._form(suggest_output(info), options.style))
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress")
        self.status = PlainLabel("", objectName="dim")
        self.status.setAccessibleName("Progress text")
        column.addWidget(self.bar)
        column.addWidget(self.status)
        column.addStretch(1)
        column.addLayout(self._buttons())
        self._set_running(False)
        self.bar.hide()

    def _form(self, output: Path, style: OverlayStyle) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        self.output = QLineEdit(str(output))
        self.output.setAccessibleName("Output file")
        self.output.setCursorPosition(len(str(output)))
        self.browse = QPushButton("Browse…")
        self.browse.clicked.connect(self._browse)
        self.quality = QComboBox()
        for name, _crf in QUALITIES:
            self.quality.addItem(name)
        self.quality.setCurrentIndex(1)
        self.quality.setAccessibleName("Quality")
        look = f"As now: {round(100 * style.opacity)} % colour"
        look += ", outlines" if style.outline else ""
        look += f", without {', '.join(sorted(style.hidden))}" if style.hidden else ""
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Save as", self.output),
            ("Quality", self.quality),
            ("Overlay", PlainLabel(look)),
            ("Sound", PlainLabel("taken along, where the source has any", objectName="dim")),
        )
        for row, (name, widget) in enumerate(rows):
            label = PlainLabel(name, objectName="dim")
            if isinstance(widget, (QLineEdit, QComboBox)):
                label.setBuddy(widget)
            grid.addWidget(label, row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(self.browse, 0, 2)
        grid.setColumnStretch(1, 1)
        return grid

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.folder_button = QPushButton("Open folder")
        self.folder_button.clicked.connect(self._open_folder)
        self.folder_button.hide()
        self.close_button = QPushButton("Close")
        self.close_button.setAutoDefault(False)
        self.close_button.clicked.connect(self.close)
        self.cancel_button = QPushButton("Stop")
        self.cancel_button.setAutoDefault(False)
        self.cancel_button.clicked.connect(self.cancel)
        self.export_button = QPushButton("Export")
        self.export_button.setObjectName("primary")
        self.export_button.setDefault(True)
        self.export_button.clicked.connect(self.start)
        line.addWidget(self.folder_button)
        line.addStretch(1)
        for button in (self.close_button, self.cancel_button, self.export_button):
            line.addWidget(button)
        return line

    # -- what a person does ----------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._cancelled is not None

    def start(self) -> None:
        """Begin, after asking when the file exists."""
        text = self.output.text().strip()
        self.messages.clear()
        if not text:
            self.messages.show_error("Choose a file to write")
            return
        out = typed_path(text)
        exists = out.is_file()
        if exists and not self._ask_overwrite(out):
            return
        crf = QUALITIES[self.quality.currentIndex()][1]
        job = ExportJob(self._source, out, self._options, crf, overwrite=exists)
        self._made = None
        self.bar.setRange(0, 0)
        self.status.setText("Preparing …")
        cancelled = self._cancelled = threading.Event()
        self._set_running(True)
        self._background.run(
            "export",
            lambda: _export(job, self._report, cancelled.is_set),
            self._on_ended,
            self._on_failed,
            owner=self,
            subject=str(out),
            wait=within(_KEEP_S),
        )
        self.started.emit()

    def cancel(self) -> None:
        """Stop the export; nothing of it is left behind."""
        if self._cancelled is not None:
            self._cancelled.set()
            self.cancel_button.setEnabled(False)
            self.status.setText("Stopping …")

    def ask_stop(self) -> bool:
        """Whether a running export may be stopped."""
        return confirm(
            self,
            "Export is running",
            "The export is not finished. Stop it? Nothing will be left behind.",
            yes="Stop export",
            no="Go on",
        )

    def _ask_overwrite(self, out: Path) -> bool:
        text = f"{out.name} exists already. Replace it?"
        return confirm(self, "File exists", text, yes="Replace", no="Keep")

    def _browse(self) -> None:
        name, _filter = QFileDialog.getSaveFileName(
            self,
            "Save as",
            self.output.text(),
            "MP4 video (*.mp4)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if name:
            self.output.setText(name if name.lower().endswith(".mp4") else f"{name}.mp4")

    def _open_folder(self) -> None:
        if self._made:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._made.parent)))

    # -- what the export says --------------------------------------------------------------------------------------

    def _report(self, progress: ExportProgress) -> None:
        self._background.call_later(lambda: self._on_progress(progress), owner=self)

    def _on_progress(self, progress: ExportProgress) -> None:
        if not self.running or not self.cancel_button.isEnabled():
            return
        total = progress.total
        if total:
            self.bar.setRange(0, total)
            self.bar.setValue(min(progress.frames, total))
        parts = [f"{progress.frames} of {total} frames" if total else f"{progress.frames} frames"]
        parts.append(f"{progress.rate:.1f} frames/s")
        if progress.time_left_s is not None:
            parts.append(f"{clock_text(progress.time_left_s)} left")
        self.status.setText("  ·  ".join(parts))

    def _on_ended(self, result: ExportResult | None) -> None:
        if result is None:
            self._set_running(False)
            self.bar.hide()
            self.status.setText("Stopped; nothing was written.")
            return
        self._made = result.path
        self._set_running(False)
        self.bar.setRange(0, 1)
        self.bar.setValue(1)
        rate = result.frames / result.seconds if result.seconds else 0.0
        numbers = f"{result.frames} frames in {result.seconds:.1f} s ({rate:.1f} frames/s), sound: {result.audio}"
        self.status.setText(f"Saved as {result.path.name}\n{numbers}")
        for warning in result.warnings:
            self.messages.show_warning(warning)
        self.folder_button.show()
        self.export_button.setText("Export again")
        self.export_button.setDefault(False)
        self.close_button.setDefault(True)

    def _on_failed(self, text: str) -> None:
        self._set_running(False)
        self.bar.hide()
        self.status.setText("")
        self.messages.show_error(text)

    def _set_running(self, running: bool) -> None:
        if not running:
            self._cancelled = None
        self.bar.setVisible(True)
        self.cancel_button.setVisible(running)
        self.cancel_button.setEnabled(running)
        self.export_button.setVisible(not running)
        for widget in (self.output, self.quality, self.browse):
            widget.setEnabled(not running)
        if running:
            self.folder_button.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.running:
            if not self.ask_stop():
                event.ignore()
                return
            self.cancel()
        super().closeEvent(event)
