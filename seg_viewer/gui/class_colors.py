"""The colours of the classes: palettes, hatching, and a colour of one's own for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QColorDialog, QWidget

from seg_viewer.core.labels import Label
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.core.palette import OKABE_ITO_COLORS, PALETTES, RGB
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.look import Look
from seg_viewer.gui.widgets.choice_menu import ChoiceMenu
from seg_viewer.gui.widgets.color_popup import ColorPopup
from seg_viewer.gui.widgets.legend import Legend
from seg_viewer.gui.widgets.swatch import Swatch
from seg_viewer.gui.words import class_name, t

OFFERED: Mapping[str, RGB] = {
    **OKABE_ITO_COLORS,
    "red": (255, 35, 45),
    "green": (0, 190, 90),
    "strong blue": (30, 110, 255),
}
"""By name; those of Okabe and Ito first."""


class ClassColors(QObject):
    """Brings the menu of the palettes, the action "hatch", and what a press of a colour in the legend opens.

    Args:
        look: is changed.
        legend: shows the colours.
        hatch: the action.
        window: of which dialogs are.
    """

    def __init__(self, look: Look, legend: Legend, hatch: QAction, window: QWidget) -> None:
        super().__init__(window)
        self._look, self._legend, self._hatch, self._window = look, legend, hatch, window
        self._dialogs = OneOfEach()
        self.menu = ChoiceMenu(
            "&Class colours",
            {name: palette.title for name, palette in PALETTES.items()},
            window,
            tips={name: palette.tip for name, palette in PALETTES.items()},
        )
        self.menu.picked.connect(lambda name: look.change(palette=name))
        self.menu.addSeparator()
        self.forget = self.menu.addAction(t("&Forget my own colours"))
        self.forget.setToolTip(t("Every class gets the colour of the palette again"))
        self.forget.triggered.connect(lambda: look.change(colors={}))
        legend.color_wanted.connect(self._choose)
        look.changed.connect(self._show_overlay)
        look.style_changed.connect(self._show_style)
        self._show_style(look.style)

    def slots(self) -> dict[str, Callable[..., object]]:
        return {"hatch": lambda on: self._look.change(hatched=on)}

    def _show_overlay(self, overlay: Overlay) -> None:
        self._legend.set_style(overlay.style)

    def _show_style(self, style: OverlayStyle) -> None:
        self.menu.show_choice(style.palette)
        self.forget.setEnabled(bool(style.colors))
        self._hatch.setChecked(style.hatched)

    def _choose(self, label: Label, swatch: Swatch) -> None:
        popup = ColorPopup(t("Colour of {name}", name=class_name(label.name)), OFFERED, self._window)
        popup.picked.connect(lambda color: self._set(label.name, color))
        popup.reset.connect(lambda: self._set(label.name, None))
        popup.reset_button.setEnabled(label.name in self._look.style.colors)
        popup.other_wanted.connect(lambda: self._ask(label))
        popup.show_below(swatch)

    def _ask(self, label: Label) -> None:
        self._dialogs.show(f"colour of {label.name}", lambda: self._dialog(label))

    def _dialog(self, label: Label) -> QColorDialog:
        before = self._look.style.colors.get(label.name)
        dialog = QColorDialog(QColor(*self._look.style.color_of(label)), self._window)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)  # the same everywhere, and not modal
        dialog.setWindowTitle(t("Colour of {name}", name=class_name(label.name)))
        dialog.setModal(False)
        dialog.currentColorChanged.connect(
            lambda color: self._set(label.name, (color.red(), color.green(), color.blue()))
        )
        dialog.rejected.connect(lambda: self._set(label.name, before))
        return dialog

    def _set(self, name: str, color: RGB | None) -> None:
        """A colour for one class; None: that of the palette."""
        colors = {key: value for key, value in self._look.style.colors.items() if key != name}
        if color is not None:
            colors[name] = color
        if colors != self._look.style.colors:
            self._look.change(colors=colors)
