"""Beep and flash stay together, and where they were: every codec, in every container, from every start."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.media.beeps import FLASH_S, flashes, heard, join, make_beep

KINDS = {
    "aac": (".mp4", ".mov", ".mkv", ".ts", ".avi", ".flv"),
    "libmp3lame": (".mp4", ".mov", ".mkv", ".ts", ".avi", ".flv", ".asf"),
    "mp2": (".mkv", ".ts", ".avi", ".mp4"),
    "ac3": (".mp4", ".mov", ".mkv", ".ts", ".avi"),
    "eac3": (".mp4", ".mkv", ".ts"),
    "libopus": (".mp4", ".mkv", ".webm", ".ts"),
    "vorbis": (".mkv", ".webm"),
    "flac": (".mkv", ".mp4"),
    "wmav2": (".asf", ".avi"),
    "pcm_s16le": (".mov", ".mkv", ".avi", ".asf"),
    "pcm_s16be": (".mov", ".mkv"),
    "alac": (".mp4", ".mov", ".mkv"),
}
TARGETS = (".mp4", ".mkv", ".mov", ".webm")
STARTS = (0, 0.72, 5, 3600)
CASES = [
    (codec, source, start_s)
    for codec, sources in KINDS.items()
    for source in sources
    for start_s in STARTS
    if source != ".avi" or not start_s  # AVI always starts at 0
]


@pytest.mark.parametrize(("codec", "suffix", "start_s"), CASES, ids=str)
def test_beep_and_flash(tmp_path: Path, codec: str, suffix: str, start_s: float) -> None:
    layout = "stereo" if codec == "vorbis" else "mono"
    source = make_beep(tmp_path / f"a{suffix}", codec, layout=layout, start_s=start_s)
    number = CASES.index((codec, suffix, start_s)) + STARTS.index(start_s) // 3
    check(source, tmp_path / f"b{TARGETS[number % len(TARGETS)]}")


def check(source: Path, target: Path) -> None:
    """The target sounds and looks like the source, which a plain decoder is asked about too, from 0 on."""
    with av.open(str(source)) as file:
        origin_s = max(0, file.start_time or 0) / av.time_base
    before, flash_s = [time_s - origin_s for time_s in heard(source)], flashes(source) - origin_s
    assert before[0] == pytest.approx(FLASH_S, abs=0.1)  # the source is what it is meant to be
    beside = join(source, target)
    assert beside.sound != "none"
    assert not beside.notes
    after = heard(target)
    assert after[0] == pytest.approx(before[0], abs=0.02)
    assert after[0] - flashes(target) == pytest.approx(before[0] - flash_s, abs=0.02)
    assert after[2] - after[1] == pytest.approx(before[2] - before[1], abs=0.1)
