"""Sound in recordings: in step, split with the pictures, and never a harm to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from seg_viewer.core.encoded import EncodedPacket, SoundFormat, SoundPacket
from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import TICKS, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay
from seg_viewer.sinks.recording import RecordingSink
from tests.clips import video_times
from tests.servers.beeps import beep, beeps
from tests.sinks.test_recording import RATE, _packets, _shot
from tests.sinks.test_recording_faults import _without_parameter_sets

CODECS = {"aac": 44_100, "pcm_alaw": 8_000, "pcm_mulaw": 8_000, "libopus": 48_000, "libmp3lame": 44_100}
START_S = 3.0
"""Of the pictures and the sound, on the clock of the source; a tone begins at each full second from here on."""


@cache
def _sound(codec: str, seconds: float, *, start_s: float = START_S, rate: int = 0) -> list[SoundPacket]:
    """As a stream brings it."""
    rate = rate or CODECS[codec]
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.time_base = rate, "mono", Fraction(1, rate)
    encoder.format = {"aac": "fltp", "libmp3lame": "s16p"}.get(codec, "s16")
    resampler = av.AudioResampler(encoder.format.name, "mono", rate)
    encoder.open()
    some = encoder.frame_size or rate // 50
    made: list[av.Packet[Any]] = []
    for first in range(0, round(seconds * rate), some):
        for frame in resampler.resample(beep(first, some, rate)):
            made += encoder.encode(frame)
    made += encoder.encode(None)
    form = SoundFormat(encoder.codec.canonical_name, rate, "mono", bytes(encoder.extradata or b""))
    return [
        SoundPacket(bytes(packet), round((start_s + (packet.pts or 0) / rate) * TICKS), 0, form)
        for packet in made
        if packet.size
    ]


@cache
def _pictures(seconds: float, *, start_s: float = START_S) -> list[EncodedPacket]:
    return _packets(round(seconds * RATE), start=round(start_s * RATE))


def _shots(seconds: float, *, start_s: float = START_S) -> list[Shot]:
    assert start_s == START_S  # as those of `_shot`
    return [_shot(index) for index in range(round(seconds * RATE))]


def _time_s(item: EncodedPacket | Shot | SoundPacket) -> float:
    return item.frame.time_s if isinstance(item, Shot) else item.pts / TICKS


def _record(
    path: Path, pictures: list[Any], sounds: list[SoundPacket], *, late_s: float = 0.0, **choices: Any
) -> RecordingSink:
    """A recording of both as they would come; sound later by `late_s`, or earlier."""
    known = sounds[0].format if sounds else None
    sink = RecordingSink(
        path, expects_sound=True, sound_hint=lambda: known, overlay=Overlay(DRIVING), rate=RATE, **choices
    )
    coming = sorted([*pictures, *sounds], key=lambda each: _time_s(each) + late_s * isinstance(each, SoundPacket))
    for item in coming:
        if isinstance(item, SoundPacket):
            sink.add_sound(item)
        else:
            sink.write(item)
    sink.finish()
    return sink


def _sound_s(path: Path) -> float:
    """How much sound is in a file."""
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("pictures", [_pictures, _shots])
def test_sound_is_in_step(tmp_path: Path, pictures: Callable[..., list[Any]], codec: str, suffix: str) -> None:
    sink = _record(tmp_path / f"a{suffix}", pictures(3.2), _sound(codec, 3.2))
    (report,) = sink.reports
    assert report.pictures == 80 == len(video_times(report.path)) and report.seconds == pytest.approx(3.2)
    if pictures is _pictures and suffix == ".mp4" and codec.startswith("pcm"):
        assert report.sound.startswith("without its sound") and report.sound.endswith("name it .mkv")
        return
    assert report.missing == () and sink.notes == ()
    own_s = {"libmp3lame": 1105 / 44_100, "libopus": 312 / 48_000, "aac": 1024 / 44_100}.get(codec, 0.0)
    tones = beeps(report.path)  # an encoder says by how much it is late in the times of its packets
    assert [round(tone - index) for index, tone in enumerate(tones, 1)] == [0, 0, 0] or len(tones) == 2
    assert all(abs(tone - round(tone)) < 0.01 + own_s for tone in tones)
    assert _sound_s(report.path) == pytest.approx(3.2, abs=0.15)


@pytest.mark.parametrize("late_s", [-0.8, 0.0, 0.8])
@pytest.mark.parametrize("pictures", [_pictures, _shots])
def test_sound_is_split_with_the_pictures(tmp_path: Path, pictures: Callable[..., list[Any]], late_s: float) -> None:
    """Also where a server sends it long after, or before, the pictures of its time."""
    sink = _record(tmp_path / "a.mp4", pictures(4.0), _sound("aac", 4.0), late_s=late_s, split_s=0.99)
    assert len(sink.files) == 4 and sum(len(video_times(path)) for path in sink.files) == 100
    for path, report in zip(sink.files, sink.reports, strict=True):
        assert report.missing == ()
        assert _sound_s(path) == pytest.approx(1.0, abs=0.06)
    assert all(abs(tone - round(tone)) < 0.04 for path in sink.files for tone in beeps(path))


@pytest.mark.parametrize("pictures", [_pictures, _shots])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_goes_on_without_pictures_is_kept_and_told(
    tmp_path: Path, pictures: Callable[..., list[Any]], suffix: str
) -> None:
    """The camera's picture has stalled, its sound has not."""
    sink = _record(tmp_path / f"a{suffix}", pictures(2.0), _sound("aac", 8.0))
    (report,) = sink.reports
    assert _sound_s(report.path) == pytest.approx(8.0, abs=0.1)
    assert report.seconds == pytest.approx(2.0) and len(video_times(report.path)) == 50
    assert report.missing == ("6.0 s of sound behind the last picture",) and sink.notes == ()


