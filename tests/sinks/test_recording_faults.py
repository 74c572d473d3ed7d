"""Recordings are only called saved when they can be played, and are never lost."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.encoded import EncodedPacket, PacketRing, StreamFormat
from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import TICKS, Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat, wait_while_writing
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks.recording import RecordingSink
from seg_viewer.sources import SourceInfo
from tests.clips import solid, video_times
from tests.sinks.test_recording import _packets, _record

OPTIONS = {
    "libx264": {"preset": "ultrafast", "g": "10", "bf": "0"},
    "libx265": {"preset": "ultrafast", "x265-params": "keyint=10:bframes=0:log-level=none"},
}


def _without_parameter_sets(codec: str, *, count: int = 30, length_prefixed: bool = False) -> list[EncodedPacket]:
    """As RTMP and SDP send them: the parameter sets are in the extradata, and in no packet."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, TICKS), Fraction(25)
    encoder.flags |= Flags.global_header
    encoder.options = OPTIONS[codec]
    made: list[av.Packet] = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(solid(index, 64, 48), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = index * TICKS // 25, Fraction(1, TICKS)
        made += encoder.encode(frame)
    made += encoder.encode(None)
    extradata = bytes(encoder.extradata or b"")
    assert extradata and not any(extradata[:16] in bytes(packet) for packet in made)
    name = {"libx264": "h264", "libx265": "hevc"}[codec]
    form = StreamFormat(name, 64, 48, 25.0, Fraction(1), extradata)
    packets = [EncodedPacket(bytes(p), p.pts or 0, p.dts or 0, p.is_keyframe, form) for p in made]
    return _as_in_mp4(packets) if length_prefixed else packets


def _as_in_mp4(packets: list[EncodedPacket]) -> list[EncodedPacket]:
    """The same with avcC or hvcC for extradata and lengths for start codes: FFmpeg's own, out of a file in memory."""
    import io

    file = io.BytesIO()
    with RecordingToMemory(file, packets[0].format) as muxer:
        for packet in packets:
            muxer.write(packet)
    file.seek(0)
    with av.open(file) as container:
        stream = container.streams.video[0]
        form = replace(packets[0].format, extradata=bytes(stream.codec_context.extradata or b""))
        assert form.extradata[0] == 1  # configurationVersion of avcC and hvcC
        copies = [bytes(packet) for packet in container.demux(stream) if packet.size]
    return [replace(packet, data=data, format=form) for packet, data in zip(packets, copies, strict=True)]


class RecordingToMemory:
    """FFmpeg's MP4 muxer with the parameter sets in front of the first packet."""

    def __init__(self, file: object, form: StreamFormat) -> None:
        self._out = av.open(file, "w", format="mp4")
        self._stream = self._out.add_mux_stream(form.codec, rate=25, width=form.width, height=form.height)
        self._stream.time_base = Fraction(1, TICKS)
        self._head = form.extradata

    def __enter__(self) -> RecordingToMemory:
        return self

    def __exit__(self, *_details: object) -> None:
        self._out.close()

    def write(self, item: EncodedPacket) -> None:
        packet = av.Packet(self._head + item.data)
        self._head = b""
        packet.pts, packet.dts, packet.time_base = item.pts, item.dts, Fraction(1, TICKS)
        packet.is_keyframe, packet.stream = item.keyframe, self._stream
        self._out.mux(packet)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("length_prefixed", [False, True], ids=["annex-b", "length-prefixed"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_parameter_sets_that_lie_in_the_extradata_only(
    tmp_path: Path, codec: str, length_prefixed: bool, suffix: str
) -> None:
    packets = _without_parameter_sets(codec, length_prefixed=length_prefixed)
    recorder = _record(tmp_path / f"a{suffix}", packets)
    assert recorder.problem == "" and recorder.files == (tmp_path / f"a{suffix}",)
    assert len(video_times(tmp_path / f"a{suffix}")) == len(packets) == 30


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("codec", "kept"),
    [("libx264", kept) for kept in ((0,), (1,), (0, 1))]
    + [("libx265", kept) for kept in ((0,), (1,), (2,), (1, 2), (0, 2), (0, 1), (0, 1, 2))],
)
def test_a_first_packet_that_brings_only_some_parameter_sets(
    tmp_path: Path, codec: str, kept: tuple[int, ...], suffix: str
) -> None:
    """As of a client that joined in the middle of it."""
    packets = _without_parameter_sets(codec)
    units = [unit for unit in packets[0].format.extradata.split(b"\0\0\0\1") if unit][: 2 if codec == "libx264" else 3]
    brought = b"".join(b"\0\0\0\1" + units[number] for number in kept)
    packets[0] = replace(packets[0], data=brought + packets[0].data)
    recorder = _record(tmp_path / f"a{suffix}", packets)
    assert recorder.problem == "" and recorder.files == (tmp_path / f"a{suffix}",)
    assert len(video_times(tmp_path / f"a{suffix}")) == 30


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_parameter_sets_in_the_packets_win_over_the_extradata(tmp_path: Path, suffix: str) -> None:
    """A stream that has changed its size on the way: what was said at its beginning no longer holds."""
    old = _without_parameter_sets("libx264")[0].format.extradata
    packets = _packets(30, size=(96, 64))
    form = replace(packets[0].format, extradata=old)
    recorder = _record(tmp_path / f"a{suffix}", [replace(packet, format=form) for packet in packets])
    assert recorder.problem == ""
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        stream = container.streams.video[0]
        assert old[5:12] not in bytes(stream.codec_context.extradata or b"")
        assert [(frame.width, frame.height) for frame in container.decode(stream)] == [(96, 64)] * 30


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_cannot_be_played_is_not_called_saved(tmp_path: Path, suffix: str) -> None:
    """Parameter sets of another stream: the muxer takes them, no decoder does."""
    form = StreamFormat("h264", 64, 48, 25.0, Fraction(1), b"\0\0\0\1\x67" + b"\xff" * 8 + b"\0\0\0\1\x68\xff\xff")
    packets = [replace(packet, format=form) for packet in _without_parameter_sets("libx264")]
    recorder = _record(tmp_path / f"a{suffix}", packets)
    assert recorder.files == () and "cannot be played" in recorder.problem
    assert not (tmp_path / f"a{suffix}").exists()
    left = [path for path in tmp_path.iterdir()]
    assert all("unplayable" in path.name and str(path) in recorder.problem for path in left)


def test_a_name_that_cannot_be_had_keeps_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    recorder = _record(tmp_path / "a.mp4", _packets(30))
    (part,) = tmp_path.iterdir()
    assert "broken disk" in recorder.problem and str(part) in recorder.problem and recorder.files == ()
    assert len(video_times(part)) == 30


def test_two_recordings_to_one_name(tmp_path: Path) -> None:
    one, other = RecordingSink(tmp_path / "a.mp4"), RecordingSink(tmp_path / "a.mp4")
    for packet in _packets(30):
        one.write(packet)
    for packet in _packets(20):
        other.write(packet)
    one.finish()
    other.finish()
    assert len(video_times(tmp_path / "a.mp4")) == 30 and one.notes == ()
    assert other.files == (tmp_path / "a_2.mp4",) and "a_2.mp4" in other.notes[0]
    assert len(video_times(tmp_path / "a_2.mp4")) == 20


def test_what_was_kept_comes_before_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet that arrives while a recording takes the pre-roll waits until it has all of it."""
    packets = _packets(40)
    ring = PacketRing(100.0)
    for packet in packets[:20]:
        ring.add(packet)
    got: list[EncodedPacket] = []
    source = threading.Thread(target=lambda: [ring.add(packet) for packet in packets[20:]])

    def listener(packet: EncodedPacket) -> None:
        if not got:
            source.start()
            source.join(0.3)  # time enough to overtake
        got.append(packet)

    ring.listen(listener)
    source.join(60)
    assert [packet.pts for packet in got] == [packet.pts for packet in packets]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pixels_that_are_not_square_stay_so(tmp_path: Path, suffix: str) -> None:
    source = _Live(SourceInfo("bare", 64, 48, rate=25, live=True, sample_aspect=Fraction(4, 3)))
    recording = Recording(RecordPlan(tmp_path / f"a{suffix}"), source, Overlay(DRIVING))  # type: ignore[arg-type]
    for index in range(3):
        recording.write(_shot(index))
    assert recording.stop()
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        next(container.decode(video=0))
        assert container.streams.video[0].codec_context.sample_aspect_ratio == Fraction(4, 3)


class _Live:
    """A live source that nobody iterates."""

    def __init__(self, info: SourceInfo, packets: PacketRing | None = None) -> None:
        self.info, self.packets = info, packets


def _shot(index: int) -> Shot:
    maps = (ClassMap(np.zeros((32, 64), np.uint8), DRIVING),)
    return Shot(Frame(index, index / 25, RgbPicture(solid(index, 64, 48))), maps)


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("seg-record")]


def test_when_the_second_file_cannot_be_begun_nothing_of_the_first_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = PacketRing(100.0)
    for packet in _packets(30):
        ring.add(packet)
    real, begun = threading.Thread.start, iter([True, False])

    def start(thread: threading.Thread) -> None:
        if thread.name == "seg-record" and not next(begun):
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    source = _Live(SourceInfo("bare", 64, 48, live=True), ring)
    plan = RecordPlan(tmp_path / "a.mp4", RecordWhat.BOTH)
    with pytest.raises(RuntimeError, match="new thread"):
        Recording(plan, source, Overlay(DRIVING))  # type: ignore[arg-type]
    assert _threads() == [] and not ring.wanted and list(tmp_path.iterdir()) == []


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Writing to the disk is slow until the event is set."""
    real, go_on = os.fsync, threading.Event()

    def fsync(descriptor: int) -> None:
        go_on.wait(60)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    yield go_on
    go_on.set()


def test_the_end_is_waited_for_as_long_as_something_is_written(tmp_path: Path, slow_disk: threading.Event) -> None:
    recording = Recording(
        RecordPlan(tmp_path / "a.mp4"), _Live(SourceInfo("bare", 64, 48, live=True)), Overlay(DRIVING)
    )  # type: ignore[arg-type]
    for index in range(3):
        recording.write(_shot(index))
    ending = threading.Thread(target=recording.stop)
    ending.start()
    assert not wait_while_writing(ending, recording, stuck_s=0.5)
    (part,) = tmp_path.iterdir()
    assert len(video_times(part)) == 3  # given up, and still there
    slow_disk.set()
    assert wait_while_writing(ending, recording)
    assert recording.files == (tmp_path / "a.mp4",)


def test_an_error_of_the_disk_is_the_problem(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "gone" / "a.mp4")
    with pytest.raises(ExportError, match=r"gone.a\.mp4"):
        sink.write(_packets(1)[0])


def test_times_do_not_run_backwards_over_a_pre_roll(tmp_path: Path) -> None:
    recorder = _record(tmp_path / "a.mkv", _packets(40))
    assert all(later > earlier for earlier, later in pairwise(video_times(recorder.files[0])))
