"""Glass to glass: how old a live picture is when the window has painted it, read from the painted pixels.

The server of the tests (GStreamer, RTSP) draws the time into each picture before its encoder; this program grabs what
the window has painted and reads it back. Beside it stands what the window itself says: since capture, since arrival.

python -m benchmarks.glass_to_glass [--seconds 30] [--rate 30] [--size 640x384] [--busy 0] [--transport tcp]
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs.options import RunOptions
from tests.servers.rtsp import RtspServer, age_s, why_not

_LIMIT_MS = 80
_FIRST_S = 8.0
"""Not counted: the engine starts, and the first sender report is some seconds away."""


@click.command(help=__doc__)
@click.option("--seconds", default=30.0)
@click.option("--rate", default=30)
@click.option("--size", default="640x384")
@click.option("--busy", default=0, help="Processes that compute all the time beside it.")
@click.option("--transport", type=click.Choice(("tcp", "udp")), default="tcp")
def main(seconds: float, rate: int, size: str, busy: int, transport: str) -> None:
    if reason := why_not():
        raise click.ClickException(reason)
    others = [multiprocessing.get_context("spawn").Process(target=_spin, daemon=True) for _ in range(busy)]
    for other in others:
        other.start()
    try:
        with RtspServer(rate=rate, size=size) as server:
            width, height = (int(side) for side in size.split("x"))
            _measure(f"{server.url}#transport={transport}", width, height, seconds)
    finally:
        for other in others:
            other.terminate()


def _measure(url: str, width: int, height: int, seconds: float) -> None:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from seg_viewer.gui.main_window import MainWindow
    from seg_viewer.player.player import Player

    app = QApplication.instance() or QApplication([])
    folder = tempfile.TemporaryDirectory()
    player = Player(RunOptions(style=OverlayStyle(opacity=0.0)))  # nothing over the bars; the model runs all the same
    player.open(url)
    window = MainWindow(player, QSettings(str(Path(folder.name, "s.ini")), QSettings.Format.IniFormat))
    window.resize(1000, 640)
    window.show()
    ages_s: list[float] = []
    seen = 0
    begun_s = time.perf_counter()
    while (now_s := time.perf_counter()) - begun_s < seconds + _FIRST_S:
        app.processEvents()
        ledger = player.ledger
        painted = ledger.snapshot().counts.get("display", 0) if ledger else 0
        if painted == seen or window.view.shown is None:
            time.sleep(0.001)
            continue
        seen = painted
        painted_s = time.monotonic()
        if now_s - begun_s > _FIRST_S:
            ages_s.append(age_s(_picture(window.view, width, height), painted_s))
    stages = player.ledger.snapshot().stages if player.ledger else {}
    window.close_without_asking()
    folder.cleanup()
    values = np.array(ages_s) * 1000
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    load = os.getloadavg()[0]
    click.echo(f"{len(values)} painted pictures, load average {load:.1f} on {os.cpu_count()} cores")
    click.echo(f"glass to glass: median {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f} ms")
    for key, name in (("since_capture", "since capture"), ("shown", "since arrival")):
        if key in stages:
            times = stages[key]
            click.echo(f"as the window says, {name}: median {times.p50_s * 1000:.0f}, p95 {times.p95_s * 1000:.0f} ms")
    click.echo(f"median of {_LIMIT_MS} ms on an idle machine: {'kept' if p50 <= _LIMIT_MS else 'NOT kept'}")


def _picture(view: object, width: int, height: int) -> NDArray[np.uint8]:
    """What the view has painted of the picture, (H, W, 3) RGB."""
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    assert isinstance(view, QWidget)
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    scale = min(image.width() / width, image.height() / height)
    shown_w, shown_h = round(width * scale), round(height * scale)
    left, top = (image.width() - shown_w) // 2, (image.height() - shown_h) // 2
    columns = left + ((np.arange(width) + 0.5) * shown_w / width).astype(int)  # each bar as wide as the server drew it
    return pixels[top : top + shown_h, columns]


def _spin() -> None:
    while True:
        sum(number * number for number in range(10_000))


if __name__ == "__main__":
    main()
