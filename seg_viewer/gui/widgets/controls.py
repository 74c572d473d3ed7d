"""The bar below the picture: time line, transport, speed, overlay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.gui.actions import SPEED_NAMES, SPEEDS
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.contained import Contained
from seg_viewer.gui.widgets.figures import tabular
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.seek_bar import SeekBar, clock_text
from seg_viewer.gui.widgets.tool_row import ALWAYS, ToolRow
from seg_viewer.gui.widgets.volume import Volume
from seg_viewer.gui.words import key_text, t
from seg_viewer.player.playback import PlayerState

_PLAY_LOOKS = {
    PlayerState.PLAYING: ("pause", "Pause"),
    PlayerState.ENDED: ("replay", "Play again"),
}

IMPORTANCE = {
    "outline": 10, "opacity": 20, "loop": 30, "export": 40, "panel": 45, "screenshot": 50, "step-back": 60, "step": 60,
    "speed": 65, "volume": 70, "overlay": 80, "record": 90, "play": ALWAYS, "full-screen": ALWAYS,
}  # fmt: skip
"""What stays in the row when it gets narrow: the least goes into the menu first. Views: about 70."""


class Controls(QFrame):
    """Shows the state of the player and the look; commands go out through actions and signals."""

    sought = Signal(float)
    speed_chosen = Signal(float)
    opacity_chosen = Signal(float)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("controls")
        self._actions = actions
        self.buttons: dict[str, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        column.addLayout(self._time_line())
        column.addWidget(self._make_tools())
        self.set_speed(1.0)
        self.set_live(False)
        self.set_sound(False)

    def _time_line(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        self.position = QLabel(clock_text(0.0, tenths=True))
        self.length = QLabel(clock_text(None))
        self.position.setAccessibleName(t("Time"))
        self.length.setAccessibleName(t("Length"))
        self.length.setObjectName("dim")
        for label, side in ((self.position, Qt.AlignmentFlag.AlignRight), (self.length, Qt.AlignmentFlag.AlignLeft)):
            label.setFont(tabular(label.font()))
            label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance("00:00.0") + 4)
        self.seek_bar = SeekBar()
        self.seek_bar.sought.connect(self.sought)
        self.live_bar = LiveBar()
        self.live_bar.hide()
        self._of_files = Contained(self.position), self.seek_bar, Contained(self.length)
        for column, widget in enumerate(self._of_files):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.live_bar, 0, 0, 1, 3)
        self._strips = QVBoxLayout()
        self._strips.setSpacing(2)
        grid.addLayout(self._strips, 1, 1)
        return grid

    def _make_tools(self) -> ToolRow:
        self.tools = ToolRow()
        actions = self._actions
        for name in ("step-back", "play", "step", "loop"):
            self._add_button(name, large=name == "play")
        self.tools.add("speed", self._speed_button(), IMPORTANCE["speed"], (self.speed_menu,))
        self.volume = Volume(actions["mute"])
        self.tools.add("volume", self.volume, IMPORTANCE["volume"], (actions["mute"],))
        self.tools.add_stretch()
        self._add_button("overlay")
        self.tools.add("opacity", self._opacity_part(), IMPORTANCE["opacity"], (actions["more"], actions["less"]))
        self._add_button("outline")
        self.tools.add_stretch()
        for name in ("screenshot", "record", "export", "panel", "full-screen"):
            self._add_button(name)
        return self.tools

    def add_strip(self, widget: QWidget) -> None:
        """Put something that runs along the seek bar below it, exactly as wide."""
        self._strips.addWidget(widget)

    def add_tool(
        self, name: str, widget: QWidget, importance: int, entries: Sequence[QAction | QMenu] = (), *, after: str = ""
    ) -> None:
        """Put another tool into the row, see `ToolRow.add`; where there is no room its entries are in the menu."""
        self.tools.add(name, widget, importance, entries, after=after)

    def _add_button(self, name: str, *, large: bool = False) -> None:
        self.tools.add(name, self._button(name, large=large), IMPORTANCE[name], (self._actions[name],))

    def _button(self, name: str, *, large: bool = False) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._actions[name])
        button.setIconSize(QSize(26, 26) if large else QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(self._actions[name].text().replace("&", "").rstrip("…"))
        button.setObjectName(f"button-{name}")
        self.buttons[name] = button
        return button

    def _speed_button(self) -> QToolButton:
        self.speed_button = QToolButton()
        self.speed_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.speed_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed_button.setToolTip(t("Speed ([ slower, ] faster)"))
        self.speed_button.setProperty("popup", True)
        self.speed_button.setMinimumWidth(56)
        self.speed_button.setMinimumHeight(32)
        self.speed_menu = QMenu(t("Sp&eed"), self)
        group = QActionGroup(self)
        self._speed_actions: dict[float, QAction] = {}
        for speed in SPEEDS:
            action = self.speed_menu.addAction(SPEED_NAMES[speed])
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, speed=speed: self.speed_chosen.emit(speed))
            group.addAction(action)
            self._speed_actions[speed] = action
        self.speed_button.setMenu(self.speed_menu)
        return self.speed_button

    def _opacity_part(self) -> QWidget:
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setSingleStep(5)
        self.opacity.setPageStep(10)
        self.opacity.setMinimumWidth(80)
        self.opacity.setMaximumWidth(170)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.opacity.setToolTip(t("Opacity of the overlay (up, down)"))
        self.opacity.setAccessibleName(t("Opacity of the overlay"))
        self.opacity_text = PlainLabel("", objectName="dim")
        self.opacity_text.setFont(tabular(self.opacity_text.font()))
        self.opacity_text.setMinimumWidth(self.opacity_text.fontMetrics().horizontalAdvance("100 %") + 2)
        self.opacity.valueChanged.connect(self._opacity_changed)
        part = QWidget()
        line = QHBoxLayout(part)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.opacity)
        line.addWidget(Contained(self.opacity_text))
        return part

    def _opacity_changed(self, percent: int) -> None:
        self.opacity_text.setText(f"{percent} %")
        self.opacity_chosen.emit(percent / 100)

    def set_opacity(self, opacity: float) -> None:
        self.opacity.setValue(round(opacity * 100))
        self.opacity_text.setText(f"{self.opacity.value()} %")

    def set_speed(self, speed: float) -> None:
        self._speed_actions[speed].setChecked(True)
        self.speed_button.setText(SPEED_NAMES[speed])
        self.speed_button.setAccessibleName(t("Speed {speed}", speed=SPEED_NAMES[speed]))

    def show_winding(self, name: str) -> None:
        """Name of the speed at which it winds back; "" for not at all."""
        if name:
            self.speed_button.setText(name)
            self.speed_button.setAccessibleName(t("Winds back at {speed}", speed=name))
        else:
            checked = next(speed for speed, action in self._speed_actions.items() if action.isChecked())
            self.set_speed(checked)

    def set_state(self, state: PlayerState) -> None:
        name, text = _PLAY_LOOKS.get(state, ("play", "Play"))
        text = t(text)
        action = self._actions["play"]
        if action.iconText() != text:
            action.setIcon(icon(name))
            action.setText(text)
            action.setIconText(text)
            action.setToolTip(f"{text} ({key_text('Space')})")

    def set_length(self, length_s: float | None, *, can_seek: bool) -> None:
        self.length.setText(clock_text(length_s, tenths=True))
        self.seek_bar.set_length(length_s)
        self.seek_bar.setEnabled(can_seek and length_s is not None)

    def set_live(self, live: bool) -> None:
        """The state of a live source in the place of a time line."""
        self.live_bar.setVisible(live)
        self.tools.set_wanted("record", live)
        for name in ("step-back", "loop", "export", "speed"):
            self.tools.set_wanted(name, not live)
        for widget in self._of_files:
            widget.setVisible(not live)

    def set_sound(self, has_sound: bool) -> None:
        """The volume, where there is something to hear."""
        self.tools.set_wanted("volume", has_sound)

    def set_position(self, position_s: float, wished_s: float | None = None) -> None:
        """Where the picture is, and where it is going: the handle is there at once, the time is that of the picture."""
        self.position.setText(clock_text(position_s, tenths=True))
        self.seek_bar.set_position(position_s if wished_s is None else wished_s)
