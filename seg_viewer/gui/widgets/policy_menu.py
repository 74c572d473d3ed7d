"""What happens when a video cannot be segmented as fast as it plays, as a menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.words import frames_text, t


class PolicyMenu(QMenu):
    """Two choices; says how many frames were left out so far.

    Args:
        left_out: frames that were not shown so far, None where nothing plays.
    """

    chosen = Signal(bool)
    """Whether every frame is to be shown."""

    def __init__(self, left_out: Callable[[], int | None], parent: QWidget | None = None) -> None:
        super().__init__(t("When too slo&w"), parent)
        self._left_out = left_out
        self.setToolTipsVisible(True)
        group = QActionGroup(self)
        self.real_time, self.in_full = self.addAction(t("&Keep time")), self.addAction(t("Show &every frame"))
        self.real_time.setToolTip(t("Plays at its speed; frames that come too late are left out and counted"))
        self.in_full.setToolTip(t("Leaves nothing out; plays slower than recorded where that takes longer"))
        for action, in_full in ((self.real_time, False), (self.in_full, True)):
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, in_full=in_full: self.chosen.emit(in_full))
            group.addAction(action)
        self.aboutToShow.connect(self._count)

    def set_in_full(self, in_full: bool) -> None:
        """Mark what holds."""
        (self.in_full if in_full else self.real_time).setChecked(True)

    def _count(self) -> None:
        count = self._left_out()
        so_far = "" if count is None else " " + t("({frames} left out so far)", frames=frames_text(count))
        self.real_time.setText(t("&Keep time") + so_far)
