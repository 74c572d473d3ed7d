"""Sound that is damaged, odd or missing: the picture is there, and one line says what became of the sound."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.media.beeps import FLASH_S, FORMATS, flashes, heard, join, make_beep

Packets = list["av.Packet[Any]"]


def remux(source: Path, target: Path, change: Callable[[Packets], Packets]) -> Path:
    """Copy a clip, its sound's packets changed on the way."""
    with av.open(str(source)) as file, av.open(str(target), "w", format=FORMATS[target.suffix]) as out:
        made = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in file.streams}
        packets = [packet for packet in file.demux() if packet.size]
        sound = change([packet for packet in packets if packet.stream.type == "audio"])
        whole = [packet for packet in packets if packet.stream.type != "audio"] + sound
        for packet in sorted(whole, key=lambda p: p.dts * p.time_base):
            packet.stream = made[packet.stream_index]
            out.mux(packet)
    return target


def blanked(packets: Packets, numbers: range, head: bytes = b"") -> Packets:
    """Some packets hold nothing that a decoder knows, behind their head."""
    made = []
    for number, packet in enumerate(packets):
        if number in numbers:
            other: av.Packet[Any] = av.Packet(head + b"\xff\x00" * ((packet.size - len(head)) // 2))
            other.stream, other.time_base = packet.stream, packet.time_base
            other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
            packet = other
        made.append(packet)
    return made


def notes(source: Path, target: Path) -> str:
    """What was told; the picture is whole."""
    beside = join(source, target)
    with av.open(str(target)) as file:
        assert len(list(file.decode(video=0))) == 25
    return " | ".join([beside.sound, *beside.notes])


@pytest.mark.parametrize("codec", ["mp2", "flac", "ac3"])
@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_what_cannot_be_decoded_is_silent_and_told(tmp_path: Path, codec: str, suffix: str) -> None:
    whole = make_beep(tmp_path / "a.mkv", codec)
    # before the beep: what follows would come too early if the hole closed
    source = remux(whole, tmp_path / "b.mkv", lambda packets: blanked(packets, range(1, 4 if codec != "flac" else 3)))
    target = tmp_path / f"c{suffix}"
    told = notes(source, target)
    if codec == "ac3" and suffix == ".mov":
        assert told == "ac3 copied | sound: 3 packets damaged, left out"
    else:
        assert re.search(r"sound: \d packets? could not be decoded: 0.\d\d s of silence in its place$", told)
    beep_s, _begin_s, end_s = heard(target)
    assert beep_s == pytest.approx(heard(whole)[0], abs=0.02)
    assert end_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("head", [b"", b"\x0b\x77", b"\x0b\x77\x00\x00\x00\x40"])
@pytest.mark.parametrize("codec", ["ac3", "eac3"])
@pytest.mark.parametrize("start_s", [0.0, 0.25])
def test_what_would_end_the_muxer(tmp_path: Path, codec: str, head: bytes, start_s: float) -> None:
    """MP4 says in its header what is in these packets, and fails at the very end if it could not read that."""
    source = remux(make_beep(tmp_path / "a.mkv", codec), tmp_path / "b.mkv", lambda p: blanked(p, range(7, 10), head))
    beside = join(source, tmp_path / "c.mp4", start_s)
    assert beside.notes == ("sound: 3 packets damaged, left out",)
    assert heard(tmp_path / "c.mp4")[0] == pytest.approx(FLASH_S - start_s, abs=0.03)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("codec", ["aac", "flac"])
def test_what_cannot_be_decoded_is_not_copied(tmp_path: Path, codec: str, suffix: str) -> None:
    source = remux(make_beep(tmp_path / "a.mkv", codec), tmp_path / "b.mkv", lambda p: blanked(p, range(2, 4)))
    assert re.search(r"copied \| sound: [12] packets? damaged, left out$", notes(source, tmp_path / f"c{suffix}"))
    beep_s, _begin_s, end_s = heard(tmp_path / f"c{suffix}")  # which decodes all of it
    assert beep_s == pytest.approx(FLASH_S, abs=0.02)
    assert end_s == pytest.approx(1.0, abs=0.1)


def test_nothing_that_the_muxer_knows_is_encoded_anew(tmp_path: Path) -> None:
    def with_a_tail(packets: Packets) -> Packets:
        made = []
        for packet in packets:
            other: av.Packet[Any] = av.Packet(bytes(packet) + b"tail")
            other.stream, other.time_base = packet.stream, packet.time_base
            other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
            made.append(other)
        return made

    source = remux(make_beep(tmp_path / "a.mkv", "eac3"), tmp_path / "b.mkv", with_a_tail)
    assert notes(source, tmp_path / "c.mp4") == "eac3 encoded as aac"
    assert heard(tmp_path / "c.mp4")[0] == pytest.approx(heard(source)[0], abs=0.02)


def test_an_end_that_cannot_be_decoded_is_silent(tmp_path: Path) -> None:
    whole = make_beep(tmp_path / "a.mkv", "flac")
    source = remux(whole, tmp_path / "b.mkv", lambda packets: blanked(packets, range(len(packets) - 3, 99)))
    assert "3 packets could not be decoded: 0.2" in notes(source, tmp_path / "c.mov")
    assert heard(tmp_path / "c.mov")[2] == pytest.approx(heard(whole)[2], abs=0.1)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("codec", ["aac", "mp2", "libopus"])
def test_a_time_that_comes_twice(tmp_path: Path, codec: str, suffix: str) -> None:
    def twice(packets: Packets) -> Packets:
        packets[5].pts = packets[5].dts = packets[4].dts
        return packets

    whole = make_beep(tmp_path / "a.mkv", codec)
    source = remux(whole, tmp_path / "b.mkv", twice)
    target = tmp_path / f"c{suffix}"
    assert "sound: 1 packet had the time of an earlier one: put behind it" in notes(source, target)
    assert heard(target)[0] == pytest.approx(heard(whole)[0], abs=0.02)
    assert heard(target)[2] == pytest.approx(heard(whole)[2], abs=0.1)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_hole(tmp_path: Path, suffix: str) -> None:
    whole = make_beep(tmp_path / "a.mkv", "mp2", "aac")
    source = remux(whole, tmp_path / "b.mkv", lambda packets: packets[:8] + packets[16:])
    told = notes(source, tmp_path / f"c{suffix}")
    assert "sound 1: has holes: " in told
    for track in (0, 1):
        assert heard(tmp_path / f"c{suffix}", track)[0] == pytest.approx(heard(whole, track)[0], abs=0.02)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_announced_and_empty(tmp_path: Path, suffix: str) -> None:
    source = remux(make_beep(tmp_path / "a.ts", "aac"), tmp_path / "b.ts", lambda packets: [])
    told = notes(source, tmp_path / f"c{suffix}")
    assert told == "none | left out: sound (empty)"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_an_unknown_codec(tmp_path: Path, suffix: str) -> None:
    source = make_beep(tmp_path / "a.mp4", "aac")
    picture, _name, sound = source.read_bytes().partition(b"mp4a")
    source.write_bytes(picture + b"zzzz" + sound.replace(b"esds", b"zzzz"))
    assert notes(source, tmp_path / f"c{suffix}") == "none | left out: sound (unknown codec)"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_nothing_of_it_can_be_decoded(tmp_path: Path, suffix: str) -> None:
    whole = make_beep(tmp_path / "a.mkv", "flac")
    source = remux(whole, tmp_path / "b.mkv", lambda packets: blanked(packets, range(99)))
    told = notes(source, tmp_path / f"c{suffix}")
    assert told == ("flac copied" if suffix != ".webm" else "none | left out: sound (cannot be decoded)")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_damaged_packets_in_a_transport_stream(tmp_path: Path, suffix: str) -> None:
    """AAC there has a header in each packet, which MP4 must not have; a muxer would stop where one is broken."""
    whole = make_beep(tmp_path / "a.ts", "aac")
    data = bytearray(whole.read_bytes())
    for place in range(len(data) // 3, len(data) // 2, 997):
        data[place] ^= 0x5A
    source = tmp_path / "b.ts"
    source.write_bytes(data)
    beside = join(source, tmp_path / f"c{suffix}")
    assert "aac" in beside.sound
    with av.open(str(tmp_path / f"c{suffix}")) as file:
        assert file.streams.audio


RATES = [8000, 11024, 22050, 37800, 96000, 192000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_rates(tmp_path: Path, rate: int, suffix: str) -> None:
    source = make_beep(tmp_path / "a.mov", "pcm_s16le", rate=rate, start_s=0.72 * (rate % 1000 == 0))
    told = notes(source, tmp_path / f"c{suffix}")
    with av.open(str(tmp_path / f"c{suffix}")) as file:
        made = file.streams.audio[0].rate
    codec = "aac" if suffix == ".mp4" else "opus"
    kept = f"pcm_s16le encoded as {codec}"
    assert told == (kept if made == rate else f"pcm_s16le ({rate} Hz) encoded as {codec} ({made} Hz)")
    assert made >= min(rate, 48000)
    beep_s, _begin_s, end_s = heard(tmp_path / f"c{suffix}")
    assert beep_s == pytest.approx(FLASH_S, abs=0.02)
    assert flashes(tmp_path / f"c{suffix}") == pytest.approx(FLASH_S, abs=0.002)
    assert end_s == pytest.approx(1.0, abs=0.1)


LAYOUTS = {"mono": "mono", "stereo": "stereo", "quad": "", "5.0": "5.0", "5.1": "5.1", "5.1(side)": "5.1", "7.1": "7.1"}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_layouts_stay(tmp_path: Path, layout: str, suffix: str) -> None:
    source = make_beep(tmp_path / "a.mkv", "pcm_s16le", layout=layout)
    told = notes(source, tmp_path / f"c{suffix}")
    expected = LAYOUTS[layout] or {".mp4": "5.0", ".webm": "quad"}[suffix]
    with av.open(str(tmp_path / f"c{suffix}")) as file:
        assert file.streams.audio[0].layout.name == expected
        frames = [frame for frame in file.decode(audio=0) if abs(frame.time - FLASH_S - 0.04) < 0.03]
        packed = np.concatenate([av.AudioResampler("flt").resample(each)[0].to_ndarray()[0] for each in frames])
        loud = np.abs(packed.reshape(-1, av.AudioLayout(expected).nb_channels)).max(axis=0) > 0.1
    # what bears a name keeps its speaker; encoders take the low-frequency channel's 1.4 kHz away
    low = [channel.name == "LFE" for channel in av.AudioLayout(expected).channels]
    spared = [layout == "quad" and channel.name == "FC" for channel in av.AudioLayout(expected).channels]
    assert all(loud | np.array(low) | np.array(spared))
    assert (f", {layout} as {expected}" in told) == (layout == "quad" and suffix == ".mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_recordings_of_several_kinds_in_one_file(tmp_path: Path, suffix: str) -> None:
    """Put end to end: 48 kHz, mono, then 32 kHz, stereo; each beeps at its own time."""
    whole = make_beep(tmp_path / "a.ts", "aac").read_bytes()
    whole += make_beep(tmp_path / "b.ts", "aac", rate=32_000, layout="stereo").read_bytes()
    (tmp_path / "c.ts").write_bytes(whole)
    beside = join(tmp_path / "c.ts", tmp_path / f"d{suffix}")
    assert beside.sound.startswith("aac encoded as ")
    with av.open(str(tmp_path / f"d{suffix}")) as file:
        loud = [
            frame.time
            for frame in file.decode(audio=0)
            if np.abs(av.AudioResampler("flt").resample(frame)[0].to_ndarray()).max() > 0.2
        ]
    second = [time for time in loud if time > 1]
    assert loud[0] == pytest.approx(FLASH_S, abs=0.06)
    assert second[0] == pytest.approx(1 + FLASH_S, abs=0.1)
    assert second[-1] - second[0] < 0.15
