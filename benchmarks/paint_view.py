"""How long the window's thread paints a picture: each way to look at it, then what is switched on besides.

Wall time has what other programs took away; the thread's own time has not. Each round has new pixels, as in a video.

python -m benchmarks.paint_view [--size 1280x720] [--source 1280x720] [--ratio 1] [--rounds 60]
"""

from __future__ import annotations

import os
import statistics
import time

import click
import numpy as np

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.core.smooth import smooth_ids
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.player.showing import Painter

_MAP = (288, 512)


def _shot(width: int, height: int) -> Shot:
    """A road with cars and people, as large as in the street: most of the picture is painted."""
    rng = np.random.default_rng(17)
    classes = np.zeros(_MAP, np.uint8)
    for row in range(150, _MAP[0]):
        half = (row - 140) * 256 // 148
        classes[row, max(0, 256 - half) : 256 + half] = DRIVING.by_name("road").id
    for name, count, size in (("car", 8, 50), ("person", 8, 24)):
        for top, left in rng.integers((100, 0), (200, 460), (count, 2)):
            classes[top : top + size, left : left + size * 3 // 4] = DRIVING.by_name(name).id
    picture = RgbPicture(rng.integers(0, 255, (height, width, 3), np.uint8))
    return Shot(Frame(0, 0.0, picture), (ClassMap(classes, DRIVING),))


def _line(name: str, walls: list[float], owns: list[float]) -> str:
    times = (min(owns), statistics.median(owns), statistics.median(walls), sorted(walls)[int(len(walls) * 0.99)])
    return f"{name:24s}" + "".join(f"{1000 * seconds:9.2f} ms" for seconds in times)


@click.command(help=__doc__)
@click.option("--size", default="1280x720", help="Of the view, logical pixels.")
@click.option("--source", default="1280x720", help="Of the picture.")
@click.option("--ratio", default=1.0, help="Device pixels for a logical one.")
@click.option("--rounds", default=60)
def main(size: str, source: str, ratio: float, rounds: int) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = str(ratio)
    from PySide6.QtCore import QPointF
    from PySide6.QtWidgets import QApplication

    from seg_viewer.gui.view.modes import MODES
    from seg_viewer.gui.view.video_view import VideoView

    app = QApplication.instance() or QApplication([])
    walls: list[float] = []
    owns: list[float] = []

    class Timed(VideoView):
        def paintEvent(self, event: object) -> None:
            wall, own = time.perf_counter(), time.thread_time()
            super().paintEvent(event)  # type: ignore[arg-type]
            walls.append(time.perf_counter() - wall)
            owns.append(time.thread_time() - own)

    view = Timed()
    view.resize(*(int(part) for part in size.split("x")))
    view.set_overlay(Overlay(DRIVING, OverlayStyle()))
    view.show()
    app.processEvents()
    shot = _shot(*(int(part) for part in source.split("x")))
    painter = Painter()

    def measure(name: str) -> None:
        view.show_shot(painter.make(shot, None, view.places.aspect, view.wish))
        view.repaint()  # what is made once for a shot is made
        walls.clear(), owns.clear()
        for _ in range(rounds):
            view.show_shot(painter.make(shot, None, view.places.aspect, view.wish))
            view.set_numbers((f"0:01.{len(walls):03d} / 0:20.000 · frame {len(walls)}", "25.0 fps · 3 dropped"))
            view.repaint()
        click.echo(_line(name, walls, owns))

    click.echo(f"{'a paint event':24s}   own, least  own, median wall, median  wall, 99 %")
    for mode in MODES:
        view.set_mode(mode)
        measure(f"mode {mode.id}")
    view.set_mode(MODES[0])
    for layer in ("value", "hud"):
        view.set_layer_on("value", False)
        view.set_layer_on(layer, True)
        view.point_at(QPointF(view.width() / 2, view.height() / 2))
        measure(f"overlay + {layer}")
        view.set_layer_on(layer, False)
    for scale in (1.0, 2.0, 3.9, 8.0):
        view.zoom_to(scale)
        measure(f"overlay at {scale:g}×")
    view.set_zoom(type(view.zoom)())

    click.echo("\nmade on the player's thread, for each shot")
    made: list[float] = []
    colored: list[float] = []
    smooth: list[float] = []
    width, height = view.wish.view_size
    overlay = Overlay(DRIVING, OverlayStyle())
    for _ in range(rounds):
        start = time.thread_time()
        painter.make(shot, None, view.places.aspect, view.wish)
        made.append(time.thread_time() - start)
        start = time.thread_time()
        ids = smooth_ids(shot.classes, width, height)
        smooth.append(time.thread_time() - start)
        start = time.thread_time()
        overlay.mask_bgra(ids)
        colored.append(time.thread_time() - start)
    for name, times in (("picture and mask", made), ("smooth borders", smooth), ("colours", colored)):
        click.echo(f"{name:34s}{1000 * statistics.median(times):7.2f} ms of its own time")


if __name__ == "__main__":
    main()
