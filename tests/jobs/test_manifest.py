"""The manifest says what was made, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from seg_viewer import __version__
from seg_viewer.core.errors import ExportError
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs import manifest
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.export_job import Wanted
from seg_viewer.jobs.manifest import is_done, manifest_path, read_manifest
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import open_source
from seg_viewer.sources.between import Moment, Selection
from tests.clips import make_clip
from tests.house import ROOT
from tests.jobs.breaking_off import break_off, more_sinks, short_segments
from tests.models import color_model

__all__ = ["more_sinks", "short_segments"]  # fixtures


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "in.mp4", frames=50, width=64, height=48, audio="aac")


@pytest.fixture
def job(tmp_path: Path, clip: Path, model: Path) -> ExportJob:
    style = OverlayStyle(0.6, frozenset({"road"}), outline=True, palette="okabe-ito", colors={"car": (1, 2, 255)})
    return ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model), style=style))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(job: ExportJob) -> str:
    source = open_source(job.source)
    source.close()
    return job.key(source.info.fingerprint, job.options.read_spec().sha256)


@pytest.mark.usefixtures("more_sinks")
def test_what_it_says_is_true(job: ExportJob, clip: Path, model: Path, tmp_path: Path) -> None:
    job = replace(
        job, out=(tmp_path / "out.mp4", tmp_path / "out.jsonl", f"{tmp_path}/all.maps/"), crf=25, preset="superfast",
        selection=Selection(Moment(0.4), Moment(frame=40), 3), size=Wanted(32),
    )  # fmt: skip
    result = run_export(job)
    assert result.manifest == tmp_path / "out.mp4.manifest.json"
    said: dict[str, Any] = json.loads(result.manifest.read_text(encoding="utf-8"))
    assert said["format"] == 1 and said["program"] == f"seg_viewer {__version__}" and said["key"] == _key(job)
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(said["made"]) < timedelta(minutes=5)
    assert said["source"] == {
        "name": "in.mp4", "path": str(clip), "bytes": clip.stat().st_size, "sha256": _sha256(clip)
    }  # fmt: skip
    assert said["model"] == {
        "name": "colors", "file": str(model), "sha256": _sha256(model), "precision": "float32",
        "classes": {"0": "background", "1": "road", "2": "car", "3": "person"},
    }  # fmt: skip
    engine = said["engine"]
    assert engine["name"] == "openvino" and engine["device"].startswith("CPU") and engine["precision"] in result.engine
    assert said["options"] == {
        "opacity": 0.6, "hidden": ["road"], "outline": True, "hatched": False, "smooth": True,
        "steady": False, "palette": "okabe-ito", "colors": {"car": "#0102ff", "person": "#d55e00"},
        "start": 0.4, "end": "40f", "every": 3, "size": [32, None], "crf": 25, "preset": "superfast",
        "codec": None, "quality": "balanced", "hardware": False, "stats": False, "stream": None, "zone": None,
    }  # fmt: skip
    assert said["frames"] == result.frames == 10
    folder = tmp_path / "all.maps"
    assert said["outputs"] == [
        {"path": "out.mp4", "kind": "video", "bytes": (tmp_path / "out.mp4").stat().st_size},
        {"path": "out.jsonl", "kind": "JSON lines", "bytes": (tmp_path / "out.jsonl").stat().st_size},
        {"path": "all.maps", "kind": "maps", "bytes": sum(file.stat().st_size for file in folder.iterdir())},
    ]
    assert said["sound"] == result.audio
    assert [*said["warnings"], *(f"left out: {line}" for line in said["left_out"])] == list(result.warnings)
    versions = {name: _version(name) for name in manifest.LIBRARIES}
    assert said["versions"] == {name: version for name, version in versions.items() if version}
    assert {"av", "numpy", "openvino"} <= set(said["versions"])
    assert is_done(job, _key(job))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@pytest.mark.parametrize("extra", ["onnxruntime", "tensorrt", "tensorrt-rtx"])
def test_the_versions_of_all_that_an_extra_brings_to_compute_with_are_named(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = {re.split("[^a-z0-9-]", each)[0] for each in project["optional-dependencies"][extra]}
    assert brought and brought <= set(manifest.LIBRARIES)


def test_left_out_and_warnings_are_told_apart(job: ExportJob, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", frames=50, container_options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.8)])
    result = run_export(replace(job, source=cut))
    said = read_manifest(job.first)
    assert said is not None and result.warnings
    assert said["warnings"] == [line for line in result.warnings if not line.startswith("left out: ")]
    assert said["left_out"] == list(result.left_out)
    assert said["frames"] == result.frames < 50


def test_a_folder_of_pictures_has_no_hash(job: ExportJob, tmp_path: Path) -> None:
    import cv2

    from tests.jobs.breaking_off import noise

    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), noise(0, 64, 48))
    run_export(replace(job, source=folder))
    said = read_manifest(job.first)
    assert said is not None and said["source"]["sha256"] is None and said["source"]["bytes"] is None


def _again(job: ExportJob, **changes: Any) -> ExportJob:
    return replace(job, **changes)


def _styled(job: ExportJob, **changes: Any) -> ExportJob:
    return _again(job, options=replace(job.options, style=replace(job.options.style, **changes)))


CHANGES: dict[str, Callable[[ExportJob, Path], ExportJob]] = {
    "crf": lambda job, _: _again(job, crf=21),
    "preset": lambda job, _: _again(job, preset="fast"),
    "opacity": lambda job, _: _again(job, options=replace(job.options, style=OverlayStyle(0.5))),
    "hidden": lambda job, _: _again(job, options=replace(job.options, style=OverlayStyle(0.6, outline=True))),
    "hatched": lambda job, _: _styled(job, hatched=True),
    "smooth": lambda job, _: _styled(job, smooth=False),
    "steady": lambda job, _: _again(job, options=replace(job.options, steady=True)),
    "palette": lambda job, _: _styled(job, palette="classic"),
    "colour": lambda job, _: _styled(job, colors={"car": (1, 2, 254)}),
    "engine": lambda job, _: _again(job, options=replace(job.options, engine="onnxruntime")),
    "part": lambda job, _: _again(job, selection=Selection(end=Moment(1.0))),
    "every": lambda job, _: _again(job, selection=Selection(every=2)),
    "size": lambda job, _: _again(job, size=Wanted(32)),
    "output": lambda job, folder: _again(job, out=folder / "other.mp4"),
    "one more output": lambda job, folder: _again(job, out=(job.first, folder / "other.mp4")),
    "model": lambda job, folder: _again(
        job, options=replace(job.options, model=str(color_model(folder / "other.onnx", 96, 64)))
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_job_is_not_done(job: ExportJob, tmp_path: Path, change: str) -> None:
    run_export(job)
    other = CHANGES[change](job, tmp_path)
    assert is_done(job, _key(job)) and not is_done(other, _key(other))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "output gone": lambda folder: (folder / "out.mp4").unlink(),
    "output cut": lambda folder: (folder / "out.mp4").write_bytes((folder / "out.mp4").read_bytes()[:-1]),
    "manifest gone": lambda folder: (folder / "out.mp4.manifest.json").unlink(),
    "manifest cut": lambda folder: (folder / "out.mp4.manifest.json").write_text('{"format": 1, "key"'),
    "manifest of another format": lambda folder: (folder / "out.mp4.manifest.json").write_text('{"format": 2}'),
    "manifest a list": lambda folder: (folder / "out.mp4.manifest.json").write_text("[1, 2]"),
    "outputs no list": lambda folder: _edit(folder, outputs=None),
    "outputs a list of text": lambda folder: _edit(folder, outputs=["out.mp4"]),
    "source changed": lambda folder: make_clip(folder / "in.mp4", frames=40),
}


def _edit(folder: Path, **values: object) -> None:
    path = folder / "out.mp4.manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values))


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_there_any_more_is_not_done(job: ExportJob, tmp_path: Path, damage: str) -> None:
    run_export(job)
    assert is_done(job, _key(job))
    DAMAGES[damage](tmp_path)
    assert not is_done(job, _key(job))


def test_the_same_job_by_another_name_of_the_file_is_done(job: ExportJob, tmp_path: Path) -> None:
    run_export(job)
    same = replace(job, out=tmp_path / "." / "out.mp4", overwrite=True, resume=True)
    assert is_done(same, _key(same))


def test_none_is_written_where_none_is_wanted(job: ExportJob, tmp_path: Path) -> None:
    assert run_export(replace(job, manifest=False)).manifest is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
    assert read_manifest(job.first) is None


@pytest.mark.usefixtures("short_segments")
def test_none_is_written_before_the_end(job: ExportJob) -> None:
    break_off(job, 40)
    assert not manifest_path(job.first).exists()
    run_export(replace(job, resume=True))
    said = read_manifest(job.first)
    assert said is not None and said["frames"] == 50 and is_done(job, _key(job))
    assert any("were done already" in line for line in said["warnings"])


def test_a_new_result_has_a_new_manifest(job: ExportJob, tmp_path: Path) -> None:
    run_export(job)
    other = replace(job, crf=40, overwrite=True)
    run_export(other)
    assert is_done(other, _key(other)) and not is_done(job, _key(job))
    with pytest.raises(ExportError):
        run_export(replace(job, overwrite=True), cancelled=lambda: True)
    assert is_done(other, _key(other))  # nothing was touched


def test_a_moved_result_is_another(job: ExportJob, tmp_path: Path) -> None:
    run_export(job)
    (tmp_path / "moved").mkdir()
    for name in ("out.mp4", "out.mp4.manifest.json"):
        shutil.move(tmp_path / name, tmp_path / "moved" / name)
    moved = replace(job, out=tmp_path / "moved" / "out.mp4")
    assert not is_done(job, _key(job)) and not is_done(moved, _key(moved))
