"""What people have: containers, raw streams and pictures that move play; a picture that does not move is no video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import SourceError
from seg_viewer.sources import PictureFolder, VideoFile, file_suffixes, open_source
from seg_viewer.sources.animation import AnimatedPicture
from tests.clips import CYCLE
from tests.films import film, rgb_frame

COUNT = 8
KINDS = [
    (".mp4", "libx264", "yuv420p", None), (".mov", "libx264", "yuv420p", None), (".m4v", "libx264", "yuv420p", None),
    (".mkv", "libx264", "yuv420p", None), (".webm", "libvpx", "yuv420p", None), (".avi", "mpeg4", "yuv420p", None),
    (".flv", "flv", "yuv420p", None), (".3gp", "mpeg4", "yuv420p", None), (".3g2", "mpeg4", "yuv420p", None),
    (".wmv", "wmv2", "yuv420p", "asf"), (".asf", "wmv2", "yuv420p", "asf"), (".mxf", "mpeg2video", "yuv420p", "mxf"),
    (".ts", "mpeg2video", "yuv420p", "mpegts"), (".m2ts", "libx264", "yuv420p", "mpegts"),
    (".mts", "libx264", "yuv420p", "mpegts"), (".mpg", "mpeg2video", "yuv420p", "mpeg"),
    (".vob", "mpeg2video", "yuv420p", "vob"), (".ogv", "libvpx", "yuv420p", "ogg"),
    (".nut", "mpeg4", "yuv420p", None),
    (".ivf", "libvpx", "yuv420p", None), (".y4m", "wrapped_avframe", "yuv420p", "yuv4mpegpipe"),
    (".mjpeg", "mjpeg", "yuvj420p", "mjpeg"), (".mjpg", "mjpeg", "yuvj420p", "mjpeg"),
    (".h264", "libx264", "yuv420p", "h264"), (".264", "libx264", "yuv420p", "h264"),
    (".hevc", "libx265", "yuv420p", "hevc"), (".265", "libx265", "yuv420p", "hevc"),
    (".m2v", "mpeg2video", "yuv420p", "mpeg2video"), (".obu", "libsvtav1", "yuv420p", "obu"),
    (".gif", "gif", "rgb8", "gif"), (".apng", "apng", "rgb24", "apng"), (".png", "apng", "rgb24", "apng"),
    (".pngs", "png", "rgb24", "image2pipe"),
]  # fmt: skip


def _solid(index: int) -> np.ndarray:
    return np.full((64, 96, 3), CYCLE[index % 4], np.uint8)


@pytest.mark.parametrize(("suffix", "codec", "pix_fmt", "container"), KINDS, ids=[kind[0] for kind in KINDS])
def test_it_plays(tmp_path: Path, suffix: str, codec: str, pix_fmt: str, container: str | None) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    frames = [rgb_frame(_solid(index), pix_fmt) for index in range(COUNT)]
    path = film(tmp_path / f"a{suffix}", frames, codec=codec, container=container, options=options)
    source = open_source(path)
    assert isinstance(source, VideoFile) and source.warnings == []
    seen = list(source)
    assert len(seen) == COUNT and (source.info.width, source.info.height) == (96, 64)
    times = [frame.time_s for frame in seen]
    assert times == sorted(set(times)) and 0 <= times[0] <= 0.04
    assert times[-1] - times[0] == pytest.approx((COUNT - 1) / 25, abs=0.011)
    for index, frame in enumerate(seen):
        assert np.abs(frame.picture.rgb()[30, 40].astype(int) - CYCLE[index % 4]).max() < 60
    again = list(source)
    assert [frame.id for frame in again] == [frame.id for frame in seen]
    source.close()


@pytest.mark.parametrize("name", ["a.mp4", "a.mjpeg", "a.gif.bin", "a"])
@pytest.mark.parametrize("kind", [".png", ".jpg", ".bmp", ".webp", ".tiff"])
def test_a_still_is_no_video(tmp_path: Path, kind: str, name: str) -> None:
    _good, data = cv2.imencode(kind, _solid(1))
    (tmp_path / name).write_bytes(data.tobytes())
    with pytest.raises(SourceError, match="is not a video") as caught:
        open_source(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [".png", ".webp"])
def test_a_still_stays_a_picture(tmp_path: Path, kind: str) -> None:
    cv2.imwrite(str(tmp_path / f"a{kind}"), _solid(2))
    source = open_source(tmp_path / f"a{kind}")
    assert isinstance(source, PictureFolder) and len(list(source)) == 1


DURATIONS = [40, 500, 1000, 30, 250, 70]


def _animation(path: Path, durations: list[int] = DURATIONS, alpha: bool = False) -> Path:
    animation = cv2.Animation()
    pictures = [np.full((48, 65, 4 if alpha else 3), 30 * index % 240, np.uint8) for index in range(len(durations))]
    for picture in pictures:
        picture[:8, :8] = 250
    animation.frames, animation.durations = pictures, np.array(durations)
    assert cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.film"])
def test_an_animated_webp_plays_with_its_own_times(tmp_path: Path, name: str) -> None:
    _animation(tmp_path / "a.webp").rename(tmp_path / name)
    source = open_source(tmp_path / name)
    assert isinstance(source, AnimatedPicture) and source.warnings == []
    frames = list(source)
    assert [frame.duration_s for frame in frames] == [duration / 1000 for duration in DURATIONS]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.04, 0.54, 1.54, 1.57, 1.82])
    assert source.info.duration_s == pytest.approx(1.89) and source.info.time_base == Fraction(1, 1000)
    assert [int(frame.picture.rgb()[40, 40, 0]) for frame in frames] == pytest.approx([0, 30, 60, 90, 120, 150], abs=2)
    assert [frame.id for frame in source] == [frame.id for frame in frames]
    for time_s, index in [(0.54, 2), (0.53, 1), (1.55, 3), (9, 5), (0, 0)]:
        source.seek(time_s)
        assert next(iter(source)).index == index
    source.close()


def test_an_animated_webp_that_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _animation(tmp_path / "a.webp")
    whole = [frame.picture.rgb() for frame in open_source(path)]
    monkeypatch.setattr("seg_viewer.sources.animation._MOST_BYTES", 2 * 48 * 65 * 4)
    pieces = [frame.picture.rgb() for frame in open_source(path)]
    assert len(pieces) == len(whole) == len(DURATIONS)
    assert all(np.array_equal(a, b) for a, b in zip(pieces, whole, strict=True))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_an_animated_webp_that_is_cut_off_is_said_to_be(tmp_path: Path, share: float) -> None:
    data = _animation(tmp_path / "a.webp", [40] * 20).read_bytes()
    (tmp_path / "a.webp").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SourceError, match=r"a\.webp: .* cut off"):
        open_source(tmp_path / "a.webp")


def test_a_duration_of_nothing_is_told(tmp_path: Path) -> None:
    path = _animation(tmp_path / "a.webp", [50, 60, 70])
    data = bytearray(path.read_bytes())
    place = data.index(b"ANMF") + 8 + 12
    data[place : place + 3] = bytes(3)
    path.write_bytes(data)
    source = open_source(path)
    assert [frame.duration_s for frame in source] == [0.1, 0.06, 0.07]
    assert len(source.warnings) == 1 and "100 ms" in source.warnings[0]


def test_dialogs_offer_them() -> None:
    assert {kind[0] for kind in KINDS} - {".pngs"} <= set(file_suffixes())
    assert {".webp", ".dav", ".mts", ".vob"} <= set(file_suffixes())
