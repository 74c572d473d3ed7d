"""Stand-ins for TensorRT and PyCUDA, in this process."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STANDIN = Path(__file__).parent / "standin"
_LIBRARIES = ("tensorrt", "tensorrt_bindings", "pycuda", "tensorrt_rtx", "standin_state")
_OURS = tuple(f"seg_viewer.engines.nvidia.{name}" for name in ("cuda", "run", "build", "log", "ahead"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """State of a stand-in machine with one GPU, an own cache folder, and nothing of it left afterwards."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with without_gpu_modules():
        monkeypatch.syspath_prepend(str(STANDIN))
        state = importlib.import_module("standin_state").reset()
        yield state
        state.gate.set()
        state.build_gate.set()


@contextmanager
def without_gpu_modules() -> Iterator[None]:
    """What is imported of GPU libraries, and of ours that hold them, is imported anew within, and again afterwards."""
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_one(name)}
    yield
    for name in [name for name in sys.modules if _is_one(name)]:
        del sys.modules[name]
    sys.modules.update(saved)


def _is_one(name: str) -> bool:
    return name in _OURS or name.split(".")[0] in _LIBRARIES
