"""NVIDIA's two runtimes as values, and whether they can be had here: if not, what is missing and what to install."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from seg_viewer.core.errors import EngineError
from seg_viewer.core.installing import extra


@dataclass(frozen=True)
class NvidiaRuntime:
    """A library of NVIDIA's that builds plans and runs them; the two share one API.

    Args:
        name: of the engine.
        title: for people.
        package: that is imported.
        bindings: package that is there where only half of it is installed.
        libraries: package that brings the native libraries.
        extra: of ours that installs it.
        source: what else pip must reach for that; "" where PyPI alone has it.
        oldest: version that has all that we use.
        ahead: a plan is built without a GPU, and serves several kinds of card.
    """

    name: str
    title: str
    package: str
    bindings: str
    libraries: str
    extra: str
    source: str
    oldest: tuple[int, int]
    ahead: bool

    @property
    def install(self) -> str:
        """The command, or what to do where that cannot help."""
        return extra(self.extra)

    @property
    def installed(self) -> bool:
        """Whether its package is there; looked up, not imported."""
        try:
            return importlib.util.find_spec(self.package) is not None
        except ValueError:  # imported, but without a spec
            return self.package in sys.modules

    def module(self) -> Any:
        """The library itself.

        Raises:
            EngineError: it is missing, incomplete or too old; one line that says what to do.
        """
        module = sys.modules.get(self.package) or self._import()
        version = str(getattr(module, "__version__", "0"))
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        if numbers < self.oldest:
            oldest = ".".join(map(str, self.oldest))
            raise EngineError(f"{self.title} {version} is too old, {oldest} or newer is needed: {self.install}")
        return module

    def version(self) -> str:
        return str(self.module().__version__)

    def _import(self) -> Any:
        fetched = f", which pip fetches from {self.source}" if self.source else ""
        if not self.installed:
            if importlib.util.find_spec(self.bindings) is not None:
                raise EngineError(
                    f"{self.title} is only half installed: its Python bindings are here, its native libraries are not "
                    f"({self.libraries}{fetched}): {self.install}"
                )
            reach = f"; its libraries come from {self.source}, so pip must reach that too" if self.source else ""
            raise EngineError(f"{self.title} is not installed: {self.install} (an NVIDIA GPU is needed{reach})")
        try:
            return importlib.import_module(self.package)
        except (ImportError, OSError) as error:
            missing = re.search(r"lib[\w.+-]+\.so[\w.]*", str(error))
            if missing:
                raise EngineError(
                    f"{self.title}'s native library {missing[0]} is missing: the package {self.libraries} brings it"
                    f"{fetched}: {self.install}"
                ) from error
            raise EngineError(
                f"{self.title} cannot be imported ({_line(error)}); install it again: {self.install}"
            ) from error


TENSORRT = NvidiaRuntime(
    name="tensorrt",
    title="TensorRT",
    package="tensorrt",
    bindings="tensorrt_bindings",
    libraries="tensorrt-cu13-libs",
    extra="tensorrt",
    source="NVIDIA's own package index",
    oldest=(10, 12),
    ahead=False,
)
RTX = NvidiaRuntime(
    name="tensorrt-rtx",
    title="TensorRT for RTX",
    package="tensorrt_rtx",
    bindings="tensorrt_rtx_bindings",
    libraries="tensorrt-rtx-cu13-libs",
    extra="tensorrt-rtx",
    source="",
    oldest=(1, 7),
    ahead=True,
)


def require(runtime: NvidiaRuntime) -> None:
    """Import what a plan needs to run, so that the modules which use it can be imported.

    Raises:
        EngineError: the runtime or CUDA's Python bindings are missing, incomplete or too old; one line.
    """
    runtime.module()
    cuda_driver(runtime)


@cache
def has_driver() -> bool:
    """Whether an NVIDIA driver is installed; cheap."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def cuda_driver(runtime: NvidiaRuntime = TENSORRT) -> Any:
    """PyCUDA's driver module where it is installed, else the same calls through NVIDIA's own bindings.

    Args:
        runtime: whose extra is named where both are missing.

    Raises:
        EngineError: neither can be imported; one line that says what to do.
    """
    if has_pycuda():
        return _pycuda()
    if _has("cuda.bindings"):
        return _imported("seg_viewer.engines.nvidia.cuda_python", _explain_bindings)
    raise EngineError(f"neither cuda-bindings nor PyCUDA is installed: {runtime.install} brings cuda-bindings")


def has_pycuda() -> bool:
    """Whether PyCUDA is installed; looked up, not imported."""
    return _has("pycuda")


def _pycuda() -> Any:
    return _imported("pycuda.driver", _explain_pycuda)


def _has(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _imported(name: str, explain: Callable[[Exception], str]) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        if "libcuda" in str(error):
            raise EngineError("the NVIDIA driver is missing (libcuda.so.1): install it, then try again") from error
        raise EngineError(explain(error)) from error


def _explain_pycuda(error: Exception) -> str:
    return (
        f"PyCUDA cannot be imported ({_line(error)}); compile it again for this CUDA: "
        "pip install --force-reinstall --no-cache-dir --no-binary :all: pycuda"
    )


def _explain_bindings(error: Exception) -> str:
    return f"cuda-bindings cannot be imported ({_line(error)}); install it again: {RTX.install}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
