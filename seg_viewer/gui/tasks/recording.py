"""Records what is live, while it is shown; nothing here waits on the window's thread but its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import make_folder
from seg_viewer.gui.tasks.background import Background
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat, wait_while_writing
from seg_viewer.jobs.recording_names import free_path, suffix_for_source
from seg_viewer.sinks.recording_file import RecordedFile
from seg_viewer.sources import LiveSource


class RecordsFiles(QObject):
    """Whoever ends recordings, and says what came of them."""

    saved = Signal(list)
    """Paths of the files of one that has ended."""
    failed = Signal(str)
    """One line: why it ended early, or that there is nothing."""
    reports: tuple[RecordedFile, ...] = ()
    """Of the files that were saved last, from when `saved` says so."""
    noted = Signal(str)
    """One line: what a person has to know of the files: another name, one that was found."""


class RecordingTask(RecordsFiles):
    """At most one recording of what the player shows.

    Args:
        live_source: what can be recorded now, or None.
        set_recording: shots go to this recording from now on; to none with None.
        background: finishes files.
        folder: where they go; made when it is not there.
        wants_sound: whether the sound of a stream is recorded with it.
    """

    changed = Signal(bool)
    """Whether one is running."""

    def __init__(
        self,
        live_source: Callable[[], LiveSource | None],
        set_recording: Callable[[Recording | None], None],
        background: Background,
        folder: Callable[[], Path],
        wants_sound: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder, self._wants_sound = folder, wants_sound
        self.what = RecordWhat.ANNOTATED
        self._live_source = live_source
        self._set_recording = set_recording
        self._background = background
        self._recording: Recording | None = None

    def set_what(self, what: RecordWhat) -> None:
        """Of the next recording."""
        self.what = what

    @property
    def running(self) -> bool:
        return self._recording is not None

    @property
    def seconds(self) -> float | None:
        """How long it has been running, None when none is."""
        return self._recording.seconds if self._recording else None

    @property
    def frames(self) -> tuple[int, ...]:
        """Written so far into each file; empty when none is running."""
        return self._recording.frames_of_each if self._recording else ()

    def start(self, overlay: Overlay) -> None:
        """Into its folder, named by source and time."""
        source = self._live_source()
        if source is None or self.running:
            return
        try:
            sound, suffix = self._wants_sound(), ".mp4"
            if self.what is RecordWhat.SOURCE:
                suffix = suffix_for_source(source.packets, sound=sound)
            path = free_path(make_folder(self._folder()), source.info, suffix)
            self._recording = Recording(RecordPlan(path, self.what, sound=sound), source, overlay)
        except SegViewerError as error:
            self.failed.emit(str(error))
            return
        self._set_recording(self._recording)
        self.changed.emit(True)

    def set_overlay(self, overlay: Overlay) -> None:
        if self._recording is not None:
            self._recording.set_overlay(overlay)

    def refresh(self) -> None:
        """Notice what has ended by itself: a full disk, a source that was left."""
        if self._recording is not None and (
            self._recording.problem or self._live_source() is not self._recording.source
        ):
            self.stop()

    def stop(self) -> None:
        """End it; `saved` or `failed` follows when its files are whole, for which closing the window waits."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        self._set_recording(None)
        self.changed.emit(False)
        finish(recording, self._background, self)


def finish(recording: Recording, background: Background, owner: RecordsFiles) -> None:
    """Make the files of a recording whole, beside the window's thread; the signals of its owner follow.

    Args:
        recording: under way; nothing is put into it any more.
        background: does it.
        owner: whose recording it was.
    """

    def done(files: list[Path]) -> None:
        if recording.problem:
            owner.failed.emit(recording.problem)
        elif not files:
            owner.failed.emit(f"{recording.plan.path}: no picture came in time; nothing was recorded")
        for note in recording.notes:
            owner.noted.emit(note)
        owner.reports = recording.reports
        if files:
            owner.saved.emit([str(path) for path in files])

    background.run(
        "record-end",
        recording.stop,
        done,
        owner.failed.emit,
        owner=owner,
        subject=str(recording.plan.path),
        wait=lambda ending: wait_while_writing(ending, recording),
    )
