"""Recordings: whole whatever ends them, split where asked, nothing left out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.encoded import EncodedPacket, PacketRing, StreamFormat
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import TICKS, Frame, Shot
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.media.playable import cut_to_whole_fragments
from seg_viewer.media.raw_encoder import RawEncoder
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks import recording as module
from seg_viewer.sinks.queued import Queued, WhenFull
from seg_viewer.sinks.recording import RecordingSink
from tests.clips import solid, video_times

RATE = 25


def _packets(
    count: int, *, size: tuple[int, int] = (64, 48), start: int = 0, noise: bool = False
) -> list[EncodedPacket]:
    """H.264 with a key frame every second, timed from `start` frames on."""
    ring, packets = PacketRing(0), []
    ring.listen(packets.append)
    encoder = RawEncoder(ring)
    random = np.random.default_rng(0)
    for index in range(count):
        picture = solid(index, *size)[..., ::-1]
        if noise:
            picture = random.integers(0, 255, picture.shape, np.uint8)
        encoder.add(np.ascontiguousarray(picture), (start + index) / RATE, RATE / 2)
    return packets


def _shot(index: int, size: tuple[int, int] = (64, 48)) -> Shot:
    classes = np.zeros((32, 64), np.uint8)
    return Shot(Frame(index, 3.0 + index / RATE, RgbPicture(solid(index, *size))), (ClassMap(classes, DRIVING),))


def _record(path: Path, items: Iterable[EncodedPacket | Shot], **choices: Any) -> Queued[EncodedPacket | Shot]:
    """A recording of them that has ended."""
    recorder = Queued(RecordingSink(path, **choices), name="seg-record")
    with suppress(ExportError):  # it has ended by itself: `problem` says why
        for item in items:
            recorder.write(item)
    recorder.stop()
    return recorder


def test_packets_come_out_as_they_went_in(tmp_path: Path) -> None:
    packets = _packets(60)
    recorder = _record(tmp_path / "a.mp4", packets)
    assert recorder.files == (tmp_path / "a.mp4",) and recorder.problem == "" and recorder.sink.frames == 60
    times = video_times(tmp_path / "a.mp4")
    assert times == [Fraction(packet.pts - packets[0].pts, TICKS) for packet in packets]
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert not [t for t in threading.enumerate() if t.name == "seg-record"]


def test_shots_keep_their_times(tmp_path: Path) -> None:
    _record(tmp_path / "a.mkv", [_shot(index) for index in (0, 1, 2, 5, 9)], overlay=Overlay(DRIVING), rate=RATE)
    times = [float(time) for time in video_times(tmp_path / "a.mkv")]
    assert times == pytest.approx([index / RATE for index in (0, 1, 2, 5, 9)], abs=0.001)


def test_before_the_first_key_frame_nothing_is_written(tmp_path: Path) -> None:
    packets = _packets(40)
    second = next(i for i, packet in enumerate(packets) if i and packet.keyframe)
    recorder = _record(tmp_path / "a.mp4", packets[3:])
    assert recorder.sink.frames == len(packets) - second


def test_split_by_time_loses_no_frame(tmp_path: Path) -> None:
    packets = _packets(100)
    recorder = _record(tmp_path / "a.mp4", packets, split_s=1.0)
    assert [path.name for path in recorder.files] == ["a.mp4", "a_002.mp4", "a_003.mp4", "a_004.mp4"]
    assert sum(len(video_times(path)) for path in recorder.files) == 100
    assert all(video_times(path)[0] == 0 for path in recorder.files)


def test_split_by_size(tmp_path: Path) -> None:
    packets = _packets(150, noise=True)
    limit = sum(len(packet.data) for packet in packets) // 3
    recorder = _record(tmp_path / "a.mkv", packets, split_bytes=limit)
    assert len(recorder.files) in (2, 3)
    assert sum(len(video_times(path)) for path in recorder.files) == 150


def test_shots_split_too(tmp_path: Path) -> None:
    recorder = _record(
        tmp_path / "a.mp4", [_shot(index) for index in range(25)], overlay=Overlay(DRIVING), rate=RATE, split_s=0.39
    )
    assert [len(video_times(path)) for path in recorder.files] == [10, 10, 5]


def test_another_size_after_a_reconnect_is_another_file(tmp_path: Path) -> None:
    recorder = _record(tmp_path / "a.mp4", _packets(10) + _packets(10, size=(96, 64), start=30))
    widths = []
    for path in recorder.files:
        with av.open(str(path)) as container:
            widths.append(container.streams.video[0].width)
    assert widths == [64, 96] and recorder.sink.frames == 20


def test_shots_of_another_size_are_another_file_too(tmp_path: Path) -> None:
    recorder = _record(
        tmp_path / "a.mp4",
        [_shot(index, (64, 48) if index < 4 else (96, 64)) for index in range(6)],
        overlay=Overlay(DRIVING),
        rate=RATE,
    )
    assert [len(video_times(path)) for path in recorder.files] == [4, 2]


def test_a_reconnect_with_the_same_format_goes_on_in_the_same_file(tmp_path: Path) -> None:
    recorder = _record(tmp_path / "a.mp4", _packets(10) + _packets(10, start=30))
    assert [len(video_times(path)) for path in recorder.files] == [20]


def test_a_later_file_whose_name_is_taken_gets_another_and_the_recording_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a_002.mp4").write_bytes(b"of another day")
    recorder = _record(tmp_path / "a.mp4", _packets(100), split_s=1.0)
    names = ["a.mp4", "a_002_2.mp4", "a_003.mp4", "a_004.mp4"]
    assert recorder.problem == "" and [path.name for path in recorder.files] == names
    assert [len(video_times(path)) for path in recorder.files] == [25] * 4
    assert recorder.notes == (f"{tmp_path / 'a_002.mp4'}: is there already; this recording is {recorder.files[1]}",)
    assert (tmp_path / "a_002.mp4").read_bytes() == b"of another day"


def test_another_look_on_the_way(tmp_path: Path) -> None:
    """All is road, on grey: first painted, then, after the change, left grey."""
    sink = RecordingSink(tmp_path / "a.mp4", overlay=Overlay(DRIVING, OverlayStyle(opacity=1.0)), rate=RATE)
    classes = np.full((32, 64), DRIVING.names.index("road"), np.uint8)
    grey = RgbPicture(np.full((48, 64, 3), 90, np.uint8))
    with sink:
        for index in range(8):
            if index == 4:
                sink.overlay = Overlay(DRIVING, OverlayStyle(hidden=frozenset({"road"})))
            sink.write(Shot(Frame(index, index / RATE, grey), (ClassMap(classes, DRIVING),)))
    with av.open(str(tmp_path / "a.mp4")) as container:
        colors = [frame.to_ndarray(format="rgb24")[24, 32].astype(int) for frame in container.decode(video=0)]
    road = np.array(next(label.color for label in DRIVING if label.name == "road"))
    assert [int(np.abs(color - road).max()) < 12 for color in colors] == [True] * 4 + [False] * 4
    assert all(np.abs(color - 90).max() < 12 for color in colors[4:])


def test_another_model_on_the_way_has_its_own_colours(tmp_path: Path) -> None:
    """Its shots come before anybody has set the overlay to its classes, and those of the model before come after."""
    labels = LabelSet([Label(0, "other", (0, 0, 0), painted=False), Label(1, "sky", (250, 240, 20))])
    road = DRIVING.names.index("road")
    sink = RecordingSink(tmp_path / "a.mp4", overlay=Overlay(DRIVING, OverlayStyle(opacity=1.0)), rate=RATE)
    grey = RgbPicture(np.full((48, 64, 3), 90, np.uint8))
    with sink:
        for index in range(8):
            known, number = (DRIVING, road) if index % 4 < 2 else (labels, 1)
            if index == 4:
                sink.overlay = Overlay(labels, OverlayStyle(opacity=1.0))
            classes = np.full((32, 64), number, np.uint8)
            sink.write(Shot(Frame(index, index / RATE, grey), (ClassMap(classes, known),)))
    with av.open(str(tmp_path / "a.mp4")) as container:
        colors = [frame.to_ndarray(format="rgb24")[24, 32].astype(int) for frame in container.decode(video=0)]
    wanted = [DRIVING[road].color if index % 4 < 2 else labels[1].color for index in range(8)]
    assert [int(np.abs(color - want).max()) < 12 for color, want in zip(colors, wanted, strict=True)] == [True] * 8


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_disk_that_fills_ends_it_with_a_playable_file(tmp_path: Path, monkeypatch, suffix: str) -> None:
    monkeypatch.setattr(module, "_CHECK_DISK_EVERY_S", 0.0)
    left = [40]

    def usage(_folder: Path) -> Usage:
        left[0] -= 1
        return Usage(1 << 40, 0, module.LEAST_FREE_BYTES * 2 if left[0] > 0 else 1)

    monkeypatch.setattr(module.shutil, "disk_usage", usage)
    recorder = _record(tmp_path / f"a{suffix}", _packets(100))
    assert "the disk is full" in recorder.problem and str(tmp_path / "a") in recorder.problem
    assert len(video_times(tmp_path / f"a{suffix}")) == recorder.sink.frames == 39
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from tests.sinks.test_recording import _packets, _record
packets = _packets(200, size=(160, 96), noise=True)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = sum(len(packet.data) for packet in packets) // 2
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
recorder = _record(Path(sys.argv[1]), packets)
print(recorder.problem)
print([path.name for path in recorder.files])
print(recorder.sink.reports[0].pictures, recorder.sink.reports[0].seconds)
print(recorder.sink.reports[0].line())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits there")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_write_that_fails_leaves_a_playable_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
        cwd=Path(__file__).parents[2],
    )
    problem, files, told, line = done.stdout.splitlines()
    assert str(path) in problem and "file size limit" in problem, done.stderr
    assert files == str([path.name])
    times = video_times(path)
    assert 50 <= len(times) < 120
    pictures, seconds = map(float, told.split())
    assert pictures == len(times) and seconds == pytest.approx(times[-1] + 1 / RATE, abs=0.01)
    assert "; without the last " in line and ", which could not be written" in line
    assert all(later > earlier for earlier, later in pairwise(times))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_file_that_was_never_closed_plays_to_its_last_whole_fragment(tmp_path: Path) -> None:
    packets = _packets(100)
    _record(tmp_path / "a.mp4", packets)
    whole = (tmp_path / "a.mp4").read_bytes()
    assert b"moov" in whole
    # as it lay on the disk before it was closed: fragments only
    with av.open(str(tmp_path / "b.mp4"), "w", options={"movflags": "+frag_keyframe+empty_moov"}) as out:
        stream = out.add_mux_stream("h264", rate=RATE, width=64, height=48)
        for packet in packets:
            copy = av.Packet(packet.data)
            copy.pts = copy.dts = packet.pts
            copy.time_base, copy.is_keyframe, copy.stream = Fraction(1, TICKS), packet.keyframe, stream
            out.mux(copy)
    data = (tmp_path / "b.mp4").read_bytes()
    second = data.index(b"moof", data.index(b"moof") + 4) - 4
    (tmp_path / "b.mp4").write_bytes(data[: second + 60])
    cut_to_whole_fragments(tmp_path / "b.mp4")
    assert (tmp_path / "b.mp4").stat().st_size == second
    assert len(video_times(tmp_path / "b.mp4")) == sum(p.pts < packets[25].pts for p in packets)


def test_a_disk_that_cannot_keep_up_ends_it_with_a_reason(tmp_path: Path, monkeypatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    real = shutil.disk_usage

    def slow(folder: Path) -> object:
        begun.set()
        assert go_on.wait(60)
        return real(folder)

    monkeypatch.setattr(shutil, "disk_usage", slow)
    recorder = Queued(
        RecordingSink(tmp_path / "a.mp4"),
        most=2000,
        weigh=lambda packet: len(packet.data),
        when_full=WhenFull.FAIL,
        too_slow="the disk is too slow",
    )
    packets = _packets(50, noise=True)
    recorder.write(packets[0])
    assert begun.wait(60)
    with pytest.raises(ExportError, match="too slow"):
        for packet in packets[1:]:
            recorder.write(packet)
    go_on.set()
    recorder.stop()
    assert "too slow" in recorder.problem and not recorder.running
    assert len(video_times(tmp_path / "a.mp4")) == recorder.sink.frames


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("mine")
    recorder = _record(tmp_path / "a.mp4", [_packets(1)[0]])
    assert "exists already" in recorder.problem and (tmp_path / "a.mp4").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_what_a_container_cannot_hold_is_told(tmp_path: Path) -> None:
    recorder = _record(tmp_path / "a.mp4", [EncodedPacket(b"\0" * 99, 0, 0, True, StreamFormat("vp8", 64, 48))])
    assert "cannot hold vp8" in recorder.problem and ".mkv" in recorder.problem
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.mp4 or \.mkv"):
        RecordingSink(tmp_path / "a.avi")


def test_nothing_put_is_nothing_made(tmp_path: Path) -> None:
    recorder = _record(tmp_path / "a.mp4", [])
    recorder.stop()
    assert recorder.files == () and recorder.problem == "" and list(tmp_path.iterdir()) == []


def test_the_ring_keeps_whole_groups_and_has_a_bound() -> None:
    packets = _packets(200)
    ring = PacketRing(2.0)
    for packet in packets:
        ring.add(packet)
    kept: list[EncodedPacket] = []
    ring.listen(kept.append)
    assert kept[0].keyframe and kept[-1] is packets[-1]
    assert 2.0 <= (kept[-1].pts - kept[0].pts) / TICKS < 4.0
    small = PacketRing(1e9, most_bytes=sum(len(packet.data) for packet in packets) // 4)
    for packet in packets:
        small.add(packet)
    kept = []
    small.listen(kept.append)
    assert sum(len(packet.data) for packet in kept) <= sum(len(packet.data) for packet in packets) // 4
    assert not kept or kept[0].keyframe


def test_the_ring_forgets_what_came_before_a_reconnect() -> None:
    ring = PacketRing(100.0)
    for packet in _packets(30) + _packets(5, start=40):
        ring.add(packet)
    kept: list[EncodedPacket] = []
    ring.listen(kept.append)
    assert len(kept) == 5
