"""Sound of what the window plays: volume, mute, which track."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.core.frame import Shot
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import plain_action
from seg_viewer.gui.words import t
from seg_viewer.player.player import Player
from seg_viewer.player.sound import Sound

_STEP = 0.05


class SoundMenu(QMenu):
    """One entry for each sound track; it can be opened where there are several."""

    chosen = Signal(int)
    """Index of a track's stream."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(t("Soun&d track"), parent)
        self._group = QActionGroup(self)
        self.menuAction().setEnabled(False)

    def show_tracks(self, sound: Sound) -> None:
        self.clear()
        for track in sound.tracks:
            action = self.addAction(plain_action(track.name))
            action.setCheckable(True)
            action.setChecked(track.index == sound.track)
            action.triggered.connect(lambda _checked=False, index=track.index: self.chosen.emit(index))
            self._group.addAction(action)
        self.menuAction().setEnabled(len(sound.tracks) > 1)


class SoundPart(QObject):
    """Plays the sound of each file that the player opens; remembers volume and mute.

    Args:
        player: whose clock it follows.
        actions: of the window, by id.
        controls: show how loud it is.
        menu: shows the tracks.
        memory: keeps volume and mute.
        messages: get the one line when a device is lost.
        parent: the window.
    """

    _changed = Signal()
    _lost = Signal(str)

    def __init__(
        self,
        player: Player,
        actions: Mapping[str, QAction],
        controls: Controls,
        menu: SoundMenu,
        memory: Memory,
        messages: MessageBar,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._player, self._actions, self._memory = player, actions, memory
        self._controls, self._volume, self._menu = controls, controls.volume, menu
        self.sound = Sound(player)
        self.sound.volume, self.sound.muted = memory.settings.volume, memory.settings.muted
        self.sound.on_change, self.sound.on_lost = self._changed.emit, self._lost.emit
        self._changed.connect(self._show)
        self._lost.connect(messages.show_warning)
        actions["mute"].setChecked(memory.settings.muted)
        self._volume.set_volume(memory.settings.volume)
        self._volume.chosen.connect(self._set_volume)
        self._volume.retried.connect(self.sound.look_again)
        menu.chosen.connect(self.sound.choose)

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {
            "mute": self._set_muted,
            "louder": lambda: self._change_volume(_STEP),
            "quieter": lambda: self._change_volume(-_STEP),
        }

    def opened(self) -> None:
        """The player has another source."""
        info = self._player.info
        has_sound = info is not None and info.has_audio and info.is_container and not info.live
        self._controls.set_sound(has_sound)
        self.sound.open(info.path if info is not None and has_sound else None)

    def saw(self, shot: Shot) -> None:
        """A picture is on the screen."""
        self.sound.saw(shot.frame.time_s)

    def close(self) -> bool:
        """Stop; returns whether its thread has ended in time."""
        self.sound.on_change, self.sound.on_lost = (lambda: None), (lambda _text: None)
        return self.sound.close()

    def _set_volume(self, volume: float) -> None:
        self.sound.volume = volume
        self._memory.change(volume=volume)
        if volume > 0:
            self._actions["mute"].setChecked(False)

    def _change_volume(self, by: float) -> None:
        self._volume.set_volume(min(1.0, max(0.0, self.sound.volume + by)))
        self._set_volume(min(1.0, max(0.0, round(self.sound.volume + by, 2))))

    def _set_muted(self, on: bool) -> None:
        self.sound.muted = on
        self._memory.change(muted=on)

    def _show(self) -> None:
        self._volume.set_problem(self.sound.problem)
        self._menu.show_tracks(self.sound)
