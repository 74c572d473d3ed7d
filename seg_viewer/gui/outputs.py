"""What a person can take away from the window: screenshots, exports, recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from seg_viewer.core.overlay import Overlay
from seg_viewer.gui.dialogs.export import ExportDialog
from seg_viewer.gui.tasks.recording import Recorder
from seg_viewer.gui.tasks.screenshot import ScreenshotTaker
from seg_viewer.gui.theme import icon

if TYPE_CHECKING:
    from seg_viewer.gui.main_window import MainWindow


class Outputs(QObject):
    """Starts them, tells in the window's message bar where they are, ends them with the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.export_dialog: ExportDialog | None = None
        self.recorder = Recorder(window.player, self)
        self._screenshots = ScreenshotTaker(self)
        messages = window.messages
        self._screenshots.saved.connect(lambda path: self._tell_saved("Screenshot", [path]))
        self._screenshots.failed.connect(messages.show_error)
        self.recorder.saved.connect(lambda paths: self._tell_saved("Recording", paths))
        self.recorder.failed.connect(messages.show_error)
        self.recorder.noted.connect(messages.show_warning)
        self.recorder.changed.connect(self._show_recording)
        window.ego_zone.entered.connect(messages.show_info)
        window.ego_zone.saved.connect(lambda paths: self._tell_saved("Clip", paths))
        window.ego_zone.failed.connect(messages.show_error)
        window.ego_zone.noted.connect(messages.show_warning)

    def take_screenshot(self) -> None:
        window = self._window
        shown, info = window.view.shown, window.player.info
        if shown and info:
            overlay = window.overlay if window.actions_by_id["overlay"].isChecked() else None
            self._screenshots.take(shown.shot, overlay, f"{info.file_stem}.png")

    def show_export(self) -> None:
        window, player = self._window, self._window.player
        if self.export_dialog is not None and self.export_dialog.running:
            self.export_dialog.show()
            self.export_dialog.raise_()
            return
        if player.source is None or player.info is None:
            return
        self.export_dialog = ExportDialog(player.source, player.info, window.options, window.style_now, window)
        self.export_dialog.started.connect(player.pause)  # both would only slow each other down
        self.export_dialog.show()

    def toggle_recording(self) -> None:
        if self.recorder.running:
            self.recorder.stop()
        elif self._window.overlay is not None:
            self.recorder.start(self._window.overlay)

    def set_overlay(self, overlay: Overlay) -> None:
        """The look has changed."""
        self.recorder.set_overlay(overlay)

    def refresh(self) -> None:
        """Called several times a second."""
        self.recorder.refresh()
        self._window.controls.live_bar.set_recording(self.recorder.seconds)

    def may_close(self) -> bool:
        """Asks about an export that runs."""
        dialog = self.export_dialog
        return dialog is None or not dialog.running or dialog.ask_stop()

    def close(self) -> bool:
        """End everything; returns whether it ended in time."""
        self.recorder.finish()
        self._window.ego_zone.close()
        return self.export_dialog.cancel_and_wait(0.8) if self.export_dialog else True

    def _show_recording(self, running: bool) -> None:
        action = self._window.actions_by_id["record"]
        text = "Stop &recording" if running else "&Record"
        action.setText(text)
        action.setIconText(text.replace("&", ""))
        action.setToolTip("Finish the recording (R)" if running else "Record what is live (R)")
        action.setIcon(icon("stop" if running else "record"))
        self._window.controls.live_bar.set_recording(self.recorder.seconds)

    def _tell_saved(self, what: str, paths: list[str]) -> None:
        folder = QUrl.fromLocalFile(str(Path(paths[0]).parent))
        names = ", ".join([paths[0], *(Path(path).name for path in paths[1:])])
        self._window.messages.show_info(
            f"{what} saved: {names}", "Open folder", lambda: QDesktopServices.openUrl(folder)
        )
