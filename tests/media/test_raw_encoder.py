"""What cameras and screens deliver keeps its colours on the way into a recording."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from seg_viewer.core.encoded import EncodedPacket, PacketRing
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.raw_encoder import RawEncoder
from seg_viewer.sinks.recording import RecordingSink

BT709 = 1  # of matrix, transfer and primaries, ITU-T H.273


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
@pytest.mark.parametrize("rgb", [(0, 190, 90), (200, 40, 30), (20, 60, 220), (128, 128, 128)])
def test_a_colour_comes_back(tmp_path: Path, suffix: str, size: tuple[int, int], rgb: tuple[int, int, int]) -> None:
    packets: list[EncodedPacket] = []
    ring = PacketRing(0)
    ring.listen(packets.append)
    encoder = RawEncoder(ring)
    bgr = np.full((size[1], size[0], 3), rgb[::-1], np.uint8)
    for index in range(3):
        encoder.add(bgr, index / 25, 25)
    with RecordingSink(tmp_path / f"a{suffix}") as sink:
        for packet in packets:
            sink.write(packet)
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.colorspace, context.color_trc, context.color_primaries) == (BT709, BT709, BT709)
        assert context.color_range == ColorRange.MPEG
        frame = next(container.decode(stream))
    # by this program, and by PyAV alone: what is tagged is what every player takes
    for picture in (AvPicture(frame).rgb(), frame.to_ndarray(format="rgb24", src_colorspace=frame.colorspace)):
        assert np.abs(picture[20, 30].astype(int) - rgb).max() <= 4


def test_an_odd_size_gets_one_more_row_and_column() -> None:
    packets: list[EncodedPacket] = []
    ring = PacketRing(0)
    ring.listen(packets.append)
    RawEncoder(ring).add(np.zeros((47, 63, 3), np.uint8), 0.0, None)
    assert (packets[0].format.width, packets[0].format.height) == (64, 48)
