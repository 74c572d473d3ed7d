from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.engines.nvidia.explain import explain_cache
from seg_viewer.engines.nvidia.plan_cache import PlanCache, PlanKey

KEY = PlanKey("colors", "ab" * 32, "11.4.0.106", "A GPU", "9.0", "580.95, CUDA 13.0", "int8", {"workspace_mib": 64})
CHECKS = {"precision": "int8", "agreement": 0.9991, "latency_ms": {"p50": 0.5, "p99": 0.7}}


@pytest.fixture
def cache(tmp_path: Path) -> PlanCache:
    return PlanCache(tmp_path / "plans", size_cap=1000)


def _age(path: Path, seconds: int) -> None:
    told = path.with_suffix(".json").stat()
    os.utime(path.with_suffix(".json"), (told.st_atime - seconds, told.st_mtime - seconds))


def test_what_was_stored_is_loaded(cache: PlanCache) -> None:
    assert cache.load(KEY) is None
    path = cache.store(KEY, b"plan", '{"Layers": []}', CHECKS)
    assert cache.load(KEY) == b"plan"
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["key"]["model_sha256"] == "ab" * 32 and told["checks"] == CHECKS
    assert path.with_suffix(".layers.json").read_text(encoding="utf-8") == '{"Layers": []}'


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "cd" * 32},
        {"tensorrt": "10.16.1.11"},
        {"gpu": "B GPU"},
        {"capability": "8.9"},
        {"driver": "570.1, CUDA 12.8"},
        {"precision": "float16"},
        {"options": {"workspace_mib": 65}},
    ],
)
def test_a_plan_of_another_key_is_never_loaded(cache: PlanCache, change: dict[str, object]) -> None:
    path = cache.store(KEY, b"plan", "{}", CHECKS)
    other = replace(KEY, **change)
    assert cache.load(other) is None
    # not even where it lies under the other's name
    for suffix in (".plan", ".json"):
        path.with_suffix(suffix).rename(path.with_name(other.stem + suffix))
    assert cache.load(other) is None


def test_a_plan_stays_in_use_when_the_next_one_cannot_be_written(
    cache: PlanCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.store(KEY, b"plan", None, CHECKS)
    with monkeypatch.context() as full:
        full.setattr("seg_viewer.core.part_file.os.replace", _full_disk)
        with pytest.raises(EngineError, match=r"\.plan: cannot be written: No space left"):
            cache.store(KEY, b"another plan", None, CHECKS)
    assert cache.load(KEY) == b"plan"


def _full_disk(*_names: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("damage", ["cut", "changed", "no sidecar", "torn sidecar", "sidecar of another version"])
def test_a_damaged_plan_is_never_loaded(cache: PlanCache, damage: str) -> None:
    path = cache.store(KEY, b"a plan of many bytes", "{}", CHECKS)
    sidecar = path.with_suffix(".json")
    match damage:
        case "cut":
            path.write_bytes(b"a plan")
        case "changed":
            path.write_bytes(b"a plan of many bites")
        case "no sidecar":
            sidecar.unlink()
        case "torn sidecar":
            sidecar.write_text(sidecar.read_text(encoding="utf-8")[:40])
        case _:
            sidecar.write_text(json.dumps(json.loads(sidecar.read_text(encoding="utf-8")) | {"version": 0}))
    assert cache.load(KEY) is None
    cache.store(KEY, b"built again", "{}", CHECKS)
    assert cache.load(KEY) == b"built again"


def test_the_plans_used_longest_ago_leave_when_room_is_needed(cache: PlanCache) -> None:
    keys = [replace(KEY, gpu=f"GPU {number}") for number in range(4)]
    for age, key in zip((30, 20, 10), keys, strict=False):
        _age(cache.store(key, bytes(300), "{}", CHECKS), age)
    assert cache.load(keys[0]) is not None  # used now
    cache.store(keys[3], bytes(300), "{}", CHECKS)
    assert [cache.load(key) is not None for key in keys] == [True, False, True, True]
    assert cache.size <= cache.size_cap
    assert len(list(cache.folder.iterdir())) == 3 * 3


def test_a_plan_larger_than_the_cache_is_kept_alone(cache: PlanCache) -> None:
    cache.store(KEY, bytes(300), "{}", CHECKS)
    big = replace(KEY, gpu="big")
    cache.store(big, bytes(2000), "{}", CHECKS)
    assert cache.load(KEY) is None and cache.load(big) is not None


def test_what_another_program_is_writing_is_neither_counted_nor_removed(cache: PlanCache) -> None:
    cache.store(KEY, b"plan", "{}", CHECKS)
    size = cache.size
    under_way = cache.folder / ".other.0123abcd.part.plan"
    under_way.write_bytes(bytes(1 << 20))
    assert cache.size == size
    cache.store(replace(KEY, gpu="other"), bytes(cache.size_cap), "{}", CHECKS)  # room is made for it
    assert under_way.stat().st_size == 1 << 20 and cache.load(KEY) is None


def test_nothing_half_written_stays(cache: PlanCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EngineError, match="cannot be written: No space left on device"):
        cache.store(KEY, b"plan", "{}", CHECKS)
    assert list(cache.folder.iterdir()) == [] and cache.load(KEY) is None


def test_doctor_lists_the_plans_and_says_which_are_damaged(cache: PlanCache) -> None:
    assert explain_cache(cache) == [f"TensorRT plans: none in {cache.folder}"]
    cache.store(KEY, b"plan", "{}", CHECKS)
    path = cache.store(replace(KEY, gpu="B GPU"), b"other plan", "{}", CHECKS)
    path.write_bytes(b"cut")
    (cache.folder / "torn.json").write_text("{")
    text = "\n".join(explain_cache(cache))
    assert "TensorRT plans: 2" in text and "A GPU (9.0)" in text and "agreement 99.91 %" in text
    assert [line.endswith("damaged, will be built again") for line in text.splitlines()[1:] if "B GPU" in line] == [
        True
    ]


def test_timings_are_of_a_gpu_and_a_version(cache: PlanCache) -> None:
    cache.store_timings(KEY, b"timings")
    assert cache.load_timings(replace(KEY, model_sha256="cd" * 32, precision="float16")) == b"timings"
    assert cache.load_timings(replace(KEY, tensorrt="11.5")) == b""
    assert cache.plans() == []
