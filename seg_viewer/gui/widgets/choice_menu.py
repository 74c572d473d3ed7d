"""A menu of which one entry holds."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.words import t


class ChoiceMenu(QMenu):
    """One entry for each choice, a tick at the one that holds.

    Args:
        title: of the menu.
        choices: name in code → text in the menu.
        tips: name in code → one sentence.
    """

    picked = Signal(str)
    """Name of the choice that somebody made."""

    def __init__(
        self, title: str, choices: Mapping[str, str], parent: QWidget, *, tips: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(t(title), parent)
        self.setToolTipsVisible(tips is not None)
        group = QActionGroup(self)
        self.choices: dict[str, QAction] = {}
        for name, text in choices.items():
            action = self.choices[name] = self.addAction(t(text))
            action.setCheckable(True)
            action.setToolTip(t((tips or {}).get(name, "")))
            action.triggered.connect(lambda _checked=False, name=name: self.picked.emit(name))
            group.addAction(action)

    def show_choice(self, name: str) -> None:
        """Tick the one that holds now."""
        self.choices[name].setChecked(True)
