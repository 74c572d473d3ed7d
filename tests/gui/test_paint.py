"""Short ways of painting give the very pixels of the long ones."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.gui.view import layers, plates
from seg_viewer.gui.view.modes import mode_by_id
from seg_viewer.gui.view.scene import Place
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.view.zoom import Zoom
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.player.showing import Painter


def _view(qtbot: QtBot, size: tuple[int, int], mode: str) -> VideoView:
    """A view of noise, in pixels and in classes; wider than the picture, so that there is something around it."""
    rng = np.random.default_rng(3)
    classes = ClassMap(rng.integers(0, 4, (27, 48)).astype(np.uint8), DRIVING)
    shot = Shot(Frame(0, 0.0, RgbPicture(rng.integers(0, 255, (108, 192, 3), np.uint8))), (classes,))
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(*size)
    view.set_mode(mode_by_id(mode))
    view.set_overlay(Overlay(DRIVING, OverlayStyle()))
    view.show_shot(Painter().make(shot, None, view.places.aspect, view.wish))
    return view


@pytest.mark.parametrize("mode", ["overlay", "original", "mask", "side", "wipe"])
@pytest.mark.parametrize("zoom", [Zoom(4.0), Zoom(6.3, 0.1, 0.9), Zoom(16.0, 0.61, 0.37)])
def test_in_blocks_picture_and_mask_are_put_together_first(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, mode: str, zoom: Zoom
) -> None:
    view = _view(qtbot, (500, 300), mode)
    view.set_zoom(zoom)
    view.show_shot(Painter().make(view.shown.shot, None, view.places.aspect, view.wish))
    together = view.grab().toImage()
    monkeypatch.setattr(layers, "_painted_together", lambda scene: False)
    assert together == view.grab().toImage()
    assert len({together.pixel(x, 150) for x in range(500)}) >= 4  # of the mask alone: its four colours


@pytest.mark.parametrize("size", [(192, 108), (500, 300), (300, 500)])
@pytest.mark.parametrize("mode", ["overlay", "side", "wipe"])
@pytest.mark.parametrize("zoom", [Zoom(), Zoom(0.7), Zoom(8.0)])
def test_what_is_around_the_picture_is_painted_each_time(
    qtbot: QtBot, size: tuple[int, int], mode: str, zoom: Zoom
) -> None:
    """On a widget whose old pixels are still there, no pixel of them is left."""
    view = _view(qtbot, size, mode)
    view.set_zoom(zoom)
    clean = view.grab().toImage()
    dirty = clean.copy()
    dirty.fill(0xFFFF00FF)
    view.render(dirty)
    assert dirty.convertToFormat(clean.format()) == clean


@pytest.mark.parametrize("mode", ["overlay", "original", "wipe", "side"])
def test_what_has_the_right_size_is_copied_to_its_place(qtbot: QtBot, mode: str) -> None:
    view = _view(qtbot, (500, 300), mode)
    for layer in ("names", "edge"):
        view.set_layer_on(layer, False)
    long = QImage(500, 300, QImage.Format.Format_RGB32)
    long.fill(layers.BACKGROUND)
    painter = QPainter(long)
    for half in view.places.halves():
        painter.setClipRect(QRectF(*half.seen))
        painter.drawImage(QRectF(*half.picture), view._images.picture())
        if "mask" in half.content.layers:
            painter.drawImage(QRectF(*half.picture), view._images.mask(0, OverlayStyle()))
    painter.end()
    assert view.grab().toImage().convertToFormat(long.format()) == long


CHANGES: dict[str, Callable[[VideoView], object]] = {
    "none": lambda view: None,
    "messages": lambda view: view.set_covered(40),
    "font": lambda view: view.setFont(QFont(view.font().family(), 19)),
    "floating controls": lambda view: view.setContentsMargins(0, 0, 0, 50),
    "pointer": lambda view: view.point_at(QPointF(300, 150)),
    "no pointer": lambda view: view.setCursor(Qt.CursorShape.BlankCursor),
    "size": lambda view: view.resize(600, 320),
    "edge": lambda view: view.edge.move(3),
    "zoom": lambda view: view.set_zoom(Zoom(3.0)),
    "colours": lambda view: view.set_overlay(Overlay(DRIVING, OverlayStyle(opacity=0.9))),
    "models": lambda view: view.set_models(("one", "another")),
    "mode": lambda view: view.set_mode(mode_by_id("side")),
    "numbers": lambda view: view.set_numbers(("0:02", "30 fps")),
    "lost": lambda view: view.set_lost("gone"),
}


def _forget_plates() -> None:
    for kept in (plates._plates, plates._grounds, plates._lines, plates._fonts):
        kept.clear()


@pytest.mark.parametrize("change", list(CHANGES))
def test_nothing_that_is_kept_for_the_next_picture_outlives_a_change(qtbot: QtBot, change: str) -> None:
    """It is as in a view where it was so before the first picture was painted."""

    def painted(*, before: bool) -> QImage:
        view = _view(qtbot, (500, 300), "wipe")
        view.set_layer_on("hud", True)
        view.set_numbers(("0:01", "25 fps"))
        view.point_at(QPointF(200, 150))
        view.show()
        if before:
            view.grab()
        CHANGES[change](view)
        return view.grab().toImage()

    _forget_plates()
    first = painted(before=False)
    assert painted(before=True) == first


def test_a_picture_is_not_kept_when_the_next_one_is_shown(qtbot: QtBot) -> None:
    view = _view(qtbot, (500, 300), "wipe")
    view.grab()
    before = weakref.ref(view.shown)
    view.show_shot(Painter().make(view.shown.shot, None, view.places.aspect, view.wish))
    view.grab()
    assert before() is None


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("family", ["", "monospace", "serif"])
def test_lines_whose_digits_change_are_written_as_anew(qapp: QApplication, ratio: float, family: str) -> None:
    font = QFont(family) if family else qapp.font()
    rest = ("25,0 fps · 3 dropped", "OpenVINO · CPU 1")
    for number in (7, 8, 41, 199, 1234, 90807):
        lines = (f"0:01.{number:06d} / 0:20.000 · frame {number}", *rest)
        kept = plates.plate(lines, font, ratio, 600).copy()
        _forget_plates()
        plain = plates.PlateFont(font)
        plain._digits = {}  # each line is laid out
        assert plates.plate_of(lines, plain, ratio, 600) == kept, number
        plates.plate((f"0:00.000000 / 0:20.000 · frame {number}", *rest), font, ratio, 600)


@pytest.mark.parametrize("layer", [each.id for each in layers.LAYERS if each.place is not Place.EACH and each.paint])
def test_a_layer_leaves_the_painter_as_it_was(qtbot: QtBot, layer: str) -> None:
    view = _view(qtbot, (500, 300), "wipe")
    view.set_numbers(("25 fps",))
    view.set_lost("gone")
    view.set_zoom(Zoom(2.0))
    scene = view._scene(view.shown)
    image = QImage(500, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setPen(QColor("#123456"))
    painter.setBrush(QColor("#654321"))
    painter.setFont(QFont("", 33))
    painter.setClipRect(QRect(1, 2, 450, 250))
    painter.translate(3, 4)

    def state() -> tuple[object, ...]:
        p = painter
        return p.pen(), p.brush(), p.font(), p.clipBoundingRect(), p.transform(), p.renderHints(), p.opacity()

    before = state()
    (paint,) = (each.paint for each in layers.LAYERS if each.id == layer)
    paint(painter, scene)
    assert state() == before
    painter.end()
