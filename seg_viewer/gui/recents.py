"""The sources that were opened last: remembered, and offered on the start page and in the menu."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.typed_path import exists
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.settings import WindowSettings
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.recent_pictures import keep_only, keep_picture, read_picture
from seg_viewer.gui.widgets.recent_list import RecentItem
from seg_viewer.gui.widgets.recent_menu import RecentMenu
from seg_viewer.gui.widgets.start_page import StartPage
from seg_viewer.sources import DEMO, is_live, redact

_LOOK_S = 10.0
"""How far into a source one is looked for that is not dark, seconds."""
_APART_S = 1.0
_log = logging.getLogger(__name__)


class Recents(QObject):
    """Keeps the list, and a picture of each.

    Args:
        memory: remembers it.
        page: offers them.
        menu: offers them, and their end.
        background: looks for the files, and reads and writes the pictures.
        overlay: paints the pictures; None for none.
    """

    chosen = Signal(str)
    cleared = Signal()
    """Nothing of what was opened is to be remembered."""

    def __init__(
        self,
        memory: Memory,
        page: StartPage,
        menu: RecentMenu,
        background: Background,
        overlay: Callable[[], Overlay | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._memory, self._page, self._menu = memory, page, menu
        self._background, self._overlay = background, overlay
        self._known: Mapping[str, tuple[bool, QImage | None]] = {}
        self._wanted: str | None = None
        self._next_s = 0.0
        self._aspect = 1.0
        page.recent_wanted.connect(self.chosen)
        menu.chosen.connect(self.chosen)
        menu.cleared.connect(self._clear)
        menu.aboutToShow.connect(self.look)
        memory.changed.connect(self._changed)
        self._shown: tuple[str, ...] = ()
        self._changed(memory.settings)
        self.look()

    def opened(self, source: str, sample_aspect: float = 1.0) -> None:
        """A source could be opened; a picture is made of what is shown next.

        Args:
            source: as the player has it.
            sample_aspect: width ÷ height of one of its pixels.
        """
        if source == DEMO:
            self._wanted = None
            return
        named = redact(source)
        settings = self._memory.settings.with_recent(named, int(time.time()))
        self._memory.change(recent=settings.recent, recent_at=settings.recent_at)
        self._wanted = None if is_live(source) else named  # what a camera sees is kept by nobody who did not ask
        self._next_s, self._aspect = 0.0, sample_aspect

    def failed(self, source: str) -> None:
        """It could not: a file is forgotten, what is live may come back."""
        if not is_live(source):
            settings = self._memory.settings.without_recent(source)
            self._memory.change(recent=settings.recent, recent_at=settings.recent_at)

    def watch(self, shot: Shot) -> None:
        """A shot is shown: perhaps it makes the picture."""
        source = self._wanted
        if source is None or shot.frame.time_s < self._next_s:
            return
        self._wanted = None  # until this one is made
        overlay, aspect = self._overlay(), self._aspect

        def done(kept: bool) -> None:
            if not kept and shot.frame.time_s < _LOOK_S and source == next(iter(self._memory.settings.recent), ""):
                self._wanted, self._next_s = source, shot.frame.time_s + _APART_S
            self.look()

        self._background.run(
            "recent-picture",
            lambda: keep_picture(source, shot, overlay, aspect),
            done,
            _log.warning,  # nothing is lost but a picture
            owner=self,
            subject=source,
        )

    def look(self) -> None:
        """Whether the files are still there, and what is on them."""
        sources = self._memory.settings.recent

        def read() -> dict[str, tuple[bool, QImage | None]]:
            keep_only(sources)
            return {s: (not is_live(s) and not exists(Path(s)), read_picture(s)) for s in sources}

        def done(known: dict[str, tuple[bool, QImage | None]]) -> None:
            self._known = known
            self._show()

        self._background.run("recent", read, done, _log.warning, owner=self, subject="recent", newest=True)

    def _clear(self) -> None:
        self._memory.change(recent=(), recent_at=())
        self.look()
        self.cleared.emit()

    def _changed(self, settings: WindowSettings) -> None:
        if settings.recent != self._shown:
            self._show()

    def _show(self) -> None:
        settings = self._memory.settings
        self._shown = settings.recent
        times = dict(zip(settings.recent, settings.recent_at, strict=False))
        items = []
        for source in settings.recent:
            missing, picture = self._known.get(source, (False, None))
            at = times.get(source, "0")
            items.append(RecentItem(source, int(at) if at.isdecimal() else 0, picture, missing))
        self._page.set_recent(items)
        self._menu.set_recent(items)
