"""Every codec in every container: what was written is read again, whole or in segments that follow each other."""

from __future__ import annotations

import io
import os
import pickle
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import YuvPlanes
from seg_viewer.media.codecs import CODECS, CONTAINERS, MUXERS, QUALITIES, VideoChoice
from seg_viewer.media.encoders import Encoder, VideoPacket, add_joined_stream, make_encoder
from seg_viewer.media.packets import DecodingTimes

TICK = Fraction(1, 90_000)
PAIRS = [(codec, container) for container, held in CONTAINERS.items() for codec in held]
LOSSY_DB = 30.0


def _planes(number: int, width: int = 64, height: int = 48, *, full_range: bool = False) -> YuvPlanes:
    """A bar that moves over a slope: which picture it is can be seen."""
    y = np.tile(np.linspace(60, 180, width).astype(np.uint8), (height, 1))
    left = number * 5 % max(1, width - 8)
    y[height // 4 : 3 * height // 4, left : left + 8] = 220
    half = ((height + 1) // 2, (width + 1) // 2)
    return YuvPlanes(y, np.full(half, 100, np.uint8), np.full(half, 150, np.uint8), "bt709", full_range)


def _encoder(
    choice: VideoChoice, container: str, first: YuvPlanes | av.VideoFrame, aspect: Fraction = Fraction(1)
) -> Encoder:
    return make_encoder(choice, container, first, rate=Fraction(25), time_base=TICK, sample_aspect=aspect)


def _segments(
    choice: VideoChoice, container: str, times: list[list[int]], aspect: Fraction = Fraction(1)
) -> tuple[list[Encoder], list[VideoPacket]]:
    """A fresh encoder for each list of times; the packets of all."""
    encoders, packets, number = [], [], 0
    for segment in times:
        encoder = _encoder(choice, container, _planes(number), aspect)
        for pts in segment:
            packets += encoder.encode(_planes(number), pts, 3600)
            number += 1
        packets += encoder.flush()
        encoders.append(encoder)
    return encoders, packets


def _joined(container: str, encoder: Encoder, packets: list[VideoPacket]) -> av.container.InputContainer:
    file = io.BytesIO()
    times = DecodingTimes()
    with av.open(file, "w", format=MUXERS[container]) as out:
        stream = encoder.add_to(out)
        for packet in packets:
            times.set(packet)
            packet.stream = stream
            out.mux(packet)
    file.seek(0)
    return av.open(file)


def _aspect(stream: av.VideoStream, encoder: Encoder) -> Fraction:
    """As a player finds it: of the stream, else (FFV1) of its pictures, which PyAV does not show."""
    return encoder.sample_aspect if encoder.codec == "ffv1" else stream.sample_aspect_ratio or Fraction(1)


def _luma(frame: av.VideoFrame) -> np.ndarray:
    plain = frame.reformat(format="gray8") if frame.format.name != "yuv420p" else frame
    plane = plain.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]


def _db(ours: np.ndarray, true: np.ndarray) -> float:
    error = float(np.mean((ours.astype(float) - true) ** 2))
    return 10 * np.log10(255**2 / error) if error else 99.0


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_segments_of_fresh_encoders_are_one_stream(codec: str, container: str) -> None:
    times = [[3600 * n for n in range(start, stop)] for start, stop in ((0, 14), (14, 15), (15, 17), (17, 32))]
    encoders, packets = _segments(VideoChoice(codec), container, times, Fraction(4, 3))
    assert len({encoder.extradata for encoder in encoders}) == 1
    with _joined(container, encoders[0], packets) as back:
        stream = back.streams.video[0]
        with av.logging.Capture() as complaints:
            frames = list(back.decode(stream))
        assert not complaints
        seconds = [round(float(frame.pts * stream.time_base), 3) for frame in frames]
        assert seconds == [round(n / 25, 3) for n in range(32)]
        for number, frame in enumerate(frames):
            if (frame.format.name, frame.width) == ("yuv420p", 64):
                assert _db(_luma(frame), _planes(number).y) > LOSSY_DB
        display = frames[0].width / frames[0].height * float(_aspect(stream, encoders[0]))
        assert display == pytest.approx(64 / 48 * 4 / 3, rel=0.01)


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_segments_that_lay_in_files_are_one_stream(codec: str, container: str) -> None:
    choice, aspect, files, times = VideoChoice(codec), Fraction(4, 3), [], []
    for start in (0, 10):
        encoders, packets = _segments(choice, container, [[3600 * n for n in range(start, start + 10)]], aspect)
        times += [(packet.pts, packet.dts) for packet in packets]
        files.append(io.BytesIO())
        with av.open(files[-1], "w", format="matroska") as out:
            stream = encoders[0].add_to(out)
            for packet in packets:
                packet.stream = stream
                out.mux(packet)
        files[-1].seek(0)
    joined, setter, target = io.BytesIO(), DecodingTimes(), None
    with av.open(joined, "w", format=MUXERS[container]) as out:
        for file in files:
            with av.open(file) as kept:
                if target is None:
                    target = add_joined_stream(
                        out, kept.streams.video[0], choice, container, time_base=TICK, sample_aspect=aspect
                    )
                for packet in kept.demux(video=0):
                    if packet.size:
                        packet.stream, packet.time_base = target, TICK
                        packet.pts, packet.dts = times.pop(0)
                        setter.set(packet)
                        out.mux(packet)
    joined.seek(0)
    with av.open(joined) as back:
        stream = back.streams.video[0]
        frames = list(back.decode(stream))
        assert [round(frame.pts * stream.time_base * 25) for frame in frames] == list(range(20))
        display = frames[0].width / frames[0].height * float(_aspect(stream, encoders[0]))
        assert display == pytest.approx(64 / 48 * 4 / 3, rel=0.01)
        assert stream.codec_context.codec_tag == CODECS[codec].tags.get(container, stream.codec_context.codec_tag)
        for number, frame in enumerate(frames):
            if (frame.format.name, frame.width) == ("yuv420p", 64):
                assert _db(_luma(frame), _planes(number % 10).y) > LOSSY_DB


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("codec", CODECS)
def test_every_point_encodes_what_it_was_given(codec: str, quality: str) -> None:
    container = next(name for name, held in CONTAINERS.items() if codec in held)
    encoders, packets = _segments(VideoChoice(codec, quality), container, [[3600 * n for n in range(12)]])
    assert (encoders[0].codec, encoders[0].encoder, encoders[0].note) == (codec, CODECS[codec].software, "")
    with _joined(container, encoders[0], packets) as back:
        frames = list(back.decode(video=0))
    assert len(frames) == 12
    for number, frame in enumerate(frames):
        if frame.format.name == "yuv420p":
            assert _db(_luma(frame), _planes(number).y) > LOSSY_DB


GAPS = st.lists(st.lists(st.integers(1, 5000), min_size=1, max_size=9), min_size=2, max_size=4)


@settings(max_examples=25, deadline=None)
@given(GAPS, st.sampled_from(["high", "balanced", "fast"]))
def test_decoding_times_go_up_over_seams_whatever_the_gaps(gaps: list[list[int]], quality: str) -> None:
    ends = np.cumsum([gap for segment in gaps for gap in segment]).tolist()
    cuts = np.cumsum([0, *(len(segment) for segment in gaps)])
    times = [ends[start:stop] for start, stop in pairwise(cuts)]
    _, packets = _segments(VideoChoice("h264", quality), "mp4", times)
    setter = DecodingTimes()
    for packet in packets:
        setter.set(packet)
    decoded = [packet.dts for packet in packets]
    assert all(later > sooner for sooner, later in pairwise(decoded))
    assert all(packet.dts <= packet.pts for packet in packets)
    assert sorted(packet.pts for packet in packets) == ends


def test_seams_where_an_encoder_would_begin_before_the_last_one_ended() -> None:
    times = [[0, 10, 20, 30, 40, 50, 51, 52], [53, 9_000, 18_000, 27_000]]
    encoders, packets = _segments(VideoChoice("h264", "high"), "mp4", times)
    own = [packet.dts for packet in packets]
    assert own != sorted(own), "this seam needs no correction, and shows nothing"
    with _joined("mp4", encoders[0], packets) as back:
        base = back.streams.video[0].time_base
        assert [round(frame.pts * base / TICK) for frame in back.decode(video=0)] == [*times[0], *times[1]]


@pytest.mark.parametrize(("codec", "container"), PAIRS)
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_are_tagged_as_they_are(codec: str, container: str, full_range: bool) -> None:
    encoder = _encoder(VideoChoice(codec), container, _planes(0, full_range=full_range))
    packets = encoder.encode(_planes(0, full_range=full_range), 0) + encoder.flush()
    with _joined(container, encoder, packets) as back:
        frame = next(back.decode(video=0))
        kept = full_range and CODECS[codec].full_range
        assert (frame.color_range == 2) is kept
        assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1)
    assert ("0…255" in encoder.note) is (full_range and not kept)
    if frame.format.name == "yuv420p":
        assert _db(_luma(frame), _planes(0).y) > LOSSY_DB


