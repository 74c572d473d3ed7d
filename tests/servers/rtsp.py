"""Starts and stops `rtsp_server.py`; reads the time out of its pictures."""

from __future__ import annotations

import functools
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType

import numpy as np
import pytest

_SCRIPT = Path(__file__).with_name("rtsp_server.py")
_BITS = 32
_USUAL = ("appsrc", "x264enc", "h264parse", "rtph264pay")
_PROBE = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
import sys
missing = [n for n in sys.argv[1:] if not Gst.ElementFactory.find(n)]
raise SystemExit(", ".join(missing) or 0)
"""


@functools.cache
def why_not(encoders: tuple[str, ...] = ()) -> str:
    """What keeps the server from running here, with these elements beside the usual; empty when nothing does."""
    python = system_python()
    if python is None:
        return "no system Python"
    done = subprocess.run(
        [python, "-c", _PROBE, *_USUAL, *encoders], capture_output=True, encoding="utf-8", timeout=200
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["unknown"])[-1]
        return (
            f"no GStreamer RTSP server ({last}); Debian: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 "
            "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
        )
    return ""


def system_python() -> str | None:
    return next((p for p in ("/usr/bin/python3", shutil.which("python3")) if p and Path(p).exists()), None)


class RtspServer:
    """A server that runs while the `with` block does; `kill` and `start` again keep the port.

    Args:
        options: of the script, by name.
    """

    def __init__(self, **options: object) -> None:
        self.options = options
        self.port = "0"
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        scheme = "rtsps" if self.options.get("cert") else "rtsp"
        return f"{scheme}://127.0.0.1:{self.port}/live"

    def start(self, **changes: object) -> None:
        if reason := why_not():
            pytest.skip(reason)
        self.options |= changes
        words = [w for key, value in self.options.items() for w in (f"--{key.replace('_', '-')}", str(value))]
        command = [str(system_python()), str(_SCRIPT), "--port", self.port, *words]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().split()
        if not answer or answer[0] != "ready":
            assert self._process.stderr is not None
            self._process.kill()
            raise RuntimeError(f"the server did not start: {self._process.stderr.read()}")
        self.port = answer[1]

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdout, self._process.stderr):
                assert pipe is not None
                pipe.close()
            self._process = None

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def age_s(rgb: np.ndarray, now_s: float | None = None) -> float:
    """Seconds since the server made a picture, (H, W, 3) RGB, read from its bars; the clock is the machine's."""
    now_ms = int((time.monotonic() if now_s is None else now_s) * 1000)
    width = rgb.shape[1]
    bar = width // _BITS
    row = rgb[rgb.shape[0] // 8, :, 1]
    stamp = 0
    for bit in range(_BITS):
        stamp = stamp << 1 | int(row[bit * bar + bar // 2] > 128)
    return ((now_ms - stamp) % (1 << _BITS)) / 1000
