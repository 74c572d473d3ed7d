"""Exports that wait for each other: one runs, the others come after it, whatever becomes of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.redact import redact_text
from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.gui.tasks.export_names import free_name
from seg_viewer.gui.words import t
from seg_viewer.jobs.bulk import BulkEvent, BulkResult, Ending, run_one
from seg_viewer.jobs.bulk_one import done_already
from seg_viewer.jobs.export import ExportProgress, ExportResult
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.parts import WAY_ON
from seg_viewer.jobs.unfinished import unfinished_s
from seg_viewer.sources import redact

KEEP_S = 5.0
"""How long the end of the program waits for an export that was stopped to take away what it has begun, seconds."""
_GO_ON_HERE = "exporting again goes on with them"
_log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a job is."""

    RUNNING = "running"
    STOPPING = "stopping"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "done already"
    FAILED = "failed"
    STOPPED = "stopped"


UNFINISHED = frozenset({State.WAITING, State.RUNNING, State.STOPPING})
UNDER_WAY = frozenset({State.RUNNING, State.STOPPING})
MADE = frozenset({State.DONE, State.SKIPPED})
_OF_ENDING = {
    Ending.DONE: State.DONE,
    Ending.SKIPPED: State.SKIPPED,
    Ending.FAILED: State.FAILED,
    Ending.STOPPED: State.STOPPED,
}