def test_prores_without_full_range_has_the_same_picture() -> None:
    encoder = _encoder(VideoChoice("prores"), "mov", _planes(0, full_range=True))
    packets = encoder.encode(_planes(0, full_range=True), 0) + encoder.flush()
    with _joined("mov", encoder, packets) as back:
        luma = next(back.decode(video=0)).to_ndarray(format="yuv422p10le")
    got = np.asarray(luma).view(np.uint16).ravel()[: 64 * 48].reshape(48, 64).astype(float)
    expected = 64 + _planes(0).y.astype(float) * 876 / 255  # 10 bits: 64…940 (ITU-R BT.709-6, item 3.5)
    assert np.abs(got - expected).mean() < 4


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (17, 33), (34, 18)])
def test_any_size_loses_no_row_or_column(codec: str, size: tuple[int, int]) -> None:
    container = next(name for name, held in CONTAINERS.items() if codec in held)
    width, height = size
    first = _planes(0, width, height)
    encoder = _encoder(VideoChoice(codec), container, first)
    packets = encoder.encode(first, 0) + encoder.encode(_planes(1, width, height), 3600) + encoder.flush()
    with _joined(container, encoder, packets) as back:
        frames = list(back.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [(encoder.width, encoder.height)] * 2
    assert 0 <= encoder.width - width <= 1 and 0 <= encoder.height - height <= 1
    if frames[0].format.name == "yuv420p":
        assert _db(_luma(frames[0])[:height, :width], first.y) > LOSSY_DB


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_a_size_that_changes_midway_is_fitted(codec: str, container: str) -> None:
    encoder = _encoder(VideoChoice(codec), container, _planes(0))
    narrow = _planes(1, 32, 48)
    packets = encoder.encode(_planes(0), 0) + encoder.encode(narrow, 3600) + encoder.flush()
    with _joined(container, encoder, packets) as back:
        frames = list(back.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 2
    if frames[1].format.name == "yuv420p":
        luma = _luma(frames[1])
        assert luma[:, :14].max() < 40 and luma[:, 50:].max() < 40  # bars beside it
        assert _db(luma[:, 16:48], narrow.y) > LOSSY_DB - 5  # and its edges there are hard


def test_too_small_is_one_line() -> None:
    with pytest.raises(ExportError, match=r"^2×2: H.265 begins at 16×16; choose another codec$"):
        _encoder(VideoChoice("h265"), "mp4", _planes(0, 2, 2))


def test_class_ids_come_back_bit_for_bit() -> None:
    ids = np.random.default_rng(1).integers(0, 4, (47, 63), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(ids, format="gray")
    encoder = _encoder(VideoChoice("ffv1"), "mkv", frame)
    with _joined("mkv", encoder, encoder.encode(frame, 0) + encoder.flush()) as back:
        np.testing.assert_array_equal(next(back.decode(video=0)).to_ndarray(), ids)


def test_alpha_is_kept_where_the_codec_has_it() -> None:
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[:, 32:] = (0, 120, 255, 115)
    for codec, container, decoder in (("prores", "mov", "prores"), ("vp9", "webm", "libvpx-vp9")):
        frame = av.VideoFrame.from_ndarray(rgba, format="rgba")
        encoder = _encoder(VideoChoice(codec), container, frame)
        with _joined(container, encoder, encoder.encode(frame, 0) + encoder.flush()) as back:
            reader = av.CodecContext.create(decoder, "r")
            reader.extradata = back.streams.video[0].codec_context.extradata
            frames = [got for packet in back.demux(video=0) for got in reader.decode(packet)]
        alpha = frames[0].to_ndarray(format="rgba")[..., 3]
        assert abs(int(alpha[24, 8])) <= 3 and abs(int(alpha[24, 56]) - 115) <= 3, codec


def test_h265_has_the_name_that_apple_reads() -> None:
    for container in ("mp4", "mov"):
        encoders, packets = _segments(VideoChoice("h265"), container, [[0, 3600]])
        with _joined(container, encoders[0], packets) as back:
            assert back.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("codec", [name for name, kind in CODECS.items() if kind.hardware])
def test_hardware_encodes_or_says_why_it_does_not(codec: str) -> None:
    container = next(name for name, held in CONTAINERS.items() if codec in held)
    encoder = _encoder(VideoChoice(codec, hardware=True), container, _planes(0, 320, 240))
    assert encoder.encode(_planes(0, 320, 240), 0) + encoder.flush()
    if encoder.encoder == CODECS[codec].software:
        assert encoder.note.endswith(f": {CODECS[codec].software} encodes")
        for name in CODECS[codec].hardware:
            assert f"{name} cannot be used here (" in encoder.note
    else:
        assert encoder.encoder in CODECS[codec].hardware


def test_impossible_pairs_are_one_line_with_the_way_out() -> None:
    for container in CONTAINERS:
        for codec in CODECS:
            if codec not in CONTAINERS[container]:
                with pytest.raises(UsageError, match=f"does not go into .{container}: choose ") as caught:
                    VideoChoice(codec).kind(container)
                assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (VideoChoice("divx"), "codec 'divx': choose h264, h265"),
        (VideoChoice(quality="best"), "quality 'best': choose high, balanced"),
        (VideoChoice(crf=52), r"crf 52: H.264 takes 0 \(best\) to 51 \(smallest\)"),
        (VideoChoice("ffv1", crf=3), "crf 3: FFV1 knows none"),
        (VideoChoice("av1", preset="veryfast"), "preset 'veryfast': choose 4, 5"),
        (VideoChoice("ffv1", preset="4"), "preset '4': FFV1 has none"),
    ],
)
def test_wrong_choices_are_one_line(choice: VideoChoice, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choice.kind("mkv")


def test_the_usual_codec_is_the_containers() -> None:
    assert [VideoChoice().kind(container).name for container in CONTAINERS] == ["h264", "h264", "h264", "vp9"]


def test_a_crf_makes_the_file_smaller_or_larger_and_a_preset_is_taken() -> None:
    rng = np.random.default_rng(5)
    pictures = [replace(_planes(n), y=rng.integers(0, 255, (48, 64), dtype=np.uint8)) for n in range(6)]

    def size(choice: VideoChoice) -> int:
        encoder = _encoder(choice, "mp4", pictures[0])
        packets = [p for n, picture in enumerate(pictures) for p in encoder.encode(picture, 3600 * n)]
        return sum(packet.size for packet in packets + encoder.flush())

    for codec in ("h264", "h265", "av1"):
        speed = CODECS[codec].presets[0]
        for choice in (VideoChoice(codec), VideoChoice(codec, preset=speed)):
            assert size(replace(choice, crf=45)) < size(replace(choice, crf=15)), choice


@given(st.sampled_from([None, *CODECS]), st.sampled_from(QUALITIES), st.booleans())
def test_a_choice_is_a_plain_value(codec: str | None, quality: str, hardware: bool) -> None:
    choice = VideoChoice(codec, quality, hardware=hardware)
    assert pickle.loads(pickle.dumps(choice)) == choice
    assert len({choice, replace(choice)}) == 1


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system does not say how threads are scheduled")
@pytest.mark.parametrize("codec", CODECS)
def test_no_encoder_takes_a_higher_priority_than_it_was_given(codec: str) -> None:
    """As root, SVT-AV1 makes all its threads, and the one that opens it, real-time ones: they stop the machine."""
    container = next(container for container, held in CONTAINERS.items() if codec in held)
    encoder = _encoder(VideoChoice(codec), container, _planes(0))
    encoder.encode(_planes(0), 0, 3600)
    assert {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")} == {os.SCHED_OTHER}
    encoder.flush()
