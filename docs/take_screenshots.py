"""Takes the pictures of docs/images/ afresh: the real window, on the demo clip, with the models that ship.

The cameras and the CARLA server are stand-ins on this machine, which send the demo clip (`tests/servers`,
`tests/carla_server`). Nothing of the user's is read or changed: settings, cache and folders are temporary. No display
is needed. The machine's own rates stand in the pictures: leave it nothing else to do.

python docs/take_screenshots.py [NAME…]      (needs the extras "dev", "trainer" for Pillow, "carla" for its picture)
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
DEMO = ROOT / "assets" / "demo" / "street.mp4"
MOST_BYTES = 200_000
_PATIENCE_S = 300.0
_PAUSED_AT_S = 5.0
_SCORED = 100  # as many as the scores of the panel are of
_FILM = (("Harbour road.mp4", 0), ("Morning, first lap.mp4", 40), ("Test drive 12.mp4", 100))
"""What the start page shows as opened before: names, and where in the demo clip each begins, frames."""


def home(folder: Path) -> None:
    """Give the program a home of its own; before Qt is imported."""
    dirs = (folder / "config", folder / "Videos", folder / "Pictures")
    for each in dirs:
        each.mkdir(parents=True)
    lines = [f'XDG_{each.name.upper()}_DIR="{each}"\n' for each in dirs[1:]]
    (folder / "config" / "user-dirs.dirs").write_text("".join(lines), encoding="utf-8")
    os.environ |= {
        "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data"), "LANGUAGE": "en",
    }  # fmt: skip


def part_of_demo(path: Path, first: int, frames: int = 24) -> Path:
    """Some frames of the demo clip, as a file of their own."""
    with av.open(str(DEMO)) as film, av.open(str(path), "w") as out:
        pictures = film.streams.video[0]
        stream = out.add_stream("libx264", rate=16)
        stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, "yuv420p"
        for index, frame in enumerate(film.decode(pictures)):
            if first <= index < first + frames:
                frame.pts, frame.time_base, frame.pict_type = index - first, Fraction(1, 16), 0
                out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def save(widget: QWidget, name: str, low: int = 0) -> None:
    """Write what a widget shows, with 256 colours or as many fewer as make it small enough.

    Args:
        widget: is shown.
        name: of the file.
        low: how many of its lowest rows to take; 0 for all.
    """
    from PySide6.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    width, height, line = image.width(), image.height(), image.bytesPerLine()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, line)[-low:, : 3 * width]
    picture = Image.fromarray(pixels.reshape(-1, width, 3))
    path = IMAGES / f"{name}.png"
    for colors in (256, 192, 128, 96, 64):
        # k-means keeps the window's own plain colours exactly; dithering would make files twice as large
        few = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            break
    print(f"{path.name}: {width} × {len(pixels)}, {colors} colours, {path.stat().st_size / 1000:.0f} kB")


class Studio:
    """One window, and the ways to bring it where a picture is taken."""

    def __init__(self, app: Any) -> None:
        from seg_viewer.gui.main_window import MainWindow
        from seg_viewer.gui.settings import open_store
        from seg_viewer.jobs.options import RunOptions
        from seg_viewer.player.player import Player

        self.app = app
        self.player = Player(RunOptions())
        self.window = MainWindow(self.player, open_store())
        self.window.resize(1280, 800)
        self.window.show()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Let the window work until something holds.

        Raises:
            SystemExit: it does not within five minutes.
        """
        until_s = time.perf_counter() + _PATIENCE_S
        while not condition():
            if time.perf_counter() > until_s or self.player.error:
                raise SystemExit(f"waited in vain for {what}: {self.player.error}")
            self.app.processEvents()
            time.sleep(0.01)

    def rest(self, seconds: float) -> None:
        """Let the window work for a while: animations end, numbers are drawn."""
        until_s = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() > until_s, "the time to pass")

    def do(self, *actions: str) -> None:
        for action in actions:
            self.window.actions_by_id[action].trigger()

    def look_at(self, mode: str) -> None:
        self.window.actions_by_id[f"mode-{mode}"].setChecked(True)

    def size(self, width: int, height: int) -> None:
        self.window.resize(width, height)
        self.rest(1.5)

    def open(self, source: Path | str) -> None:
        shown = self.window.view.shown
        self.window.open(source)
        self.until(lambda: self.window.view.shown is not shown, f"the first picture of {source}")
        self.until(lambda: self.player.source == str(source), f"{source} to play")

    def stand_at(self, time_s: float) -> None:
        """Pause, and show the picture of a time."""
        self.player.pause()
        self.window.transport.seek(time_s)
        self.until(lambda: not self.player.is_moving and abs(self.player.position_s - time_s) < 0.1, f"{time_s} s")
        self.rest(0.5)


