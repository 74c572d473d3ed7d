"""How long the window's thread keeps keys and mouse waiting, while a video plays and a person is at work.

A ping is sent to the window's thread every 5 ms. "waits": how long it takes until it is heard, whatever else the
machine does. "busy": the time that the window's thread itself has worked on something else meanwhile; what other
programs take away is not in it. Percentiles 50, 99 and 100, milliseconds; then pictures shown in a second.

python -m benchmarks.heartbeat [VIDEO] [--size 1280x800] [--seconds 6]
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

_BEAT_S = 0.005


def make_video(path: Path, size: tuple[int, int], rate: int, seconds: int) -> Path:
    """Moving noise over stripes, H.264."""
    import av

    rng = np.random.default_rng(5)
    picture = rng.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "g": str(rate)})
        stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
        for index in range(rate * seconds):
            moved = np.roll(picture, index * 16, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode())
    return path


class Heartbeat:
    """Times of the present QApplication's thread."""

    def __init__(self) -> None:
        from PySide6.QtCore import QObject, Qt, Signal

        class Ping(QObject):
            sent = Signal(float, float)

        self.waits: list[float] = []
        self.busy: list[float] = []
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._ping = Ping()
        self._ping.sent.connect(self._heard, Qt.ConnectionType.QueuedConnection)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _heard(self, sent_s: float, worked_s: float) -> None:
        self.waits.append(time.perf_counter() - sent_s)
        self.busy.append(time.thread_time() - worked_s)

    def _beat(self) -> None:
        while not self._ends.wait(_BEAT_S):
            self._ping.sent.emit(time.perf_counter(), time.clock_gettime(self._clock))

    def end(self) -> None:
        self._ends.set()
        self._thread.join()

    def clear(self) -> None:
        self.waits.clear()
        self.busy.clear()

    def line(self, name: str) -> str:
        parts = []
        for times in (self.waits, self.busy):
            p50, p99, worst = (max(0.0, 1000 * float(value)) for value in np.percentile(times or [0.0], (50, 99, 100)))
            parts.append(f"{p50:6.2f} {p99:7.2f} {worst:8.2f}")
        return f"{name:18s} {parts[0]}   {parts[1]}"


@click.command(help=__doc__)
@click.argument("video", required=False)
@click.option("--size", default="1280x800", help="Of the window.")
@click.option("--made", default="3840x2160", help="Of the video that is made where none is named.")
@click.option("--rate", default=30)
@click.option("--seconds", default=6.0, help="For each kind of work.")
def main(video: str | None, size: str, made: str, rate: int, seconds: float) -> None:
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEventLoop, QPointF, QSettings, QTimer
    from PySide6.QtWidgets import QApplication

    from seg_viewer.gui.main_window import MainWindow
    from seg_viewer.gui.theme import apply_theme
    from seg_viewer.jobs.options import RunOptions
    from seg_viewer.player.player import Player

    app = QApplication([])
    apply_theme(app)
    beat = Heartbeat()
    with TemporaryDirectory() as folder:
        if video is None:
            width, height = (int(part) for part in made.split("x"))
            video = str(make_video(Path(folder) / "made.mp4", (width, height), rate, 8))
        player = Player(RunOptions())
        player.loop = True
        window = MainWindow(player, QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat))
        window.resize(*(int(part) for part in size.split("x")))
        window.show()
        window.open(video)
        until_s = time.perf_counter() + 60
        while window.view.shown is None and time.perf_counter() < until_s:
            app.processEvents()
            time.sleep(0.01)
        window.actions_by_id["loop"].setChecked(True)
        actions = window.actions_by_id
        middle = QPointF(window.view.width() / 2, window.view.height() / 2)

        def resize(step: int) -> None:
            wide, high = (int(part) for part in size.split("x"))
            window.resize(wide - 20 * (step % 12), high - 10 * (step % 12))

        def zoom(step: int) -> None:
            window.view.zoom_by(1 if step % 16 < 8 else -1, middle)

        work: tuple[tuple[str, int, Callable[[int], object]], ...] = (
            ("playing", 500, lambda _step: None),
            ("wipe", 500, lambda step: actions["mode-wipe"].trigger() if step == 0 else None),
            ("side by side", 500, lambda step: actions["mode-side"].trigger() if step == 0 else None),
            ("numbers on it", 500, lambda step: actions["hud"].trigger() if step == 0 else None),
            (
                "switching modes",
                120,
                lambda step: actions[("mode-mask", "mode-wipe", "mode-overlay")[step % 3]].trigger(),
            ),
            ("zooming", 100, zoom),
            ("panning at 2×", 30, lambda step: window.view.pan(QPointF(9, 4)) if step else window.view.zoom_to(2.0)),
            ("fitted, seeking", 150, lambda step: actions["zoom-fit" if not step else "back"].trigger()),
            ("resizing", 60, resize),
            ("opacity", 60, lambda step: actions["more" if step % 8 < 4 else "less"].trigger()),
        )
        click.echo(f"{'milliseconds':18s} waits: 50, 99, 100 %        busy: 50, 99, 100 %      shown")
        for name, every_ms, do in work:
            beat.clear()
            ledger = player.ledger
            shown = ledger.snapshot().counts.get("display", 0) if ledger else 0
            loop, timer, end = QEventLoop(), QTimer(), QTimer(singleShot=True)
            steps = count()
            timer.timeout.connect(lambda do=do, steps=steps: do(next(steps)))
            end.timeout.connect(loop.quit)
            timer.start(every_ms)
            end.start(round(1000 * seconds))
            loop.exec()
            timer.stop()
            rate_shown = (ledger.snapshot().counts.get("display", 0) - shown) / seconds if ledger else 0.0
            click.echo(f"{beat.line(name)}   {rate_shown:5.1f} fps")
        window.close_without_asking()
        beat.end()


if __name__ == "__main__":
    main()
