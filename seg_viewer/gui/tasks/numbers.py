"""Saves a row for each frame that plays, until a person has enough, or something else plays."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.ledger import Ledger
from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.player.player import Player
from seg_viewer.sinks.base import Sink, SinkRequest
from seg_viewer.sinks.queued import Queued, WhenFull
from seg_viewer.sinks.table import CsvTable

_WAITING = 8
_KEEP_S = 5.0


class _Rows(Sink[Shot]):
    """A table of one model's frames: its columns are that model's classes."""

    def __init__(self, request: SinkRequest) -> None:
        self._table = CsvTable(request)
        self._labels = request.labels
        self.count = 0
        self.other_model = False

    def write(self, item: Shot) -> None:
        if item.labels != self._labels or self.other_model:
            self.other_model = True
            return
        self._table.write(item)
        self.count += 1

    def finish(self) -> None:
        if not self.count:
            self._table.abandon()
            raise ExportError("no frame came; nothing was saved")
        self._table.finish()
        self.files, self.notes = self._table.files, self._table.notes

    def abandon(self) -> None:
        self._table.abandon()


class NumbersTask(QObject):
    """At most one table at a time, of what one source shows under one model.

    Args:
        player: plays.
        background: opens and finishes the file.
    """

    changed = Signal(bool)
    """Whether rows are being saved."""
    saved = Signal(str, int, list)
    """Path of the file, its rows, and notes that a person has to know."""
    failed = Signal(str)

    def __init__(self, player: Player, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player, self._background = player, background
        self._queue: Queued[Shot] | None = None
        self._rows: _Rows | None = None
        self._ledger: Ledger | None = None
        self._path = Path()
        self._wanted = False

    @property
    def running(self) -> bool:
        return self._wanted

    def start(self, path: Path, labels: LabelSet, *, overwrite: bool) -> None:
        """Save what plays from now on.

        Args:
            path: of the file; it has this name once it is whole.
            labels: the classes of the model that runs.
            overwrite: a file of that name is replaced then.
        """
        self._path, self._ledger, self._wanted = path, self._player.ledger, True
        self.changed.emit(True)
        request = SinkRequest(path, labels, overwrite=overwrite)
        self._background.run(
            "numbers", lambda: _Rows(request), self._begin, self._give_up, owner=self, subject=str(path)
        )

    def _begin(self, rows: _Rows) -> None:
        if not self._wanted or self._ledger is not self._player.ledger:
            self._give_up(f"{self._path}: something else plays; nothing was saved")
            rows.abandon()
            return
        self._rows = rows
        self._queue = Queued(rows, name="seg-numbers", most=_WAITING, when_full=WhenFull.LEAVE_OUT)
        self._player.add_sink(self._queue)

    def _give_up(self, text: str) -> None:
        self._wanted = False
        self.changed.emit(False)
        self.failed.emit(text)

    def refresh(self) -> None:
        """Notice what has ended by itself: another source, another model, a full disk."""
        queue, rows = self._queue, self._rows
        if queue is None or rows is None:
            return
        if self._ledger is not self._player.ledger or rows.other_model or queue.problem:
            self.stop()

    def stop(self) -> None:
        """Make the file whole; `saved` or `failed` follows. Closing the program waits for it."""
        queue, rows, path = self._queue, self._rows, self._path
        if not self._wanted:
            return
        self._queue = self._rows = None
        self._wanted = False
        self.changed.emit(False)
        if queue is None or rows is None:
            return  # not open yet: `_begin` sees that it is not wanted
        self._player.remove_sink(queue)

        def done(_nothing: None) -> None:
            notes = list(queue.notes)
            if queue.left_out:
                one = f"{path}: 1 frame has no row, the disk was too slow"
                many = f"{path}: {queue.left_out} frames have no row, the disk was too slow"
                notes.append(one if queue.left_out == 1 else many)
            if rows.other_model:
                notes.append(f"{path}: ends where another model took over, whose classes are others")
            self.saved.emit(str(queue.files[0]), rows.count, notes)

        self._background.run(
            "numbers-end", queue.finish, done, lambda text: self.failed.emit(_named(text, path)), owner=self,
            subject=str(path), wait=within(_KEEP_S),
        )  # fmt: skip


def _named(text: str, path: Path) -> str:
    return text if str(path) in text else f"{path}: {text}"
