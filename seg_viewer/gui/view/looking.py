"""What a person does to the view: modes, layers, zoom, the mouse; and the numbers that are on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.memory import Memory
from seg_viewer.gui.view.layers import LAYERS
from seg_viewer.gui.view.modes import MODES, mode_by_id
from seg_viewer.gui.view.numbers import Numbers
from seg_viewer.gui.view.scene import MISSING, NEEDS, ViewMode
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.view.zoom import Zoom
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.words import t
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.player.showing import Wish

_NUMBERS_EVERY = 3  # of the window's refreshes
_PLAIN = "original"
_ONE = 1.0
_MENU: tuple[str, ...] = (
    "play", "", *(f"mode-{mode.id}" for mode in MODES), "", "outline", "value", "hud", "",
    "zoom-fit", "zoom-one", "", "screenshot", "full-screen",
)  # fmt: skip


class Looking(QObject):
    """Connects the view with actions, player and memory.

    Args:
        player: makes the pictures as the view wishes.
        view: shows them.
        actions: of the window, by id.
        memory: of the window.
        messages: get what cannot be shown.
        parent: the window.
    """

    def __init__(
        self,
        player: Player,
        view: VideoView,
        actions: Mapping[str, QAction],
        memory: Memory,
        messages: MessageBar,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._player, self._view, self._actions = player, view, actions
        self._memory, self._messages = memory, messages
        self._colored = MODES[0]
        self._numbers = Numbers()
        self._ticks = 0
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        for mode in MODES:
            action = group.addAction(actions[f"mode-{mode.id}"])
            action.triggered.connect(self._chosen)
        self.menu = QMenu(view)
        """On a right click on the picture."""
        self.menu.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)  # a click that closes it is none on the picture
        for id_ in _MENU:
            self.menu.addAction(actions[id_]) if id_ else self.menu.addSeparator()
        view.wished.connect(self._wish)
        view.settled.connect(self._make_again)
        view.clicked.connect(actions["play"].trigger)
        view.menu_wanted.connect(self._show_menu)
        self._wish(view.wish)
        for keys, right, down in (("Left", -1, 0), ("Right", 1, 0), ("Up", 0, -1), ("Down", 0, 1)):
            QShortcut(QKeySequence(f"Alt+{keys}"), parent, partial(view.pan_by_keys, right, down))
        for keys, steps in (("Left", -1), ("Right", 1)):
            QShortcut(QKeySequence(f"Alt+Shift+{keys}"), parent, partial(view.edge.move, steps))

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        view = self._view
        slots: dict[str, Callable[..., object]] = {
            "overlay": self._set_colored,
            "steady": self._set_steady,
            "errors": partial(self._mark, "errors"),
            "disagreement": partial(self._mark, "disagreement"),
            "value": partial(self._set_layer, "value"),
            "hud": partial(self._set_layer, "hud"),
            "zoom-in": partial(view.zoom_by, 1),
            "zoom-out": partial(view.zoom_by, -1),
            "zoom-fit": partial(view.set_zoom, Zoom()),
            "zoom-one": partial(view.zoom_to, _ONE),
        }
        for mode in MODES:
            slots[f"mode-{mode.id}"] = partial(self._choose, mode)
        return slots

    def apply_settings(self) -> None:
        """Look at pictures as the last time; never at plain ones, which would seem to be without a model."""
        settings = self._memory.settings
        if self._player.options.steady is None:  # one of the command line wins
            self._player.steady = settings.steady
        self._actions["steady"].setChecked(self._player.steady)
        mode = mode_by_id(settings.view_mode)
        self.set_mode(MODES[0] if mode.id == _PLAIN else mode)
        self._actions["value"].setChecked(settings.value)
        self._actions["hud"].setChecked(settings.hud)
        for id_ in ("value", "hud"):
            self._set_layer(id_, self._actions[id_].isChecked())

    def set_mode(self, mode: ViewMode) -> None:
        """Another way to look, told by the menu too."""
        if mode.id != _PLAIN:
            self._colored = mode
        self._view.set_mode(mode)
        self._actions[f"mode-{mode.id}"].setChecked(True)
        self._actions["overlay"].setChecked(mode.id != _PLAIN)
        self._memory.change(view_mode=mode.id)
        self._want_margin(mode.needs == "margin")

    def _want_margin(self, on: bool) -> None:
        """Class maps that were kept do not say how sure the model is: that is computed where it is looked at."""
        player, shown, spec = self._player, self._view.shown, self._player.spec
        player.wants_margin = on
        is_missing = shown is not None and not NEEDS["margin"](shown) and spec is not None and spec.has_margin
        if on and is_missing and player.state is not PlayerState.PLAYING:
            player.seek(player.wished_s)

    def refresh(self) -> None:
        """Several times a second."""
        self._ticks += 1
        if self._ticks % _NUMBERS_EVERY == 0:
            self.show_numbers()

    def show_numbers(self, shot: object = None) -> None:
        """On the picture, of what is on it now."""
        if self._view.is_on("hud") and self._view.shown is not None:
            self._view.set_numbers(self._numbers.lines(self._player, self._view.shown.shot, anew=shot is None))

    # -- what its actions do ---------------------------------------------------------------------------------------

    def _choose(self, mode: ViewMode, on: bool) -> None:
        if on:
            self.set_mode(mode)
            self._say_what_is_missing(mode.needs)

    def _chosen(self, on: bool) -> None:
        """Chosen again, by its key or in the menu: back to the overlay."""
        if not on:
            self.set_mode(MODES[0])

    def _say_what_is_missing(self, needs: str) -> None:
        """Where the shot has not what is asked for, something else is shown."""
        shown = self._view.shown
        spec = self._player.spec
        comes = needs == "second map" and self._player.against is not None
        comes = comes or (needs == "margin" and spec is not None and spec.has_margin)
        if shown is not None and not comes and not NEEDS[needs](shown):
            self._messages.show_info(t(MISSING[needs]))

    def _set_colored(self, on: bool) -> None:
        if on != (self._view.mode.id != _PLAIN):
            self.set_mode(self._colored if on else mode_by_id(_PLAIN))

    def _set_steady(self, on: bool) -> None:
        """What stands still is segmented again, and then as the model says, which is where steady classes begin."""
        if on == self._player.steady:
            return
        self._player.steady = on
        self._memory.change(steady=on)
        if self._view.shown is not None and self._player.state is not PlayerState.PLAYING:
            self._player.seek(self._player.wished_s)

    def _mark(self, layer: str, on: bool) -> None:
        self._set_layer(layer, on)
        if on:
            self._say_what_is_missing(next(one.needs for one in LAYERS if one.id == layer))

    def _set_layer(self, id_: str, on: bool) -> None:
        self._view.set_layer_on(id_, on)
        if id_ in ("value", "hud"):
            self._memory.change(**{id_: on})
        self.show_numbers()

    def _show_menu(self, at: QPoint) -> None:
        if self._view.shown is not None:
            self.menu.popup(at)

    # -- how pictures are made -------------------------------------------------------------------------------------

    def _wish(self, wish: Wish) -> None:
        self._player.wish = wish

    def _make_again(self) -> None:
        """What stands still is made as it is wished now; what plays comes so by itself."""
        if self._view.shown is not None and self._player.state is not PlayerState.PLAYING:
            self._player.rescale(self._view.shown)
