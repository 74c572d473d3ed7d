"""ONNX Runtime's GPU providers where there is no GPU: what it then really does, and that it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.engines import load_engine
from tests.models import RED

GPU_PROVIDERS = ["TensorrtExecutionProvider", "CUDAExecutionProvider"]


@pytest.fixture
def gpu_build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The real ONNX Runtime, which says that it is a GPU build; its sessions then fall back on their own."""
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this is a GPU build: its own behaviour is tested with the mark gpu")
    present = onnxruntime.get_available_providers()
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*GPU_PROVIDERS, *present])
    return onnxruntime


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize("device", ["CUDA", "tensorrt"])
def test_a_fallback_is_told(gpu_build: Any, model: Path, device: str) -> None:
    engine = load_engine(model, "onnxruntime", device)
    assert engine.report.device == "CPU"
    assert f"fell back from {device.upper()} to CPU" in engine.report.fallback
    assert int(engine.segment(np.full((32, 64, 3), RED, np.uint8))[0, 0]) == 3
    engine.close()


def test_on_the_processor_nothing_is_told(model: Path) -> None:
    report = load_engine(model, "onnxruntime", "CPU").report
    assert (report.device, report.note, report.fallback) == ("CPU", "", "")


class _GpuSession:
    """A session on a GPU, as far as its engine asks; the names are those of the real session, see below."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.broken = False

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        parts = self._session.get_provider_graph_assignment_info()
        return [_Part("CUDAExecutionProvider", part.get_nodes()) for part in parts[:-1]] + parts[-1:]

    def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        if self.broken:
            raise RuntimeError("CUDA failure 2: out of memory ; GPU=0")
        return self._session.run(names, feed)


class _Part:
    def __init__(self, ep_name: str, nodes: list[Any]) -> None:
        self.ep_name = ep_name
        self._nodes = nodes

    def get_nodes(self) -> list[Any]:
        return self._nodes


@pytest.fixture
def gpu_session(gpu_build: Any, monkeypatch: pytest.MonkeyPatch) -> list[_GpuSession]:
    real, made = gpu_build.InferenceSession, []

    def make(path: str, options: Any, providers: list[tuple[str, dict[str, str]]], **choices: Any) -> _GpuSession:
        assert [name for name, _ in providers] == ["CUDAExecutionProvider", "CPUExecutionProvider"]
        made.append(_GpuSession(real(path, options, providers=["CPUExecutionProvider"], **choices)))
        return made[-1]

    for name in ("get_providers", "get_provider_graph_assignment_info", "run"):
        assert callable(getattr(real, name))
    monkeypatch.setattr(gpu_build, "InferenceSession", make)
    return made


def test_the_provider_in_use_and_the_nodes_left_to_the_processor_are_told(gpu_session: Any, model: Path) -> None:
    report = load_engine(model, "onnxruntime", "CUDA").report
    assert report.device == "CUDA" and report.fallback == ""
    assert report.note.startswith("of ") and report.note.endswith("nodes 1 on CPU")


def test_a_gpu_that_fails_hands_over_to_the_processor(gpu_session: Any, model: Path) -> None:
    engine = load_engine(model, "onnxruntime", "CUDA")
    gpu_session[0].broken = True
    assert int(engine.segment(np.full((32, 64, 3), RED, np.uint8))[0, 0]) == 3
    assert engine.report.name == "openvino" and "CUDA failure 2: out of memory" in engine.report.fallback
    engine.close()


def test_a_device_that_is_not_installed_is_refused(model: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this is a GPU build")
    with pytest.raises(EngineError, match="no device CUDA here; there is CPU"):
        load_engine(model, "onnxruntime", "CUDA")
