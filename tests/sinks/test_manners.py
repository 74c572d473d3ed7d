"""What all outputs share: whole or not there, nobody's file is lost, pictures are looked at only where shown."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.part_file import check_target
from tests.house import ROOT
from tests.sinks.shots import MAP, OUTPUTS, PICTURE, CountedPicture, NoPicture, make, shot, written

FOLDERS = tuple(name for name in OUTPUTS if name.endswith("/"))
FILES = tuple(name for name in OUTPUTS if not name.endswith("/"))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", OUTPUTS)
def test_it_has_its_name_once_it_is_whole(name: str, tmp_path: Path) -> None:
    sink = make(tmp_path, name)
    for index in range(3):
        sink.write(shot(index))
    assert not (tmp_path / name).exists()
    assert all(left.startswith(".") for left in _names(tmp_path))
    sink.finish()
    assert sink.files == (tmp_path / name,)
    sink.abandon()  # afterwards, as whoever cleans up does
    assert _names(tmp_path) == [name.rstrip("/")]


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("shots", [0, 2])
def test_an_abandoned_one_leaves_nothing(name: str, shots: int, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), make(tmp_path, name) as sink:
        for index in range(shots):
            sink.write(shot(index))
        raise RuntimeError("the source broke")
    sink.abandon()
    assert _names(tmp_path) == [] and sink.files == ()


@pytest.mark.parametrize("name", OUTPUTS)
def test_one_that_nobody_ended_goes_with_its_object(name: str, tmp_path: Path) -> None:
    sink = make(tmp_path, name)
    sink.write(shot(0))
    del sink
    assert _names(tmp_path) == []


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_somebody_else_made_meanwhile_stays(name: str, tmp_path: Path) -> None:
    with make(tmp_path, name) as sink:
        sink.write(shot(0))
        if name in FOLDERS:
            (tmp_path / name).mkdir()
            (tmp_path / name / "theirs.txt").write_text("theirs")
        else:
            (tmp_path / name).write_text("theirs")
    (made,) = sink.files
    assert made.exists() and made != tmp_path / name and "_2" in made.name
    assert any(str(made) in note for note in sink.notes)
    theirs = tmp_path / name / "theirs.txt" if name in FOLDERS else tmp_path / name
    assert theirs.read_text(encoding="utf-8") == "theirs"
    assert len(_names(tmp_path)) == 2


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_older_one_is_replaced_when_that_is_asked_for(name: str, tmp_path: Path) -> None:
    written(tmp_path, name, [shot(index) for index in range(5)])
    first = _content(tmp_path / name)
    made = written(tmp_path, name, [shot(7, time_s=3.0)], overwrite=True)
    assert made == tmp_path / name and _names(tmp_path) == [name.rstrip("/")]
    assert _content(made) != first
    assert not any("frame_000000" in path for path in _content(made))  # none of the older ones among the new


def _content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_not_replaced_by_chance(name: str, tmp_path: Path) -> None:
    written(tmp_path, name, [shot(0)])
    before = _content(tmp_path / name)
    with pytest.raises(UsageError, match=r"exists already; choose another name"):
        make(tmp_path, name)
    (tmp_path / name / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"also holds holiday\.jpg, which would be lost"):
        make(tmp_path, name, overwrite=True)
    assert _content(tmp_path / name) == before | {"holiday.jpg": b"mine"}
    assert _names(tmp_path) == [name.rstrip("/")]


@pytest.mark.parametrize("name", FOLDERS)
def test_an_empty_folder_is_filled(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert written(tmp_path, name, [shot(0)]) == tmp_path / name
    assert _names(tmp_path) == [name.rstrip("/")]


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("full", [True, False])
def test_a_link_to_a_folder_is_followed(name: str, full: bool, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    if full:
        written(there, name, [shot(0)])
    else:
        (there / name).mkdir()
    (tmp_path / name.rstrip("/")).symlink_to(there / name)
    made = written(tmp_path, name, [shot(5)], overwrite=True)
    assert made.resolve() == there / name and (tmp_path / name.rstrip("/")).is_symlink()
    assert any("frame_000005" in path for path in _content(there / name))
    assert (_names(there), len(_names(tmp_path))) == ([name.rstrip("/")], 2)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_holds_the_input_is_not_replaced(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path, name, [shot(0)])
    picture = next(path for path in folder.rglob("frame_*"))
    for source in (folder, picture):
        with pytest.raises(UsageError, match=r"is the input itself|holds the input"):
            check_target(tmp_path / name, overwrite=True, sources=(source,), folder=True)
    check_target(tmp_path / name, overwrite=True, sources=(tmp_path / "other.mp4",), folder=True)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_nowhere_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: no such folder; make it first"):
        make(tmp_path / "nowhere", name)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_in_the_way_of_a_folder_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name.rstrip("/")).write_text("mine")
    with pytest.raises(UsageError, match=r"is a file; choose another name"):
        make(tmp_path, name, overwrite=True)


@pytest.mark.parametrize("name", [name for name in OUTPUTS if "sheet" not in name and "html" not in name])
def test_numbers_and_shapes_never_look_at_a_picture(name: str, tmp_path: Path) -> None:
    assert written(tmp_path, name, [shot(index, picture=NoPicture()) for index in range(3)]).exists()


@pytest.mark.parametrize(("name", "most"), [("t.html", 9 + 9), ("t.sheet.jpg", 240)])
def test_where_pictures_are_shown_few_are_looked_at(name: str, most: int, tmp_path: Path) -> None:
    CountedPicture.looks = 0
    rng = np.random.default_rng(1)
    growing = [np.full((MAP.height, MAP.width), 1, np.uint8) for _ in range(1000)]
    for number, classes in enumerate(growing):  # each frame has more cars than the one before
        classes.ravel()[: 16 + number + rng.integers(0, 2)] = 2
    written(tmp_path, name, [shot(index, classes) for index, classes in enumerate(growing)], duration_s=40.0)
    assert 0 < CountedPicture.looks <= most


@pytest.mark.parametrize("name", [name for name in OUTPUTS if "sheet" not in name])
def test_without_a_frame_it_is_empty_but_whole(name: str, tmp_path: Path) -> None:
    assert written(tmp_path, name, []).exists()


@pytest.mark.parametrize("name", ["t.sheet.jpg", "t.sheet.png"])
def test_a_sheet_without_a_picture_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="there was no frame to write"):
        written(tmp_path, name, [])
    assert _names(tmp_path) == []


_MANY = """
import os, resource, signal, sys
from pathlib import Path
import numpy as np
from tests.sinks.shots import OUTPUTS, make, shot
from seg_viewer.core.errors import ExportError
folder, what = Path(sys.argv[1]), sys.argv[2]
classes = np.random.default_rng(0).integers(0, 4, (96, 128), dtype=np.uint8)
classes = np.kron(classes, np.ones((4, 4), np.uint8))
if what == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
    for name in OUTPUTS:
        try:
            with make(folder, name) as sink:
                for index in range(40):
                    sink.write(shot(index, classes))
            print(name, "was written")
        except ExportError as error:
            print(str(error))
