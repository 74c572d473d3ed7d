"""The settings of this program, as data, and what a change of them does at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.palette import PALETTES
from seg_viewer.gui.dialogs.cache_part import CachePart, CacheStore
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.dialogs.settings import Choice, Folder, Setting, SettingsDialog, Switch
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.settings import ZONE_CLIPS_MB, WindowSettings
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.folders import usual_dataset, usual_pictures, usual_recordings
from seg_viewer.gui.theme import THEMES
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.words import LANGUAGES, t
from seg_viewer.player.player import Player


def _models() -> Mapping[str, str]:
    return {"": t("The one that suits this machine"), **{path.stem: path.stem for path in shipped_models()}}


def _palettes() -> Mapping[str, str]:
    return {name: palette.title for name, palette in PALETTES.items()}


NO_SAFETY_TIP = "The ego zone is no safety function: the network misses people and cars"
_HARDWARE = {"off": "Off", "auto": "Where it works"}

SETTINGS: tuple[Setting, ...] = (
    Setting("model", "Model", Choice(_models), "Model", "Runs now, and where the command line names none"),
    Setting("theme", "Theme", Choice(lambda: THEMES), "Look"),
    Setting("palette", "Colours of the classes", Choice(_palettes), "Look"),
    Setting("language", "Language", Choice(lambda: LANGUAGES), "Look", "From the next start on"),
    Setting("recordings_folder", "Recordings and clips", Folder(usual_recordings), "Folders"),
    Setting("pictures_folder", "Screenshots", Folder(usual_pictures), "Folders"),
    Setting("dataset_folder", "Frames for the trainer", Folder(usual_dataset), "Folders"),
    Setting(
        "hwaccel",
        "Hardware decoding",
        Choice(lambda: _HARDWARE),
        "Video files",
        "From the next video on; the side panel says what decodes",
    ),
    Setting("record_sound", "Record the sound of live streams", Switch(), "Live", "From the next recording on"),
    Setting("zone_notify", "Desktop notification when something enters it", Switch(), "Ego zone", NO_SAFETY_TIP),
    Setting("zone_log", "Log of what enters and leaves it", Switch(), "Ego zone", "A table (CSV) for each source"),
    Setting("zone_clips", "Save a clip when something enters the ego zone", Switch(), "Ego zone"),
    Setting(
        "zone_clips_mb",
        "All clips together hold at most",
        Choice(lambda: ZONE_CLIPS_MB),
        "Ego zone",
        "Above that, the oldest clips are removed, and that is told",
    ),
)
"""One entry a setting; its key is a field of `WindowSettings`, which whoever heeds it reads or watches."""


class Preferences(QObject):
    """Shows the settings page, and does what a change of a setting means that no other part watches.

    Args:
        memory: holds the values.
        player: its options say which model runs where nobody names one.
        use_model: runs a model, by its name.
        messages: say what went wrong.
        background: looks how large the cache is.
        window: the page belongs to it.
        cache: what the page can clear; without one it has no such part.
        heeds: for parts that do not watch the memory themselves: field of `WindowSettings` → called with its new value.
    """

    def __init__(
        self,
        memory: Memory,
        player: Player,
        use_model: Callable[[str], None],
        messages: MessageBar,
        background: Background,
        window: QWidget,
        cache: CacheStore | None = None,
        heeds: Mapping[str, Callable[[Any], object]] | None = None,
    ) -> None:
        super().__init__(window)
        self._memory, self._player, self._use_model, self._messages = memory, player, use_model, messages
        self._background, self._window, self._cache = background, window, cache
        self._dialogs = OneOfEach()
        self._heeds = {"model": self._run_model, "hwaccel": self._decode_by, **(heeds or {})}
        self._before = memory.settings
        memory.changed.connect(self._changed)
        if memory.settings.model and player.options.model is None:  # one of the command line wins
            self._run_model(memory.settings.model)
        if not player.options.hwaccel:
            self._decode_by(memory.settings.hwaccel)

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
        before, self._before = self._before, settings
        for key, heed in self._heeds.items():
            if getattr(settings, key) != getattr(before, key):
                heed(getattr(settings, key))

    def _decode_by(self, hwaccel: str) -> None:
        self._player.decode_by(hwaccel)

    def _run_model(self, name: str) -> None:
        try:
            self._use_model(name or self._player.options.default_model().name)
        except SegViewerError as error:
            self._messages.show_error(str(error))
