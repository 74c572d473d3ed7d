"""Names are taken, never overwritten by chance; what a killed process left behind is looked after."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seg_viewer.core import part_file as part_file_module
from seg_viewer.core.errors import ExportError
from seg_viewer.core.part_file import PartFile, explain, left_behind, part_file, remove_left_behind
from tests.clips import make_clip, video_times

ROOT = Path(__file__).parents[2]


def _write(path: Path, text: str, *, overwrite: bool) -> Path:
    file = PartFile(path, overwrite=overwrite)
    file.part.write_text(text)
    return file.commit()


def test_the_second_to_one_name_is_kept_under_a_free_one(tmp_path: Path) -> None:
    first, second, third = (PartFile(tmp_path / "a.txt", overwrite=False) for _ in range(3))
    for file, text in ((first, "one"), (second, "two"), (third, "three")):
        file.part.write_text(text)
    names = [file.commit().name for file in (first, second, third)]
    assert names == ["a.txt", "a_2.txt", "a_3.txt"]
    assert [(tmp_path / name).read_text(encoding="utf-8") for name in names] == ["one", "two", "three"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_overwriting_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    assert _write(tmp_path / "a.txt", "new", overwrite=True) == tmp_path / "a.txt"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"


def test_a_block_says_where_its_file_went(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(ExportError, match=r"left alone; what was written is in .*a_2\.txt"):  # noqa: SIM117
        with part_file(path, overwrite=False) as part:
            part.write_text("mine")
            path.write_text("theirs")
    assert (path.read_text(encoding="utf-8"), (tmp_path / "a_2.txt").read_text(encoding="utf-8")) == ("theirs", "mine")


def test_without_hard_links_nothing_is_replaced_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EPERM, "no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    assert _write(tmp_path / "a.txt", "one", overwrite=False).name == "a.txt"
    assert _write(tmp_path / "a.txt", "two", overwrite=False).name == "a_2.txt"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "one"


def test_what_cannot_have_a_name_stays_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_names: object) -> None:
        raise OSError(errno.EIO, "broken disk")

    file = PartFile(tmp_path / "a.txt", overwrite=True)
    file.part.write_text("precious")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(ExportError, match="broken disk") as caught:
            file.commit()
    file.discard()
    assert str(file.part) in str(caught.value) and file.part.read_text(encoding="utf-8") == "precious"


_TIDY = """
import sys
from pathlib import Path
from seg_viewer.core.part_file import remove_left_behind
remove_left_behind(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("where", ["touch", "lock", "owner"])
@pytest.mark.parametrize("keep", [False, True])
def test_ctrl_c_while_it_is_made_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, keep: bool
) -> None:
    """Before anybody had the chance to own it; what is worth keeping is left for the next one to look at."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def touch_and_interrupt(part: Path, exist_ok: bool) -> None:
        part.write_bytes(b"")
        raise KeyboardInterrupt

    if where == "touch":
        monkeypatch.setattr(Path, "touch", touch_and_interrupt)
    if where == "lock":
        monkeypatch.setattr(part_file_module, "_lock", interrupted)

    def make() -> None:
        PartFile(tmp_path / "a.mp4", overwrite=False, keep=keep)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make()
    gc.collect()
    assert len(list(tmp_path.iterdir())) == keep


def test_the_end_of_the_program_takes_along_what_nobody_ended(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from seg_viewer.core.part_file import PartFile\n"
        "held = [PartFile(Path(sys.argv[1]) / 'a.mp4', overwrite=False)]\n"
        "raise KeyboardInterrupt"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, timeout=200, check=False)
    assert b"KeyboardInterrupt" in done.stderr and list(tmp_path.iterdir()) == []


def test_a_part_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    file = PartFile(tmp_path / "a.txt", overwrite=False)
    file.part.write_text("under way")
    subprocess.run([sys.executable, "-c", _TIDY, str(tmp_path / "a.txt")], cwd=ROOT, check=True, timeout=200)
    remove_left_behind(tmp_path / "a.txt")
    assert file.commit().read_text(encoding="utf-8") == "under way"


def test_what_nobody_writes_is_removed_by_the_next_to_that_name(tmp_path: Path) -> None:
    names = (".a.0123abcd.part.txt", ".b.0123abcd.part.txt", ".a.notes.txt")
    for name in names:
        (tmp_path / name).write_text("left")
    with part_file(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[1:], "a.txt"])


def _take(path: Path, number: int, gate: object) -> None:
    file = PartFile(path, overwrite=False)
    file.part.write_text(str(number))
    gate.wait(60)  # type: ignore[attr-defined]
    file.commit()


def test_processes_that_come_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(3)
    workers = [spawn.Process(target=_take, args=(tmp_path / "a.txt", number, gate)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(path.read_text(encoding="utf-8") for path in tmp_path.iterdir()) == ["0", "1", "2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "a_2.txt", "a_3.txt"]


_RECORD = """
import sys, time
from pathlib import Path
from seg_viewer.sinks.recording import RecordingSink
from tests.sinks.test_recording import _packets
sink = RecordingSink(Path(sys.argv[1]))
for packet in _packets(100):
    sink.write(packet)
