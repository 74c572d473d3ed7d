"""Which camera a source is."""

from __future__ import annotations

from pathlib import Path

import pytest

from seg_viewer.sources.identity import camera_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rtsp://bob:s3cr@box/front", "rtsp://box/front"),
        ("rtsp://bob:p#w@box/front", "rtsp://box/front"),
        ("RTSP://Box/front#transport=udp&timeout=3", "rtsp://box/front"),
        ("camera:0?size=640x480&fps=15", "camera:0"),
        ("/dev/video2?format=mjpeg", "/dev/video2"),
        ("carla://Box:2000?town=Town03", "carla://box:2000?weather=WetNoon"),
        ("/clips/monday.mp4", "/clips/tuesday.mp4"),
    ],
)
def test_the_same_camera(one: str, other: str) -> None:
    assert camera_of(one) == camera_of(other)


def test_each_other_camera_is_another_one() -> None:
    names = [
        "rtsp://box/front", "rtsp://box/rear", "rtsp://box:8554/front", "http://box/front", "http://box/mjpeg?cam=1",
        "http://box/mjpeg?cam=2", "camera:0", "camera:1", "camera:0?mirror=1", "screen:1", "screen:1?region=0,0,64x64",
        "demo", "/a/clip.mp4", "/b/clip.mp4", "/dev/video2",
    ]  # fmt: skip
    assert len({camera_of(name) for name in names}) == len(names)


def test_no_password_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "s3" not in camera_of("rtsp://bob:s3@cr@box/front") and "abc" not in camera_of("http://box/v?token=abc")
    monkeypatch.chdir(tmp_path)
    assert camera_of("clip.mp4") == str(tmp_path)
