"""How old a live picture may be when it is painted: the menu, and the line that says what that has come to."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.memory import Memory
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.words import figure, said, t, tn
from seg_viewer.pipeline import GovernorStatus
from seg_viewer.player.player import Player

CHOICES_MS = (0, 50, 80, 120, 200, 400)
"""In the menu; 0 for none. One of the command line is added."""


def doing_text(status: GovernorStatus) -> str:
    """What is done for each picture: "driving-fast at 352×192, every 2nd picture"."""
    what = t("{model} at {size}", model=status.model, size=status.size) if status.size else status.model
    if status.every == 2:
        return t("{what}, every 2nd picture", what=what)
    return t("{what}, every 3rd picture", what=what) if status.every == 3 else what


def deadline_text(status: GovernorStatus) -> str:
    """For the line below the picture."""
    limit, doing = figure(status.deadline_s * 1000, ".0f"), doing_text(status)
    if status.holds:
        return t("within {limit} ms: {doing}", limit=limit, doing=doing)
    return t("{limit} ms not kept: {doing}", limit=limit, doing=doing)


def deadline_tip(status: GovernorStatus) -> str:
    """All of it, in sentences."""
    lines = [deadline_text(status)]
    if status.p95_s is not None:
        most = figure(status.p95_s * 1000, ".0f")
        lines.append(t("95 in 100 of the latest pictures were painted within {most} ms of their arrival", most=most))
    lines.append(tn(status.steps, "Changed once", "Changed {count} times"))
    if status.every > 1:
        lines.append(t("The others are left out, and counted: no picture gets the classes of another one"))
    if status.note:
        lines.append(said(status.note))
    return "\n".join(lines)


class DeadlinePart(QObject):
    """Connects menu, memory, player and the line below the picture.

    Args:
        player: may have a deadline of the command line, which is for this time only.
        live_bar: shows what is done.
        memory: holds what was chosen.
        window: the menu belongs to it.
    """

    def __init__(self, player: Player, live_bar: LiveBar, memory: Memory, window: QWidget) -> None:
        super().__init__(window)
        self._player, self._live_bar, self._memory = player, live_bar, memory
        if player.deadline_s is None and memory.settings.deadline_ms:
            player.deadline_s = memory.settings.deadline_ms / 1000
        now_ms = round((player.deadline_s or 0) * 1000)
        self.menu = QMenu(t("Dea&dline (live)"), window)
        self.menu.setToolTipsVisible(True)
        group = QActionGroup(self)
        self.choices: dict[int, QAction] = {}
        for choice_ms in sorted({*CHOICES_MS, now_ms}):
            limit = figure(choice_ms, ".0f")
            action = self.menu.addAction(t("Within {limit} ms", limit=limit) if choice_ms else t("&Off"))
            action.setCheckable(True)
            action.setChecked(choice_ms == now_ms)
            tip = t("Where pictures get older, fewer are looked at, then by a quicker model and at a smaller size")
            action.setToolTip(tip if choice_ms else t("Every picture that the model has time for"))
            action.triggered.connect(lambda _checked=False, choice_ms=choice_ms: self.choose(choice_ms))
            group.addAction(action)
            self.choices[choice_ms] = action

    def choose(self, limit_ms: int) -> None:
        """From the next picture on, and from the next start on; 0 for no deadline."""
        self._player.deadline_s = limit_ms / 1000 if limit_ms else None
        self._memory.change(deadline_ms=limit_ms)

    def refresh(self) -> None:
        """Called several times a second."""
        status = self._player.deadline
        text = deadline_text(status) if status is not None else ""
        tip = deadline_tip(status) if status is not None else ""
        self._live_bar.set_deadline(text, tip, kept=status is None or status.holds)
