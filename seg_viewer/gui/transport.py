"""What a person does to the player: play, pause, jump, speed."""

from __future__ import annotations

from collections.abc import Callable

from seg_viewer.gui.actions import SPEEDS
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.player.player import Player
from seg_viewer.player.session import PlayerState

_JUMP_S = 5.0


class Transport:
    """Turns wishes into commands of the player, and shows them in the controls at once.

    Args:
        player: does it.
        controls: show where and how fast.
    """

    def __init__(self, player: Player, controls: Controls) -> None:
        self._player = player
        self._controls = controls

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {
            "play": self.toggle_play,
            "step": self._player.step,
            "step-back": self._player.step_back,
            "forward": lambda: self.seek_by(_JUMP_S),
            "back": lambda: self.seek_by(-_JUMP_S),
            "start": lambda: self.seek(0.0),
            "end": self.seek_end,
            "faster": lambda: self.change_speed(1),
            "slower": lambda: self.change_speed(-1),
            "loop": self.set_loop,
        }

    def toggle_play(self) -> None:
        if self._player.state is PlayerState.PLAYING:
            self._player.pause()
        else:
            self._player.play()

    def seek(self, time_s: float) -> None:
        """Jump to a time, seconds; past the end, to the end."""
        length_s = self._controls.seek_bar.length_s
        time_s = min(max(0.0, time_s), length_s or time_s)
        self._player.seek(time_s)
        self._controls.set_position(time_s)

    def seek_by(self, delta_s: float) -> None:
        self.seek(self._controls.seek_bar.position_s + delta_s)

    def seek_end(self) -> None:
        length_s = self._controls.seek_bar.length_s
        if length_s is not None:
            self.seek(length_s)

    def set_speed(self, speed: float) -> None:
        """One of `SPEEDS`, 1 = as recorded."""
        self._player.speed = speed
        self._controls.set_speed(speed)

    def change_speed(self, by: int) -> None:
        """As many steps faster, or slower where negative."""
        place = SPEEDS.index(self._player.speed) + by
        self.set_speed(SPEEDS[min(max(0, place), len(SPEEDS) - 1)])

    def set_loop(self, on: bool) -> None:
        self._player.loop = on
