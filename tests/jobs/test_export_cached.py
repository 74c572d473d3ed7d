"""An export of what was looked at before computes nothing, and makes the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.jobs.export import ExportResult, run_export
from seg_viewer.jobs.export_job import ExportJob, Wanted
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.sources import open_source
from tests.clips import make_clip

FRAMES = 12


def _export(clip: Path, folder: Path, options: RunOptions, size: str | None = None) -> ExportResult:
    folder.mkdir()
    names = tuple(f"{folder}/{name}" for name in ("out.mp4", "masks/"))
    return run_export(ExportJob(clip, names, options, size=None if size is None else Wanted.read(size)))


def _made(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and "manifest" not in path.name}  # fmt: skip


def _engine_of(folder: Path) -> dict[str, str]:
    return json.loads((folder / "out.mp4.manifest.json").read_text())["engine"]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    def noise(index: int, width: int, height: int) -> np.ndarray:
        small = np.random.default_rng(index).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
        return small.repeat(8, 0).repeat(8, 1)

    return make_clip(tmp_path / "clip.mp4", frames=FRAMES, picture=noise)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise EngineError("no engine is to run here")

    monkeypatch.setattr("seg_viewer.jobs.options.load_engine", refuse)


def _play(clip: Path, options: RunOptions) -> None:
    """As a player does."""
    spec, cache, source = options.read_spec(), MapCache(), open_source(clip)
    with Pipeline(source, options.with_cache(options.segmenter(spec), spec, source.info, cache)) as pipeline:
        assert len(list(pipeline)) == FRAMES
    cache.close()


@pytest.mark.parametrize("size", [None, "64x32"])
def test_what_was_played_is_exported_without_an_engine_and_byte_for_byte_the_same(
    clip: Path, tmp_path: Path, model: Path, request: pytest.FixtureRequest, size: str | None
) -> None:
    plain = _export(clip, tmp_path / "plain", RunOptions(str(model), cache=False), size)
    assert "cache" not in plain.engine and MapCache().size_bytes() == 0
    _play(clip, RunOptions(str(model)))
    request.getfixturevalue("no_engine")
    cached = _export(clip, tmp_path / "cached", RunOptions(str(model)), size)
    made = _made(tmp_path / "cached")
    assert made == _made(tmp_path / "plain") and len(made) > FRAMES
    assert cached.engine.endswith("from the cache") and f"{FRAMES} class maps" in cached.engine
    assert cached.warnings == plain.warnings
    told, before = _engine_of(tmp_path / "cached"), _engine_of(tmp_path / "plain")
    assert f"{FRAMES} class maps" in told.pop("notes") and before.pop("notes") == ""
    assert told == before


def test_without_the_cache_everything_is_computed(clip: Path, tmp_path: Path, model: Path, no_engine: None) -> None:
    with pytest.raises(EngineError):
        _export(clip, tmp_path / "out", RunOptions(str(model), cache=False))


def test_an_export_keeps_what_it_computes_for_the_next_one(
    clip: Path, tmp_path: Path, model: Path, request: pytest.FixtureRequest
) -> None:
    first = _export(clip, tmp_path / "first", RunOptions(str(model)))
    request.getfixturevalue("no_engine")
    second = _export(clip, tmp_path / "second", RunOptions(str(model)))
    assert "cache" not in first.engine and "from the cache" in second.engine
    assert _made(tmp_path / "first") == _made(tmp_path / "second")


def test_an_engine_that_is_asked_for_by_name_computes_its_own_maps(
    clip: Path, tmp_path: Path, model: Path, request: pytest.FixtureRequest
) -> None:
    _play(clip, RunOptions(str(model)))
    by_name = RunOptions(str(model), engine="onnxruntime")
    assert "onnxruntime" in _export(clip, tmp_path / "first", by_name).engine
    request.getfixturevalue("no_engine")
    assert "onnxruntime" in _export(clip, tmp_path / "second", by_name).engine


def test_a_file_that_was_changed_is_another_source(clip: Path, tmp_path: Path, model: Path) -> None:
    _play(clip, RunOptions(str(model)))
    make_clip(clip, frames=FRAMES + 1)
    assert "cache" not in _export(clip, tmp_path / "out", RunOptions(str(model))).engine


def test_a_cache_that_cannot_be_written_is_told_and_the_export_is_whole(
    clip: Path, tmp_path: Path, model: Path
) -> None:
    folder = MapCache().folder.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    result = _export(clip, tmp_path / "out", RunOptions(str(model)))
    assert result.frames == FRAMES and [line for line in result.warnings if "class maps are no longer kept" in line]
