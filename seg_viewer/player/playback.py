"""What holds for whatever a player plays, and what it hands to a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from seg_viewer.pipeline import Policy
from seg_viewer.player.showing import Wish

LATE_WINDOW = "late: window too slow"
BEHIND_WINDOW = 3
"""Steps of priority by which what plays stands back behind the window's thread; see `core.machine.step_back`."""
JUMP_S = 5.0
"""How far the keys jump that go on and back, seconds."""


class PlayerState(StrEnum):
    """What a player does."""

    EMPTY = "empty"
    LOADING = "loading"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    ERROR = "error"


@dataclass
class Playback:
    """What holds for whatever plays, and who is told of it; the player writes it, its sessions read it.

    Args:
        wish: how the window wants its pictures.
        speed: of playing, 1 = as recorded.
        loop: start over at the end.
        in_full: show every frame of what is not live, however long that takes, rather than keep to the clock.
        deadline_s: what is live is to be painted within so many seconds of its arrival; None for as soon as it goes.
        on_news: called, on any thread, when a shot waits to be taken.
        on_change: called, on any thread, when the state is another.
        on_problem: called, on any thread, with one line that a person has to know while what plays goes on.
        on_parting: called, on any thread, with one line of what a source that was left has left behind.
    """

    wish: Wish = field(default_factory=Wish)
    speed: float = 1.0
    loop: bool = False
    in_full: bool = False
    deadline_s: float | None = None
    on_news: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    on_problem: Callable[[str], None] = lambda _text: None
    on_parting: Callable[[str], None] = lambda _text: None

    @property
    def policy(self) -> Policy:
        """For what is not live."""
        return Policy.IN_FULL if self.in_full else Policy.REAL_TIME
