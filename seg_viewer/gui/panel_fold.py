"""Whether the side panel is there: as a person wants it, and folded by itself where the window is narrow."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSplitter, QWidget

from seg_viewer.gui.memory import Memory
from seg_viewer.gui.widgets.side_panel import MOST_WIDTH, SidePanel

NARROW = 900
"""Below this width of the window, pixels, the panel is folded unless a person has opened it there."""


class PanelFold(QObject):
    """Shows and folds the panel, and keeps its width.

    A wide window and a narrow one each have a choice of their own (`WindowSettings.panel`, `.panel_narrow`). The action
    shows the one that holds now; a person who toggles it changes that one. One who hides the panel where there is much
    room does not want it where there is little.

    Args:
        splitter: the panel is its last part; drawn shut by its handle, the panel is hidden.
        panel: shown or not.
        action: "panel", checkable.
        memory: keeps both choices and the width.
        window: whose width counts.
    """

    def __init__(self, splitter: QSplitter, panel: SidePanel, action: QAction, memory: Memory, window: QWidget) -> None:
        super().__init__(window)
        self._splitter, self._panel, self._action = splitter, panel, action
        self._memory, self._window = memory, window
        self._has_room = False
        self._following = False
        self._width = memory.settings.panel_width
        self.narrow = window.width() < NARROW
        """Whether the window is; what fills the screen is as narrow as it was before."""
        splitter.splitterMoved.connect(self._moved)
        window.installEventFilter(self)
        splitter.installEventFilter(self)
        self._follow()

    def slots(self) -> dict[str, Callable[..., object]]:
        return {"panel": self._choose}

    def set_room(self, has_room: bool) -> None:
        """Whether there may be a panel at all: there is a video, and it does not fill the screen."""
        self._has_room = has_room
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and not self._window.isFullScreen():
            self.narrow = self._window.width() < NARROW
            self._follow()
            if watched is self._window:
                self._panel.window_resized()
        return False

    @property
    def fits(self) -> bool:
        """Whether panel and picture have room beside each other; the playlist may take it."""
        if not self._splitter.isVisible():
            return True
        parts = (self._splitter.widget(index) for index in range(self._splitter.count()))
        least = sum(part.minimumWidth() for part in parts if part is not None)
        return self._splitter.width() >= least + self._splitter.handleWidth()

    def _follow(self) -> None:
        """The action shows the choice that holds at this width."""
        settings = self._memory.settings
        self._following = True
        self._action.setChecked(self.fits and (settings.panel_narrow if self.narrow else settings.panel))
        self._action.setEnabled(self.fits and not self._window.isFullScreen())
        self._following = False
        self._show()

    def _choose(self, on: bool) -> None:
        if self._following:
            return
        if self.narrow:
            self._memory.change(panel_narrow=on)
        else:
            self._memory.change(panel=on, **({} if on else {"panel_narrow": False}))
        self._show()

    def _show(self) -> None:
        on = self._has_room and self._action.isChecked()
        if self._panel.isHidden() is not on:
            return
        self._panel.setVisible(on)
        if on:
            width = min(MOST_WIDTH, max(self._panel.minimumWidth(), self._width))
            rest = max(1, self._splitter.width() - width - self._splitter.handleWidth())
            self._splitter.setSizes([rest, width])

    def _moved(self, _place: int, _index: int) -> None:
        width = self._splitter.sizes()[-1]
        if width == 0:
            self._action.setChecked(False)
        else:
            self._width = width
            self._memory.change_late("panel_width", lambda: self._width)