@dataclass(eq=False)
class QueuedExport:
    """One export of the queue, and where it is.

    Args:
        job: what is to be done.
        new_name: it gets another name where its own is taken, rather than fail, and goes on with what an earlier run
            of the same left behind: nobody is asked about either.
    """

    job: ExportJob
    new_name: bool = False
    state: State = State.WAITING
    progress: ExportProgress | None = None
    loading: str = ""
    problem: str = ""
    result: ExportResult | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """Of the source, for people."""
        return Path(redact(str(self.job.source))).name or str(self.job.source)

    @property
    def made(self) -> Path:
        """The first file that it made, or is going to."""
        return self.result.path if self.result is not None else self.job.first

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, changed or repaired, a line each."""
        return tuple(self.result.warnings) if self.result is not None else ()

    @property
    def share(self) -> float | None:
        """How much of it is done, 0…1; None where nobody knows."""
        progress = self.progress
        if progress is None or not progress.total:
            return None
        return min(1.0, progress.frames / progress.total)


class ExportQueue(QObject):
    """Runs exports one after the other, and goes on after one that fails.

    Args:
        background: runs them.
    """

    changed = Signal(object)
    """Something is new about this `QueuedExport`."""
    rearranged = Signal()
    """Some came, went or have another place."""
    begun = Signal()
    """One runs, where none did."""
    emptied = Signal(str)
    """None runs or waits any more; what became of them, one line."""

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._items: list[QueuedExport] = []
        self._round: list[QueuedExport] = []
        self._leaving = threading.Event()
        self.ended: tuple[QueuedExport, ...] = ()
        """Once `emptied`: what `emptied` tells of."""

    @property
    def items(self) -> tuple[QueuedExport, ...]:
        """In the order in which they run."""
        return tuple(self._items)

    @property
    def unfinished(self) -> tuple[QueuedExport, ...]:
        """Those that wait or run."""
        return tuple(item for item in self._items if item.state in UNFINISHED)

    @property
    def current(self) -> QueuedExport | None:
        """The one that runs."""
        return next((item for item in self._items if item.state in UNDER_WAY), None)

    @property
    def place(self) -> tuple[int, int]:
        """Which one runs, counted from 1, and how many there are, since it last had nothing to do."""
        ended = sum(item.state not in UNFINISHED for item in self._round)
        return min(ended + 1, len(self._round)), len(self._round)

    # -- what a person wants ---------------------------------------------------------------------------------------

    def add(self, jobs: Iterable[ExportJob], *, new_name: bool = False) -> tuple[QueuedExport, ...]:
        """Put jobs, whose `check` is well, behind the others; the first one begins at once where nothing runs."""
        added = tuple(QueuedExport(job, new_name) for job in jobs)
        self._items += added
        self._round += added
        self.rearranged.emit()
        self._next()
        return added

    def remove(self, item: QueuedExport) -> None:
        """Take one out of the list that does not run."""
        if item.state in UNDER_WAY or item not in self._items:
            return
        self._items.remove(item)
        if item in self._round and item.state is State.WAITING:
            self._round.remove(item)
        self.rearranged.emit()

    def move(self, item: QueuedExport, by: int) -> None:
        """To another place: -1 is one earlier."""
        place = self._items.index(item)
        self._items.insert(max(0, min(len(self._items) - 1, place + by)), self._items.pop(place))
        self.rearranged.emit()

    def stop(self, item: QueuedExport) -> None:
        """It ends as stopped; nothing of it is left behind."""
        if item.state is State.WAITING:
            item.state = State.STOPPED
            self.changed.emit(item)
        elif item.state is State.RUNNING:
            item.cancelled.set()
            item.state = State.STOPPING
            self.changed.emit(item)

    def stop_all(self) -> None:
        """Those that wait, too."""
        for item in reversed(self._items):
            self.stop(item)

    def leave(self) -> None:
        """The program is told to end: what runs stops, and keeps what an export of the same can go on with."""
        self._leaving.set()
        self.stop_all()

    def again(self, item: QueuedExport) -> None:
        """Have one that failed or was stopped wait again, behind the others; it goes on with what was kept."""
        if item.state not in (State.FAILED, State.STOPPED):
            return
        self._items.remove(item)
        self._round = [each for each in self._round if each is not item]
        self.add([replace(item.job, resume=_GO_ON_HERE in item.problem)], new_name=item.new_name)

    def clear_ended(self) -> None:
        """Only those stay that wait or run."""
        self._items = list(self.unfinished)
        self.rearranged.emit()

    # -- one after the other ---------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self.current is not None:
            return
        item = next((item for item in self._items if item.state is State.WAITING), None)
        if item is None:
            line, self.ended, self._round = self._summary(), tuple(self._round), []
            if line:
                self.emptied.emit(line)
            return
        first = not any(each.state not in UNFINISHED for each in self._round)
        item.state = State.RUNNING
        self._background.run(
            "export",
            lambda: self._export(item),
            lambda result: self._on_ended(item, result),
            lambda text: self._on_ended(item, BulkResult(0, Ending.FAILED, problem=text)),
            owner=self,
            subject=str(item.job.out),
            wait=within(KEEP_S),
        )
        self.changed.emit(item)
        if first:
            self.begun.emit()

    def _export(self, item: QueuedExport) -> BulkResult:
        """On a thread of its own."""

        def on_event(event: BulkEvent) -> None:
            if event.result is None:
                self._background.call_later(lambda: self._on_event(item, event), owner=self)

        def cancelled() -> bool:
            if self._leaving.is_set():
                raise KeyboardInterrupt  # as at a command line: what is whole is kept
            return item.cancelled.is_set()

        def go_on() -> bool:
            return not item.cancelled.is_set()

        job = item.job
        if item.new_name and not done_already(job):
            job = replace(job, out=free_name(job.first))
            with suppress(SegViewerError):  # it comes again below, and is told there
                job = replace(job, resume=unfinished_s(job) > 0)
        try:
            return run_one(0, job, on_event=on_event, cancelled=cancelled, go_on=go_on)
        except KeyboardInterrupt as error:
            if str(error):
                _log.warning("%s: %s", item.name, str(error).replace(WAY_ON, _GO_ON_HERE))
            return BulkResult(0, Ending.STOPPED, problem=str(error))

    def _on_event(self, item: QueuedExport, event: BulkEvent) -> None:
        if item.state is State.RUNNING:
            item.progress, item.loading = event.progress or item.progress, event.loading
            self.changed.emit(item)

    def _on_ended(self, item: QueuedExport, ended: BulkResult) -> None:
        item.state = _OF_ENDING[ended.ending]
        item.result, item.loading = ended.result, ""
        item.problem = redact_text(" ".join(ended.problem.split())).replace(WAY_ON, _GO_ON_HERE)
        self.changed.emit(item)
        self._next()

    def _summary(self) -> str:
        """Of all since it last had nothing to do; "" for none."""
        counts = {state: sum(item.state is state for item in self._round) for state in State}
        return ", ".join(f"{count} {t(state)}" for state, count in counts.items() if count)
