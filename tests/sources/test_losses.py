"""What of a stream got lost on its way: each packet gives a picture or is counted; gaps in steady times are found."""

from __future__ import annotations

import random
import threading
from collections import Counter
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.media.decoding import Decoder
from seg_viewer.sources import NetworkStream
from seg_viewer.sources.address import parse_address
from seg_viewer.sources.losses import BEFORE_KEY, DAMAGED, GAVE_NO_PICTURE, Gaps, Loss, UnderWay
from tests.films import film, rgb_frame
from tests.servers.fault_proxy import FaultProxy
from tests.servers.rtsp import RtspServer
from tests.waiting import wait_until


def test_packets_lost_between_an_rtsp_server_and_us_are_counted() -> None:
    """Nothing vanishes: each packet that came was shown or counted with its cause; what did not come is told."""
    with RtspServer(rate=60) as server, FaultProxy(int(server.port)) as proxy:
        stream = NetworkStream(parse_address(f"rtsp://127.0.0.1:{proxy.port}/live#timeout=60"))

        def leave_once_it_broke_off() -> None:
            wait_until(lambda: not stream.status.connected and not stream.status.silent, "the end of the connection")
            stream.interrupt()

        drops: Counter[str] = Counter()
        stream.on_drop = lambda cause: drops.update([cause])
        assert stream.packets is not None
        came = Counter[str]()
        stream.packets.listen(lambda _packet: came.update(["came"]))
        watching = threading.Thread(target=leave_once_it_broke_off, daemon=True)
        try:
            proxy.loss, shown = 0.5, 0
            for _frame in stream:
                shown += 1
                if shown == 60:
                    server.kill()
                    watching.start()
            watching.join()
        finally:
            stream.interrupt()
            stream.close()
    loss = stream.status.loss
    assert shown >= 60 and came["came"] == shown + sum(drops.values())
    assert set(drops) <= {DAMAGED, GAVE_NO_PICTURE}
    assert loss.came == came["came"] and loss.broken == sum(drops.values())
    assert loss.lost or loss.damaged
    assert not loss.lost or f"{loss.lost} of {loss.sent} pictures missing" in loss.line()


def test_what_came_before_the_first_picture_is_not_lost() -> None:
    """Somebody who joins in the middle: a decoder takes packets that it makes nothing of, without a word."""
    causes: list[str] = []
    under_way = UnderWay(causes.append)
    for pts in range(5):
        packet = av.Packet(b"x")
        packet.pts = pts
        under_way.put(packet, 0.0, None)
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.pts = 3
    given = under_way.came(frame)
    assert given is not None and given.pts == 3 and causes == [BEFORE_KEY] * 3
    under_way.clear()
    assert causes == [BEFORE_KEY] * 3 + [GAVE_NO_PICTURE]


@pytest.mark.parametrize("begin", [0, 3], ids=["from the start", "in the middle"])
def test_each_packet_gives_a_picture_or_is_counted(tmp_path, begin: int) -> None:
    """H.264 with B-frames, which are held back, and with packets that are spoilt or missing."""
    pictures = [rgb_frame(np.full((64, 64, 3), 5 * number % 250, np.uint8)) for number in range(60)]
    path = film(tmp_path / "a.mp4", pictures, rate=25, options={"bf": "2", "g": "12"})
    chance = random.Random(begin)
    drops: Counter[str] = Counter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder, under_way = Decoder(stream), UnderWay(lambda cause: drops.update([cause]))
        packets = [packet for packet in container.demux(stream) if packet.size][begin:]
        shown = fed = 0
        for packet in packets:
            if chance.random() < 0.3:
                data = bytearray(bytes(packet))
                data[8:] = bytes(len(data) - 8) if chance.random() < 0.5 else chance.randbytes(len(data) - 8)
                packet.update(bytes(data))
            under_way.put(packet, 0.0, None)
            fed += 1
            try:
                frames = decoder.decode(packet)
            except av.FFmpegError:
                under_way.failed()
                continue
            for frame in frames:
                shown += 1
                under_way.came(frame)
        under_way.clear()
    assert fed == shown + sum(drops.values()) and shown > 10
    assert bool(drops[BEFORE_KEY]) == (begin > 0)


@given(
    lost=st.sets(st.integers(30, 199), max_size=12),
    jitter=st.floats(0, 0.04),
    step_s=st.sampled_from([1 / 60, 1 / 25, 1 / 10]),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_pictures_that_a_steady_sender_sent_and_did_not_come_are_found(lost, jitter, step_s, seed) -> None:
    chance, gaps = random.Random(seed), Gaps()
    times = [(number + chance.uniform(-jitter, jitter)) * step_s for number in range(202) if number not in lost]
    # a gap of more than two seconds is a pause
    expected = sum(round((b - a) / step_s) - 1 for a, b in pairwise(times) if b - a <= 2)
    assert sum(map(gaps.look, times)) == expected == len(lost)


@pytest.mark.parametrize(
    "steps",
    [
        [0.04, 0.04, 0.11, 0.02, 0.17, 0.06] * 20,
        [0.04] * 40 + [0.08, 0.01, 0.03] + [0.04] * 20,
        [0.04] * 40 + [-4.0] + [0.04] * 20 + [9.0] + [0.04] * 20,
        [0.04] * 40 + [5.0] + [0.04] * 20,
        [0.08, -0.04, 0.12, -0.04] * 30,
    ],
    ids=["when it likes", "late and then sooner", "clock that jumps", "pause", "B-frames without decoding times"],
)
def test_nothing_is_lost_where_a_sender_is_merely_unsteady(steps: list[float]) -> None:
    gaps = Gaps()
    assert sum(map(gaps.look, np.cumsum(steps).tolist())) == 0
    assert gaps.look(None) == 0


def test_the_line_of_a_loss() -> None:
    assert Loss(came=250).line() == ""
    assert Loss(247, 3, 0, 5).line() == "3 of 250 pictures missing (3 did not come), 5 damaged"
    assert Loss(250, 0, 1).line() == "1 of 250 pictures missing (1 gave no picture)"
