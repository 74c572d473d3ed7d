"""What is painted on the own car, by the outlines of `benchmarks.own_car`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import own_car
from seg_viewer.core.labels import DRIVING
from tests.clips import make_clip
from trainer.scoring.runner import Runner


def _left_road_right_car(picture: np.ndarray) -> np.ndarray:
    """Background above the middle; below it road to the left, car to the right."""
    height, width = picture.shape[:2]
    answer = np.zeros((height, width), np.uint8)
    answer[height // 2 :, : width // 2] = 1
    answer[height // 2 :, width // 2 :] = 2
    return answer


def test_only_pixels_of_the_own_car_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outline is the lower three quarters of the left half: a third of it is above the middle, two thirds road."""
    clip = make_clip(tmp_path / "drive.mkv", frames=5, width=96, height=64)
    monkeypatch.setitem(own_car.OUTLINES, "drive.mkv", [[(0, 25), (50, 25), (50, 100), (0, 100)]])
    model = Runner("toy", _left_road_right_car, (128, 96), DRIVING, 4, "nothing", lambda: None)
    shares, frames = own_car.painted(model, clip)
    assert shares["road"] == pytest.approx(2 / 3, abs=0.03) and shares["car"] < 0.03 and shares["person"] == 0
    assert len(frames) == own_car.SHOWN and all(frame.shape == (288, 512, 3) for frame in frames)


@pytest.mark.parametrize("name", list(own_car.OUTLINES))
def test_outlines_lie_in_the_picture_and_reach_its_lower_edge(name: str) -> None:
    points = np.concatenate([np.array(outline) for outline in own_car.OUTLINES[name]])
    assert points.min() >= 0 and points.max() <= 100
    mask = own_car.own_car(own_car.OUTLINES[name], (512, 288))
    assert mask[-1].all() and 0.03 < mask.mean() < 0.4 and not mask[: round(288 * 0.4)].any()
