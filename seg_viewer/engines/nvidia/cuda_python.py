"""What `cuda.py` asks of PyCUDA, asked of NVIDIA's own Python bindings: wheels that need no compiler.

The names and signatures are those of `pycuda.driver`, against whose record they are checked; only what the helper uses
is there. Imported only after `require_cuda`.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
from cuda.bindings import driver as native
from numpy.typing import DTypeLike, NDArray


class Error(Exception):
    """CUDA refused a call."""


class MemoryError(Error):
    """There is no memory left."""


def _call(function: Any, *arguments: Any) -> Any:
    """What a call of the driver gives. Raises: MemoryError, Error, which name the call and CUDA's reason."""
    try:
        code, *results = function(*arguments)
    except RuntimeError as error:
        # the driver is missing, or too old to know the call
        reason = "there is no libcuda.so.1" if "driver library" in str(error) else " ".join(str(error).split())
        raise Error(f"{function.__name__} failed: {reason}") from error
    if code != native.CUresult.CUDA_SUCCESS:
        _, text = native.cuGetErrorString(code)
        reason = text.decode() if isinstance(text, bytes) else code.name
        kind = MemoryError if code == native.CUresult.CUDA_ERROR_OUT_OF_MEMORY else Error
        raise kind(f"{function.__name__} failed: {reason}")
    return results[0] if len(results) == 1 else tuple(results)


def init(flags: int = 0) -> None:
    _call(native.cuInit, flags)


def get_driver_version() -> int:
    """CUDA that the driver speaks: 1000 × major + 10 × minor."""
    return int(_call(native.cuDriverGetVersion))


def mem_get_info() -> tuple[int, int]:
    """Bytes of the GPU's memory: free, all."""
    free, total = _call(native.cuMemGetInfo)
    return int(free), int(total)


class Device:
    """One GPU."""

    def __init__(self, number: int) -> None:
        self._native = _call(native.cuDeviceGet, number)

    @staticmethod
    def count() -> int:
        return int(_call(native.cuDeviceGetCount))

    def name(self) -> str:
        text = _call(native.cuDeviceGetName, 256, self._native)
        return bytes(text).split(b"\0")[0].decode(errors="replace")

    def compute_capability(self) -> tuple[int, int]:
        # cuda.h calls cuDeviceComputeCapability deprecated
        attribute = native.CUdevice_attribute
        return (
            int(
                _call(native.cuDeviceGetAttribute, attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, self._native)
            ),
            int(
                _call(native.cuDeviceGetAttribute, attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, self._native)
            ),
        )

    def retain_primary_context(self) -> Context:
        return Context(_call(native.cuDevicePrimaryCtxRetain, self._native), self._native)


class Context:
    """A hold of a GPU's primary context, let go of with the last reference."""

    def __init__(self, context: Any, device: Any) -> None:
        self._native, self._device = context, device

    def push(self) -> None:
        """Make it the current one of this thread."""
        _call(native.cuCtxPushCurrent, self._native)

    @staticmethod
    def pop() -> None:
        """The one before is current again."""
        _call(native.cuCtxPopCurrent)

    def __del__(self) -> None:
        native.cuDevicePrimaryCtxRelease(self._device)


class Stream:
    """What is asked of it happens in that order."""

    def __init__(self, flags: int = 0) -> None:
        self._native = _call(native.cuStreamCreate, flags)

    @property
    def handle(self) -> int:
        return int(self._native)

    def synchronize(self) -> None:
        _call(native.cuStreamSynchronize, self._native)

    def __del__(self) -> None:
        if hasattr(self, "_native"):
            native.cuStreamDestroy(self._native)


class Event:
    """A moment in a stream."""

    def __init__(self, flags: int = 0) -> None:
        self._native = _call(native.cuEventCreate, flags)

    def record(self, stream: Stream) -> Event:
        _call(native.cuEventRecord, self._native, stream.handle)
        return self

    def synchronize(self) -> Event:
        _call(native.cuEventSynchronize, self._native)
        return self

    def time_till(self, other: Event) -> float:
        """Milliseconds until another one."""
        return float(_call(native.cuEventElapsedTime, self._native, other._native))

    def __del__(self) -> None:
        if hasattr(self, "_native"):
            native.cuEventDestroy(self._native)


class DeviceAllocation:
    """Memory of the GPU."""

    def __init__(self, address: int) -> None:
        self._address = address

    def __int__(self) -> int:
        return self._address

    def free(self) -> None:
        """Give it back; again is fine."""
        address, self._address = self._address, 0
        if address:
            _call(native.cuMemFree, address)

    def __del__(self) -> None:
        if self._address:
            native.cuMemFree(self._address)


def mem_alloc(bytes: int) -> DeviceAllocation:
    return DeviceAllocation(int(_call(native.cuMemAlloc, bytes)))


class PagelockedHostAllocation:
    """Pinned memory of the host, as numpy's `__array_interface__` tells it."""

    def __init__(self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._address = address
        self.__array_interface__ = {"data": (address, False), "shape": shape, "typestr": dtype.str, "version": 3}

    def free(self) -> None:
        """Give it back; arrays of it must not be used any more. Again is fine."""
        address, self._address = self._address, 0
        if address:
            _call(native.cuMemFreeHost, address)

    def __del__(self) -> None:
        if self._address:
            native.cuMemFreeHost(self._address)


def pagelocked_empty(shape: tuple[int, ...], dtype: DTypeLike, order: str = "C", mem_flags: int = 0) -> NDArray[Any]:
    """An array in pinned memory; its `base` is a PagelockedHostAllocation."""
    assert order == "C"
    kind = np.dtype(dtype)
    address = int(_call(native.cuMemHostAlloc, math.prod(shape) * kind.itemsize, mem_flags))
    return np.asarray(PagelockedHostAllocation(address, shape, kind))


def memcpy_htod_async(dest: DeviceAllocation, src: NDArray[Any], stream: Stream) -> None:
    _call(native.cuMemcpyHtoDAsync, int(dest), _address(src), src.nbytes, stream.handle)


def memcpy_dtoh_async(dest: NDArray[Any], src: DeviceAllocation, stream: Stream) -> None:
    _call(native.cuMemcpyDtoHAsync, _address(dest), int(src), dest.nbytes, stream.handle)


def memcpy_dtod_async(dest: int, src: int, size: int, stream: Stream) -> None:
    _call(native.cuMemcpyDtoDAsync, int(dest), int(src), size, stream.handle)


def _address(array: NDArray[Any]) -> int:
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data).value or 0
