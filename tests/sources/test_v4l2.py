"""Formats of cameras, from answers as drivers give them (no camera was there: the answers are written by hand)."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from seg_viewer.sources.camera import asking_for, parse_camera
from seg_viewer.sources.v4l2 import CameraMode, camera_modes

_FORMATS, _SIZES, _INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B


def _code(letters: str) -> int:
    return int.from_bytes(letters.encode(), "little")


# as a webcam of the class UVC answers: (format, [(width, height, [intervals in 1/s])])
WEBCAM = [
    ("YUYV", [(640, 480, [(1, 30), (1, 15)]), (1280, 720, [(1, 10)])]),
    ("MJPG", [(1920, 1080, [(1, 30), (333_333, 10_000_000)]), (1280, 720, [(1, 60)])]),
]


def _webcam(_file: int, request: int, data: bytearray) -> int:
    index, *asked = struct.unpack_from("=4I", data)
    if request == _FORMATS:
        assert asked[0] == 1 and len(data) == 64
        if index < len(WEBCAM):
            struct.pack_into("=32sI", data, 12, b"description", _code(WEBCAM[index][0]))
            return 0
    sizes = dict((_code(letters), found) for letters, found in WEBCAM)
    if request == _SIZES and index < len(sizes[asked[0]]):
        assert len(data) == 44
        struct.pack_into("=3I", data, 8, 1, *sizes[asked[0]][index][:2])
        return 0
    if request == _INTERVALS:
        assert len(data) == 52
        rates = next(rates for width, height, rates in sizes[asked[0]] if [width, height] == asked[1:])
        if index < len(rates):
            struct.pack_into("=3I", data, 16, 1, *rates[index])
            return 0
    raise OSError(errno.EINVAL, "no more")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "video0"
    path.touch()
    return path


def test_a_webcam(device: Path) -> None:
    modes = camera_modes(device, _webcam)
    assert [mode.line for mode in modes] == [
        "YUYV 640×480 at 30, 15 fps",
        "YUYV 1280×720 at 10 fps",
        "MJPG 1920×1080 at 30, 30 fps",
        "MJPG 1280×720 at 60 fps",
    ]
    choice = parse_camera(asking_for(0, modes[3]))
    assert (choice.width, choice.height, choice.rate, choice.format) == (1280, 720, 60, "mjpeg")
    assert asking_for(0, CameraMode("H264", 1920, 1080, (30.0,))) == ""


def test_a_range_of_sizes_is_told_as_one(device: Path) -> None:
    def scaler(_file: int, request: int, data: bytearray) -> int:
        index, *_ = struct.unpack_from("=I", data)
        if index:
            raise OSError(errno.EINVAL, "no more")
        if request == _FORMATS:
            struct.pack_into("=I", data, 44, _code("NV12"))
        elif request == _SIZES:
            struct.pack_into("=7I", data, 8, 3, 16, 4096, 2, 16, 2160, 2)
        else:
            struct.pack_into("=7I", data, 16, 2, 1, 120, 1, 1, 1, 1)
        return 0

    assert [mode.line for mode in camera_modes(device, scaler)] == ["NV12 up to 4096×2160 at 120 fps"]


def test_a_driver_that_never_ends_or_says_nonsense_is_survived(device: Path) -> None:
    def endless(_file: int, request: int, data: bytearray) -> int:
        if request == _FORMATS:
            struct.pack_into("=I", data, 44, 0x1B0A00FF)
        elif request == _SIZES:
            struct.pack_into("=3I", data, 8, 1, 1, 1)
        else:
            struct.pack_into("=3I", data, 16, 1, 0, 0)
        return 0

    modes = camera_modes(device, endless)
    assert 0 < len(modes) <= 64 * 64 and all(mode.rates == () and mode.line.isprintable() for mode in modes)


@pytest.mark.parametrize("number", [errno.ENOTTY, errno.ENODEV, errno.EIO, errno.EBUSY])
def test_a_driver_that_says_nothing_has_no_formats(device: Path, number: int) -> None:
    def broken(_file: int, _request: int, _data: bytearray) -> int:
        raise OSError(number, "no")

    assert camera_modes(device, broken) == []
    assert camera_modes(device) == []  # the real one, of a file that is no device
    assert camera_modes(device.with_name("gone")) == []
