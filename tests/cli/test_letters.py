"""A pipe or a file with an old encoding, as Windows gives it: what has no letter there costs a "?" and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("seg_viewer models", "driving-fast"),
        ("seg_viewer export --help", "--overwrite"),
        ("seg_viewer view --help", "Live sources"),
        ("trainer.cli export --help", "--overwrite"),
        ("trainer.cli datasets", "camvid"),
    ],
)
def test_what_a_command_prints_comes_whole(words: str, says: str, encoding: str, tmp_path: Path) -> None:
    done = _run(tmp_path, encoding, *words.split())
    assert done.returncode == 0 and done.stderr == b""
    assert says.encode() in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("name", ["日本.mp4", "x\udcff.mp4"])
def test_an_error_names_what_it_can(encoding: str, name: str, tmp_path: Path) -> None:
    done = _run(tmp_path, encoding, "seg_viewer", os.fsencode(name) if os.name == "posix" else name[:1] + ".mp4")
    assert done.returncode == 2 and b".mp4: no such file or folder" in done.stderr and done.stderr.count(b"\n") == 1


def _run(folder: Path, encoding: str, module: str, *words: str | bytes) -> subprocess.CompletedProcess[bytes]:
    environ = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": encoding,
        "XDG_CONFIG_HOME": str(folder),
        "XDG_CACHE_HOME": str(folder),
    }
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, timeout=200, check=False)
