"""Playlist files and folders of videos stand for what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.typed_path import typed_path
from seg_viewer.sources.listed import MOST_SOURCES, is_list, list_sources


def _folder(path: Path, *names: str) -> Path:
    path.mkdir(parents=True)
    for name in names:
        (path / name).touch()
    return path


def test_a_list_is_read_relative_to_itself(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "clips", "a.mp4", "b c.mp4")
    path = folder / "all.m3u8"
    text = (
        "\ufeff#EXTM3U\n#EXTINF:12,One\na.mp4\n\n  b c.mp4  \r\nrtsp://u:p@HOST/x\n/abs/c.mp4\nfile:///abs/d%20e.mp4\n"
    )
    path.write_text(text, encoding="utf-8")
    found = list_sources([str(path)])
    assert found.notes == ()
    assert found.sources == (
        str(folder / "a.mp4"), str(folder / "b c.mp4"), "rtsp://u:p@HOST/x", "/abs/c.mp4", "/abs/d e.mp4",
    )  # fmt: skip


def test_old_lists_are_latin_1_and_lists_in_lists_end(tmp_path: Path) -> None:
    (tmp_path / "old.m3u").write_bytes("für.mp4\nold.m3u\n".encode("latin-1"))
    found = list_sources([str(tmp_path / "old.m3u")])
    assert found.sources[0] == str(tmp_path / "für.mp4") and found.sources[-1] == str(tmp_path / "old.m3u")
    assert len(found.sources) < 10


def test_an_empty_list_is_told_and_a_long_one_is_cut(tmp_path: Path) -> None:
    (tmp_path / "none.m3u").write_text("# nothing\n", encoding="utf-8")
    (tmp_path / "long.txt").write_text("x.mp4\n" * (MOST_SOURCES + 5), encoding="utf-8")
    empty = list_sources([str(tmp_path / "none.m3u")])
    assert empty.sources == () and "names nothing to open" in empty.notes[0]
    cut = list_sources([str(tmp_path / "long.txt")])
    assert len(cut.sources) == MOST_SOURCES and str(MOST_SOURCES) in cut.notes[0]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("a.m3u", "x.mp4", True),
        ("a.M3U8", "x.mp4", True),
        ("a.txt", "x.mp4", True),
        ("hls.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:6\nseg0.ts\n", False),
        ("hls.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n", False),
        ("a.mp4", "x.mp4", False),
        ("a.txt", "\0\0\0", False),
    ],
)
def test_what_is_a_list(tmp_path: Path, name: str, text: str, wanted: bool) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert is_list(str(tmp_path / name)) is wanted
    assert not is_list(str(tmp_path / "missing.m3u"))


@pytest.mark.parametrize(
    ("names", "opened", "note"),
    [
        (("2.mp4", "10.mp4", "1.MKV", "notes.docx", ".hidden.mp4"), ("1.MKV", "2.mp4", "10.mp4"), ""),
        (("1.png", "2.png"), None, ""),
        ((), None, ""),
        (("1.mp4", "2.mp4", "1.jpg"), ("1.mp4", "2.mp4"), "its one picture is not"),
        (("1.mp4", "1.jpg", "2.jpg"), None, "its one video is not"),
    ],
)
def test_a_folder_is_of_videos_or_of_pictures(tmp_path: Path, names, opened, note: str) -> None:
    folder = _folder(tmp_path / "f", *names)
    found = list_sources([str(folder), "demo"])
    wanted = (str(folder),) if opened is None else tuple(str(folder / name) for name in opened)
    assert found.sources == (*wanted, "demo")
    assert note in "".join(found.notes) and bool(found.notes) is bool(note)


def test_a_carla_recording_is_one_source(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "drive", "preview.mp4")
    _folder(folder / "CameraRGB", "1.png")
    assert list_sources([str(folder)]).sources == (str(folder),)


@given(st.text(max_size=20))
def test_any_other_text_stays_as_it_is(text: str) -> None:
    if not typed_path(text.replace("\0", "")).is_dir():
        assert list_sources([text]).sources == (text,)


@pytest.mark.parametrize("name", ["a b.mp4", "ü#?.mp4", "100%.mp4"])
def test_file_addresses_are_paths(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert typed_path(path.as_uri()) == path
    assert typed_path(path.as_uri().replace("file://", "FILE://localhost")) == path
    assert str(typed_path("file://elsewhere/x.mp4")) == "file:/elsewhere/x.mp4"
