"""Whether TensorRT and PyCUDA can be had here, and if not, what is missing and what to install."""

from __future__ import annotations

import importlib
import importlib.util
import re

from seg_viewer.core.errors import EngineError

OLDEST = (10, 12)
_INSTALL = "pip install 'seg-viewer[tensorrt]'"


def require_tensorrt() -> None:
    """Import both, so that the modules which use them can be imported.

    Raises:
        EngineError: TensorRT or PyCUDA is missing, incomplete or too old; one line that says what to do.
    """
    _import_tensorrt()
    _import_pycuda()


def _import_tensorrt() -> None:
    if importlib.util.find_spec("tensorrt") is None:
        if importlib.util.find_spec("tensorrt_bindings") is not None:
            raise EngineError(
                "TensorRT is only half installed: its Python bindings are here, its native libraries are not "
                f"(tensorrt-cu13-libs, which pip fetches from NVIDIA's own package index): {_INSTALL}"
            )
        raise EngineError(
            f"TensorRT is not installed: {_INSTALL} (an NVIDIA GPU is needed; its libraries come from NVIDIA's own "
            "package index, so pip must reach that too)"
        )
    try:
        trt = importlib.import_module("tensorrt")
    except (ImportError, OSError) as error:
        raise EngineError(_explain_tensorrt(error)) from error
    version = str(getattr(trt, "__version__", "0"))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise EngineError(f"TensorRT {version} is too old, {oldest} or newer is needed: {_INSTALL}")


def _explain_tensorrt(error: Exception) -> str:
    missing = re.search(r"lib[\w.+-]+\.so[\w.]*", str(error))
    if missing:
        return (
            f"TensorRT's native library {missing[0]} is missing: the package tensorrt-cu13-libs brings it, which pip "
            f"fetches from NVIDIA's own package index: {_INSTALL}"
        )
    return f"TensorRT cannot be imported ({_line(error)}); install it again: {_INSTALL}"


def _import_pycuda() -> None:
    if importlib.util.find_spec("pycuda") is None:
        raise EngineError(
            f"PyCUDA is not installed: {_INSTALL} compiles it, which needs the CUDA toolkit (nvcc) and a C++ compiler"
        )
    try:
        importlib.import_module("pycuda.driver")
    except (ImportError, OSError) as error:
        if "libcuda" in str(error):
            raise EngineError("the NVIDIA driver is missing (libcuda.so.1): install it, then try again") from error
        raise EngineError(
            f"PyCUDA cannot be imported ({_line(error)}); compile it again for this CUDA: "
            "pip install --force-reinstall --no-cache-dir --no-binary :all: pycuda"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
