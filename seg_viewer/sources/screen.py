"""The screen, or a part of it, through mss."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from seg_viewer.core.encoded import PacketRing
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import Frame
from seg_viewer.media.bgr_picture import BgrPicture
from seg_viewer.media.raw_encoder import RawEncoder
from seg_viewer.sources.address import number, read_options
from seg_viewer.sources.base import SourceInfo, SourceKind
from seg_viewer.sources.live import Backoff, Reconnecting

if TYPE_CHECKING:
    from mss.base import MSSBase

_DEFAULTS = {"region": "", "fps": "20"}


class Screen(Reconnecting):
    """Pictures of a screen at a steady rate.

    Args:
        text: `screen`, `screen:2`, `screen:1?region=LEFT,TOP,WIDTHxHEIGHT&fps=20`; screen 1 is the first, pixels count
            from its upper left corner.
        backoff: between attempts.

    Raises:
        UsageError: there is no such screen or region.
        SourceError: there is no screen, or it may not be read.
    """

    def __init__(self, text: str, backoff: Backoff | None = None) -> None:
        place, _, query = text.partition("?")
        which = place.removeprefix("screen").removeprefix(":") or "1"
        super().__init__(f"screen:{which}", backoff)
        options = read_options(self.name, query, _DEFAULTS)
        self._which = int(number(self.name, "number", which, 1, 64))
        self._rate = number(self.name, "fps", options["fps"], 0.1, 120)
        self._region = _parse_region(self.name, options["region"])
        self.packets: PacketRing | None = PacketRing(seconds=0)
        self._encoder = RawEncoder(self.packets)
        self._connect()

    def _connect(self) -> None:
        with _grabber(self.name) as grabber:
            area = self._area(grabber)
        self.info = SourceInfo(
            name=self.name,
            width=area["width"],
            height=area["height"],
            rate=self._rate,
            live=True,
            codec="screen",
            fingerprint=self._fingerprint,
        )

    def _area(self, grabber: MSSBase) -> dict[str, int]:
        """What to grab, pixels of the whole desktop. Raises: UsageError."""
        screens = grabber.monitors[1:]
        if self._which > len(screens):
            raise UsageError(f"{self.name}: there is no such screen; there are screen:1 to screen:{len(screens)}")
        screen = screens[self._which - 1]
        if self._region is None:
            return {key: int(screen[key]) for key in ("left", "top", "width", "height")}
        left, top, width, height = self._region
        if left + width > screen["width"] or top + height > screen["height"]:
            size = f"{screen['width']}×{screen['height']}"
            raise UsageError(f"{self.name}: the region reaches beyond the screen, which has {size} pixels")
        return {"left": screen["left"] + left, "top": screen["top"] + top, "width": width, "height": height}

    def _read(self) -> Iterator[Frame]:
        from mss.exception import ScreenShotError

        # made on the thread that uses it: X11 connections are not shared between threads
        with _grabber(self.name) as grabber:
            due_s = time.perf_counter()
            while not self._stop.is_set():
                try:
                    shot = grabber.grab(self._area(grabber))
                except (ScreenShotError, OSError, UsageError) as error:
                    raise SourceError(f"{self.name}: cannot be read any more ({error})") from error
                yield self._to_frame(np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4))
                due_s = max(due_s + 1 / self._rate, time.perf_counter() - 1 / self._rate)
                self._stop.wait(max(0.0, due_s - time.perf_counter()))

    def _to_frame(self, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Frame:
        arrived_s = time.perf_counter()
        height, width = pixels.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            self.info = replace(self.info, width=width, height=height)
        picture = BgrPicture(pixels)
        if self.packets is not None and self.packets.wanted:
            self._encoder.add(picture.bgr(), arrived_s - self._opened_s, self._rate)
        return self._frame(arrived_s - self._opened_s, picture, arrived_s)

    def _disconnect(self) -> None: ...


def list_screens() -> list[tuple[int, int, int]]:
    """Number, width and height of each, pixels; none where there is no desktop."""
    try:
        with _grabber("screen") as grabber:
            return [(i, int(m["width"]), int(m["height"])) for i, m in enumerate(grabber.monitors) if i]
    except SourceError:
        return []


def _grabber(name: str) -> MSSBase:
    """Raises: SourceError."""
    import mss
    from mss.exception import ScreenShotError

    try:
        return mss.MSS()
    except (ScreenShotError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"{name}: no screen can be read here ({reason}); needs a desktop (on Linux X11, or XWayland)"
        ) from error


def _parse_region(name: str, text: str) -> tuple[int, int, int, int] | None:
    if not text:
        return None
    match = re.fullmatch(r"(\d+),(\d+),(\d+)[x×](\d+)", text)
    if match is None or 0 in (int(match.group(3)), int(match.group(4))):
        raise UsageError(f"{name}: region '{text}': write left, top, width and height as 100,50,640x360")
    left, top, width, height = (int(part) for part in match.groups())
    return left, top, width, height


SOURCE = SourceKind(
    "screen",
    lambda text: bool(re.match(r"screen($|[:?])", text, re.IGNORECASE)),
    Screen,
    forms=(("screen, screen:2", "?region=LEFT,TOP,WIDTHxHEIGHT&fps=20"),),
    live=True,
)
