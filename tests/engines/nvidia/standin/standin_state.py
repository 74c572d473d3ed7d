"""What the stand-ins for CUDA and TensorRT share: memory, a journal of calls, and faults that a test orders.

Streams do nothing until somebody waits for them: who reads a result without waiting reads old memory, as on a GPU.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Call:
    """One call: its name, the thread, and what it was about."""

    name: str
    thread: int
    detail: object = None


@dataclass
class State:
    devices: int = 1
    capability: tuple[int, int] = (9, 0)
    """Compute capability of the GPU."""
    memory_limit: int = 2**40
    """Bytes of the GPU."""
    journal: list[Call] = field(default_factory=list)
    memory: dict[int, np.ndarray] = field(default_factory=dict)
    streams: dict[int, object] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    """Name of a call → text of the error that it gives from now on."""
    inspected: str = ""
    """What the inspector says of every convolution, instead of the truth."""
    wrong_classes: bool = False
    """The network computes something else."""
    gate: threading.Event = field(default_factory=threading.Event)
    """Streams run while it is set."""
    build_gate: threading.Event = field(default_factory=threading.Event)
    """A build goes on while it is set."""
    step_s: float = float(os.environ.get("STANDIN_STEP_S", "0"))
    """Seconds that a step of a build takes."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    contexts: threading.local = field(default_factory=threading.local)
    next_address: int = 0x1000

    def __post_init__(self) -> None:
        self.gate.set()
        self.build_gate.set()

    def note(self, name: str, detail: object = None) -> None:
        with self.lock:
            self.journal.append(Call(name, threading.get_ident(), detail))

    def names(self) -> list[str]:
        with self.lock:
            return [call.name for call in self.journal]

    def calls(self, name: str) -> list[Call]:
        with self.lock:
            return [call for call in self.journal if call.name == name]

    def address(self) -> int:
        with self.lock:
            self.next_address += 0x1000
            return self.next_address


STATE = State()


def reset() -> State:
    """A new machine; the same object, because the stand-ins hold it."""
    STATE.__init__()  # type: ignore[misc]
    return STATE


Operation = Callable[[], None]