def test_sound_of_another_time_behind_the_pictures_is_left_out_and_told(tmp_path: Path) -> None:
    """A clock that has jumped would make a file of hours."""
    sounds = _sound("aac", 4.0)
    far = [
        replace(packet, pts=packet.pts + 3600 * TICKS) if _time_s(packet) > START_S + 3 else packet for packet in sounds
    ]
    sink = _record(tmp_path / "a.mkv", _pictures(2.0), far)
    (report,) = sink.reports
    assert _sound_s(report.path) == pytest.approx(3.0, abs=0.1)
    assert sink.notes == (f"{tmp_path / 'a.mkv'}: 1.0 s of sound left out: it does not follow what was before",)


def test_a_gap_stays_one_in_pictures_and_sound(tmp_path: Path) -> None:
    pictures = _pictures(2.0) + _pictures(2.0, start_s=START_S + 5)
    sounds = _sound("aac", 1.9) + _sound("aac", 1.9, start_s=START_S + 5)
    sink = _record(tmp_path / "a.mp4", pictures, sounds)
    (report,) = sink.reports
    assert report.missing == ("a gap of 3.0 s without a picture",) and report.seconds == pytest.approx(7.0)
    assert max(later - earlier for earlier, later in pairwise(video_times(report.path))) == pytest.approx(3.04)
    assert [round(tone, 1) for tone in beeps(report.path)] == [1.0, 5.0, 6.0]


def _garbage(sounds: list[SoundPacket]) -> Iterator[SoundPacket]:
    for number, packet in enumerate(sounds):
        yield replace(packet, data=b"\x21\x07" * 40) if 20 < number < 40 else packet


