"""What the window remembers from one start to the next."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace

from PySide6.QtCore import QByteArray, QSettings

SETTINGS_VERSION = 1
"""Raised when a stored value gets another meaning; older ones are then forgotten."""

MAX_RECENT = 8


@dataclass(frozen=True)
class WindowSettings:
    """What is stored; defaults for a first start.

    Args:
        geometry: as `QWidget.saveGeometry` gives it.
        opacity: of the overlay, 0…1.
        outline: whether classes have borders.
        hidden: names of classes that are not painted.
        panel: whether the side panel is shown.
        last_folder: where file dialogs open.
        recent: sources, newest first.
        view_mode: id of the way to look at pictures, see `gui/view/modes.py`.
        value: whether what is under the pointer is told.
        hud: whether numbers are on the picture.
    """

    geometry: bytes = b""
    opacity: float = 0.45
    outline: bool = False
    hidden: frozenset[str] = field(default_factory=frozenset)
    panel: bool = True
    last_folder: str = ""
    recent: tuple[str, ...] = ()
    view_mode: str = "overlay"
    value: bool = True
    hud: bool = False

    def with_recent(self, source: str) -> WindowSettings:
        """With a source on top of the recent ones."""
        rest = [name for name in self.recent if name != source]
        return replace(self, recent=(source, *rest)[:MAX_RECENT])

    def without_recent(self, source: str) -> WindowSettings:
        return replace(self, recent=tuple(name for name in self.recent if name != source))


def open_store() -> QSettings:
    """The user's own settings file."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "seg-viewer", "seg-viewer")


def load_settings(store: QSettings) -> WindowSettings:
    """What is stored; defaults for what is missing, damaged or of another version."""
    if _text(store, "version") != str(SETTINGS_VERSION):
        return WindowSettings()
    plain = WindowSettings()
    return WindowSettings(
        geometry=_bytes(store, "geometry"),
        opacity=_share(store, "opacity", plain.opacity),
        outline=_text(store, "outline") == "true",
        hidden=frozenset(_texts(store, "hidden")),
        panel=_text(store, "panel") != "false",
        last_folder=_text(store, "last_folder"),
        recent=tuple(_texts(store, "recent"))[:MAX_RECENT],
        view_mode=_text(store, "view_mode") or plain.view_mode,
        value=_text(store, "value") != "false",
        hud=_text(store, "hud") == "true",
    )


def save_settings(store: QSettings, settings: WindowSettings, names: Collection[str] | None = None) -> None:
    """Write settings to disk.

    Args:
        store: where they live.
        settings: what holds now.
        names: of the fields to write; None for all. The others stay as another window may have left them.
    """
    if _text(store, "version") != str(SETTINGS_VERSION):
        names = None  # nothing of another version stays beside these
    store.setValue("version", str(SETTINGS_VERSION))
    for field_ in fields(settings):
        if names is None or field_.name in names:
            store.setValue(field_.name, _stored(getattr(settings, field_.name)))
    store.sync()


def _stored(value: object) -> object:
    match value:
        case bytes():
            return QByteArray(value)
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.3f}"
        case frozenset():
            return sorted(value)
        case tuple():
            return list(value)
        case _:
            return str(value)


def _text(store: QSettings, key: str) -> str:
    value = store.value(key, "")
    return value if isinstance(value, str) else ""


def _texts(store: QSettings, key: str) -> list[str]:
    value = store.value(key, [])
    if isinstance(value, str):  # a list of one comes back as its item
        return [value] if value else []
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def _bytes(store: QSettings, key: str) -> bytes:
    value = store.value(key)
    return bytes(value.data()) if isinstance(value, QByteArray) else b""


def _share(store: QSettings, key: str, fallback: float) -> float:
    try:
        value = float(_text(store, key))
    except ValueError:
        return fallback
    return value if 0 <= value <= 1 else fallback
