"""What a person can take away from the window: screenshots, exports, recordings."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QWidget

from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import Overlay
from seg_viewer.gui.dialogs.export import ExportDialog
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.recording import RecordingTask
from seg_viewer.gui.tasks.screenshot import take_screenshot
from seg_viewer.gui.theme import icon
from seg_viewer.gui.view.ego_zone import EgoZone
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import SourceInfo


class Outputs(QObject):
    """Starts them, says where their files are, and ends them with the window.

    Args:
        recording: what R starts and stops.
        ego_zone: makes clips.
        record_action: says whether R starts or stops.
        live_bar: shows how long a recording has been running.
        messages: say what was saved, and what went wrong.
        background: does what takes time.
        window: the dialogs belong to it.
    """

    export_started = Signal()

    def __init__(
        self,
        recording: RecordingTask,
        ego_zone: EgoZone,
        record_action: QAction,
        live_bar: LiveBar,
        messages: MessageBar,
        background: Background,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._recording, self._ego_zone = recording, ego_zone
        self._record_action, self._live_bar, self._messages = record_action, live_bar, messages
        self._background = background
        self._window = window
        self.export_dialog: ExportDialog | None = None
        recording.saved.connect(lambda paths: self._show_saved("Recording", paths))
        recording.failed.connect(messages.show_error)
        recording.noted.connect(messages.show_warning)
        recording.changed.connect(self._show_recording)
        ego_zone.entered.connect(messages.show_info)
        ego_zone.saved.connect(lambda paths: self._show_saved("Clip", paths))
        ego_zone.failed.connect(messages.show_error)
        ego_zone.noted.connect(messages.show_warning)

    def take_screenshot(self, shot: Shot, overlay: Overlay | None, name: str) -> None:
        """Save a shot, under an overlay or bare, by the name of its source."""
        take_screenshot(
            self._background,
            self,
            shot,
            overlay,
            name,
            on_saved=lambda path: self._show_saved("Screenshot", [str(path)]),
            on_failed=self._messages.show_error,
        )

    def show_export(self, source: str, info: SourceInfo, options: RunOptions) -> None:
        """Open the dialog for a source, or the one whose export runs."""
        dialog = self.export_dialog
        if dialog is not None and dialog.running:
            dialog.show()
            dialog.raise_()
            return
        if dialog is not None:
            dialog.deleteLater()
        self.export_dialog = ExportDialog(source, info, options, self._background, self._window)
        self.export_dialog.started.connect(self.export_started)
        self.export_dialog.show()

    def toggle_recording(self, overlay: Overlay | None) -> None:
        """Start a recording, with an overlay unless no model runs yet, or stop the one that runs."""
        if self._recording.running:
            self._recording.stop()
        elif overlay is not None:
            self._recording.start(overlay)

    def refresh(self) -> None:
        """Called several times a second."""
        self._recording.refresh()
        self._live_bar.set_recording(self._recording.seconds)

    def may_close(self) -> bool:
        """Asks about an export that runs."""
        dialog = self.export_dialog
        return dialog is None or not dialog.running or dialog.ask_stop()

    def end(self) -> None:
        """Stop everything; `Background.close` waits for the files."""
        self._recording.stop()
        self._ego_zone.finish_clip()
        if self.export_dialog is not None:
            self.export_dialog.cancel()
            self.export_dialog.hide()

    def _show_recording(self, running: bool) -> None:
        text = "Stop &recording" if running else "&Record"
        self._record_action.setText(text)
        self._record_action.setIconText(text.replace("&", ""))
        self._record_action.setToolTip("Finish the recording (R)" if running else "Record what is live (R)")
        self._record_action.setIcon(icon("stop" if running else "record"))
        self._live_bar.set_recording(self._recording.seconds)

    def _show_saved(self, what: str, paths: list[str]) -> None:
        folder = QUrl.fromLocalFile(str(Path(paths[0]).parent))
        names = ", ".join([paths[0], *(Path(path).name for path in paths[1:])])
        self._messages.show_info(f"{what} saved: {names}", "Open folder", lambda: _open(folder))


def _open(folder: QUrl) -> None:
    QDesktopServices.openUrl(folder)
