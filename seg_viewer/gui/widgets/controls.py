"""The bar below the picture: time line, transport, speed, overlay."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QVBoxLayout, QWidget

from seg_viewer.gui.actions import SPEED_NAMES, SPEEDS
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.seek_bar import SeekBar, clock_text
from seg_viewer.gui.widgets.volume import Volume
from seg_viewer.player.session import PlayerState

_PLAY_LOOKS = {
    PlayerState.PLAYING: ("pause", "Pause"),
    PlayerState.ENDED: ("replay", "Play again"),
}


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
        self._strips = QVBoxLayout()
        column.addLayout(self._strips)
        column.addLayout(self._buttons())
        self.set_speed(1.0)
        self.set_live(False)
        self.set_sound(False)

    def _time_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        self.position = QLabel(clock_text(0.0, tenths=True))
        self.length = QLabel(clock_text(None))
        self.position.setAccessibleName("Time")
        self.length.setAccessibleName("Length")
        self.length.setObjectName("dim")
        for label, side in ((self.position, Qt.AlignmentFlag.AlignRight), (self.length, Qt.AlignmentFlag.AlignLeft)):
            label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance("00:00.0") + 4)
        self.seek_bar = SeekBar()
        self.seek_bar.sought.connect(self.sought)
        line.addWidget(self.position)
        line.addWidget(self.seek_bar, 1)
        line.addWidget(self.length)
        self.live_bar = LiveBar()
        self.live_bar.hide()
        line.addWidget(self.live_bar, 1)
        return line

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        for name in ("step-back", "play", "step", "loop"):
            line.addWidget(self._button(name, large=name == "play"))
        line.addSpacing(4)
        line.addWidget(self._speed_button())
        self.volume = Volume(self._actions["mute"])
        line.addWidget(self.volume)
        line.addStretch(1)
        line.addWidget(self._button("overlay"))
        line.addWidget(self._opacity_slider())
        line.addWidget(self.opacity_text)
        line.addWidget(self._button("outline"))
        line.addStretch(1)
        for name in ("screenshot", "record", "export", "panel", "full-screen"):
            line.addWidget(self._button(name))
        return line

    def add_strip(self, widget: QWidget) -> None:
        """Put something that runs along the seek bar below it."""
        self._strips.addWidget(widget)

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
        self.speed_button.setToolTip("Speed ([ slower, ] faster)")
        self.speed_button.setProperty("popup", True)
        self.speed_button.setMinimumWidth(56)
        self.speed_button.setMinimumHeight(32)
        self.speed_menu = QMenu("Sp&eed", self)
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

    def _opacity_slider(self) -> QSlider:
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setSingleStep(5)
        self.opacity.setPageStep(10)
        self.opacity.setMinimumWidth(90)
        self.opacity.setMaximumWidth(170)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.opacity.setToolTip("Opacity of the overlay (up, down)")
        self.opacity.setAccessibleName("Opacity of the overlay")
        self.opacity_text = PlainLabel("", objectName="dim")
        self.opacity_text.setMinimumWidth(self.opacity_text.fontMetrics().horizontalAdvance("100 %") + 2)
        self.opacity.valueChanged.connect(self._opacity_changed)
        return self.opacity

    def _opacity_changed(self, percent: int) -> None:
        self.opacity_text.setText(f"{percent} %")
        self.opacity_chosen.emit(percent / 100)

    def set_opacity(self, opacity: float) -> None:
        self.opacity.setValue(round(opacity * 100))
        self.opacity_text.setText(f"{self.opacity.value()} %")

    def set_speed(self, speed: float) -> None:
        self._speed_actions[speed].setChecked(True)
        self.speed_button.setText(SPEED_NAMES[speed])
        self.speed_button.setAccessibleName(f"Speed {SPEED_NAMES[speed]}")

    def set_state(self, state: PlayerState) -> None:
        name, text = _PLAY_LOOKS.get(state, ("play", "Play"))
        action = self._actions["play"]
        if action.iconText() != text:
            action.setIcon(icon(name))
            action.setText(text)
            action.setIconText(text)
            action.setToolTip(f"{text} (Space)")

    def set_length(self, length_s: float | None, *, can_seek: bool) -> None:
        self.length.setText(clock_text(length_s, tenths=True))
        self.seek_bar.set_length(length_s)
        self.seek_bar.setEnabled(can_seek and length_s is not None)

    def set_live(self, live: bool) -> None:
        """The state of a live source in the place of a time line."""
        self.live_bar.setVisible(live)
        self.buttons["record"].setVisible(live)
        for name in ("step-back", "loop", "export"):
            self.buttons[name].setVisible(not live)
        self.speed_button.setVisible(not live)
        for widget in (self.position, self.seek_bar, self.length):
            widget.setVisible(not live)

    def set_sound(self, has_sound: bool) -> None:
        """The volume, where there is something to hear."""
        self.volume.setVisible(has_sound)

    def set_position(self, position_s: float) -> None:
        self.position.setText(clock_text(position_s, tenths=True))
        self.seek_bar.set_position(position_s)
