"""From the start of the process to the first overlaid frame: the frozen program and the unfrozen one, in turns.

python -m benchmarks.frozen_start [APP] [--rounds 7]

Both run as a person starts them, `seg-viewer view demo`, on an X server of their own (Xvfb), whose picture is read from
its memory: the first one with as much green as the road has counts. Told as a ratio.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

WIDTH, HEIGHT = 1280, 800
_ENOUGH = 0.01  # of the screen
_PATIENCE_S = 120.0


def is_overlaid(pixels: np.ndarray) -> bool:
    """Whether a screen, (H, W, 4) uint8 in BGRA order, shows a road in its green; no grass or icon is that green."""
    blue, green, red = (pixels[..., channel].astype(np.int16) for channel in range(3))
    return float(((green > red + 50) & (green > blue + 30)).mean()) > _ENOUGH


def until_overlaid_s(command: Sequence[str], screen: Path, environ: dict[str, str]) -> float:
    """Seconds from the start of `command` to its first overlaid frame. Raises: SystemExit when none comes."""
    start_s = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while not is_overlaid(read_screen(screen)):
                if process.poll() is not None or time.perf_counter() - start_s > _PATIENCE_S:
                    process.kill()
                    raise SystemExit(f"{command[0]}: no overlaid frame; {process.communicate()[1]}")
                time.sleep(0.01)
            return time.perf_counter() - start_s
        finally:
            process.terminate()
            process.communicate()


def read_screen(screen: Path) -> np.ndarray:
    """Each fourth pixel of each fourth line of what Xvfb's -fbdir holds, (H, W, 4) uint8, BGRA; at first black."""
    if not screen.is_file() or not screen.stat().st_size:
        return np.zeros((1, 1, 4), np.uint8)
    dump = np.memmap(screen, dtype=np.uint8, mode="r")
    header = dump[:100].view(">u4")  # XWD: header size, …, width 4, height 5, bytes a line 12, colours 19
    start = int(header[0]) + 12 * int(header[19])
    lines = dump[start : start + int(header[5]) * int(header[12])].reshape(int(header[5]), -1, 4)
    return lines[::4, ::4]


@click.command(help=__doc__)
@click.argument("app", type=click.Path(path_type=Path), default=Path("dist/seg-viewer"))
@click.option("--rounds", default=7)
@click.option("--display", default=":44", help="A number that no X server has.")
def main(app: Path, rounds: int, display: str) -> None:
    programs = {"frozen": [str(app / "seg-viewer")], "unfrozen": [sys.executable, "-m", "seg_viewer"]}
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as home:
        environ = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_CONFIG_HOME": home}
        environ |= {"XDG_CACHE_HOME": f"{home}/cache"}
        server = ["Xvfb", display, "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", home, "-nolisten", "tcp"]
        with subprocess.Popen(server, stderr=subprocess.DEVNULL) as xvfb:
            try:
                time.sleep(1)
                for number in range(rounds + 1):
                    for name, program in programs.items():
                        took_s = until_overlaid_s(
                            [*program, "view", "demo", "--no-cache"], Path(home) / "Xvfb_screen0", environ
                        )
                        if number:  # the first round warms the caches
                            seconds[name].append(took_s)
            finally:
                xvfb.terminate()
    for name, values in seconds.items():
        click.echo(f"{name}: {statistics.median(values):.2f} s (median of {', '.join(f'{v:.2f}' for v in values)})")
    ratios = [one / other for one, other in zip(*seconds.values(), strict=True)]
    click.echo(f"frozen / unfrozen: {statistics.median(ratios):.2f} (median of {rounds} rounds, in turns)")


if __name__ == "__main__":
    main()
