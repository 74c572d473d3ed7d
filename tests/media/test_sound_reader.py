"""Sound for a loudspeaker: from any time on, in any container, at the times of the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seg_viewer.media.sound_reader import PlayedSound, sound_tracks
from seg_viewer.media.timeline import Timeline
from seg_viewer.sources.video_file import VideoFile
from tests.media.beeps import FLASH_S, make_beep

RATE = 48_000


def beep_s(path: Path, start_s: float, speed: float = 1.0, channels: int = 2) -> float | None:
    """When a beep is heard first from a time on, seconds of the file."""
    tracks, default = sound_tracks(path)
    sound = PlayedSound(path, tracks[default].index, Timeline(path), RATE, channels)
    position = 0
    for block in sound.blocks(start_s, speed):
        assert block.shape[1] == channels and block.dtype == np.float32
        loud = np.flatnonzero(np.abs(block).max(axis=1) > 0.2)
        if loud.size:
            return start_s + (position + int(loud[0])) / RATE * speed
        position += len(block)
    return None


def flashes_s(path: Path) -> list[float]:
    source = VideoFile(path)
    found = [frame.time_s for frame in source if frame.picture.rgb().mean() > 128]
    source.close()
    return found


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "aac"), (".mkv", "flac"), (".ts", "mp2"), (".avi", "pcm_s16le"), (".flv", "libmp3lame"), (".asf", "ac3")],
)
def test_it_begins_anywhere(tmp_path: Path, suffix: str, codec: str):
    clip = make_beep(tmp_path / f"clip{suffix}", codec, lead_s=12)
    truth = beep_s(clip, 0.0)
    assert truth == pytest.approx(12 + FLASH_S, abs=0.03)
    for start_s in (1.0, 5.3, 9.9, 12.3):
        assert beep_s(clip, start_s, channels=1) == pytest.approx(truth, abs=0.003)
    assert beep_s(clip, 12.9) is None
    assert beep_s(clip, 100.0) is None


def test_recordings_put_one_behind_the_other_are_heard_where_they_are_seen(tmp_path: Path):
    pieces = [make_beep(tmp_path / f"{n}.ts", "mp2", start_s=s, lead_s=3) for n, s in ((1, 7.0), (2, 400.0), (3, 0.0))]
    clip = tmp_path / "joined.ts"
    clip.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    flashes = flashes_s(clip)
    assert len(flashes) == 3
    for flash in flashes:
        for before_s in (0.3, 1.5):
            assert beep_s(clip, flash - before_s) == pytest.approx(flash, abs=0.04)


def test_sound_that_begins_late_or_has_no_end_in_sight_is_silence_meanwhile(tmp_path: Path):
    clip = make_beep(tmp_path / "late.mkv", "flac", shift_s=70.0)
    assert beep_s(clip, 0.0) == pytest.approx(70 + FLASH_S, abs=0.003)
    assert beep_s(clip, 60.0) == pytest.approx(70 + FLASH_S, abs=0.003)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_another_speed_keeps_times_and_pitch(tmp_path: Path, speed: float):
    clip = make_beep(tmp_path / "clip.mkv", "flac", lead_s=2)
    assert beep_s(clip, 1.5, speed) == pytest.approx(2 + FLASH_S, abs=0.04)
    tracks, default = sound_tracks(clip)
    sound = PlayedSound(clip, tracks[default].index, Timeline(clip), RATE, 1)
    wave = np.concatenate(list(sound.blocks(0.0, speed)))[:, 0]
    assert len(wave) / RATE == pytest.approx(3 / speed, abs=0.06)
    loud = wave[np.abs(wave) > 0.1]
    assert loud.size / RATE == pytest.approx(0.09 / speed, rel=0.35)
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() * RATE / len(wave) == pytest.approx(1000, abs=15)


def test_tracks_are_named(tmp_path: Path):
    tracks, default = sound_tracks(make_beep(tmp_path / "two.mp4", "aac", "ac3"))
    assert [track.name for track in tracks] == ["1: aac mono", "2: ac3 mono"]
    assert default == 0
    assert sound_tracks(make_beep(tmp_path / "none.mp4")) == ([], 0)
