"""How long a person waits for the picture after a key: jumps of 5 s in a long film, steps back, and memory over opens.

    python benchmarks/seek_step.py                           # 1080p and 4K, films of an hour: about ten minutes
    python benchmarks/seek_step.py --size 720p --minutes 10  # only to see that it runs

Measured from the call that a key makes to the picture that the window takes, with the model that ships and what this
machine prefers to run it; converted for a window of 1280×720. Only as good as the machine is free; "work" is the time
that all cores together spent on it, which a busy machine does not change much.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.player.showing import Shown

SIZES = {"720p": (1280, 720, 100), "1080p": (1920, 1080, 100), "4K": (3840, 2160, 250)}
"""Width, height, and how long a step may take, ms."""
RATE = 30
STEPS = 60
JUMPS = 12
OPENS = 40


def make_film(path: Path, width: int, height: int, group: int, seconds: int) -> Path:
    """A moving picture in groups of `group` frames, 250 frames at least encoded and then repeated."""
    rng = np.random.default_rng(1)
    small = rng.integers(0, 255, (height // 16 + 40, width // 16 + 40, 3), np.uint8)
    scene = cv2.resize(small, None, fx=16, fy=16, interpolation=cv2.INTER_CUBIC)
    encoded = group * -(-250 // group)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={
            "preset": "veryfast", "g": str(group), "keyint_min": str(group), "sc_threshold": "0", "crf": "26",
        })  # fmt: skip
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        packets = []
        for index in range(encoded):
            x, y = index * 2 % 600, index % 600
            picture = np.ascontiguousarray(scene[y : y + height, x : x + width])
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        packets += stream.encode()
        kept = [(bytes(p), p.pts, p.dts, p.is_keyframe, p.time_base) for p in packets]
        base = kept[0][4]
        length = round(Fraction(encoded, RATE) / base)
        for turn in range(max(1, seconds * RATE // encoded)):
            for data, pts, dts, is_key, _base in kept:
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.time_base = (pts or 0) + turn * length, (dts or 0) + turn * length, base
                packet.stream, packet.is_keyframe = stream, is_key
                out.mux(packet)
    return path


class Watcher:
    """Takes pictures as a window does."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.shown: Shown | None = None

    def look(self) -> bool:
        shown = self.player.take()
        if shown is not None:
            self.shown = shown
        return shown is not None

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        end_s = time.perf_counter() + seconds
        while not condition():
            self.look()
            if time.perf_counter() > end_s:
                raise SystemExit("waited in vain: the player does not answer")
            time.sleep(0.0005)

    def timed(self, act: Callable[[], None]) -> tuple[float, float]:
        """Seconds from a wish to its picture, and of work."""
        before, start_s, work_s = self.shown, time.perf_counter(), time.process_time()
        act()
        self.until(lambda: self.shown is not before)
        return time.perf_counter() - start_s, time.process_time() - work_s


def _told(name: str, seconds: list[tuple[float, float]], limit_ms: float) -> None:
    times = sorted(1000 * wall_s for wall_s, _ in seconds)
    work = sorted(1000 * work_s for _, work_s in seconds)
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    verdict = "ok" if times[-1] < limit_ms else f"{sum(t >= limit_ms for t in times)} of {len(times)} too long"
    print(
        f"{name:56} median {statistics.median(times):5.0f}  95 % {p95:5.0f}  worst {times[-1]:5.0f} ms   "
        f"work {statistics.median(work):5.0f}, {work[-1]:5.0f} ms   wanted < {limit_ms:.0f} ms: {verdict}",
        flush=True,
    )


def measure(path: Path, name: str, step_ms: float) -> None:
    player = Player(RunOptions())
    player.view_size = (1280, 720)
    watcher = Watcher(player)
    player.open(str(path))
    watcher.until(lambda: watcher.shown is not None)
    watcher.until(lambda: player.position_s > 3.0)  # it plays: frames behind are kept
    player.pause()
    watcher.until(lambda: player.state is PlayerState.PAUSED)
    time.sleep(0.3)
    watcher.look()
    _told(f"{name}: `,` after playing", [watcher.timed(lambda: player.step(-1)) for _ in range(STEPS)], step_ms)
    _told(f"{name}: `.`", [watcher.timed(lambda: player.step(1)) for _ in range(STEPS)], step_ms)
    rng, length_s = random.Random(1), player.length_s or 60.0
    jumps: list[tuple[float, float]] = []
    first_steps: list[tuple[float, float]] = []
    steps: list[tuple[float, float]] = []
    for _ in range(JUMPS):
        watcher.timed(lambda: player.seek(rng.uniform(20.0, length_s - 20.0)))
        time.sleep(0.2)
        jumps += [watcher.timed(lambda: player.seek_by(5.0)), watcher.timed(lambda: player.seek_by(-5.0))]
        first_steps.append(watcher.timed(lambda: player.step(-1)))
        time.sleep(0.5)
        steps += [watcher.timed(lambda: player.step(-1)) for _ in range(5)]
    _told(f"{name}: ±5 s", jumps, 300)
    _told(f"{name}: `,` right after a jump", first_steps, step_ms)
    _told(f"{name}: five more `,` half a second later", steps, step_ms)
    player.close(10)


def memory_mb() -> float:
    """Of this process now, in RAM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure_opens(paths: list[Path]) -> None:
    """Without the collector: what is not let go at once would stay."""
    gc.collect()
    gc.disable()
    player = Player(RunOptions())
    watcher, memory = Watcher(player), []
    for number in range(OPENS):
        count = player.opened_count
        player.open(str(paths[number % len(paths)]))
        watcher.until(lambda count=count: player.opened_count > count and watcher.look())  # type: ignore[misc]
        time.sleep(0.2)
        memory.append(memory_mb())
    player.close(10)
    gc.enable()
    print(f"memory over {OPENS} opens, collector off: " + " ".join(f"{mb:.0f}" for mb in memory[::5]), "MB", flush=True)
    print(f"from the tenth to the last: {100 * (memory[-1] / memory[9] - 1):+.0f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, help="only this one")
    parser.add_argument("--minutes", type=int, default=60, help="length of the films")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        films = []
        for name in [options.size] if options.size else ["1080p", "4K"]:
            width, height, step_ms = SIZES[name]
            for group in (30, 250):
                film = make_film(Path(folder) / f"{name}_{group}.mp4", width, height, group, 60 * options.minutes)
                films.append(film)
                measure(film, f"{name}, key frame every {group}", step_ms)
        measure_opens(films[:2])


if __name__ == "__main__":
    main()
