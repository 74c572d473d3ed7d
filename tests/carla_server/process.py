"""The server as a process of its own, and what a test asks it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any

import msgpack

from seg_viewer.sources.carla import process

_ROOT = Path(__file__).resolve().parents[2]
_WAIT_S = 90.0

process.LEAVE_S = _WAIT_S  # a busy machine may take longer to answer than a person waits


class CarlaServer:
    """Starts `python -m tests.carla_server` with the arguments given; use it as a context manager."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.carla_server", "--port", "0", *arguments],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert self.address, "the test server did not start"
        host, port = self.address.split(":")
        self._endpoint = (host, int(port))

    def url(self, query: str = "") -> str:
        """What `open_source` takes."""
        return f"carla://{self.address}" + (f"?{query}" if query else "")

    def report(self) -> dict[str, Any]:
        """What lives on the server and how it is set; see `World.report`."""
        with socket.create_connection(self._endpoint, timeout=_WAIT_S) as connection:
            connection.sendall(msgpack.packb([0, 1, "report", []]))
            unpacker = msgpack.Unpacker(raw=False)
            while data := connection.recv(1 << 16):
                unpacker.feed(data)
                for _kind, _number, _error, result in unpacker:
                    return dict(result)
        raise AssertionError("the test server gave no report")

    def wait_until(self, holds: Callable[[dict[str, Any]], bool], timeout_s: float = _WAIT_S) -> dict[str, Any]:
        """The first report of which something is true; the last one when time runs out."""
        until_s = monotonic() + timeout_s
        while not holds(report := self.report()) and monotonic() < until_s:
            sleep(0.05)
        return report

    def hold(self) -> None:
        """It hangs, with all its connections, until `go_on`."""
        self._process.send_signal(signal.SIGSTOP)

    @property
    def is_held(self) -> bool:
        """It hangs, by `hold` or by itself."""
        words = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        return words.rpartition(")")[2].split()[0] == "T"

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Gone at once, as in a crash."""
        self._process.kill()
        self._process.wait(_WAIT_S)

    def __enter__(self) -> CarlaServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
