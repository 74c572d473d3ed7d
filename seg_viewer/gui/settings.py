"""What the window remembers from one start to the next."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass, field, fields, replace
from itertools import zip_longest
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import CLASSIC, PALETTES, RGB, color_text, parse_color
from seg_viewer.gui.theme import AUTO, THEMES

SETTINGS_VERSION = 1
"""Raised when a stored value gets another meaning; older ones are then forgotten."""

MAX_RECENT = 8
ZONE_CLIPS_MB = {"200": "200 MB", "1000": "1 GB", "2000": "2 GB", "10000": "10 GB", "100000": "100 GB"}
"""How much clips of the ego zone may hold: megabytes → its name."""


@dataclass(frozen=True)
class WindowSettings:
    """What is stored; defaults for a first start.

    Args:
        geometry: as `QWidget.saveGeometry` gives it.
        opacity: of the overlay, 0…1.
        outline: whether classes have borders.
        hatched: whether classes have stripes.
        palette: name of a palette of `seg_viewer.core.palette`.
        colors: of single classes, "NAME=#rrggbb" each.
        theme: "auto", "light" or "dark".
        hidden: names of classes that are not painted.
        panel: whether the side panel is shown where there is room for it.
        panel_narrow: whether it is shown in a narrow window, too.
        panel_width: its width, pixels.
        folded: keys of the parts of the panel that are folded.
        in_full: whether every frame of a file is shown, however long that takes.
        last_folder: where file dialogs open.
        model: that runs where nobody names one; "" for the one that suits the machine.
        cache_mb: how much may be kept of videos seen before, megabytes.
        recent: sources, newest first.
        view_mode: id of the way to look at pictures, see `gui/view/modes.py`.
        value: whether what is under the pointer is told.
        hud: whether numbers are on the picture.
        differ_above: share of the picture, 0…1, above which two models count as differing.
        timeline: whether strips of the classes are shown below the seek bar.
        find_class: what N jumps to.
        find_least: the share of the picture that it has to cover, 0…1.
        recent_at: when each was opened, whole seconds since 1970 in digits.
        recordings_folder: where recordings and clips go; "" for Videos/seg-viewer.
        pictures_folder: where screenshots go; "" for Pictures/seg-viewer.
        dataset_folder: where frames for the trainer go; "" for Pictures/seg-viewer/dataset.
        record_sound: whether the sound of a live stream is recorded with it.
        zone_clips: whether the ego zone records a clip when something enters it.
        zone_clips_mb: how much all clips together may hold, megabytes; a key of `ZONE_CLIPS_MB`.
        zone_log: whether what enters the ego zone, and leaves it, is logged.
        zone_notify: whether the desktop tells when something enters it.
        zones: of cameras that have one of their own, "CAMERA=CORNERS" each, the newest first.
        language: of the window from its next start on, a key of `words.LANGUAGES`.
        volume: of the sound, 0…1.
        muted: whether there is none.
        hwaccel: "auto" has hardware decode video files where that works, "off" never.
        deadline_ms: how old what is live may be when it is painted, milliseconds; 0 for no deadline.
        steady: whether class maps stay calm where the picture stands still.
    """

    geometry: bytes = b""
    opacity: float = 0.45
    outline: bool = False
    hatched: bool = False
    palette: str = CLASSIC
    colors: tuple[str, ...] = ()
    theme: str = AUTO
    hidden: frozenset[str] = field(default_factory=frozenset)
    panel: bool = True
    in_full: bool = False
    panel_narrow: bool = False
    panel_width: int = 268
    folded: frozenset[str] = field(default_factory=frozenset)
    last_folder: str = ""
    model: str = ""
    cache_mb: int = 1000
    recent: tuple[str, ...] = ()
    recent_at: tuple[str, ...] = ()
    recordings_folder: str = ""
    pictures_folder: str = ""
    dataset_folder: str = ""
    record_sound: bool = True
    zone_clips: bool = False
    zone_clips_mb: str = "2000"
    zone_log: bool = False
    zone_notify: bool = False
    zones: tuple[str, ...] = ()
    language: str = "auto"
    view_mode: str = "overlay"
    value: bool = True
    hud: bool = False
    differ_above: float = 0.05
    timeline: bool = True
    find_class: str = "person"
    find_least: float = 0.01
    volume: float = 1.0
    muted: bool = False
    hwaccel: str = "off"
    deadline_ms: int = 0
    steady: bool = True

    @property
    def style(self) -> OverlayStyle:
        """How classes are painted."""
        colors = dict(filter(None, map(_class_color, self.colors)))
        return OverlayStyle(self.opacity, self.hidden, self.outline, self.hatched, self.palette, colors)

    def with_recent(self, source: str, at: int = 0) -> WindowSettings:
        """With a source on top of the recent ones, opened so many seconds after 1970."""
        rest = self.without_recent(source)
        return replace(
            self,
            recent=(source, *rest.recent)[:MAX_RECENT],
            recent_at=(str(at), *rest.recent_at)[:MAX_RECENT],
        )

    def without_recent(self, source: str) -> WindowSettings:
        kept = [(name, at) for name, at in zip_longest(self.recent, self.recent_at, fillvalue="0") if name != source]
        return replace(self, recent=tuple(name for name, _ in kept), recent_at=tuple(at for _, at in kept))


def style_changes(before: OverlayStyle, after: OverlayStyle, kept: WindowSettings) -> dict[str, Any]:
    """The fields of `WindowSettings` that hold what a person changed of a style; the rest may be of the command line.

    Args:
        before: the style until now.
        after: the style from now on.
        kept: what is stored.
    """
    colors = dict(kept.style.colors)
    for name in before.colors.keys() | after.colors.keys():
        if before.colors.get(name) != after.colors.get(name):
            colors.pop(name, None)
            if name in after.colors:
                colors[name] = after.colors[name]
    fields = {
        name: getattr(after, name)
        for name in ("opacity", "outline", "hatched", "palette")
        if getattr(before, name) != getattr(after, name)
    }
    return fields | {
        "hidden": (kept.hidden | after.hidden - before.hidden) - (before.hidden - after.hidden),
        "colors": tuple(f"{name}={color_text(color)}" for name, color in sorted(colors.items())),
    }


def _class_color(text: str) -> tuple[str, RGB] | None:
    """Of "NAME=#rrggbb"; None where it is no such thing."""
    name, _equals, color = text.rpartition("=")
    try:
        return (name, parse_color(color)) if name else None
    except ValueError:
        return None


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
        hatched=_text(store, "hatched") == "true",
        palette=_one_of(store, "palette", PALETTES, plain.palette),
        colors=tuple(text for text in _texts(store, "colors") if _class_color(text)),
        theme=_one_of(store, "theme", THEMES, plain.theme),
        hidden=frozenset(_texts(store, "hidden")),
        panel=_text(store, "panel") != "false",
        in_full=_text(store, "in_full") == "true",
        panel_narrow=_text(store, "panel_narrow") == "true",
        panel_width=_number(store, "panel_width", plain.panel_width),
        folded=frozenset(_texts(store, "folded")),
        last_folder=_text(store, "last_folder"),
        model=_text(store, "model"),
        cache_mb=_number(store, "cache_mb", plain.cache_mb),
        view_mode=_text(store, "view_mode") or plain.view_mode,
        value=_text(store, "value") != "false",
        hud=_text(store, "hud") == "true",
        differ_above=_share(store, "differ_above", plain.differ_above),
        timeline=_text(store, "timeline") != "false",
        find_class=_text(store, "find_class") or plain.find_class,
        find_least=_share(store, "find_least", plain.find_least),
        recent=(recent := tuple(_texts(store, "recent"))[:MAX_RECENT]),
        recent_at=tuple(_texts(store, "recent_at"))[: len(recent)],
        recordings_folder=_text(store, "recordings_folder"),
        pictures_folder=_text(store, "pictures_folder"),
        dataset_folder=_text(store, "dataset_folder"),
        record_sound=_text(store, "record_sound") != "false",
        zone_clips=_text(store, "zone_clips") == "true",
        zone_clips_mb=_one_of(store, "zone_clips_mb", ZONE_CLIPS_MB, plain.zone_clips_mb),
        zone_log=_text(store, "zone_log") == "true",
        zone_notify=_text(store, "zone_notify") == "true",
        zones=tuple(_texts(store, "zones")),
        language=_text(store, "language") or plain.language,
        volume=_share(store, "volume", plain.volume),
        muted=_text(store, "muted") == "true",
        hwaccel=_one_of(store, "hwaccel", ("off", "auto"), plain.hwaccel),
        deadline_ms=min(_number(store, "deadline_ms", plain.deadline_ms), 10_000),
        steady=_text(store, "steady") != "false",
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


def _one_of(store: QSettings, key: str, names: Container[str], fallback: str) -> str:
    text = _text(store, key)
    return text if text in names else fallback


def _texts(store: QSettings, key: str) -> list[str]:
    value = store.value(key, [])
    if isinstance(value, str):  # a list of one comes back as its item
        return [value] if value else []
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def _bytes(store: QSettings, key: str) -> bytes:
    value = store.value(key)
    return bytes(value.data()) if isinstance(value, QByteArray) else b""


def _number(store: QSettings, key: str, fallback: int) -> int:
    text = _text(store, key)
    return int(text) if text.isdecimal() and len(text) < 10 else fallback


def _share(store: QSettings, key: str, fallback: float) -> float:
    try:
        value = float(_text(store, key))
    except ValueError:
        return fallback
    return value if 0 <= value <= 1 else fallback
