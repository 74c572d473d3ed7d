"""What a person does to the player: play, pause, jump, step, wind back, speed, and what is played again."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from seg_viewer.gui.actions import SPEED_NAMES, SPEEDS
from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.seek_bar import clock_text
from seg_viewer.gui.words import t
from seg_viewer.player.playback import JUMP_S, PlayerState
from seg_viewer.player.player import Player

_WIND_MS = 60
_WIND_SPEEDS = (1.0, 2.0, 4.0)


class Transport(QObject):
    """Turns wishes into commands of the player, and shows them in the controls at once.

    Args:
        player: does it.
        controls: show where and how fast.
        parent: the window.
    """

    told = Signal(str)
    """One line for the message bar."""
    outdated = Signal(str)
    """A line that was told is no longer true."""
    changed = Signal()
    """Playing began or ended."""

    def __init__(self, player: Player, controls: Controls, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._controls = controls
        self._marks: tuple[float | None, float | None] = (None, None)
        self._asked = ""  # for the end of a part
        self._winding = 0.0  # speed
        self._wound_at_s = 0.0
        self._wind_timer = timer(self, _WIND_MS)
        self._wind_timer.timeout.connect(self._wind)
        controls.sought.connect(self.seek)
        controls.seek_bar.moved.connect(self.seek_by)
        controls.speed_chosen.connect(self.set_speed)

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {
            "play": self.toggle_play,
            "shuttle": self.faster_on,
            "shuttle-back": self.slower_back,
            "step": lambda: self.step(1),
            "step-back": lambda: self.step(-1),
            "forward": lambda: self.seek_by(JUMP_S),
            "back": lambda: self.seek_by(-JUMP_S),
            "start": lambda: self.seek(0.0),
            "end": self.seek_end,
            "faster": lambda: self.change_speed(1),
            "slower": lambda: self.change_speed(-1),
            "loop": self.set_loop,
            "part-start": self.mark_start,
            "part-end": self.mark_end,
            "part-clear": self.clear_part,
        }

    # -- play ------------------------------------------------------------------------------------------------------

    def toggle_play(self) -> None:
        was_winding = self._stop_winding()
        if self._player.state is PlayerState.PLAYING:
            self._player.pause()
        elif not was_winding:  # winding back ends where it is
            self._player.play()
        self.changed.emit()

    def faster_on(self) -> None:
        """Play; while it plays, a step faster."""
        was_winding = self._stop_winding()
        if self._player.state is PlayerState.PLAYING and not was_winding:
            self.change_speed(1)
        else:
            self._player.play()
        self.changed.emit()

    def slower_back(self) -> None:
        """A step slower while it plays fast; else wind back, and each time a step faster."""
        if self._player.state is PlayerState.PLAYING and self._player.speed > 1:
            self.change_speed(-1)
            return
        info = self._player.info
        if info is None or not info.can_seek:
            return
        self._player.pause()
        faster = [speed for speed in _WIND_SPEEDS if speed > self._winding]
        self._winding = faster[0] if faster else _WIND_SPEEDS[-1]
        self._controls.show_winding(f"−{SPEED_NAMES[self._winding]}")
        self._wound_at_s = time.perf_counter()
        self._wind_timer.start()
        self.changed.emit()

    def _wind(self) -> None:
        now_s = time.perf_counter()
        self._player.seek_by(-(now_s - self._wound_at_s) * self._winding)
        self._wound_at_s = now_s
        self._show_wish()
        if self._player.wished_s <= 0 or self._player.state in (PlayerState.PLAYING, PlayerState.EMPTY):
            self._stop_winding()

    def _stop_winding(self) -> bool:
        """Returns whether it did."""
        was_winding, self._winding = self._winding > 0, 0.0
        self._wind_timer.stop()
        if was_winding:
            self._controls.show_winding("")
        return was_winding

    # -- jump and step ---------------------------------------------------------------------------------------------

    def seek(self, time_s: float) -> None:
        """Jump to a time, seconds; past the end, to the end."""
        self._stop_winding()
        self._player.seek(time_s)
        self._show_wish()

    def seek_by(self, delta_s: float) -> None:
        """Jump so many seconds on, or back where negative, from where the jump before leads to."""
        self._stop_winding()
        self._player.seek_by(delta_s)
        self._show_wish()

    def seek_share(self, share: float) -> None:
        """Jump to a share of the length, 0…1."""
        length_s = self._player.length_s
        if length_s is not None:
            self.seek(share * length_s)

    def seek_end(self) -> None:
        self.seek_share(1.0)

    def step(self, count: int) -> None:
        """So many frames on, or back where negative."""
        self._stop_winding()
        self._player.step(count)
        self._show_wish()

    def _show_wish(self) -> None:
        self._controls.set_position(self._player.position_s, self._player.wished_s)

    # -- how -------------------------------------------------------------------------------------------------------

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

    # -- a part that is played again and again ---------------------------------------------------------------------

    @property
    def marks_s(self) -> tuple[float | None, float | None]:
        """Where that part begins and ends, seconds; None where that is not marked."""
        return self._marks

    def mark_start(self) -> None:
        """The part begins with the frame on the screen, or where a jump that is under way leads to."""
        start_s, end_s = self._player.wished_s, self._marks[1]
        self._mark(start_s, end_s if end_s is not None and end_s > start_s else None)
        if self._marks[1] is None:
            self._asked = t("Repeats from {time}: press B where it ends", time=clock_text(start_s, tenths=True))
            self.told.emit(self._asked)

    def mark_end(self) -> None:
        """The part ends there; it begins at the start where that is not marked before it.

        Behind the last frame that is the end of the video, where the handle stands then.
        """
        end_s, start_s = self._player.wished_s, self._marks[0]
        start_s = start_s if start_s is not None and start_s < end_s else 0.0
        if self._player.state is PlayerState.ENDED:
            end_s = self._player.length_s or end_s
        self._mark(start_s, end_s)

    def clear_part(self) -> None:
        self._mark(None, None)

    def forget(self) -> None:
        """Another source is shown."""
        self._stop_winding()
        self._show_marks(None, None)

    def _show_marks(self, start_s: float | None, end_s: float | None) -> None:
        self._marks = (start_s, end_s)
        self._controls.seek_bar.set_marks(start_s, end_s)
        if self._asked:
            self.outdated.emit(self._asked)
            self._asked = ""

    def _mark(self, start_s: float | None, end_s: float | None) -> None:
        self._show_marks(start_s, end_s)
        self._player.part = (start_s, end_s) if start_s is not None and end_s is not None else None
