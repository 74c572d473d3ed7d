"""Short ways of painting give the very pixels of the long ones."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.gui.view import layers
from seg_viewer.gui.view.modes import mode_by_id
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
