"""The sources that were opened last: remembered, and offered on the start page and in the menu."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from seg_viewer.gui.memory import Memory
from seg_viewer.gui.widgets.recent_menu import RecentMenu
from seg_viewer.gui.widgets.start_page import StartPage
from seg_viewer.sources import DEMO, is_live, redact


class Recents(QObject):
    """Keeps the list.

    Args:
        memory: remembers it.
        page: offers them.
        menu: offers them, and their end.
    """

    chosen = Signal(str)

    def __init__(self, memory: Memory, page: StartPage, menu: RecentMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._memory, self._page, self._menu = memory, page, menu
        page.recent_wanted.connect(self.chosen)
        menu.chosen.connect(self.chosen)
        menu.cleared.connect(lambda: memory.change(recent=()))
        memory.changed.connect(lambda _settings: self._show())
        self._show()

    def opened(self, source: str) -> None:
        """A source could be opened."""
        if source != DEMO:
            self._memory.change(recent=self._memory.settings.with_recent(redact(source)).recent)

    def failed(self, source: str) -> None:
        """It could not: a file is forgotten, what is live may come back."""
        if not is_live(source):
            self._memory.change(recent=self._memory.settings.without_recent(source).recent)

    def _show(self) -> None:
        recent = self._memory.settings.recent
        self._page.set_recent(recent)
        self._menu.set_recent(recent)
