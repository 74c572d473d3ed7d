"""What holds for whatever a player plays, and what it hands to a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.pipeline import Policy

LATE_WINDOW = "late: window too slow"


class PlayerState(StrEnum):
    """What a player does."""

    EMPTY = "empty"
    LOADING = "loading"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    ERROR = "error"


@dataclass(frozen=True)
class Shown:
    """A shot with its picture as a window wants it.

    Args:
        shot: frame and class maps.
        pixels: the frame's picture, shape (h, w, 4), uint8, blue-green-red-255.
        truth: what the class map should have been, of its shape, 255 = ignore; None where nobody knows.
    """

    shot: Shot
    pixels: ByteArray
    truth: ByteArray | None = None


@dataclass
class Playback:
    """What holds for whatever plays, and who is told of it; the player writes it, its sessions read it.

    Args:
        view_size: where pictures will be shown, (width, height), device pixels.
        speed: of playing, 1 = as recorded.
        loop: start over at the end.
        in_full: show every frame of what is not live, however long that takes, rather than keep to the clock.
        on_news: called, on any thread, when a shot waits to be taken.
        on_change: called, on any thread, when the state is another.
        on_problem: called, on any thread, with one line that a person has to know while what plays goes on.
    """

    view_size: tuple[int, int] = (1280, 720)
    speed: float = 1.0
    loop: bool = False
    in_full: bool = False
    on_news: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    on_problem: Callable[[str], None] = lambda _text: None

    @property
    def policy(self) -> Policy:
        """For what is not live."""
        return Policy.IN_FULL if self.in_full else Policy.REAL_TIME


def size_to_show(width: int, height: int, sample_aspect: Fraction, view: tuple[int, int]) -> tuple[int, int]:
    """Largest size in a view, both in device pixels, that keeps the shape of a picture of non-square pixels."""
    shown_width = max(1.0, width * float(sample_aspect))
    scale = min(view[0] / shown_width, view[1] / height)
    return max(1, round(shown_width * scale)), max(1, round(height * scale))
