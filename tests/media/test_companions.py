"""What lies beside the picture is kept, or one line says that it is not."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from av.stream import Disposition

from seg_viewer import __version__
from tests.media.beeps import FLASH_S, flashes, heard, join, make_beep
from tests.media.rich import CHAPTERS, make_klv, make_rich, make_telemetry, png, shown_text

TARGETS = [".mp4", ".mov", ".mkv", ".webm"]
SHOWN = [(0.1, 0.4, "slanted"), (0.5, 0.9, "two")]


def left_out(source: Path, target: Path, start_s: float = 0.0, end_s: float | None = None) -> str:
    lines = [line for line in join(source, target, start_s, end_s).notes if line.startswith("left out: ")]
    assert len(lines) < 2
    return "".join(lines).removeprefix("left out: ")


@pytest.mark.parametrize("suffix", TARGETS)
def test_all_tracks_with_language_title_and_purpose(tmp_path: Path, suffix: str) -> None:
    source = make_rich(tmp_path / "a.mkv", "matroska", sounds=("aac", "flac", "aac"))
    missing = left_out(source, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        tracks = file.streams.audio
        assert [track.language for track in tracks] == ["eng", "fra", "eng"]
        assert [track.metadata.get("title", track.metadata.get("name")) for track in tracks] == [
            "Voice 1",
            "Voice 2",
            "Voice 3",
        ]
        assert tracks[0].disposition & Disposition.default
        assert not tracks[1].disposition & Disposition.default
        kept = bool(tracks[1].disposition & Disposition.hearing_impaired)
    assert ('"hearing impaired" of sound 2 (fra)' in missing) != kept
    for track in range(3):
        assert heard(tmp_path / f"b{suffix}", track)[0] == pytest.approx(FLASH_S, abs=0.02)


def test_titles_survive_two_exports(tmp_path: Path) -> None:
    """MP4 calls a track's title its name; it comes back as what it was."""
    source = make_rich(tmp_path / "a.mkv", "matroska")
    join(source, tmp_path / "b.mp4")
    join(tmp_path / "b.mp4", tmp_path / "c.mp4")
    join(tmp_path / "c.mp4", tmp_path / "d.mkv")
    with av.open(str(tmp_path / "d.mkv")) as file:
        assert [track.metadata["title"] for track in file.streams.audio] == ["Voice 1", "Voice 2"]


@pytest.mark.parametrize("suffix", TARGETS)
@pytest.mark.parametrize(("name", "container", "text"), [("a.mkv", "matroska", "srt"), ("a.mkv", "matroska", "ass")])
def test_text(tmp_path: Path, name: str, container: str, text: str, suffix: str) -> None:
    check_text(make_rich(tmp_path / name, container, text=text), tmp_path / f"b{suffix}")


@pytest.mark.parametrize("suffix", TARGETS)
def test_text_of_mp4(tmp_path: Path, suffix: str) -> None:
    check_text(make_rich(tmp_path / "a.mp4", "mp4", text="mov_text"), tmp_path / f"b{suffix}")


@pytest.mark.parametrize("suffix", TARGETS)
def test_text_of_webm(tmp_path: Path, suffix: str) -> None:
    join(make_rich(tmp_path / "a.mkv", "matroska", text="srt"), tmp_path / "b.webm")
    check_text(tmp_path / "b.webm", tmp_path / f"c{suffix}")


def check_text(source: Path, target: Path) -> None:
    beside = join(source, target)
    made = shown_text(target)
    assert [(round(start, 2), round(end, 2)) for start, end, _line in made] == [line[:2] for line in SHOWN]
    assert all(word in line for (_start, _end, line), (_s, _e, word) in zip(made, SHOWN, strict=True))
    with av.open(str(source)) as before, av.open(str(target)) as after:
        was, became = (file.streams.subtitles[0].codec_context.codec.canonical_name for file in (before, after))
        assert after.streams.subtitles[0].language in ("deu", "ger")
    assert (f"subtitles (deu): {was} as {became}" in beside.notes) == (was != became)


