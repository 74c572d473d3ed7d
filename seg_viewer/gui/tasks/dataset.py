"""Sends the frame that is shown, with its class map, to a data set of the trainer; and takes it back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from seg_viewer.core.frame import Shot
from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.gui.words import t
from seg_viewer.jobs.labelled import LabelledFrame, remove_labelled, save_labelled

_KEEP_S = 5.0
_MOST_UNDO = 100


class DatasetTask(QObject):
    """What D and Ctrl+Z do.

    Args:
        shown: the shot on the screen and the name of its source; None without one.
        folder: of the data set.
        undo_action: can be used while there is something to take back.
        background: reads and writes the files.
    """

    told = Signal(str, object)
    """One line on what was done, and what takes it back (a function, or None)."""
    failed = Signal(str)

    def __init__(
        self,
        shown: Callable[[], tuple[Shot, str] | None],
        folder: Callable[[], Path],
        undo_action: QAction,
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown, self._folder, self._undo_action = shown, folder, undo_action
        self._background = background
        self._sent: list[LabelledFrame] = []
        self._one_at_a_time = threading.Lock()
        self._refresh()

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {"dataset": self.send, "undo": self.undo}

    def send(self) -> None:
        """Write what is shown now."""
        shown = self._shown()
        if shown is None:
            return
        shot, name = shown
        folder = self._folder()

        def work() -> LabelledFrame:
            with self._one_at_a_time:  # the same frame twice is written once
                return save_labelled(shot, folder, name)

        self._run(work, self._was_sent, str(folder))

    def undo(self) -> None:
        """Take back what was sent last."""
        if self._sent:
            self._take_back(self._sent[-1])

    def _take_back(self, sent: LabelledFrame) -> None:
        if sent not in self._sent:
            return
        self._sent.remove(sent)
        self._refresh()

        def work() -> LabelledFrame:
            with self._one_at_a_time:
                remove_labelled(sent)
            return sent

        self._run(work, self._was_taken_back, str(sent.folder))

    def _run(self, work: Callable[[], LabelledFrame], done: Callable[[LabelledFrame], None], subject: str) -> None:
        self._background.run("dataset", work, done, self.failed.emit, owner=self, subject=subject, wait=within(_KEEP_S))

    def _was_sent(self, sent: LabelledFrame) -> None:
        if not sent.new:
            self.told.emit(t("This frame is in the data set already: {folder}", folder=sent.folder), None)
            return
        self._sent = [*self._sent, sent][-_MOST_UNDO:]
        self._refresh()
        line = t("{name} sent to the data set {folder}", name=_name(sent), folder=sent.folder)
        if sent.folder != self._folder():
            line += " " + t("(its classes are others)")
        self.told.emit(line, lambda: self._take_back(sent))

    def _was_taken_back(self, sent: LabelledFrame) -> None:
        self.told.emit(t("{name} taken back out of the data set {folder}", name=_name(sent), folder=sent.folder), None)

    def _refresh(self) -> None:
        self._undo_action.setEnabled(bool(self._sent))


def _name(sent: LabelledFrame) -> str:
    return sent.files[0][0].stem
