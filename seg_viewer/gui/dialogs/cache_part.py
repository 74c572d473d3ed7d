"""The part of the settings page that shows what is kept of videos seen before, and clears it."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtWidgets import QComboBox, QGridLayout, QPushButton, QWidget

from seg_viewer.gui.dialogs.confirm import confirm
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import figure, said, t

CAPS_MB = (250, 1000, 4000, 16000)
"""How much may be kept, megabytes (10⁶ bytes)."""


class CacheStore(Protocol):
    """What is kept on disk and can be worked out again; its methods are called beside the window's thread."""

    def choose_cap(self, cap: int) -> object:
        """Keep no more than so many bytes, here and in exports. Raises: OSError."""
        ...

    def size_bytes(self) -> int:
        """What it takes now."""
        ...

    def clear(self) -> object:
        """Forget all. Raises: SegViewerError."""
        ...


class CachePart(QWidget):
    """How large the cache is, how large it may become, and a button that clears it.

    Args:
        cache: is asked and cleared beside the window's thread.
        memory: `cache_mb` holds the cap.
        background: does so.
    """

    def __init__(self, cache: CacheStore, memory: Memory, background: Background) -> None:
        super().__init__()
        self._cache, self._memory, self._background = cache, memory, background
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(0, 1)
        self.taken = PlainLabel(t("Looking how large it is …"), objectName="dim")
        self.taken.setAccessibleName(t("Size of the cache"))
        self.cap = QComboBox()
        self.cap.setAccessibleName(t("Most that is kept"))
        for cap in sorted({*CAPS_MB, memory.settings.cache_mb}):
            self.cap.addItem(cap_text(cap), cap)
        self.cap.setCurrentIndex(self.cap.findData(memory.settings.cache_mb))
        self.cap.activated.connect(self._set_cap)
        title = PlainLabel(t("Most that is kept"))
        title.setBuddy(self.cap)
        self.clear = QPushButton(t("Clear cache"))
        self.clear.setAutoDefault(False)
        self.clear.clicked.connect(self._ask_clear)
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.cap, 0, 1)
        grid.addWidget(self.taken, 1, 0)
        grid.addWidget(self.clear, 1, 1)
        self.look()

    def _set_cap(self, place: int) -> None:
        megabytes = self.cap.itemData(place)
        self._memory.change(cache_mb=megabytes)
        self._background.run(
            "cache-cap", lambda: self._cache.choose_cap(cap_bytes(megabytes)), lambda _none: self.look(),
            self._tell, owner=self, subject="Cache",
        )  # fmt: skip

    def look(self) -> None:
        """Ask how large it is."""
        self._background.run(
            "cache-size", self._cache.size_bytes, self._show, self._tell, owner=self, subject="Cache",
            newest=True,
        )  # fmt: skip

    def _tell(self, line: str) -> None:
        self.taken.setText(said(line))

    def _show(self, size: int) -> None:
        self.taken.setText(t("Class maps of videos seen before: {size} MB", size=figure(size / 1e6)))
        self.clear.setEnabled(size > 0)

    def _ask_clear(self) -> None:
        text = t("Class maps that are kept are removed. They are worked out again when a video is played.")
        if confirm(self.window(), t("Clear the cache"), text, yes=t("Clear cache"), no=t("Keep")):
            self.clear.setEnabled(False)
            self._background.run(
                "cache-clear", self._cache.clear, lambda _none: self.look(), self._tell, owner=self,
                subject="Cache",
            )  # fmt: skip


def cap_bytes(megabytes: int) -> int:
    return megabytes * 1_000_000


def cap_text(megabytes: int) -> str:
    return f"{figure(megabytes / 1000, '.3g')} GB" if megabytes >= 1000 else f"{megabytes} MB"
