"""Clips of the zone above their size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seg_viewer.jobs.zone_room import make_room

MINE = "cam_zone_2026-01-0{}_10-00-00.mkv"


def _clips(folder: Path, count: int, size: int = 100) -> list[Path]:
    made = []
    for number in range(1, count + 1):
        path = folder / MINE.format(number)
        path.write_bytes(b"x" * size)
        os.utime(path, (number, number))
        made.append(path)
    return made


@pytest.mark.parametrize(("most", "left"), [(1000, 5), (500, 5), (499, 4), (250, 2), (0, 1)])
def test_the_oldest_go_until_the_rest_fits_and_the_newest_stays(tmp_path: Path, most: int, left: int) -> None:
    clips = _clips(tmp_path, 5)
    removed = make_room(tmp_path, most, [clips[-1]])
    assert removed == clips[: 5 - left] and [path for path in clips if path.exists()] == clips[5 - left :]


def test_what_is_not_ours_is_neither_counted_nor_touched(tmp_path: Path) -> None:
    others = [
        "holiday.mkv", "cam_zone_2026-01-01.mkv", "cam_2026-01-01_10-00-00.mkv", "cam_zone_2026-01-01_10-00-00.csv",
        "cam_zone_2026-01-01_10-00-00.mp4", ".cam_zone_2026-01-01_10-00-00.0123abcd.part.mkv",
    ]  # fmt: skip
    for name in others:
        (tmp_path / name).write_bytes(b"x" * 10_000)
    (tmp_path / MINE.format(9)).mkdir()
    (clip,) = _clips(tmp_path, 1)
    assert make_room(tmp_path, 150) == [] and make_room(tmp_path, 50) == [clip]
    assert all((tmp_path / name).exists() for name in others) and (tmp_path / MINE.format(9)).is_dir()
    assert make_room(tmp_path / "gone", 0) == []
