"""From the start of the process to the first overlaid frame on the screen, with warm caches.

python -m benchmarks.startup [CLIP] [--rounds 5]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import click

_CHILD = """
import sys, time
from seg_viewer.gui.app import run_viewer
from seg_viewer.jobs.options import RunOptions

def painted():
    print(time.time(), flush=True)
    from PySide6.QtWidgets import QApplication
    QApplication.closeAllWindows()

sys.exit(run_viewer([sys.argv[1]], RunOptions(cache=False), on_first_shot=painted))
"""


@click.command(help=__doc__)
@click.argument("clip", default="demo")
@click.option("--rounds", default=5)
def main(clip: str, rounds: int) -> None:
    environ = os.environ | ({} if os.environ.get("DISPLAY") else {"QT_QPA_PLATFORM": "offscreen"})
    seconds = []
    for number in range(rounds + 1):
        start_s = time.time()
        done = subprocess.run([sys.executable, "-c", _CHILD, clip], env=environ, capture_output=True, text=True)
        if not done.stdout.strip():
            raise SystemExit(done.stderr or "no frame was painted")
        if number:  # the first round warms the caches
            seconds.append(float(done.stdout.split()[0]) - start_s)
    each = ", ".join(f"{value:.2f}" for value in seconds)
    click.echo(f"first overlaid frame after {statistics.median(seconds):.2f} s (median of {each})")


if __name__ == "__main__":
    main()