TROUBLES: dict[str, Callable[[], list[SoundPacket]]] = {
    "never comes": lambda: [],
    "begins late": lambda: _sound("aac", 4.0)[120:],
    "stops": lambda: _sound("aac", 4.0)[:50],
    "garbage on the way": lambda: list(_garbage(_sound("aac", 4.0))),
    "nothing but garbage": lambda: [replace(packet, data=b"\0" * 50) for packet in _sound("libopus", 4.0)],
    "another codec": lambda: _sound("aac", 2.0) + _sound("pcm_alaw", 2.0, start_s=START_S + 2),
    "another rate": lambda: _sound("aac", 2.0) + _sound("aac", 2.0, start_s=START_S + 2, rate=22_050),
    "a codec nobody knows": lambda: [
        replace(packet, format=SoundFormat("cook", 8000, "mono")) for packet in _sound("pcm_alaw", 4.0)
    ],
    "all of one time": lambda: [replace(packet, pts=round(START_S * TICKS)) for packet in _sound("aac", 4.0)],
    "a clock that jumps": lambda: [
        replace(packet, pts=packet.pts + (10**9 if 40 < number < 80 else 0))
        for number, packet in enumerate(_sound("aac", 4.0))
    ],
    "no set-up": lambda: [replace(p, format=replace(p.format, extradata=b"")) for p in _sound("aac", 4.0)],
}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("pictures", [_pictures, _shots])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_comes_as_sound_every_picture_is_recorded(
    tmp_path: Path, trouble: str, pictures: Callable[..., list[Any]], suffix: str
) -> None:
    sink = _record(tmp_path / f"a{suffix}", pictures(4.0), TROUBLES[trouble]())
    assert sum(len(video_times(path)) for path in sink.files) == 100 == sink.frames
    assert sum(report.pictures for report in sink.reports) == 100
    told = " ".join([*sink.notes, *(report.line() for report in sink.reports)])
    assert any(word in told for word in ("without sound", "no sound", "without its sound", "left out")) or (
        len(sink.files) == 2 or "encoded as aac" in told
    )


def test_a_recording_that_is_cut_off_has_its_sound(tmp_path: Path) -> None:
    """As after a kill: what lies there under the hidden name."""
    for suffix in (".mp4", ".mkv"):
        sink = RecordingSink(tmp_path / f"a{suffix}", expects_sound=True)
        for packet in _sound("aac", 4.0):
            sink.add_sound(packet)
        for picture in _pictures(4.0):
            sink.write(picture)
        (part,) = tmp_path.glob(f".*{suffix}")
        copy = shutil.copy(part, tmp_path / f"copy{suffix}")
        assert len(video_times(copy)) > 40 and _sound_s(copy) > 1.5
        assert all(abs(tone - round(tone)) < 0.04 for tone in beeps(copy))
        sink.abandon()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pixels_the_way_up_and_the_hour_are_kept(tmp_path: Path, suffix: str) -> None:
    now = datetime.now(UTC)
    packets = _without_parameter_sets("libx264")  # they say nothing of any of it
    form = replace(packets[0].format, sample_aspect=Fraction(4, 3), turned=(0, 1, -1, 0))
    sink = RecordingSink(tmp_path / f"a{suffix}")
    for packet in packets:
        sink.write(replace(packet, format=form))
    sink.finish()
    with av.open(str(sink.files[0])) as container:
        began = datetime.fromisoformat(container.metadata["creation_time"])
        assert abs(began - now) < timedelta(seconds=60)
        stream = container.streams.video[0]
        assert (stream.sample_aspect_ratio == Fraction(4, 3)) == (suffix == ".mp4")
        assert sink.reports[0].missing == (
            () if suffix == ".mp4" else ("it does not say that pixels are 4:3; name it .mp4",)
        )
        assert next(container.decode(stream)).rotation == -90


def test_a_disk_that_is_full_is_the_end_of_both(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "gone" / "a.mp4", expects_sound=True)
    sink.add_sound(_sound("aac", 0.5)[5])
    with pytest.raises(ExportError, match="gone"):
        sink.write(_pictures(0.2)[0])
