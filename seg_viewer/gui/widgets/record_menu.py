"""The menu that chooses what a recording holds."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.words import t
from seg_viewer.jobs.recording import RecordWhat

WHAT_NAMES = {
    RecordWhat.ANNOTATED: "With the &overlay",
    RecordWhat.SOURCE: "As it &comes in, from 5 s before",
    RecordWhat.BOTH: "&Both, in two files",
}


class RecordMenu(QMenu):
    """One entry for each kind.

    Args:
        what: is marked at first.
    """

    chosen = Signal(object)
    """A `RecordWhat`."""

    def __init__(self, what: RecordWhat, parent: QWidget) -> None:
        super().__init__(t("Record &what"), parent)
        group = QActionGroup(self)
        for kind, name in WHAT_NAMES.items():
            action = self.addAction(t(name))
            action.setCheckable(True)
            action.setChecked(kind is what)
            action.triggered.connect(lambda _checked=False, kind=kind: self.chosen.emit(kind))
            group.addAction(action)
