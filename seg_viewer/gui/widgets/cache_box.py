"""How much the kept class maps take, and a button that removes them; for the settings page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.pipeline.map_cache import MapCache


class CacheBox(QWidget):
    """Looks whenever it is shown; on a thread of its own, as it reads folders.

    Args:
        cache: of the player.
        background: looks and clears.
    """

    def __init__(self, cache: MapCache, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cache, self._background = cache, background
        self.text = PlainLabel("…")
        self.text.setWordWrap(True)
        self.clear_button = QPushButton("Clear")
        self.clear_button.setAutoDefault(False)
        self.clear_button.setAccessibleName("Clear the kept class maps")
        self.clear_button.setToolTip("Remove them; they are computed again when they are needed")
        self.clear_button.clicked.connect(lambda _checked: self._clear())
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.text, 1)
        line.addWidget(self.clear_button)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run("cache-size", lambda: (self._cache.size_bytes(), self._cache.sources()))

    def _clear(self) -> None:
        self.clear_button.setEnabled(False)
        self._run("cache-clear", lambda: (self._cache.clear(), self._cache.sources()))

    def _run(self, name: str, work: Callable[[], tuple[int, int]]) -> None:
        self._background.run(
            name, work, self._show, self.text.setText, owner=self, subject="The kept class maps", newest=True
        )

    def _show(self, found: tuple[int, int]) -> None:
        size, count = found
        videos = f"{count} {'video' if count == 1 else 'videos'}"
        self.text.setText(f"{size / 1e6:.1f} MB of at most {self._cache.cap / 1e6:.0f} MB, {videos}")
        self.clear_button.setEnabled(size > 0)
