"""Records what is live, while it is shown; nothing here waits on the window's thread but its end."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat, wait_while_writing
from seg_viewer.player.player import Player
from seg_viewer.sources import LiveSource

WHAT_NAMES = {
    RecordWhat.ANNOTATED: "With the &overlay",
    RecordWhat.SOURCE: "As it &comes in, from 5 s before",
    RecordWhat.BOTH: "&Both, in two files",
}


def videos_folder() -> Path:
    """The user's Videos folder, or home."""
    name = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    return Path(name) if name and Path(name).is_dir() else Path.home()


class Recorder(QObject):
    """At most one recording of what the player shows."""

    changed = Signal(bool)
    """Whether one is running."""
    saved = Signal(list)
    """Paths of the files of one that has ended."""
    failed = Signal(str)
    noted = Signal(str)
    """What a person has to know of the files: another name, one that was found."""

    def __init__(self, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.what = RecordWhat.ANNOTATED
        self._player = player
        self._recording: Recording | None = None
        self._ending: tuple[threading.Thread, Recording] | None = None

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
        """Into the Videos folder, named by source and time."""
        source = self._player.live_source
        if source is None or self.running:
            return
        path = _free_path(videos_folder(), source)
        try:
            self._recording = Recording(RecordPlan(path, self.what), source, overlay)
        except SegViewerError as error:
            self.failed.emit(str(error))
            return
        self._player.set_recording(self._recording)
        self.changed.emit(True)

    def set_overlay(self, overlay: Overlay) -> None:
        if self._recording is not None:
            self._recording.set_overlay(overlay)

    def refresh(self) -> None:
        """Notice what has ended by itself: a full disk, a source that was left."""
        if self._recording is not None and (
            self._recording.problem or self._player.live_source is not self._recording.source
        ):
            self.stop()

    def stop(self) -> None:
        """Finish it on a thread of its own; `saved` or `failed` tells."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        self._player.set_recording(None)
        self.changed.emit(False)
        ending = threading.Thread(target=self._end, args=(recording,), name="seg-record-end", daemon=True)
        self._ending = ending, recording
        ending.start()

    def finish(self) -> None:
        """Stop, and wait as long as something is written: the file would be lost with the program."""
        self.stop()
        if self._ending is not None:
            wait_while_writing(*self._ending)

    def _end(self, recording: Recording) -> None:
        files = [str(path) for path in recording.stop()]
        if recording.problem:
            self.failed.emit(recording.problem)
        for note in recording.notes:
            self.noted.emit(note)
        if files:
            self.saved.emit(files)
        elif not recording.problem:
            self.failed.emit(f"{recording.plan.path}: no picture came in time; nothing was recorded")


class WhatMenu(QMenu):
    """Chooses what a recording holds."""

    def __init__(self, recorder: Recorder, parent: QWidget) -> None:
        super().__init__("Record &what", parent)
        group = QActionGroup(self)
        for what, name in WHAT_NAMES.items():
            action = self.addAction(name)
            action.setCheckable(True)
            action.setChecked(what is recorder.what)
            action.triggered.connect(lambda _checked=False, what=what: setattr(recorder, "what", what))
            group.addAction(action)


def _free_path(folder: Path, source: LiveSource) -> Path:
    stem = f"{source.info.file_stem}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    path = folder / f"{stem}.mp4"
    number = 2
    while path.exists() or path.with_stem(f"{path.stem}_source").exists():
        path = folder / f"{stem}_{number}.mp4"
        number += 1
    return path
