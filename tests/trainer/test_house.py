"""What holds for every file of the trainer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import trainer


def test_private_attributes_of_libraries_are_left_alone() -> None:
    """What a library does not offer may be gone with its next version: ruff's SLF finds such uses."""
    folder = Path(trainer.__file__).parent
    line = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "SLF", "--output-format", "concise"]
    found = subprocess.run([*line, str(folder)], capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
