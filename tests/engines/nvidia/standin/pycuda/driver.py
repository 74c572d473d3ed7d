"""What the CUDA helper uses of pycuda.driver, on host memory."""

from __future__ import annotations

from collections import deque

import numpy as np
from standin_state import STATE, Operation


class Error(Exception):
    pass


class MemoryError(Error):
    pass


class LogicError(Error):
    pass


class LaunchError(Error):
    pass


def _enter(name: str, detail: object = None, *, context: bool = True) -> None:
    """Journal a call; raise what a test ordered, and what CUDA would where no context is current."""
    STATE.note(name, detail)
    if context and not _stack():
        raise LogicError(f"{name} failed: invalid device context")
    if name in STATE.faults:
        kind = MemoryError if "out of memory" in STATE.faults[name] else LaunchError
        raise kind(f"{name} failed: {STATE.faults[name]}")


def _stack() -> list[Context]:
    if not hasattr(STATE.contexts, "stack"):
        STATE.contexts.stack = []
    return STATE.contexts.stack


def init(flags=0):
    _enter("init", context=False)


def get_driver_version():
    return 13000


def mem_get_info():
    _enter("mem_get_info")
    used = sum(block.nbytes for block in STATE.memory.values())
    return STATE.memory_limit - used, STATE.memory_limit


class Device:
    def __init__(self, number):
        if number >= STATE.devices:
            raise LogicError("cuDeviceGet failed: invalid device ordinal")
        self._number = number

    @staticmethod
    def count():
        return STATE.devices

    def name(self):
        return "Stand-in GPU"

    def compute_capability(self):
        return STATE.capability

    def retain_primary_context(self):
        STATE.note("retain")
        return Context()


class Context:
    def push(self):
        STATE.note("push")
        _stack().append(self)

    @staticmethod
    def pop():
        _enter("pop")
        _stack().pop()


class Stream:
    def __init__(self, flags=0):
        _enter("Stream")
        self.handle = STATE.address()
        self._pending: deque[Operation] = deque()
        STATE.streams[self.handle] = self

    def _add(self, operation: Operation) -> None:
        with STATE.lock:
            self._pending.append(operation)

    def _run(self, until: Event | None = None) -> None:
        STATE.gate.wait(60)
        with STATE.lock:
            while self._pending and not (until is not None and until._reached):
                self._pending.popleft()()

    def synchronize(self):
        _enter("Stream.synchronize")
        self._run()


class Event:
    def __init__(self, flags=0):
        _enter("Event")
        self._stream: Stream | None = None
        self._reached = False

    def record(self, stream=None):
        _enter("record")
        self._stream = stream
        self._reached = False
        stream._add(self._reach)
        return self

    def _reach(self) -> None:
        self._reached = True

    def synchronize(self):
        _enter("Event.synchronize")
        if self._stream is not None:
            self._stream._run(until=self)
        return self

    def query(self):
        return self._reached

    def time_till(self, end):
        if not (self._reached and end._reached):
            raise LogicError("cuEventElapsedTime failed: device not ready")
        return 1.25


class DeviceAllocation:
    def __init__(self, address):
        self._address = address

    def __int__(self):
        return self._address

    def __index__(self):
        return self._address

    def free(self):
        _enter("free", self._address)
        if STATE.memory.pop(self._address, None) is None:
            raise LogicError("cuMemFree failed: invalid argument")


def mem_alloc(bytes):
    _enter("mem_alloc", bytes)
    if mem_get_info()[0] < bytes:
        raise MemoryError("cuMemAlloc failed: out of memory")
    address = STATE.address()
    STATE.memory[address] = np.zeros(bytes, np.uint8)
    return DeviceAllocation(address)


class PagelockedHostAllocation:
    def __init__(self, shape, dtype):
        self._memory = np.zeros(shape, dtype)

    @property
    def __array_interface__(self):
        return self._memory.__array_interface__

    def free(self):
        _enter("free pinned")


def pagelocked_empty(shape, dtype, order="C", mem_flags=0):
    _enter("pagelocked_empty", shape)
    return np.asarray(PagelockedHostAllocation(shape, dtype))


def memcpy_htod_async(dest, src, stream=None):
    _enter("memcpy_htod_async", isinstance(src.base, PagelockedHostAllocation))
    address = int(dest)

    def copy() -> None:
        STATE.note("run up")
        STATE.memory[address][:] = np.ascontiguousarray(src).view(np.uint8).ravel()

    stream._add(copy)


def memcpy_dtoh_async(dest, src, stream=None):
    _enter("memcpy_dtoh_async", isinstance(dest.base, PagelockedHostAllocation))
    address = int(src)

    def copy() -> None:
        STATE.note("run down")
        dest[...] = STATE.memory[address].view(dest.dtype).reshape(dest.shape)

    stream._add(copy)
