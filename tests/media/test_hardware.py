"""Hardware decoding: it is tried, what cannot be done is said in one line, and the pictures are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.hwaccel import hwdevices_available

from seg_viewer.core.frame import YuvPlanes
from seg_viewer.media.hardware import SOFTWARE, check_devices, check_file, devices_for
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources import VideoFile, open_source
from tests.clips import make_clip


def _pictures(path: Path, *, hardware: bool) -> tuple[VideoFile, list[bytes]]:
    source = VideoFile(path, hardware=hardware)
    pixels = [np.concatenate([part.ravel() for part in (p.y, p.u, p.v)]).tobytes() for p in _planes(source)]
    return source, pixels


def _planes(source: VideoFile) -> Iterator[YuvPlanes]:
    return (frame.picture.yuv420() for frame in source)


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", ".mp4"), ("mjpeg", ".avi"), ("libvpx-vp9", ".webm")])
def test_a_file_plays_the_same_and_says_what_decodes_it(tmp_path: Path, codec: str, suffix: str) -> None:
    """On any machine: either a device decodes, or one line says why none does."""
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make_clip(tmp_path / f"clip{suffix}", codec=codec, frames=8, pix_fmt=pix_fmt)
    plain, expected = _pictures(path, hardware=False)
    asked, got = _pictures(path, hardware=True)
    assert got == expected
    assert plain.info.decoder == SOFTWARE and plain.warnings == []
    check = check_file(path, asked.info.stream or 0)
    if check.device:
        assert asked.info.decoder == check.device and asked.warnings == []
    else:
        assert asked.info.decoder == SOFTWARE
        (line,) = asked.warnings
        assert line.startswith(f"clip{suffix}: hardware decoding does not work here (") and line.endswith("decodes it")
        assert check.problem and check.problem in line
    for source in (plain, asked):
        source.close()


def test_a_codec_without_a_device_says_so(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.avi", codec="mpeg4", frames=4)
    decoder = av.Codec("mpeg4", "r")
    assert set(devices_for(decoder)) <= set(hwdevices_available())
    if not devices_for(decoder):
        assert check_file(path, 0).problem == "this FFmpeg has no hardware decoder for mpeg4"


def test_a_device_that_cannot_be_begun_again_leaves_the_file_to_the_processor(tmp_path: Path) -> None:
    able = devices_for(av.Codec("h264", "r"))
    broken = [check for check in check_devices() if check.problem and check.device in able]
    if not broken:
        pytest.skip("all devices of this machine work")
    path = make_clip(tmp_path / "clip.mp4", frames=8)
    reader = VideoReader(path)
    reader.device = broken[0].device  # as if it had decoded this file until now
    reader.restart()
    assert len(list(reader.frames())) == 8
    assert reader.device == ""
    (line,) = reader.notes
    assert line.startswith(f"clip.mp4: hardware decoding ({broken[0].device}) stopped (")
    reader.close()


def test_every_device_is_checked_with_a_reason() -> None:
    checks = check_devices()
    assert [check.device for check in checks] == hwdevices_available()
    able = devices_for(av.Codec("h264", "r"))
    assert all(check.problem for check in checks if check.device not in able)


def test_what_nobody_can_choose_opens_as_ever(tmp_path: Path) -> None:
    """A folder of pictures, asked for with hardware."""
    import cv2

    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((16, 16, 3), number, np.uint8))
    source = open_source(tmp_path, hardware=True)
    assert source.info.decoder == "" and len(list(source)) == 3
    source.close()
