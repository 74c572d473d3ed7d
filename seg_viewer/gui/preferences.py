"""The settings of this program, as data, and what a change of them does at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from seg_viewer.core.assets import shipped_models
from seg_viewer.gui.dialogs.cache_part import CachePart, CacheStore, cap_bytes
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.dialogs.settings import Choice, Setting, SettingsDialog
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.settings import WindowSettings
from seg_viewer.gui.tasks.background import Background


def _models() -> Mapping[str, str]:
    return {"": "The one that suits this machine", **{path.stem: path.stem for path in shipped_models()}}


SETTINGS: tuple[Setting, ...] = (
    Setting("model", "Model", Choice(_models), "Model", "Runs now, and where the command line names none"),
)
"""One entry a setting; its key is a field of `WindowSettings`, which whoever heeds it reads or watches."""


class Preferences(QObject):
    """Shows the settings page.

    Args:
        memory: holds the values.
        background: looks how large the cache is.
        window: the page belongs to it.
        cache: what the page can clear; without one it has no such part.
    """

    model_chosen = Signal(str)
    """Another model is to run by default; "" is the one that suits the machine."""

    def __init__(
        self, memory: Memory, background: Background, window: QWidget, cache: CacheStore | None = None
    ) -> None:
        super().__init__(window)
        self._memory, self._background, self._window, self._cache = memory, background, window, cache
        self._dialogs = OneOfEach()
        if cache is not None:
            cache.cap = cap_bytes(memory.settings.cache_mb)
        self._model = memory.settings.model
        memory.changed.connect(self._changed)

    def slots(self) -> dict[str, Callable[..., object]]:
        return {"settings": self.show_page}

    def show_page(self) -> None:
        """Open the page, or bring it to the front."""
        self._dialogs.show("settings", self._make_page)

    def _make_page(self) -> SettingsDialog:
        cache = self._cache
        more = () if cache is None else (("Cache", CachePart(cache, self._memory, self._background)),)
        return SettingsDialog(SETTINGS, self._memory, more, self._window)

    def _changed(self, settings: WindowSettings) -> None:
        if settings.model != self._model:
            self._model = settings.model
            self.model_chosen.emit(settings.model)
