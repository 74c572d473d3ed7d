"""Of several video streams the marked or the best one is shown, or the one that is asked for."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.sources import VideoFile, open_source
from tests.clips import make_clip
from tests.films import rgb_frame

SMALL, LARGE = (32, 24), (96, 64)


def _several(path: Path, sizes: list[tuple[int, int]], default: int | None = None, rates: tuple[int, ...] = ()) -> Path:
    """A file with a stream of each size; none is marked as default but that number, from 0."""
    with av.open(str(path), "w") as out:
        streams = []
        for number, (width, height) in enumerate(sizes):
            stream = out.add_stream("libx264", rate=rates[number] if rates else 25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        for index in range(4):
            for number, stream in enumerate(streams):
                colour = np.full((stream.height, stream.width, 3), 40 + 50 * number, np.uint8)
                frame = rgb_frame(colour)
                frame.pts = index
                frame.time_base = 1 / stream.codec_context.framerate
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


def _size(source: VideoFile) -> tuple[int, int]:
    return source.info.width, source.info.height


@pytest.mark.parametrize(
    ("sizes", "default", "shown"),
    [
        ([SMALL, LARGE], None, 1),
        ([LARGE, SMALL], None, 0),
        ([SMALL, LARGE], 0, 0),
        ([LARGE, SMALL], 1, 1),
        ([SMALL, LARGE, SMALL], None, 1),
    ],
)
def test_the_marked_one_else_the_best(
    tmp_path: Path, sizes: list[tuple[int, int]], default: int | None, shown: int
) -> None:
    path = _several(tmp_path / "a.mkv", sizes, default)
    source = VideoFile(path)
    assert _size(source) == sizes[shown]
    assert len(list(source)) == 4
    (told,) = source.warnings
    assert f"{len(sizes)} video streams" in told and f"{shown + 1} is shown" in told and "--stream" in told
    source.close()


def test_of_equal_sizes_the_faster_and_of_equals_the_first(tmp_path: Path) -> None:
    source = VideoFile(_several(tmp_path / "a.mkv", [SMALL, SMALL], rates=(5, 50)))
    assert "2 is shown" in source.warnings[0]
    source = VideoFile(_several(tmp_path / "b.mkv", [SMALL, SMALL]))
    assert "1 is shown" in source.warnings[0]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_the_one_that_is_asked_for(tmp_path: Path, suffix: str, number: int) -> None:
    sizes = [SMALL, LARGE, (64, 48)]
    source = open_source(_several(tmp_path / f"a{suffix}", sizes), stream=number)
    frames = list(source)
    assert len(frames) == 4 and _size(source) == sizes[number - 1] and source.warnings == []  # type: ignore[arg-type]
    assert frames[2].picture.rgb().mean() == pytest.approx(40 + 50 * (number - 1), abs=4)
    source.close()


@pytest.mark.parametrize("number", [0, 3, -1])
def test_one_that_is_not_there(tmp_path: Path, number: int) -> None:
    path = _several(tmp_path / "a.mkv", [SMALL, LARGE])
    with pytest.raises(UsageError, match=r"a\.mkv: has no video stream .*it has 2 video streams: 1 \(32×24 h264\), 2"):
        open_source(path, stream=number)


def test_only_video_files_have_streams(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave --stream out"):
        open_source(tmp_path, stream=1)


def _with_cover(path: Path) -> Path:
    """The cover picture comes first and is larger."""
    with av.open(str(path), "w") as out:
        cover = out.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 320, 240, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        film = out.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        for packet in cover.encode(rgb_frame(np.zeros((240, 320, 3), np.uint8), "yuvj420p")):
            out.mux(packet)
        for _ in range(3):
            out.mux(film.encode(rgb_frame(np.full((48, 64, 3), 90, np.uint8))))
        out.mux(film.encode(None))
    return path


def test_a_cover_picture_is_never_chosen(tmp_path: Path) -> None:
    source = VideoFile(_with_cover(tmp_path / "a.mp4"))
    assert _size(source) == (64, 48) and len(list(source)) == 3 and source.warnings == []


def _unknown(path: Path, kind: bytes, count: int = 1) -> Path:
    data = path.read_bytes()
    assert kind in data
    path.write_bytes(data.replace(kind, b"zzzz" + kind[4:], count))
    return path


def test_a_video_of_an_unknown_codec_is_one_line(tmp_path: Path) -> None:
    path = _unknown(make_clip(tmp_path / "a.mp4", frames=3, audio="aac"), b"avc1\0\0\0\0", 1)
    with pytest.raises(SourceError, match=r"a\.mp4: its video is of a codec that this program does not know") as caught:
        open_source(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match="video stream 1 is of a codec"):
        open_source(path, stream=1)


def test_sound_of_an_unknown_codec_does_not_matter(tmp_path: Path) -> None:
    path = _unknown(make_clip(tmp_path / "a.mp4", frames=3, audio="aac"), b"mp4a\0\0\0\0")
    assert len(list(open_source(path))) == 3


def test_an_unknown_stream_beside_a_known_one_is_told(tmp_path: Path) -> None:
    path = _unknown(_several(tmp_path / "a.mp4", [LARGE, SMALL]), b"avc1\0\0\0\0")
    source = VideoFile(path)
    assert _size(source) == SMALL and len(list(source)) == 4
    assert "1 (unknown codec), 2 (32×24 h264); 2 is shown" in source.warnings[0]
