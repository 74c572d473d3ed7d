"""Whatever goes wrong, the source and the engine are closed, and no thread goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seg_viewer.core.errors import EngineError, ExportError, SegViewerError
from seg_viewer.core.overlay import Overlay
from seg_viewer.engines.base import Engine
from seg_viewer.jobs import bench as bench_module
from seg_viewer.jobs import export as export_module
from seg_viewer.jobs import record as record_module
from seg_viewer.jobs.bench import BenchJob, run_bench
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.record import RecordJob, run_record
from seg_viewer.jobs.recording import RecordPlan
from tests.clips import make_clip
from tests.servers.http_video import HttpVideo


class Watch:
    """Notes what was opened and is not closed yet."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = 0
        self.open: list[object] = []
        for module in (export_module, record_module, bench_module):
            monkeypatch.setattr(module, "open_source", self._watched(module.open_source))
        load = RunOptions.load
        monkeypatch.setattr(RunOptions, "load", self._watched(load))

    def _watched(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **choices: Any) -> Any:
            thing = make(*arguments, **choices)
            close = thing.close
            self.opened += 1
            self.open.append(thing)

            def closed() -> None:
                if thing in self.open:
                    self.open.remove(thing)
                close()

            thing.close = closed
            return thing

        return made


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch(monkeypatch)
    yield watch
    assert watch.opened > 0 and watch.open == []
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("seg-")]


def _refuse(*_arguments: object, **_choices: object) -> None:
    raise MemoryError("no memory left")


@pytest.mark.usefixtures("watch")
def test_an_export_whose_file_cannot_be_begun(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=4)
    with pytest.raises(ExportError, match="too long"):
        run_export(ExportJob(clip, tmp_path / f"{'x' * 300}.mp4", RunOptions(str(model))))


@pytest.mark.usefixtures("watch")
def test_an_export_whose_overlay_cannot_be_made(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Overlay, "__init__", _refuse)
    with pytest.raises(MemoryError):
        run_export(ExportJob(make_clip(tmp_path / "in.mp4", frames=4), tmp_path / "out.mp4", RunOptions(str(model))))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.usefixtures("watch")
@pytest.mark.parametrize("breaks", ["engine", "frame", "progress"])
def test_an_export_that_breaks_on_the_way(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    options = RunOptions(str(model), device="QUANTUM" if breaks == "engine" else None)
    if breaks == "frame":
        monkeypatch.setattr(Overlay, "paint_yuv", _refuse)
    job = ExportJob(make_clip(tmp_path / "in.mp4", frames=4), tmp_path / "out.mp4", options)
    with pytest.raises((SegViewerError, MemoryError)):
        run_export(job, on_progress=_refuse if breaks == "progress" else None, cancelled=lambda: breaks == "progress")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.usefixtures("watch")
@pytest.mark.parametrize("breaks", ["model", "overlay", "engine"])
def test_a_recording_that_cannot_be_begun(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    (tmp_path / "segments").mkdir()
    options = RunOptions(
        "gone.onnx" if breaks == "model" else str(model), device="QUANTUM" if breaks == "engine" else None
    )
    if breaks == "overlay":
        monkeypatch.setattr(Overlay, "__init__", _refuse)
    with HttpVideo(tmp_path / "segments") as server, pytest.raises((SegViewerError, MemoryError)):
        run_record(RecordJob(server.url(), RecordPlan(tmp_path / "a.mp4"), options, duration_s=5))
    assert [path.name for path in tmp_path.iterdir()] == ["segments"]


@pytest.mark.usefixtures("watch")
def test_a_bench_whose_engine_breaks(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=30)

    def broken(engine: Engine, _pictures: object) -> Iterator[object]:
        raise EngineError("out of breath")
        yield

    monkeypatch.setattr(bench_module, "segment_all", broken)
    with pytest.raises(EngineError, match="out of breath"):
        run_bench(BenchJob(str(clip), RunOptions(str(model)), frames=20))
