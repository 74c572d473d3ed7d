"""The server for as long as a test needs it, and a program that drives on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.carla_server.process import CarlaServer

_DRIVES = """
import sys
from seg_viewer.sources import open_source
if __name__ == "__main__":
    for frame in open_source(sys.argv[1]):
        print(frame.index, flush=True)
"""


@contextmanager
def colors_server() -> Iterator[CarlaServer]:
    """A server whose scene has the colours that the colour model knows; skips where CARLA's client is missing."""
    pytest.importorskip("carla", reason="the carla client is not installed")
    pytest.importorskip("msgpack", reason="msgpack is not installed")
    from tests.carla_server.process import CarlaServer

    with CarlaServer("--scene", "colors") as running:
        yield running


@contextmanager
def driving(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that drives, in a process group of its own, its first picture there; at the end it is waited for.

    Args:
        url: of the drive.
        folder: for the program.
    """
    script = folder / "drive.py"
    script.write_text(_DRIVES, encoding="utf-8")
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen(
        [sys.executable, str(script), url], env=os.environ | {"PYTHONPATH": root}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stdout.readline().strip() == b"0"
        yield program
