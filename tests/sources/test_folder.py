from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import SourceError
from seg_viewer.sources import PictureFolder, open_source


def _picture(path: Path, value: int, size: tuple[int, int] = (20, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


def test_natural_order_and_times(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        _picture(tmp_path / f"frame{number}.png", number)
    frames = list(open_source(tmp_path))
    assert [int(frame.picture.rgb()[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2])


def test_colours_are_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((4, 4, 3), (255, 0, 0), np.uint8))  # OpenCV writes blue first
    assert next(iter(open_source(tmp_path))).picture.rgb()[0, 0].tolist() == [0, 0, 255]


def test_one_picture_is_a_source(tmp_path: Path) -> None:
    _picture(tmp_path / "only.jpg", 80, (4320, 7680))
    source = open_source(tmp_path / "only.jpg")
    (frame,) = source
    assert (source.info.width, source.info.height) == (7680, 4320)
    assert frame.picture.scaled_rgb(512, 288).shape == (288, 512, 3)


def test_carla_recording_brings_ground_truth(tmp_path: Path) -> None:
    _picture(tmp_path / "CameraRGB" / "1.png", 50)
    mask = np.zeros((20, 30, 3), np.uint8)
    mask[:5, :, 2], mask[5:10, :, 2], mask[10:15, :, 2], mask[15:, :, 2] = 7, 10, 4, 6
    (tmp_path / "CameraMask").mkdir()
    cv2.imwrite(str(tmp_path / "CameraMask" / "1.png"), mask)
    for path in (tmp_path, tmp_path / "CameraRGB"):
        truth = next(iter(open_source(path))).truth
        assert truth is not None
        assert truth[:, 0].tolist() == [1] * 5 + [2] * 5 + [3] * 5 + [1] * 5


def test_a_broken_picture_is_shown_as_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"no picture either")
    _picture(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(b"no picture")
    (tmp_path / "3.png").write_bytes(b"")
    _picture(tmp_path / "4.png", 4)
    source = PictureFolder(tmp_path)
    frames = list(source)
    assert [(frame.index, int(frame.picture.rgb()[0, 0, 0])) for frame in frames] == [(1, 1), (2, 1), (3, 1), (4, 4)]
    assert len({frame.id for frame in frames}) == 4
    assert sorted(source.warnings) == [
        "0.png: cannot be read as a picture; left out",
        "2.png: cannot be read as a picture; the one before is shown in its place",
        "3.png: cannot be read as a picture; the one before is shown in its place",
    ]
    source.seek(0.3)  # nothing before it was read just now
    assert int(next(iter(source)).picture.rgb()[0, 0, 0]) == 1


def test_a_broken_picture_has_no_truth(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        _picture(tmp_path / "CameraRGB" / name, 50)
        _picture(tmp_path / "CameraMask" / name, 7)
    (tmp_path / "CameraRGB" / "2.png").write_bytes(b"no picture")
    assert [frame.truth is None for frame in open_source(tmp_path)] == [False, True]


def test_seek(tmp_path: Path) -> None:
    for number in range(5):
        _picture(tmp_path / f"{number}.png", number)
    source = PictureFolder(tmp_path)
    source.seek(0.35)
    assert [frame.index for frame in source] == [3, 4]
    source.seek(99)
    assert [frame.index for frame in source] == [4]


@pytest.mark.parametrize("name", ["", "notes.txt"])
def test_a_folder_without_pictures(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).write_text("hello")
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(tmp_path)


def test_a_folder_of_broken_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"a\.png: is no picture"):
        open_source(tmp_path)
