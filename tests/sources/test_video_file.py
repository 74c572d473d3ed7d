from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.sources import VideoFile, open_source
from tests.clips import CYCLE, make_clip, video_times

CODECS = [
    ("libx264", "yuv420p", ".mp4"),
    ("libx264", "yuv422p", ".mkv"),
    ("libx264", "yuv444p", ".mkv"),
    ("libx264", "yuv420p10le", ".mkv"),
    ("libx265", "yuv420p", ".mp4"),
    ("libx265", "yuv420p10le", ".mov"),
    ("libvpx", "yuv420p", ".webm"),
    ("libvpx-vp9", "yuv420p", ".webm"),
    ("libsvtav1", "yuv420p", ".mkv"),
    ("mpeg4", "yuv420p", ".avi"),
    ("mjpeg", "yuvj420p", ".avi"),
]


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), CODECS)
def test_every_codec_gives_its_frames_and_colours(tmp_path: Path, codec: str, pix_fmt: str, suffix: str) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = make_clip(tmp_path / f"clip{suffix}", codec=codec, pix_fmt=pix_fmt, frames=8, options=options)
    source = VideoFile(path)
    frames = list(source)
    assert len(frames) == 8
    assert [frame.index for frame in frames] == list(range(8))
    for frame in frames:
        rgb = frame.picture.rgb()
        assert rgb.shape == (64, 128, 3)
        # lossy codecs and 4:2:0 keep a plain colour within a few steps
        assert np.abs(rgb[20:40, 20:100].mean(axis=(0, 1)) - CYCLE[frame.index % 4]).max() < 20
    source.close()


def test_the_same_picture_in_every_form(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=4)
    picture = list(VideoFile(path))[3].picture
    small = picture.scaled_rgb(32, 16)
    bgra = picture.scaled_bgra(50, 20)
    planes = picture.yuv420()
    assert small.shape == (16, 32, 3) and small.flags.c_contiguous
    assert bgra.shape == (20, 50, 4) and (bgra[..., 3] == 255).all()
    assert np.abs(small.mean(axis=(0, 1)) - CYCLE[3]).max() < 8
    assert np.abs(bgra[..., 2::-1].mean(axis=(0, 1)) - CYCLE[3]).max() < 8
    assert planes.y.shape == (64, 128) and planes.u.shape == planes.v.shape == (32, 64)
    before = picture.rgb().copy()
    planes.y[:] = 0
    np.testing.assert_array_equal(picture.rgb(), before)


def test_variable_frame_rate_keeps_every_time(tmp_path: Path) -> None:
    pts = [0, 40, 45, 200, 233, 1000, 1001, 1500]
    path = make_clip(tmp_path / "vfr.mkv", frames=8, pts=pts, time_base=Fraction(1, 1000))
    assert [round(frame.time_s * 1000) for frame in VideoFile(path)] == pts


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied(tmp_path: Path, rotation: int) -> None:
    def corner(index: int, width: int, height: int) -> np.ndarray:
        out = np.zeros((height, width, 3), np.uint8)
        out[: height // 2, : width // 2] = (255, 255, 255)
        return out

    path = make_clip(tmp_path / "turned.mp4", frames=3, picture=corner, rotation=rotation)
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0))
    # display rotation is counter-clockwise (ISO 14496-12 matrix as FFmpeg reports it)
    expected = np.rot90(corner(0, 128, 64), k=(stored.rotation % 360) // 90)
    assert stored.rotation % 360 != 0
    source = VideoFile(path)
    picture = next(iter(source)).picture
    assert (source.info.height, source.info.width) == expected.shape[:2]
    assert np.abs(picture.rgb().astype(int) - expected).mean() < 8


def test_seek_lands_on_the_frame_that_is_on_the_screen_at_that_time(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=60, options={"g": "25", "bf": "2"})
    source = VideoFile(path)
    times = [frame.time_s for frame in source]
    for index in (37, 0, 59, 1, 24, 25, 26, 58):
        source.seek(times[index] + 0.01)
        frames = iter(source)
        assert next(frames).index == index
        if index < 59:
            assert next(frames).index == index + 1
    source.seek(1e6)
    assert next(iter(source)).index == 59


def test_seek_within_a_running_iteration(tmp_path: Path) -> None:
    source = VideoFile(make_clip(tmp_path / "clip.mp4", frames=30))
    seen = []
    for frame in source:
        seen.append(frame.index)
        if len(seen) == 3:
            source.seek(20 / 25)
    assert seen == [0, 1, 2, *range(20, 30)]


def test_iterating_again_starts_over(tmp_path: Path) -> None:
    source = VideoFile(make_clip(tmp_path / "clip.mp4", frames=5))
    assert [f.index for f in source] == [f.index for f in source] == list(range(5))


def test_no_declared_duration(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "live.webm", codec="libvpx", frames=10, container_options={"live": "1"})
    source = VideoFile(path)
    assert source.info.frame_count is None
    assert source.info.duration_s == pytest.approx(0.4, abs=0.002)  # found by reading it all
    assert len(list(source)) == 10


def test_a_broken_tail_keeps_what_decodes_and_says_so(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", frames=50, container_options={"movflags": "faststart"})
    data = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: int(len(data) * 0.8)])
    source = VideoFile(cut)
    count = len(list(source))
    assert 5 < count < 50
    assert any("50 frames" in line and str(count) in line for line in source.warnings)


def test_damage_in_the_middle_is_survived(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)

    def noisy(index: int, width: int, height: int) -> np.ndarray:
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)

    path = make_clip(tmp_path / "clip.ts", frames=40, picture=noisy)  # a format made for damage
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    frames = list(VideoFile(path))
    assert 20 < len(frames) <= 40
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.mp4: no such file"):
        open_source(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("text.mp4", b"this is a letter, not a film\n" * 50, "not a video"),
        ("notes.txt", b"this is a letter, not a film\n" * 50, "not a video"),
        ("empty.mp4", b"", "empty"),
    ],
)
def test_no_video(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        open_source(_write(tmp_path / name, data))
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_cut_off_before_its_index(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4")  # the index comes last
    data = whole.read_bytes()
    with pytest.raises(SourceError, match="cut off before its index"):
        open_source(_write(tmp_path / "cut.mp4", data[: len(data) // 2]))


def test_sound_only(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    with pytest.raises(SourceError, match="holds no video, only audio"):
        open_source(path)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_clip(tmp_path / "mine.mp4", frames=2)

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")  # root, as in CI, may read everything

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match="no permission"):
        open_source(path)


def test_times_are_the_files_own(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "odd.mp4", frames=12, rate=Fraction(17_530, 1000))
    assert [f.time_s for f in VideoFile(path)] == pytest.approx([float(t) for t in video_times(path)], abs=1e-9)


@pytest.mark.parametrize("name", ["no_duration.webm", "declares_91_holds_88.mp4", "city_dashcam_480x360.mp4"])
def test_real_clips_seek_exactly(shared_videos: Path, name: str) -> None:
    source = VideoFile(shared_videos / name)
    times = [frame.time_s for frame in source]
    for index in (len(times) // 2, 3, len(times) - 2):
        source.seek(times[index])
        assert next(iter(source)).time_s == times[index]


def test_neither_file_nor_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        open_source(tmp_path / "pipe.mp4")
    with pytest.raises(UsageError, match="no source given"):
        open_source("")
