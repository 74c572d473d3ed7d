"""Beep and flash stay together, and where they were: every codec, in every container, from every start."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from([("aac", ".ts"), ("flac", ".mkv"), ("ac3", ".mkv"), ("mp2", ".ts"), ("pcm_s16le", ".mkv")]),
    target=st.sampled_from(TARGETS),
    rate=st.sampled_from([32_000, 44_100, 48_000]),
    layout=st.sampled_from(["mono", "stereo"]),
    start=st.integers(0, 4000 * 25),
    shift=st.integers(-5, 5),
)
def test_any_start_rate_and_layout(
    kind: tuple[str, str], target: str, rate: int, layout: str, start: int, shift: int
) -> None:
    """`start` and what the sound is later than the picture, in frames of 1/25 s."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / f"a{kind[1]}"
        make_beep(source, kind[0], rate=rate, layout=layout, start_s=(start + 5) / 25, shift_s=shift / 25)
        check(source, Path(folder) / f"b{target}")


@pytest.mark.parametrize(
    ("source", "target"), [(".mp4", ".mkv"), (".mkv", ".mp4"), (".mp4", ".mov"), (".mkv", ".webm")]
)
def test_far_from_the_start_of_a_long_file(tmp_path: Path, source: str, target: str) -> None:
    """Reading begins there, where the file has an index."""
    make_beep(tmp_path / f"a{source}", "aac", "ac3", lead_s=9)
    join(tmp_path / f"a{source}", tmp_path / f"b{target}", 9)
    flash_s = flashes(tmp_path / f"b{target}")
    assert flash_s == pytest.approx(FLASH_S, abs=0.03)
    for track in (0, 1):
        assert heard(tmp_path / f"b{target}", track)[0] == pytest.approx(flash_s, abs=0.025)


def check(source: Path, target: Path) -> None:
    """The target sounds and looks like the source, which a plain decoder is asked about too, from 0 on."""
    with av.open(str(source)) as file:
        origin_s = max(0, file.start_time or 0) / av.time_base
    before, flash_s = [time_s - origin_s for time_s in heard(source)], flashes(source) - origin_s
    assert 0.2 < flash_s < 0.8  # the source is what it is meant to be
    beside = join(source, target)
    assert beside.sound != "none"
    assert not beside.notes
    after = heard(target)
    assert after[0] == pytest.approx(before[0], abs=0.02)
    assert after[0] - flashes(target) == pytest.approx(before[0] - flash_s, abs=0.02)
    assert after[2] - after[1] == pytest.approx(before[2] - before[1], abs=0.1)


@pytest.mark.parametrize("rate", [32_000, 44_100, 48_000])
@pytest.mark.parametrize("codec", ["ac3", "eac3"])
def test_no_frame_of_it_is_taken_for_damaged(tmp_path: Path, codec: str, rate: int) -> None:
    source = make_beep(tmp_path / "a.mkv", codec, rate=rate, layout="5.1")
    check(source, tmp_path / "b.mp4")
    assert join(source, tmp_path / "c.mov").sound == f"{codec} copied"


@pytest.mark.parametrize("target", TARGETS)
def test_avi_whose_times_are_wrong(tmp_path: Path, target: str) -> None:
    """AVI keeps no times; a wrong size of samples in its header spreads E-AC-3 over minutes."""
    source = make_beep(tmp_path / "a.avi", "eac3")
    assert heard(source)[2] > 60  # what a plain decoder makes of it
    assert not join(source, tmp_path / f"b{target}").notes
    beep_s, begin_s, end_s = heard(tmp_path / f"b{target}")
    assert beep_s == pytest.approx(flashes(tmp_path / f"b{target}"), abs=0.02)
    assert end_s - begin_s == pytest.approx(1.0, abs=0.1)
