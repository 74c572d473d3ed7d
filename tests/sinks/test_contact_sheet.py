"""Contact sheets: painted pictures from the first to the last."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.frame import Frame, Shot, Size
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks import contact_sheet
from seg_viewer.sinks.contact_sheet import Cell, evenly
from seg_viewer.sinks.thumbnail import fitted, time_text
from tests.sinks.shots import CAR, DRIVING, shot, written


def _shot(index: int, count: int, size: Size) -> Shot:
    """A picture whose grey says how far it is."""
    grey = np.full((size.height, size.width, 3), round(255 * index / max(1, count - 1)), np.uint8)
    base = shot(index)
    return Shot(Frame(index, index / 25, RgbPicture(grey)), base.maps, base.times_s)


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 80, 81, 700])
def test_they_go_evenly_from_the_first_to_the_last(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Cell]] = []
    real = contact_sheet.drawn
    monkeypatch.setattr(contact_sheet, "drawn", lambda cells, title: (seen.append(cells), real(cells, title))[1])
    written(tmp_path, "t.sheet.png", [_shot(index, count, Size(32, 18)) for index in range(count)])
    times = [cell.time_s for cell in seen[0]]
    assert len(times) == min(count, 20) and times[0] == 0
    step = (count - 1) / 25 / max(1, len(times) - 1)
    assert np.abs(np.diff(times) - step).max(initial=0) <= max(step / 2, 0.041)
    assert times[-1] >= (count - 1) / 25 - step / 2


@pytest.mark.parametrize("size", [Size(960, 540), Size(540, 960), Size(16, 12), Size(7, 300), Size(600, 20)])
@pytest.mark.parametrize("count", [1, 5, 40])
def test_any_shape_of_picture_fits(size: Size, count: int, tmp_path: Path) -> None:
    made = written(tmp_path, "t.sheet.jpg", [_shot(index, count, size) for index in range(count)], size=size)
    sheet = cv2.imread(str(made))
    assert 300 < sheet.shape[1] < 2600 and 60 < sheet.shape[0] < 2600


def test_pictures_are_painted_and_in_their_place(tmp_path: Path) -> None:
    classes = np.full((32, 64), CAR, np.uint8)
    shots = [shot(index, classes if index % 2 else classes * 0) for index in range(4)]
    made = written(tmp_path, "t.sheet.png", shots, style=OverlayStyle(1.0))
    sheet = cv2.cvtColor(cv2.imread(str(made)), cv2.COLOR_BGR2RGB)
    row = sheet[sheet.shape[0] - 100]
    car = (row == DRIVING[CAR].color).all(axis=1)
    starts = np.flatnonzero(np.diff(car.astype(int)) == 1)
    assert len(starts) == 2 and car.sum() == 2 * 360  # the second and the fourth
    assert starts[1] - starts[0] == 2 * (360 + 10)


def test_pixels_that_are_not_square_are_shown_as_they_are_seen() -> None:
    assert fitted(Size(720, 576), Fraction(16, 11), Size(360, 360)) == (360, 198)
    assert fitted(Size(540, 960), Fraction(1), Size(360, 360)) == (202, 360)
    assert fitted(Size(10_000, 2), Fraction(1), Size(360, 360)) == (360, 1)


def test_frames_that_come_in_bursts_are_spread_over_the_time() -> None:
    times = [*np.linspace(0, 1, 60), *np.linspace(50, 100, 20)]
    chosen = evenly([Cell(np.zeros((1, 1, 3), np.uint8), float(time)) for time in times], 20)
    assert len(chosen) <= 20 and chosen[0].time_s == 0 and chosen[-1].time_s == 100
    assert sum(cell.time_s > 10 for cell in chosen) >= 10


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (7.46, "0:07.5"), (59.96, "1:00.0"), (3599.97, "1:00:00.0"), (3727.5, "1:02:07.5"),
     (-0.3, "-0:00.3"), (-0.01, "0:00.0")],
)  # fmt: skip
def test_times_as_players_show_them(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
