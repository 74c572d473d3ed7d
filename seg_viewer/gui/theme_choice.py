"""Light, dark, or as the system is: the menu, and what is remembered of it."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from seg_viewer.gui.memory import Memory
from seg_viewer.gui.settings import WindowSettings
from seg_viewer.gui.theme import THEMES, app_theme
from seg_viewer.gui.widgets.choice_menu import ChoiceMenu


class ThemeChoice(QObject):
    """Follows `WindowSettings.theme`, whoever changes it.

    Args:
        memory: holds the choice.
        window: has the menu.
    """

    def __init__(self, memory: Memory, window: QWidget) -> None:
        super().__init__(window)
        self.menu = ChoiceMenu("T&heme", THEMES, window)
        self.menu.picked.connect(lambda name: memory.change(theme=name))
        memory.changed.connect(self._apply)
        self._apply(memory.settings)

    def _apply(self, settings: WindowSettings) -> None:
        self.menu.show_choice(settings.theme)
        if (theme := app_theme()) is not None:
            theme.set_wanted(settings.theme)
