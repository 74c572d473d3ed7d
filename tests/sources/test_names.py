"""An existing file is always a file, whatever its name looks like to a shell, to FFmpeg or to this program."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seg_viewer
from seg_viewer.core.errors import UsageError, last_words
from seg_viewer.core.long_names import joined
from seg_viewer.core.part_file import PartFile, left_behind, part_file, remove_left_behind
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.playable import why_unplayable
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources import VideoFile, is_live, open_source
from tests.clips import make_clip

LONG = "ä" * 125 + "x.mp4"  # 255 bytes
NAMES = [
    "12:30:00.mp4", "~x.mp4", "~/x.mp4", "-x.mp4", "%d.mp4", "%03d.mp4", LONG, "udp:x.mp4", "http:x.mp4", "file:x.mp4",
    "concat:a|b.mp4", "rtsp:x.mp4", "pipe:", "pipe:0", "fd:", "data:x", "x?y#z.mp4", "a\nb.mp4", "a\tb .mp4", " .mp4",
    "'quoted'.mp4", 'a"b\\c.mp4', "[red]x.mp4", "demo", "screen", "screen:1", "camera:0", "camera:0?size=1x1.mp4",
    "carla:x", "*.mp4", "$HOME.mp4", "日本.mp4", ".mp4", "noending", os.fsdecode(b"caf\xe9.mp4"), "a,b=c;d.mp4",
]  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", frames=3, audio="aac")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the present one, so that names are given as they are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_file_is_a_file(here: Path, clip: Path, name: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    shutil.copy(clip, name)
    assert not is_live(name) and typed_path(name) == Path(name)
    assert why_unplayable(Path(name)) == ""
    assert sum(1 for _ in VideoReader(Path(name)).frames()) == 3
    source = open_source(name)
    assert isinstance(source, VideoFile) and source.info.path == Path(name)
    assert len(list(source)) == 3
    source.info.name.encode()  # it can be shown
    assert "\n" not in source.info.name
    assert source.info.file_stem == Path(name).stem
    source.seek(0)
    assert next(iter(source)).index == 0
    source.close()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_one_line_names_a_file_that_is_none(here: Path, name: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(b"no film\n" * 100)
    with pytest.raises(Exception, match="is not a video") as caught:
        open_source(name)
    line, code = last_words(caught.value, "seg-viewer")
    assert code == 1 and "unexpected" not in line and line.isprintable()


@pytest.mark.parametrize("name", ["udp:x.mp4", "12:30:00.mp4", "~x.mp4", "-x.mp4", "~no-such-person/x.mp4"])
def test_one_that_is_missing_is_said_to_be(here: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{re.escape(name)}: no such file or folder"):
        open_source(name)


def test_home_is_home_unless_a_file_is_called_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    assert typed_path("~/a.mp4") == here / "home" / "a.mp4"
    (here / "~").mkdir()
    (here / "~" / "a.mp4").touch()
    assert typed_path("~/a.mp4") == Path("~/a.mp4")
    assert typed_path("x\0y") == Path("x\0y")


@pytest.mark.parametrize("name", [name for name in NAMES if "/" not in name], ids=ascii)
def test_a_part_becomes_a_file_of_any_name(here: Path, name: str) -> None:
    path = Path(name)
    with part_file(path) as part:
        assert len(os.fsencode(part.name)) <= 255 and (part.suffix == path.suffix or not path.suffix)
        part.write_bytes(b"whole")
    assert path.read_bytes() == b"whole" and os.listdir(".") == [name]
    with pytest.raises(Exception, match="what was written is in"), part_file(path, overwrite=False) as part:
        part.write_bytes(b"other")
    assert path.read_bytes() == b"whole"
    (other,) = set(os.listdir(".")) - {name}
    assert Path(other).read_bytes() == b"other" and Path(other).suffix == path.suffix


def test_what_a_long_name_left_behind_is_found_and_no_other(here: Path) -> None:
    names = [Path(LONG), Path("ä" * 125 + "y.mp4"), Path("short.mp4")]
    for path in names:
        PartFile(path, overwrite=True, keep=True).leave()
    assert len(list(left_behind(here))) == 3
    remove_left_behind(here / LONG)
    assert len(list(left_behind(here))) == 2
    remove_left_behind(here / names[1])
    assert [name.name for _, name in left_behind(here)] == ["short.mp4"]


@given(start=st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_joined_names_fit_and_stay_apart(start: str) -> None:
    made = joined(start, "_seg.mp4")
    assert made.endswith("_seg.mp4") and len(os.fsencode(made)) <= 255
    if len(os.fsencode(start)) <= 247:
        assert made == start + "_seg.mp4"
    else:
        assert made != joined(start + "x", "_seg.mp4")


def test_only_one_file_hands_paths_to_ffmpeg() -> None:
    """Every other call of `av.open` is for an address or a stream in memory."""
    package = Path(seg_viewer.__file__).parent
    folders = [package, package.parent / "trainer"]
    calls = {
        f"{file.relative_to(package.parent)}"
        for folder in folders
        for file in folder.rglob("*.py")
        if re.search(r"\bav\.open\((?!io\.BytesIO|f\"file:)", file.read_text(encoding="utf-8"))
    }
    in_memory = {"seg_viewer/jobs/bench.py", "seg_viewer/media/sound_heads.py", "seg_viewer/media/trial.py"}
    in_memory |= {"seg_viewer/media/live_sound.py"}
    assert calls - in_memory == {"seg_viewer/media/av_file.py", "seg_viewer/sources/network.py"}