@pytest.mark.parametrize("suffix", TARGETS)
def test_chapters_and_tags(tmp_path: Path, suffix: str) -> None:
    tags = {"title": "My drive", "comment": "gps", "location": "+48.1000+011.5000/"}
    tags["creation_time"] = "2024-05-01T12:00:00.000000Z"
    source = make_rich(tmp_path / "a.mp4", "mp4", tags=tags)
    assert not [
        line for line in left_out(source, tmp_path / f"b{suffix}").split(", ") if "hearing" not in line and line
    ]
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        made = {key.lower(): text for key, text in file.metadata.items()}
        chapters = file.chapters()
    assert {key: made[key] for key in tags} == tags
    assert [chapter["metadata"]["title"] for chapter in chapters] == [title for title, _start, _end in CHAPTERS]
    times = [(float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"])) for c in chapters]
    assert times == [(start / 1000, end / 1000) for _title, start, end in CHAPTERS]
    if suffix == ".mp4":
        assert made["encoder"] == f"seg_viewer {__version__}"


@pytest.mark.parametrize("suffix", TARGETS)
def test_tags_that_a_phone_writes(tmp_path: Path, suffix: str) -> None:
    tags = {"com.apple.quicktime.location.ISO6709": "+48.1000+011.5000/", "com.apple.quicktime.make": "Maker"}
    source = make_rich(tmp_path / "a.mov", "mov", tags=tags, movflags="use_metadata_tags")
    left_out(source, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        made = {key.lower(): text for key, text in file.metadata.items()}
        assert "rotate" not in file.streams.video[0].metadata
    assert {key: made[key.lower()] for key in tags} == tags
    if suffix in (".mp4", ".mov"):
        assert made["location"].startswith("+48.1")


@pytest.mark.parametrize("suffix", TARGETS)
def test_cover_font_and_second_picture(tmp_path: Path, suffix: str) -> None:
    source = make_rich(tmp_path / "a.mkv", "matroska", cover=True, font=True, second_picture=True)
    missing = left_out(source, tmp_path / f"b{suffix}")
    assert "video track 2 (a second picture)" in missing
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        covers = [s for s in file.streams.video if s.disposition & Disposition.attached_pic]
        fonts = file.streams.attachments
        assert ("cover" in missing) != bool(covers)
        assert ("Plain.ttf" in missing) != bool(fonts)
        if covers:
            assert bytes(next(p for p in file.demux(covers[0]) if p.size)) == png()
        assert [font.data for font in fonts] == [b"\0\1\0\0 no font, but whole"] * len(fonts)
    assert ("cover" in missing) == (suffix in (".mov", ".webm"))
    assert ("Plain.ttf" in missing) == (suffix != ".mkv")


def test_a_cover_and_tags_that_exclude_each_other(tmp_path: Path) -> None:
    source = make_rich(tmp_path / "a.mkv", "matroska", cover=True, tags={"Camera": "left", "title": "Here"})
    assert left_out(source, tmp_path / "b.mp4") == "tag CAMERA"
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert len(file.streams.video) == 2
        assert file.metadata["title"] == "Here"


@pytest.mark.parametrize("suffix", TARGETS)
def test_telemetry(tmp_path: Path, suffix: str) -> None:
    source = make_telemetry(tmp_path / "a.mp4")
    missing = left_out(source, tmp_path / f"b{suffix}")
    found = []
    with av.open(str(source)) as before, av.open(str(tmp_path / f"b{suffix}")) as after:
        for file in (before, after):
            data = [s for s in file.streams.data if s.disposition & Disposition.default]
            found.append([(bytes(p), float(p.pts * p.time_base)) for p in file.demux(data) if p.size] if data else [])
    assert len(found[0]) >= 2
    assert ("data" in missing) == (suffix in (".mkv", ".webm"))
    assert found[1] == ([] if "data" in missing else found[0])


@pytest.mark.parametrize("suffix", TARGETS)
def test_data_that_no_target_holds(tmp_path: Path, suffix: str) -> None:
    assert left_out(make_klv(tmp_path / "a.ts"), tmp_path / f"b{suffix}") == "data (klv)"


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_timecode(tmp_path: Path, suffix: str) -> None:
    source = make_rich(tmp_path / "a.mov", "mov", tags={"timecode": "01:00:00:00"})
    assert "timecode" not in left_out(source, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        assert file.streams.video[0].metadata["timecode"] == "01:00:00:00"
    assert "timecode" in left_out(source, tmp_path / f"c{suffix}", 0.2)  # it is that of the first picture


@pytest.mark.parametrize("suffix", TARGETS)
@pytest.mark.parametrize("start_s", [0.0, 7.0])
def test_a_part(tmp_path: Path, suffix: str, start_s: float) -> None:
    source = make_beep(tmp_path / "a.mkv", "aac", "mp2", start_s=start_s)
    join(source, tmp_path / f"b{suffix}", 0.25, 0.75)
    flash_s = flashes(tmp_path / f"b{suffix}")
    for track in (0, 1):
        beep_s, begin_s, end_s = heard(tmp_path / f"b{suffix}", track)
        assert beep_s == pytest.approx(flash_s, abs=0.025)
        assert -0.001 <= begin_s < 0.05
        assert end_s == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("suffix", TARGETS)
def test_text_and_chapters_of_a_part(tmp_path: Path, suffix: str) -> None:
    source = make_rich(tmp_path / "a.mkv", "matroska", text="srt")
    join(source, tmp_path / f"b{suffix}", 0.2, 0.8)
    made = [(round(start, 2), round(end, 2)) for start, end, _line in shown_text(tmp_path / f"b{suffix}")]
    assert made == [(0.0, 0.2), (0.3, 0.6)]
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        times = [(float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"])) for c in file.chapters()]
    assert times == [(0.0, 0.3), (0.3, 0.6)]
    join(source, tmp_path / f"c{suffix}", 0.6)
    with av.open(str(tmp_path / f"c{suffix}")) as file:
        assert [c["metadata"]["title"] for c in file.chapters()] == ["Second"]


def test_a_late_part_of_a_long_file_is_found_by_its_index(tmp_path: Path) -> None:
    source = make_beep(tmp_path / "a.mp4", "aac", start_s=0)
    with av.open(str(source)) as file:
        assert file.duration == pytest.approx(1_000_000, abs=30_000)
    join(source, tmp_path / "b.mkv", 0.4)
    assert heard(tmp_path / "b.mkv")[0] == pytest.approx(flashes(tmp_path / "b.mkv"), abs=0.025)


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_the_picture_stays_at_0_where_sound_begins_before(tmp_path: Path, suffix: str) -> None:
    """AAC in MP4 begins 1024 samples early; Matroska must skip them, not move the picture."""
    source = make_beep(tmp_path / "a.mp4", "aac")
    join(source, tmp_path / f"b{suffix}")
    with av.open(str(tmp_path / f"b{suffix}")) as file:
        assert next(file.decode(video=0)).pts == 0
    assert heard(tmp_path / f"b{suffix}")[0] == pytest.approx(heard(source)[0], abs=0.002)


def test_a_file_that_cannot_be_read_again(tmp_path: Path) -> None:
    """It was there when the picture was read."""
    from seg_viewer.media.companions import Companions
    from seg_viewer.media.timeline import Timeline

    source = make_beep(tmp_path / "a.mkv", "aac")
    timeline = Timeline(source)
    source.write_bytes(b"no longer")
    beside = Companions(source, "mp4", timeline=timeline)
    with av.open(str(tmp_path / "b.mp4"), "w") as out:
        beside.add_to(out)
        assert not list(beside.packets())
    assert beside.sound == "none"
    assert beside.notes[0].startswith("left out: all beside the picture (")
