"""Clips and pictures that are measured on: the trainer must see what seg-viewer shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import SegViewerError, SourceError
from seg_viewer.sources import VideoFile, open_source
from tests.clips import make_clip
from tests.trainer.conftest import write_rgb
from trainer.data.picture_files import read_picture
from trainer.scoring.clips import clip_names, clip_pictures
from trainer.scoring.evaluate import to_frame


def _corner(index: int, width: int, height: int) -> np.ndarray:
    """One corner tells how a picture is turned, green how its colours are taken."""
    out = np.zeros((height, width, 3), np.uint8)
    out[:, :, 1] = 190
    out[: height // 2, : width // 2] = (255, 40 * index, 20)
    return out


@pytest.mark.parametrize(
    ("width", "height", "rotation", "pix_fmt"),
    [
        (128, 64, 0, "yuv420p"),
        (128, 64, 90, "yuv420p"),
        (128, 64, 180, "yuv420p"),
        (128, 64, 270, "yuv420p"),
        (1280, 720, 0, "yuv420p"),  # BT.709, as nothing else is said
        (1280, 720, 90, "yuv444p"),
        (128, 64, 0, "yuvj420p"),  # full range
    ],
)
def test_a_clip_is_read_as_the_viewer_shows_it(
    tmp_path: Path, width: int, height: int, rotation: int, pix_fmt: str
) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        frames=3, width=width, height=height, rotation=rotation, pix_fmt=pix_fmt, picture=_corner,
    )  # fmt: skip
    source = VideoFile(clip)
    shown = [frame.picture for frame in source]
    read = list(clip_pictures(str(clip)))
    assert len(read) == len(shown) == 3
    upright = (width, height) if rotation in (0, 180) else (height, width)
    for one, other in zip(read, shown, strict=True):
        assert (one.width, one.height) == upright
        np.testing.assert_array_equal(one.rgb(), other.rgb())
        np.testing.assert_array_equal(one.scaled_rgb(48, 32), other.scaled_rgb(48, 32))
    source.close()


def test_a_clip_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)

    def noisy(index: int, width: int, height: int) -> np.ndarray:
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)

    clip = make_clip(tmp_path / "whole.mp4", frames=30, picture=noisy, container_options={"movflags": "faststart"})
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"whole\.mp4: is damaged"):
        list(clip_pictures(str(clip)))


def test_what_is_no_clip_is_named_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    clip = str(make_clip(tmp_path / "a.mkv", frames=2))
    assert clip_names([clip, "demo"]) == {"a": clip, "demo": "demo"}
    for name, message in (("gone.mp4", "no such file"), ("empty.mp4", "is empty")):
        with pytest.raises(SegViewerError, match=message):
            clip_names([str(tmp_path / name)])


@pytest.mark.parametrize("size", [(48, 32), (96, 64), (200, 130), (48, 130), (200, 32)])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_is_scaled_as_the_viewer_scales_it(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    write_rgb(tmp_path / f"a.{suffix}", noise)
    source = open_source(tmp_path / f"a.{suffix}")
    shown = next(iter(source)).picture.scaled_rgb(*size)
    source.close()
    scored = to_frame(read_picture(tmp_path / f"a.{suffix}"), size)
    assert scored.flags.c_contiguous
    np.testing.assert_array_equal(scored, shown)
