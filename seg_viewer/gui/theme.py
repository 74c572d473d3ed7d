"""The look: Fusion, few colours, light or dark as the system is, or as somebody chose."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError
from seg_viewer.gui.colors import DARK, LIGHT, Colors, colors, set_colors
from seg_viewer.gui.icons import icon
from seg_viewer.gui.style_sheet import STYLE_SHEET

__all__ = ["AUTO", "DARK", "LIGHT", "THEMES", "Colors", "Theme", "app_theme", "apply_theme", "colors", "icon"]


def __getattr__(name: str) -> str:
    """`theme.ACCENT` is `theme.colors().accent`: the colour of this moment, so ask while painting only."""
    if name.isupper() and name.lower() in Colors.__dataclass_fields__:
        return str(getattr(colors(), name.lower()))
    raise AttributeError(name)


AUTO = "auto"
THEMES = {AUTO: "As the system", "light": "Light", "dark": "Dark"}
"""What can be chosen: name in the settings, text in a menu."""


class Theme(QObject):
    """The colours of an application: kept by it, changed at run time.

    Args:
        app: whose palette and style sheet it sets.
    """

    changed = Signal()
    """Other colours hold; widgets repaint by themselves."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._wanted = AUTO
        self._system = app.styleHints().colorScheme()
        self._applied: Colors | None = None
        app.styleHints().colorSchemeChanged.connect(self._follow)
        app.setStyle(QStyleFactory.create("Fusion"))
        self._apply()

    @property
    def wanted(self) -> str:
        """One of `THEMES`."""
        return self._wanted

    def set_wanted(self, wanted: str) -> None:
        """Light, dark, or as the system is; a system that does not say is taken for dark. Raises: KeyError."""
        THEMES[wanted]
        if wanted == self._wanted:
            return
        self._wanted = wanted
        hints = self._app.styleHints()  # title bars and the system's own dialogs
        if wanted == AUTO:
            hints.unsetColorScheme()
            self._system = hints.colorScheme()  # it may have changed meanwhile
        else:
            hints.setColorScheme(Qt.ColorScheme.Light if wanted == "light" else Qt.ColorScheme.Dark)
        self._apply()

    def _follow(self, scheme: Qt.ColorScheme) -> None:
        if self._wanted == AUTO:
            self._system = scheme
            self._apply()

    def _apply(self) -> None:
        light = self._system is Qt.ColorScheme.Light if self._wanted == AUTO else self._wanted == "light"
        wanted = LIGHT if light else DARK
        if wanted is self._applied:
            return
        self._applied = wanted
        set_colors(wanted)
        self._app.setPalette(_palette(wanted))
        self._app.setStyleSheet(Template(STYLE_SHEET).substitute(asdict(wanted)) + _pictures())
        self.changed.emit()


def apply_theme(app: QApplication) -> Theme:
    """Give the application its look, once; later calls change nothing."""
    return app_theme() or Theme(app)


def app_theme() -> Theme | None:
    """That of the application; None where `apply_theme` was not called."""
    app = QApplication.instance()
    return app.findChild(Theme) if app is not None else None


def _palette(now: Colors) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for where, color in {
        role.Window: now.background,
        role.WindowText: now.text,
        role.Base: now.background,
        role.AlternateBase: now.panel,
        role.Text: now.text,
        role.Button: now.raised,
        role.ButtonText: now.text,
        role.BrightText: now.on_fill,
        role.ToolTipBase: now.raised,
        role.ToolTipText: now.text,
        role.PlaceholderText: now.dim,
        role.Highlight: now.fill,
        role.HighlightedText: now.on_fill,
        role.Accent: now.accent,
        role.Link: now.accent,
        role.Light: now.border,
        role.Midlight: now.border,
        role.Mid: now.border,
        role.Dark: now.deep,
        role.Shadow: "#000000",
    }.items():
        palette.setColor(where, QColor(color))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(now.faint))
    return palette


_PICTURES = {
    "QCheckBox::indicator:checked": "check",
    "QComboBox::down-arrow": "chevron",
    "QToolButton::menu-indicator": "chevron",
    "QAbstractSpinBox::down-arrow": "chevron",
    "QAbstractSpinBox::up-arrow": "chevron-up",
}


def _pictures() -> str:
    rules = []
    for where, name in _PICTURES.items():
        try:
            rules.append(f'{where} {{ image: url("{asset_path("icons", f"{name}.svg").as_posix()}"); }}')
        except SegViewerError:
            continue
    return "\n".join(rules)
