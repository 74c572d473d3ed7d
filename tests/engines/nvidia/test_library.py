"""What is said where TensorRT or PyCUDA is missing, half there, or too old."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.engines import available_engines, load_engine
from tests.engines.nvidia.conftest import STANDIN, without_gpu_modules

PACKAGES = ("tensorrt", "tensorrt_bindings", "tensorrt_libs", "tensorrt_rtx", "tensorrt_rtx_bindings", "pycuda", "cuda")


class _NotInstalled:
    """A finder in front of all others that knows no GPU library beyond those of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in PACKAGES and not list(self._folder.glob(f"{name.split('.')[0]}*")):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages, and none of the GPU libraries but those in it."""
    found = sys.modules["importlib.util"].find_spec

    def find_spec(name: str, package: str | None = None) -> object:
        if (top := name.split(".")[0]) in PACKAGES and not list(tmp_path.glob(f"{top}*")):
            return None
        return found(name, package)

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    monkeypatch.setattr(sys, "meta_path", [_NotInstalled(tmp_path), *sys.meta_path])
    monkeypatch.syspath_prepend(str(tmp_path))
    with without_gpu_modules():
        yield tmp_path


def _problem(model: Path) -> str:
    with pytest.raises(EngineError) as caught:
        load_engine(model, "tensorrt")
    text = str(caught.value)
    told = next(choice for choice in available_engines() if choice.name == "tensorrt")
    assert told.problem == text and "\n" not in text and told.devices == ()
    return text


def test_nothing_is_installed(site: Path, model: Path) -> None:
    text = _problem(model)
    assert "TensorRT is not installed: pip install 'seg-viewer[tensorrt]'" in text
    assert "NVIDIA's own package index" in text


def test_only_the_bindings_are_installed(site: Path, model: Path) -> None:
    """What is left where pip could not fetch the libraries."""
    (site / "tensorrt_bindings").mkdir()
    assert "half installed" in _problem(model) and "tensorrt-cu13-libs" in _problem(model)


def test_the_libraries_cannot_be_loaded(site: Path, model: Path) -> None:
    (site / "tensorrt.py").write_text(
        "raise ImportError('libnvinfer.so.11: cannot open shared object file: No such file or directory')"
    )
    assert "native library libnvinfer.so.11 is missing" in _problem(model)


def test_too_old(site: Path, model: Path) -> None:
    (site / "tensorrt.py").write_text("__version__ = '10.9.0.34'")
    assert "TensorRT 10.9.0.34 is too old, 10.12 or newer is needed" in _problem(model)


def test_both_of_cudas_bindings_are_missing(site: Path, model: Path) -> None:
    (site / "tensorrt.py").write_text("__version__ = '10.12.0.36'")
    assert "neither cuda-bindings nor PyCUDA is installed: pip install 'seg-viewer[tensorrt]'" in _problem(model)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("libcuda.so.1: cannot open shared object file", "the NVIDIA driver is missing"),
        ("undefined symbol: cuCtxCreate_v4", "compile it again for this CUDA"),
    ],
)
def test_pycuda_cannot_be_loaded(site: Path, model: Path, reason: str, expected: str) -> None:
    (site / "tensorrt.py").write_text("__version__ = '11.4.0.106'")
    (site / "pycuda").mkdir()
    (site / "pycuda" / "__init__.py").touch()
    (site / "pycuda" / "driver.py").write_text(f"raise ImportError('{reason}')")
    assert expected in _problem(model)


def test_the_stand_in_counts_as_installed(site: Path) -> None:
    for path in STANDIN.iterdir():
        if path.name != "__pycache__":
            (site / path.name).symlink_to(path)
    told = next(choice for choice in available_engines() if choice.name == "tensorrt")
    assert told.devices == ("GPU.0",)
