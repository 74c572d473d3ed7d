"""Thumbnails beside a video that plays: how soon they are there, what they cost the player, what memory they take.

A new place is looked at as soon as the one before is there: far more than any hand does. The shares of frames shown
with and without that come from turns within one run; what else runs on the machine blurs them.

python -m benchmarks.hovering VIDEO [--turns 3] [--seconds 10]
"""

from __future__ import annotations

import time
from statistics import median

import click
import psutil

from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.player.thumbnails import Thumbnail, Thumbnails

_GOLDEN = 0.6180339887
_PATIENCE_S = 10.0


class Watched:
    """A player whose pictures are taken at once, and counted."""

    def __init__(self, source: str) -> None:
        self.shown = 0
        self.player = Player(RunOptions())
        self.player.listen(self._take, lambda: None)
        self.player.loop = True
        self.player.open(source)
        until_s = time.perf_counter() + 60
        while self.player.clock_now_s is None:
            if time.perf_counter() > until_s or self.player.error:
                raise SystemExit(self.player.error or f"{source}: does not play within a minute")
            time.sleep(0.05)

    def _take(self) -> None:
        if self.player.take() is not None:
            self.shown += 1

    def rate(self, seconds: float) -> float:
        """Frames shown per second while nobody looks at the time line."""
        before = self.shown
        time.sleep(seconds)
        return (self.shown - before) / seconds


class Looked:
    """What it took to see places of a video."""

    def __init__(self, thumbnails: Thumbnails, length_s: float) -> None:
        self.picture_s: list[float] = []
        self.classes_s: list[float] = []
        self._thumbnails, self._length_s = thumbnails, length_s
        self._count = 0

    def look(self) -> None:
        """At a place that was not looked at before."""
        self._count += 1
        place_s = (self._count * _GOLDEN % 1.0) * self._length_s
        begun_s = time.perf_counter()
        self._thumbnails.want(place_s)
        found: Thumbnail | None = None
        while (found is None or found.classes is None) and time.perf_counter() - begun_s < _PATIENCE_S:
            before, found = found, self._thumbnails.best(place_s)
            if before is None and found is not None:
                self.picture_s.append(time.perf_counter() - begun_s)
            time.sleep(0.001)
        self.classes_s.append(time.perf_counter() - begun_s)

    def cached_s(self) -> float:
        """To find one that is there."""
        begun_s = time.perf_counter()
        for number in range(1000):
            self._thumbnails.best(number / 1000 * self._length_s)
        return (time.perf_counter() - begun_s) / 1000


@click.command()
@click.argument("video")
@click.option("--turns", default=3, help="how often, with and without")
@click.option("--seconds", default=10.0, help="of each")
def main(video: str, turns: int, seconds: float) -> None:
    watched = Watched(video)
    player, memory = watched.player, psutil.Process()
    thumbnails = Thumbnails(lambda: None)
    thumbnails.open(video, player.info, player.spec)
    looked = Looked(thumbnails, (player.info.duration_s if player.info else None) or 10.0)
    watched.rate(3.0)
    before = memory.memory_info().rss
    looked.look()
    print(f"first: {1000 * looked.classes_s[0]:.0f} ms, {(memory.memory_info().rss - before) / 2**20:+.0f} MiB")
    for _ in range(turns):
        alone = watched.rate(seconds)
        begun, begun_s = watched.shown, time.perf_counter()
        while time.perf_counter() - begun_s < seconds:
            looked.look()
        beside = (watched.shown - begun) / (time.perf_counter() - begun_s)
        print(f"shown: {alone:.1f} frames/s alone, {beside:.1f} beside; {100 * beside / alone:.0f} %")
    picture_ms, classes_ms = (1000 * median(each) for each in (looked.picture_s, looked.classes_s))
    print(f"{len(looked.classes_s)} places: picture after {picture_ms:.0f} ms, with classes after {classes_ms:.0f} ms")
    print(f"cached: {1e6 * looked.cached_s():.0f} µs; {thumbnails.held_bytes / 2**20:.1f} MiB kept")
    print(f"{(memory.memory_info().rss - before) / 2**20:+.0f} MiB in all; load {psutil.getloadavg()[0]:.1f}")
    thumbnails.close()
    player.close(5)


if __name__ == "__main__":
    main()
