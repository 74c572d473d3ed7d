"""What a person can take away from the window: screenshots, exports, recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import Overlay
from seg_viewer.gui.dialogs.confirm import Over
from seg_viewer.gui.dialogs.export import ExportDialog
from seg_viewer.gui.dialogs.export_queue import ExportQueueDialog
from seg_viewer.gui.dialogs.export_stop import ask_stop
from seg_viewer.gui.dialogs.once import to_front
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.export_queue import ExportQueue, State
from seg_viewer.gui.tasks.folders import Folders
from seg_viewer.gui.tasks.recording import RecordingTask
from seg_viewer.gui.tasks.screenshot import take_screenshot
from seg_viewer.gui.theme import icon
from seg_viewer.gui.view.ego_zone import EgoZone
from seg_viewer.gui.widgets.export_strip import ExportStrip
from seg_viewer.gui.widgets.folders import open_folder_of
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.words import figure, said, t, tn
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sinks.recording_file import RecordedFile
from seg_viewer.sources import SourceInfo


def recorded_text(report: RecordedFile) -> str:
    """What is in a file of a recording, and what is missing."""
    pictures = tn(report.pictures, "1 picture", "{count} pictures")
    held = f"{figure(report.seconds)} s, {pictures}, {said(report.sound)}"
    return "; ".join([held, *map(said, report.missing)])


class Outputs(QObject):
    """Starts them, says where their files are, and ends them with the window.

    Args:
        recording: what R starts and stops.
        ego_zone: makes clips.
        record_action: says whether R starts or stops.
        live_bar: shows how long a recording has been running.
        messages: say what was saved, and what went wrong.
        background: does what takes time.
        export_options: model, engine and look of an export that begins now.
        position_s: where the seek bar is now, seconds.
        folder: where file dialogs open.
        folders: where things go that nobody names a place for.
        memory: whether the ego zone is to save clips.
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
        export_options: Callable[[], RunOptions],
        position_s: Callable[[], float],
        folder: Callable[[], str],
        folders: Folders,
        memory: Memory,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._folders, self._memory = folders, memory
        self._clips_offered = False
        self._recording, self._ego_zone = recording, ego_zone
        self._record_action, self._live_bar, self._messages = record_action, live_bar, messages
        self._background = background
        self._export_options, self._position_s = export_options, position_s
        self._window = window
        self._typed_names: dict[str, str] = {}
        self.export_dialog: ExportDialog | None = None
        self.export_queue = ExportQueue(background, self)
        self.export_queue.begun.connect(self.export_started)
        self.export_queue.emptied.connect(self._show_exported)
        self.export_strip = ExportStrip(self.export_queue, self._is_shown)
        self.export_strip.list_wanted.connect(self.show_queue)
        self.queue_dialog = ExportQueueDialog(self.export_queue, export_options, folder, window)
        self.queue_dialog.visible_changed.connect(lambda _on: self.export_strip.refresh())
        recording.saved.connect(self._show_recorded)
        recording.failed.connect(messages.show_error)
        recording.noted.connect(messages.show_warning)
        recording.changed.connect(self._show_recording)
        ego_zone.entered.connect(messages.show_info)
        ego_zone.clip_missed.connect(self._offer_clips)
        ego_zone.saved.connect(lambda paths: self._show_saved("Clip saved: {names}", paths))
        ego_zone.failed.connect(messages.show_error)
        ego_zone.told.connect(messages.show_info)
        ego_zone.noted.connect(messages.show_warning)

    def take_screenshot(self, shot: Shot, overlay: Overlay | None, name: str) -> None:
        """Save a shot, under an overlay or bare, by the name of its source."""
        take_screenshot(
            self._background,
            self,
            shot,
            overlay,
            self._folders.pictures(),
            name,
            on_saved=lambda path: self._show_saved("Screenshot saved: {names}", [str(path)]),
            on_failed=self._messages.show_error,
        )

    def show_export(
        self, source: str, info: SourceInfo, part: tuple[float | None, float | None] = (None, None)
    ) -> None:
        """Open the dialog for a source, or bring the one that there is to the front; it keeps what was typed.

        Args:
            source, info: of what is shown.
            part: where the part that is repeated begins and ends, seconds; it is offered.
        """
        dialog = self.export_dialog
        if dialog is not None and dialog.source != source:
            dialog.hide()  # its export, if there is one, goes on in the queue
            dialog.deleteLater()
            dialog = None
        if dialog is None:
            dialog = self.export_dialog = ExportDialog(
                source, info, self._export_options(), self._background, self.export_queue, self._position_s,
                self._window,
            )  # fmt: skip
            if source in self._typed_names:
                dialog.output.setText(self._typed_names[source])
            dialog.output.textChanged.connect(lambda text: self._typed_names.update({source: text}))
            dialog.queued.connect(self.show_queue)
            dialog.visible_changed.connect(lambda _on: self.export_strip.refresh())
        dialog.set_options(self._export_options())
        dialog.form.offer_part(*part)
        to_front(dialog)

    def show_queue(self) -> None:
        """Open the list of exports."""
        to_front(self.queue_dialog)

    def refresh_look(self) -> None:
        """Classes are painted differently from now on; exports that were begun keep what they had."""
        self.queue_dialog.refresh_look()
        if self.export_dialog is not None:
            self.export_dialog.set_options(self._export_options())

    def queue_files(self, paths: Sequence[str]) -> None:
        """Export files, each beside itself, as the window shows things now."""
        self.queue_dialog.add_files(paths)
        self.show_queue()

    def toggle_recording(self, overlay: Overlay | None) -> None:
        """Start a recording, with an overlay unless no model runs yet, or stop the one that runs."""
        if self._recording.running:
            self._recording.stop()
        elif overlay is not None:
            self._recording.start(overlay)

    @property
    def exporting(self) -> bool:
        """An export runs."""
        return self.export_queue.current is not None

    def refresh(self) -> None:
        """Called several times a second."""
        self._recording.refresh()
        self._live_bar.set_recording(self._recording.seconds)

    def may_close(self) -> bool:
        """Asks about exports that run or wait."""
        queue = self.export_queue
        count = len(queue.unfinished)
        return count == 0 or ask_stop(self._window, count, Over(queue.changed, lambda: not queue.unfinished))

    def end(self, *, asked: bool) -> None:
        """Stop everything; `Background.close` waits for the files.

        Args:
            asked: a person wants exports that run to be thrown away; otherwise what they have done is kept.
        """
        self._recording.stop()
        self._ego_zone.close()
        if asked:
            self.export_queue.stop_all()
        else:
            self.export_queue.leave()
        self.queue_dialog.hide()
        if self.export_dialog is not None:
            self.export_dialog.hide()

    def _is_shown(self) -> bool:
        """Whether a window beside this one shows the export that runs."""
        dialog, item = self.export_dialog, self.export_queue.current
        own = dialog is not None and dialog.isVisible() and dialog.item is item
        return self.queue_dialog.isVisible() or own

    def _show_exported(self, summary: str) -> None:
        dialog, ended = self.export_dialog, self.export_queue.ended
        own = dialog is not None and dialog.isVisible() and all(item is dialog.item for item in ended)
        if own or self.queue_dialog.isVisible():
            return
        told = [item for item in ended if item.state is State.FAILED or item.notes]
        show = self._messages.show_warning if told else self._messages.show_info  # a warning stays until it is read
        notes = sum(bool(item.notes) for item in ended)
        summary += t("; {count} with notes", count=notes) if notes else ""
        show(t("Exports ended: {summary}", summary=summary), t("Show queue"), self.show_queue)

    def _show_recording(self, running: bool) -> None:
        text = t("Stop &recording" if running else "&Record")
        self._record_action.setText(text)
        self._record_action.setIconText(text.replace("&", ""))
        self._record_action.setToolTip(t("Finish the recording" if running else "Record what is live") + " (R)")
        self._record_action.setIcon(icon("stop" if running else "record"))
        self._live_bar.set_recording(self._recording.seconds)

    def _offer_clips(self, line: str) -> None:
        """Clips are saved for those who want them; the others are asked once."""
        if self._clips_offered:
            self._messages.show_info(line)
            return
        self._clips_offered = True
        self._messages.show_info(
            t("{line}; no clip is saved", line=line),
            t("Save clips from now on"),
            lambda: self._memory.change(zone_clips=True),
        )

    def _show_recorded(self, paths: list[str]) -> None:
        about = {str(report.path): recorded_text(report) for report in self._recording.reports}
        self._show_saved("Recording saved: {names}", paths, about)

    def _show_saved(self, text: str, paths: list[str], about: Mapping[str, str] | None = None) -> None:
        first = Path(paths[0])
        shown = [paths[0], *(Path(path).name for path in paths[1:])]
        known = about or {}
        names = ", ".join(
            f"{name} ({known[path]})" if path in known else name for path, name in zip(paths, shown, strict=True)
        )
        self._messages.show_info(t(text, names=names), t("Open folder"), lambda: open_folder_of(first))