else:
    sinks = [make(folder, name) for name in OUTPUTS]
    for index in range(3):
        for sink in sinks:
            sink.write(shot(index, classes))
    print(len(list(folder.iterdir())), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _run(folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _MANY, str(folder), what]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of POSIX")
def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    done = _run(tmp_path, "full")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(OUTPUTS)
    for name, line in zip(OUTPUTS, lines, strict=True):
        assert line.startswith(f"{tmp_path / name}") and "the file may not grow further" in line
    assert _names(tmp_path) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
def test_what_a_killed_one_left_goes_with_the_next(tmp_path: Path) -> None:
    done = _run(tmp_path, "kill")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert int(done.stdout) >= len(OUTPUTS)
    assert all(name.startswith(".") for name in _names(tmp_path)) and len(_names(tmp_path)) >= len(OUTPUTS)
    for name in OUTPUTS:
        written(tmp_path, name, [shot(0)])
    assert _names(tmp_path) == sorted(name.rstrip("/") for name in OUTPUTS)


@pytest.mark.parametrize("name", FOLDERS)
def test_one_that_is_being_written_is_left_alone(name: str, tmp_path: Path) -> None:
    first = make(tmp_path, name)
    first.write(shot(0))
    second = written(tmp_path, name, [shot(1)])
    first.finish()
    assert second == tmp_path / name and first.files[0].name.endswith("_2" if "." not in name else "_2.yolo")
    assert len(_names(tmp_path)) == 2


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_set_aside_by_a_killed_process_gets_its_name_back(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, [shot(0)])
    before = _content(path)
    path.rename(tmp_path / f".{path.name}.0123abcd.old")
    with pytest.raises(UsageError, match="exists already"):
        make(tmp_path, name)
    assert _content(path) == before and _names(tmp_path) == [path.name]


@pytest.mark.parametrize("name", FOLDERS)
def test_the_older_folder_stays_where_the_new_one_is_lost(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, [shot(0)])
    before = _content(path)
    sink = make(tmp_path, name, overwrite=True)
    (part,) = tmp_path.glob(".*.part")
    shutil.rmtree(part)  # somebody tidies up by hand
    with pytest.raises(ExportError, match="cannot have this name"):
        sink.finish()
    sink.abandon()
    assert _content(path) == before and _names(tmp_path) == [path.name]


@pytest.mark.parametrize("name", FOLDERS)
def test_the_longest_name_that_there_is(name: str, tmp_path: Path) -> None:
    long = "ä" * ((255 - len(name) + 1) // 2) + name.removeprefix("masks").removeprefix("t")
    assert written(tmp_path, long, [shot(0)]).name == long.rstrip("/")


def test_sizes_come_from_the_picture_where_the_source_says_none(tmp_path: Path) -> None:
    import cv2

    made = written(tmp_path, "masks/", [shot(0)], size=None)
    assert cv2.imread(str(made / "frame_000000.png")).shape[:2] == (PICTURE.height, PICTURE.width)
