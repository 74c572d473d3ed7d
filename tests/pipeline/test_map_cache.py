"""Class maps on disk: they come back, whatever became of the process that wrote them, and never as those of others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import Frame, FrameId
from seg_viewer.core.labels import DRIVING
from seg_viewer.engines.base import EngineReport
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.pipeline.map_cache import DEFAULT_CAP, MapCache, map_key
from seg_viewer.pipeline.map_file import KeptMap, MapFile, data_path, index_path
from tests.waiting import wait_until

REPORT = EngineReport("engine", "1", "CPU", "int8")
MODEL = "abc"
PICTURE = RgbPicture(np.zeros((2, 2, 3), np.uint8))


def ids_of(pts: int, size: tuple[int, int] = (32, 64)) -> np.ndarray:
    """Another map for each pts."""
    return np.random.default_rng(pts).integers(0, 4, (size[0] // 8, size[1] // 8), np.uint8).repeat(8, 0).repeat(8, 1)


def frame_of(pts: int, source: str = "clip") -> Frame:
    return Frame(pts, pts / 25, PICTURE, pts=pts, source=source)


def put(cache: MapCache, pts: int, source: str = "clip", size: tuple[int, int] = (32, 64), model: str = MODEL) -> None:
    cache.put(frame_of(pts, source), model, ClassMap(ids_of(pts, size), DRIVING, model), REPORT)


def filled(folder: Path, count: int = 20, source: str = "clip") -> Path:
    """A cache with maps 0 … count − 1, closed; returns the stem of its files."""
    cache = MapCache(folder)
    for pts in range(count):
        put(cache, pts, source)
    cache.close()
    assert cache.notes == [] and cache.left_out == 0
    return next(cache.folder.glob("*.index")).with_suffix("")


def known(folder: Path, count: int = 20) -> list[int]:
    """Which maps come back; each that does is the right one."""
    cache = MapCache(folder)
    found = []
    for pts in range(count):
        ids = cache.get(FrameId("clip", pts), MODEL)
        if ids is not None:
            assert (ids == ids_of(pts)).all()
            found.append(pts)
    cache.close()
    return found


def test_maps_come_back_at_once_and_the_next_time(tmp_path: Path) -> None:
    cache = MapCache(tmp_path)
    assert cache.get(FrameId("clip", 3), MODEL) is None and cache.size_bytes() == 0
    put(cache, 3)
    found = cache.get(FrameId("clip", 3), MODEL)
    assert found is not None and (found == ids_of(3)).all()
    cache.close()
    assert known(tmp_path) == [3]
    again = MapCache(tmp_path)
    assert again.get(FrameId("clip", 3), "other model") is None
    assert again.get(FrameId("other clip", 3), MODEL) is None
    assert again.computed_by("clip", MODEL) == REPORT and again.count("clip", MODEL) == again.sources() == 1
    rows = again.rows("clip", MODEL)
    assert rows is not None and rows["pts"].tolist() == [3] and rows["time_s"].tolist() == [3 / 25]
    shares = [float((ids_of(3) == label.id).mean()) for label in DRIVING]
    assert np.allclose(rows["shares"][0], shares)
    again.close()
    put(again, 4)  # closed: of no account, and no error
    assert known(tmp_path) == [3]


@pytest.mark.parametrize("cut", [1, 7, 40, 60, 200])
def test_half_a_row_at_the_end_is_cut_off_and_written_again(tmp_path: Path, cut: int) -> None:
    stem = filled(tmp_path)
    os.truncate(index_path(stem), index_path(stem).stat().st_size - cut)
    left = known(tmp_path)
    assert left == list(range(len(left))) and 15 <= len(left) < 20
    filled(tmp_path)
    assert known(tmp_path) == list(range(20))


@pytest.mark.parametrize("cut", [1, 100, 500])
def test_a_row_whose_map_is_not_there_is_of_no_account(tmp_path: Path, cut: int) -> None:
    stem = filled(tmp_path)
    os.truncate(data_path(stem), data_path(stem).stat().st_size - cut)
    left = known(tmp_path)
    assert left == list(range(len(left))) and 0 < len(left) < 20
    filled(tmp_path)
    assert known(tmp_path) == list(range(20))


@pytest.mark.parametrize("path", [index_path, data_path])
def test_a_bit_that_turned_over_never_gives_the_map_of_another_frame(tmp_path: Path, path: object) -> None:
    stem = filled(tmp_path)
    target = path(stem)  # type: ignore[operator]
    whole = target.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        target.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        if not index_path(stem).exists():  # it was dropped: its head was hit
            filled(tmp_path)
            whole = target.read_bytes()
        known(tmp_path)  # holds each against what it should be


@pytest.mark.parametrize("content", [b"", b"\0" * 400, b"segmaps1" + b"\xff" * 100, b"not ours at all, but a text"])
def test_a_damaged_file_is_dropped_with_one_line(tmp_path: Path, content: bytes) -> None:
    stem = filled(tmp_path)
    index_path(stem).write_bytes(content)
    cache = MapCache(tmp_path)
    assert cache.get(FrameId("clip", 3), MODEL) is None and cache.get(FrameId("clip", 4), MODEL) is None
    assert len(cache.notes) == 1 and stem.name in cache.notes[0] and "damaged" in cache.notes[0]
    put(cache, 3)
    cache.close()
    assert known(tmp_path) == [3]


def test_a_killed_process_loses_what_it_had_not_written_and_nothing_else(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    script = (
        "import sys, time; from pathlib import Path; from tests.pipeline.test_map_cache import *\n"
        "cache = MapCache(Path(sys.argv[1]))\n"
        "for pts in range(100_000):\n"
        "    put(cache, pts); time.sleep(0.002); print(pts, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    stem = next(MapCache(tmp_path).folder.glob("*.index")).with_suffix("")
    before = index_path(stem).stat().st_size
    wait_until(lambda: index_path(stem).stat().st_size > before, "the other process to write")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = known(tmp_path, 1000)
    assert left == list(range(len(left))) and len(left) > 5


def test_two_processes_write_the_same_and_different_maps_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.pipeline.test_map_cache import *\n"
        "cache = MapCache(Path(sys.argv[1]))\n"
        "for pts in range(int(sys.argv[2]), int(sys.argv[2]) + 60):\n"
        "    put(cache, pts)\n"
        "    if pts % 7 == 0: cache.flush()\n"
        "cache.close(); assert not cache.notes and not cache.left_out, cache.notes\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(first)]) for first in (0, 30, 60)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert known(tmp_path, 120) == list(range(120))
    stem = next(MapCache(tmp_path).folder.glob("*.index")).with_suffix("")
    file = MapFile(stem)
    assert sorted(file.rows()["pts"].tolist()) == list(range(120))  # none twice
    file.close()


def test_what_another_process_has_cleared_is_made_anew(tmp_path: Path) -> None:
    cache, other = MapCache(tmp_path), MapCache(tmp_path)
    put(cache, 1)
    cache.flush()
    assert cache.size_bytes() > 0 and other.clear() == 0
    put(cache, 2)
    cache.close()
    assert known(tmp_path) == [2] and cache.notes == []


def test_clearing_leaves_nothing_and_one_goes_on(tmp_path: Path) -> None:
    cache = MapCache(tmp_path)
    put(cache, 1)
    cache.flush()
    assert cache.clear() == 0 and cache.size_bytes() == 0 and cache.get(FrameId("clip", 1), MODEL) is None
    put(cache, 2)
    cache.close()
    assert known(tmp_path) == [2]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    stems = {}
    for number, source in enumerate(("old", "used", "new")):
        before = set(tmp_path.rglob("*.index"))
        filled(tmp_path, source=source)
        (stems[source],) = {path.with_suffix("") for path in set(tmp_path.rglob("*.index")) - before}
        for path in (index_path(stems[source]), data_path(stems[source])):
            os.utime(path, (1000 + number, 1000 + number))
    one = index_path(stems["old"]).stat().st_size + data_path(stems["old"]).stat().st_size
    cache = MapCache(tmp_path, cap=int(2.5 * one))
    assert cache.get(FrameId("old", 1), MODEL) is not None  # used: newer than the others now
    put(cache, 0, "newest")
    cache.close()
    left = {name for name, stem in stems.items() if index_path(stem).exists()}
    assert left == {"old", "new"} and cache.size_bytes() <= cache.cap and cache.notes == []


def test_what_another_process_uses_is_not_removed(tmp_path: Path) -> None:
    stem = filled(tmp_path)
    user = MapFile(stem)
    cache = MapCache(tmp_path, cap=1)
    put(cache, 0, "newest")
    cache.close()
    assert index_path(stem).exists() and user.get(3) is not None
    assert len(cache.notes) == 1 and "has reached its" in cache.notes[0]
    user.close()


@pytest.mark.parametrize("blocked", ["folder", "file"])
def test_what_cannot_be_written_is_told_in_one_line_and_disturbs_nobody(tmp_path: Path, blocked: str) -> None:
    if blocked == "folder":  # a file where the folder should be
        (tmp_path / "maps").write_text("")
    else:
        stem = filled(tmp_path / "maps")
        index_path(stem).unlink()
        index_path(stem).mkdir()
    cache = MapCache(tmp_path / "maps")
    for pts in range(5):
        put(cache, pts)
        cache.get(FrameId("clip", pts), MODEL)
    cache.flush()
    put(cache, 6)
    cache.close()
    assert [note for note in cache.notes if "no longer kept" in note] and len(cache.notes) <= 2


def test_a_full_disk_ends_the_keeping_and_what_is_there_stays(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no file size limit")
    script = (
        "import sys, resource, signal; from pathlib import Path; from tests.pipeline.test_map_cache import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "cache = MapCache(Path(sys.argv[1]))\n"
        "for pts in range(200): put(cache, pts); cache.flush()\n"
        "cache.close(); assert len(cache.notes) == 1 and 'no longer kept' in cache.notes[0], cache.notes\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 0
    left = known(tmp_path, 200)
    assert left == list(range(len(left))) and 0 < len(left) < 200
    filled(tmp_path, 200 if len(left) > 60 else 60)
    assert known(tmp_path, 60) == list(range(60))


def test_too_many_at_once_are_left_out_and_counted(tmp_path: Path) -> None:
    cache = MapCache(tmp_path)
    for pts in range(400):
        put(cache, pts, size=(8, 8))
    cache.close()
    there = MapCache(tmp_path)
    assert there.count("clip", MODEL) + cache.left_out == 400 and there.count("clip", MODEL) >= 64
    there.close()


def test_a_cache_that_is_off_keeps_nothing(tmp_path: Path) -> None:
    cache = MapCache(tmp_path, off=True)
    put(cache, 1)
    assert cache.get(FrameId("clip", 1), MODEL) is None and cache.rows("clip", MODEL) is None
    cache.close()
    assert list(tmp_path.iterdir()) == []


def test_many_threads_read_and_write_one_file(tmp_path: Path) -> None:
    file = MapFile(tmp_path / "x", {"classes": 4})
    wrong: list[int] = []

    def work(first: int) -> None:
        for pts in range(first, 60, 3):
            file.append([KeptMap(pts, pts / 25, ids_of(pts))])
            found = file.get(pts)
            if found is None or not (found == ids_of(pts)).all():
                wrong.append(pts)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(file) == 60
    file.close()


def test_who_asks_for_an_engine_by_name_gets_its_maps() -> None:
    keys = {map_key(MODEL, engine, device) for engine in ("auto", "openvino") for device in (None, "GPU")}
    assert len(keys) == 4 and map_key(MODEL, "auto", None) == MODEL


def test_a_cap_that_was_chosen_holds_in_every_program(tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    assert MapCache(folder).cap == DEFAULT_CAP
    MapCache(folder).choose_cap(5_000)
    assert MapCache(folder).cap == 5_000 and MapCache(folder, cap=7).cap == 7
    (tmp_path / "maps.cap").write_text("nothing", encoding="ascii")
    assert MapCache(folder).cap == DEFAULT_CAP
