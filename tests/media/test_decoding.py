"""A damaged packet costs nothing but itself; a stream that was not announced ends the reading, with no error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from seg_viewer.media.as_seen import AsSeen
from seg_viewer.media.av_file import demuxed
from seg_viewer.media.decoding import Decoder
from seg_viewer.media.picture_file import quiet_opencv, read_picture_file
from tests.faithful.inputs import make
from tests.faithful.recipe import Recipe


@pytest.mark.parametrize("codec", ["h264", "mpeg4", "vp8", "vp9", "av1", "mjpeg"])
def test_what_follows_a_damaged_packet_is_decoded(tmp_path: Path, codec: str) -> None:
    path = make(Recipe("mkv", codec, "none", layout="mono"), tmp_path / "in")
    assert _decoded(path, {20: _zeros, 30: _zeros}) >= 48


def test_what_follows_a_damaged_part_of_a_vp9_packet_is_decoded(tmp_path: Path) -> None:
    """Two damaged pictures in one packet with a sound one: PyAV alone gives nothing of all that follows."""
    path = make(Recipe("mkv", "vp9", "none", layout="mono"), tmp_path / "in")
    assert _decoded(path, {20: _behind_damage, 30: _behind_damage}) == 50


def _zeros(content: bytes) -> bytes:
    return bytes(len(content))


def _behind_damage(content: bytes) -> bytes:
    """In one packet behind two pictures of zeros (VP9 bitstream specification, annex B), sizes of two bytes."""
    frames = [bytes(40), bytes(40), content]
    mark = bytes([0b110_01_000 | len(frames) - 1])
    return b"".join(frames) + mark + b"".join(len(frame).to_bytes(2, "little") for frame in frames) + mark


def _decoded(path: Path, changes: dict[int, Callable[[bytes], bytes]]) -> int:
    """How many pictures come out of a film some of whose packets were changed; bytes: zeros of the same length."""
    seen = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = Decoder(stream)
        for number, packet in enumerate(container.demux(stream)):
            if number in changes:
                changed: av.Packet[Any] = av.Packet(changes[number](bytes(packet)))
                changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
                packet = changed
            with suppress(av.FFmpegError):
                seen += len(decoder.decode(packet))
    return seen


def test_a_stream_that_was_not_announced_ends_the_reading(tmp_path: Path) -> None:
    """A recording without sound, one with sound, and the first again: FFmpeg looks at both ends of a file."""
    first = make(Recipe("ts", audio="none", layout="mono"), tmp_path / "picture")
    then = make(Recipe("ts", audio="ac3"), tmp_path / "both")
    whole = tmp_path / "whole.ts"
    count = -(-6_000_000 // first.stat().st_size)  # FFmpeg's probesize is 5 MB
    whole.write_bytes(first.read_bytes() * count + then.read_bytes() + first.read_bytes() * 20)
    with av.open(str(whole)) as container:
        assert len(container.streams) == 1
        with pytest.raises(IndexError):
            list(container.demux())
    with av.open(str(whole)) as container:
        assert sum(packet.size > 0 for packet in demuxed(container)) >= count * 50


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_opencv_is_quiet_about_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str) -> None:
    picture = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)
    encoded = cv2.imencode(suffix, picture)[1].tobytes()
    level = cv2.utils.logging.getLogLevel()
    for end in range(8, len(encoded), len(encoded) // 50):
        (tmp_path / f"cut{suffix}").write_bytes(encoded[:end])
        read_picture_file(tmp_path / f"cut{suffix}", cv2.IMREAD_COLOR)
    with quiet_opencv(), suppress(cv2.error):
        cv2.imdecodeanimation(np.frombuffer(b"RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\2", np.uint8))
    said = capfd.readouterr()
    assert "OpenCV" not in said.err + said.out
    assert cv2.utils.logging.getLogLevel() == level


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("primaries", [0, 1, 2, 3, 9, 12, 13, 22, 119])
@pytest.mark.parametrize("matrix", [0, 1, 2, 3, 9, 14, 119])
def test_tags_that_mean_nothing_are_no_reason_to_fail(transfer: int, primaries: int, matrix: int) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((96, 64), 500, np.uint16), format="gray10le").reformat(
        format="yuv420p10le"
    )
    frame.color_trc, frame.color_primaries, frame.colorspace = transfer, primaries, matrix
    made = AsSeen().of(frame)
    assert (made.format.name, made.width, made.height) == ("yuv420p", 64, 96)