print("written", flush=True)
time.sleep(100)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a thing of POSIX")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_recording_that_was_killed_is_found_by_the_next_one(tmp_path: Path, suffix: str) -> None:
    from tests.sinks.test_recording import _packets, _record

    killed = subprocess.Popen(
        [sys.executable, "-c", _RECORD, str(tmp_path / f"a{suffix}")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None and killed.stdout.readline() == "written\n"
    busy = _record(tmp_path / f"b{suffix}", _packets(5))
    assert busy.notes == ()  # it is still being written
    killed.send_signal(signal.SIGKILL)
    killed.wait(60)
    killed.stdout.close()
    time.sleep(0.05)
    after = _record(tmp_path / f"c{suffix}", _packets(5))
    (note,) = after.notes
    assert f"a_rescued{suffix}" in note and "cut off" in note
    assert len(video_times(tmp_path / f"a_rescued{suffix}")) >= 25
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


def test_what_an_export_left_behind_is_removed_but_a_recording_never_is(tmp_path: Path) -> None:
    from seg_viewer.sinks.left_behind import tidy

    (tmp_path / ".out.00000000.part.mp4").write_bytes(b"no index yet")
    (tmp_path / ".another.00000000.part.mp4").touch()  # nothing is in it
    whole = make_clip(tmp_path / "x.mp4", container_options={"movflags": "frag_keyframe+empty_moov"})
    whole.rename(tmp_path / ".out.00000001.part.mp4")
    (note,) = tidy(tmp_path / "out.mp4", whole_folder=True)
    assert "out_rescued.mp4" in note
    assert [path.name for path in tmp_path.iterdir()] == ["out_rescued.mp4"]


def test_a_second_name_of_a_finished_file_is_litter(tmp_path: Path) -> None:
    """Killed between the link and the removal of the hidden name."""
    from seg_viewer.sinks.left_behind import tidy

    clip = make_clip(tmp_path / "a.mp4")
    os.link(clip, tmp_path / ".a.0123abcd.part.mp4")
    assert tidy(clip) == () and [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are a thing of Linux")
def test_a_part_is_locked_from_the_first_moment_it_can_be_seen(tmp_path: Path) -> None:
    """Somebody tidies up all the time; no part that is being made is taken for one that was left behind."""
    seen, adopted, ended = [], [], threading.Event()

    def tidy_up() -> None:
        while not ended.is_set():
            for part, name in left_behind(tmp_path):
                seen.append(part)
                if PartFile.adopt(part, name) is not None and part.exists():
                    adopted.append(part)

    thread = threading.Thread(target=tidy_up)
    thread.start()
    try:
        until_s = time.monotonic() + 30
        while len(seen) < 20 and time.monotonic() < until_s:
            PartFile(tmp_path / "a.txt", overwrite=True).commit()
    finally:
        ended.set()
        thread.join()
    assert seen and adopted == []


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_whatever_a_file_cannot_be_written_for_the_line_names_a_way_out(number: int) -> None:
    line = explain(Path("a/b.mp4"), OSError(number, os.strerror(number)))
    assert line.startswith("a/b.mp4: ") and "\n" not in line
    assert re.search(r"; (choose (another|a shorter)|free some space)", line), line


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_folder_that_takes_no_files_is_told_with_a_way_out() -> None:
    with pytest.raises(ExportError, match=r"^/proc/x\.mp4: .*; choose another folder$"):
        PartFile(Path("/proc/x.mp4"), overwrite=False)