def take(studio: Studio, wanted: Callable[[str], bool]) -> None:
    """Every picture, in an order that needs few ways."""
    from PySide6.QtCore import QPoint
    from PySide6.QtTest import QTest

    from seg_viewer.gui.dialogs.settings import SettingsDialog

    window, actions = studio.window, studio.window.actions_by_id

    def picture(name: str, of: QWidget | None = None, low: int = 0) -> None:
        if wanted(name):
            save(of or window, name, low)

    studio.size(1000, 640)
    picture("start")
    window.resize(1280, 800)
    studio.open("demo")
    studio.until(lambda: studio.player.position_s > _PAUSED_AT_S, "playing")
    picture("window")  # for the first time: what comes from the cache would have no time of inference

    studio.stand_at(_PAUSED_AT_S)
    studio.until(lambda: studio.player.timeline and studio.player.timeline.is_done, "the timeline")
    window.memory.change(theme="light")
    studio.rest(0.5)
    picture("light")
    window.memory.change(theme="dark")

    studio.rest(1.0)
    bar, popup = window.controls.seek_bar, window.hover.popup
    QTest.mouseMove(bar, QPoint(round(bar.x_of(2.5)), bar.height() // 2))
    studio.until(lambda: popup.isVisible() and popup.image is not None and not popup.note, "the preview")
    studio.rest(0.3)
    picture("timeline", low=330)
    QTest.mouseMove(window.view, QPoint(5, 5))
    studio.rest(0.3)

    studio.size(1000, 640)
    studio.look_at("wipe")
    studio.rest(0.5)
    picture("wipe")
    studio.look_at("confidence")
    QTest.mouseMove(window.view, window.view.picture_rect().center().toPoint() + QPoint(60, 30))
    studio.rest(0.8)
    picture("confidence")
    QTest.mouseMove(window.view, QPoint(5, 5))
    studio.look_at("overlay")
    studio.size(720, 460)
    picture("small")

    studio.size(1000, 640)
    window.comparing.begin("driving-fine")
    studio.until(lambda: window.view.shown is not None and len(window.view.shown.shot.maps) == 2, "two models")
    studio.look_at("side-models")
    actions["disagreement"].setChecked(True)
    studio.rest(1.5)
    picture("two-models")
    actions["disagreement"].setChecked(False)
    window.comparing.end()
    window.messages.clear()
    studio.look_at("overlay")
    studio.rest(1.0)

    studio.do("settings")
    studio.rest(0.8)
    page = window.findChild(SettingsDialog)
    assert page is not None
    picture("settings", page)
    page.close()
    studio.do("export")
    studio.rest(0.8)
    dialog = window.outputs.export_dialog
    assert dialog is not None
    picture("export", dialog)
    dialog.close()


def take_grid(studio: Studio, picture: Callable[[str, QWidget], None]) -> None:
    """Four cameras in one window of their own: parts of the demo clip, as MJPEG over HTTP."""
    from seg_viewer.gui.grid.window import GridWindow, players_of
    from seg_viewer.gui.settings import open_store
    from seg_viewer.jobs.options import RunOptions
    from tests.servers.http_video import HttpVideo

    with av.open(str(DEMO)) as film:
        seen = [jpeg(frame) for frame in film.decode(video=0)]
    begins = {"/front": 0, "/rear": 40, "/left": 80, "/right": 110}
    films = {path: seen[first : first + 24] for path, first in begins.items()}
    with HttpVideo(Path(gettempdir()), rate=8, films=films) as cameras:
        sources = [cameras.url(path) for path in films]
        grid = GridWindow(players_of(sources, RunOptions()), sources, open_store())
        grid.resize(1000, 680)
        grid.show()
        studio.until(lambda: all(tile.view.shown is not None for tile in grid.tiles), "a picture of each camera")
        studio.rest(4.0)
        picture("several-cameras", grid)
        grid.close_without_asking()


def jpeg(frame: av.VideoFrame) -> bytes:
    file = BytesIO()
    Image.fromarray(frame.to_ndarray(format="rgb24")).save(file, "JPEG", quality=90)
    return file.getvalue()


def take_carla(studio: Studio, picture: Callable[[str, QWidget], None]) -> None:
    """A drive, scored and with its errors marked, on the server that stands in for CARLA."""
    from tests.carla_server.process import CarlaServer

    window = studio.window
    window.resize(1280, 800)
    with CarlaServer("--scene", "demo") as server:
        studio.open(server.url("fps=10&vehicles=12&walkers=10"))
        window.actions_by_id["errors"].setChecked(True)
        studio.until(lambda: (score := studio.player.score) and score.frames >= _SCORED, f"{_SCORED} scored frames")
        picture("carla", window)
        window.actions_by_id["errors"].setChecked(False)
        studio.player.close()


def main(names: list[str]) -> None:
    sys.path.insert(0, str(ROOT))  # for the stand-ins in tests/
    IMAGES.mkdir(exist_ok=True)
    folder = Path(gettempdir()) / "at-home"  # stands in the pictures
    folder.mkdir()
    try:
        home(folder)
        from PySide6.QtWidgets import QApplication

        from seg_viewer.gui.theme import apply_theme

        app = QApplication(["seg-viewer"])
        app.setApplicationName("seg-viewer")
        apply_theme(app)
        films = [part_of_demo(folder / "Videos" / name, first) for name, first in _FILM]
        before = Studio(app)
        for film in films:
            before.open(film)
            before.rest(2.5)  # the small picture of it is made meanwhile
        before.window.close_without_asking()
        studio = Studio(app)
        try:
            if not names or set(names) - {"several-cameras", "carla"}:
                take(studio, lambda name: not names or name in names)
            if not names or "several-cameras" in names:
                take_grid(studio, lambda name, grid: save(grid, name))
            if not names or "carla" in names:
                take_carla(studio, lambda name, shown: save(shown, name))
        finally:
            studio.window.close_without_asking()
    finally:
        rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
