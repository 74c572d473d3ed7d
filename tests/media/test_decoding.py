"""A damaged packet costs nothing but itself; a stream that was not announced ends the reading, with no error."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.media.av_file import demuxed
from seg_viewer.media.decoding import Decoder
from seg_viewer.media.picture_file import quiet_opencv, read_picture_file
from tests.faithful.inputs import make
from tests.faithful.recipe import Recipe


@pytest.mark.parametrize("codec", ["h264", "mpeg4", "vp8", "vp9", "av1", "mjpeg"])
@pytest.mark.parametrize("joined", [False, True], ids=["by itself", "in one packet with the next"])
def test_what_follows_a_damaged_packet_is_decoded(tmp_path: Path, codec: str, joined: bool) -> None:
    path = make(Recipe("mkv", codec, "none", layout="mono"), tmp_path / "in")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = Decoder(stream)
        count, seen, failed = 0, 0, 0
        before = b""
        for packet in container.demux(stream):
            content = bytes(packet)
            if count in (20, 30) and codec != "vp9":
                packet.update(bytes(len(content)))
            elif codec == "vp9" and count in (20, 30):
                before = bytes(len(content))
                if not joined:
                    packet.update(before)
            elif joined and before:
                packet.update(_superframe(before, content))
                before = b""
            count += 1
            try:
                seen += len(decoder.decode(packet))
            except av.FFmpegError:
                failed += 1
    assert count == 51 and seen >= 48
    assert failed <= 2


def _superframe(*frames: bytes) -> bytes:
    """Frames of VP9 in one packet (VP9 bitstream specification, annex B), sizes of two bytes."""
    marker = bytes([0b110_01_000 | len(frames) - 1])
    return b"".join(frames) + marker + b"".join(len(f).to_bytes(2, "little") for f in frames) + marker


def test_a_stream_that_was_not_announced_ends_the_reading(tmp_path: Path) -> None:
    """A transport stream whose table names a sound from the middle on."""
    first = make(Recipe("ts", audio="none", layout="mono"), tmp_path / "picture")
    then = make(Recipe("ts", audio="ac3"), tmp_path / "both")
    data = bytearray(then.read_bytes())
    for place in range(0, len(data), 188):  # its sound has another number, and FFmpeg learns of it late
        data[place + 3] = data[place + 3]
    whole = tmp_path / "whole.ts"
    whole.write_bytes(first.read_bytes() * 40 + bytes(data))
    with av.open(str(whole)) as container:
        assert len(container.streams) == 1
        with pytest.raises(IndexError):
            list(container.demux())
    with av.open(str(whole)) as container:
        assert sum(packet.size > 0 for packet in demuxed(container)) >= 40 * 50


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_opencv_is_quiet_about_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str) -> None:
    import cv2

    picture = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)
    encoded = cv2.imencode(suffix, picture)[1].tobytes()
    for end in range(8, len(encoded), len(encoded) // 50):
        (tmp_path / f"cut{suffix}").write_bytes(encoded[:end])
        read_picture_file(tmp_path / f"cut{suffix}", cv2.IMREAD_COLOR)
    with quiet_opencv(), pytest.raises(cv2.error):
        cv2.imdecodeanimation(np.frombuffer(b"RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\2", np.uint8))
    said = capfd.readouterr()
    assert "OpenCV" not in said.err + said.out
