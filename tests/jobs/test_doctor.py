"""Engines are closed, however their trial ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.onnxruntime import OnnxRuntimeEngine
from seg_viewer.engines.openvino import OpenVinoEngine
from seg_viewer.jobs import bench
from seg_viewer.jobs.doctor import check_engines, check_model, golden_classes, write_golden
from seg_viewer.jobs.options import RunOptions
from tests.clips import make_clip


class Watched:
    """Counts the engines that are made and closed, and has them fail at a picture.

    Args:
        fails_at: number of the picture, over all engines, from which on they fail; None: never.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_at: int | None) -> None:
        self.made: list[Any] = []
        self.closed: list[Any] = []
        self.pictures = 0
        self.fails_at = fails_at
        for module, kind in (("openvino", OpenVinoEngine), ("onnxruntime", OnnxRuntimeEngine)):
            monkeypatch.setattr(f"seg_viewer.engines.{module}.{kind.__name__}", self._watched(kind))

    def _watched(self, kind: type[Any]) -> type[Any]:
        watch = self

        class Engine(kind):  # type: ignore[misc]
            def __init__(self, *args: Any) -> None:
                super().__init__(*args)
                watch.made.append(self)

            def submit(self, rgb: Any, *, alone: bool = False) -> None:
                watch.pictures += 1
                if watch.fails_at is not None and watch.pictures > watch.fails_at:
                    raise EngineError("the device was lost")
                super().submit(rgb)

            def segment(self, rgb: Any) -> Any:
                self.submit(rgb)
                return self.collect()

            def close(self) -> None:
                watch.closed.append(self)
                super().close()

        return Engine


def _bench(spec: ModelSpec) -> None:
    clip = make_clip(spec.path.with_name("clip.mp4"), frames=10)
    bench.run_bench(bench.BenchJob(clip, RunOptions(model=str(spec.path)), 50))


@pytest.mark.parametrize("fails_at", [None, 0, 1, 2, 130])
@pytest.mark.parametrize(
    "look",
    [
        golden_classes,
        write_golden,
        check_engines,
        lambda spec: check_model(spec.path, "openvino"),
        lambda spec: check_model(spec.path, "onnxruntime"),
        _bench,
    ],
    ids=["golden_classes", "write_golden", "check_engines", "check_model", "check_model onnxruntime", "bench"],
)
def test_every_engine_that_was_made_is_closed(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    look: Callable[[ModelSpec], object],
    fails_at: int | None,
) -> None:
    copy = tmp_path / "m.onnx"
    copy.write_bytes(model.read_bytes())
    monkeypatch.setattr("seg_viewer.jobs.doctor._MEASURE_S", 0.05)
    watch = Watched(monkeypatch, fails_at)
    with suppress(EngineError):
        look(read_model_file(copy))
    assert watch.made and watch.closed == watch.made


def test_an_engine_that_fails_is_told_with_its_reason(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seg_viewer.jobs.doctor.golden_classes", lambda _spec: None)
    Watched(monkeypatch, 0)
    checks, _reference = check_engines(read_model_file(model))
    assert [check.line for check in checks if check.name in ("openvino", "onnxruntime")] == ["the device was lost"] * 2
    assert not any(check.works or check.chosen for check in checks)
