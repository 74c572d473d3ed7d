"""Exports as a user would make them, and what came of each."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from seg_viewer.core.errors import SegViewerError, last_words
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions

PLAIN = OverlayStyle(0.0)
"""Paints nothing, so that a result has to look as its source."""


@dataclass(frozen=True)
class Outcome:
    """What an export came to.

    Args:
        path: the result, or None.
        told: warnings and what was said of the sound, a line each.
        error: the line that it ended with; "" when it did not.
        unexpected: that line is not one the program has for such inputs.
        code: as the command would return.
        trace: of what was not expected.
    """

    path: Path | None
    told: tuple[str, ...] = ()
    error: str = ""
    unexpected: bool = False
    code: int = 0
    trace: str = ""


def export_here(source: Path, out: Path, model: Path) -> Outcome:
    """In this process, with an overlay that paints nothing."""
    try:
        result = run_export(ExportJob(source, out, RunOptions(str(model), style=PLAIN)))
    except Exception as error:  # noqa: BLE001  whatever it is, the table shows it
        line, code = last_words(error, "seg-viewer")
        wanted = isinstance(error, SegViewerError)
        return Outcome(None, (), line, not wanted, code, "" if wanted else traceback.format_exc())
    return Outcome(result.path, (*result.warnings, f"sound: {result.audio}"))


def export_by_command(source: Path, out: Path, model: Path, timeout_s: float = 120) -> Outcome:
    """As typed: `seg-viewer export SOURCE -o OUT`, in a process of its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "seg_viewer",
            "export",
            str(source),
            "-o",
            str(out),
            "--model",
            str(model),
            "--opacity",
            "0",
        ],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        env=os.environ | {"COLUMNS": "1000"},
    )
    said = tuple(line for line in (done.stderr + done.stdout).splitlines() if line.strip() and "━" not in line)
    if done.returncode:
        line = said[-1] if said else ""
        crashed = done.returncode < 0 or "Traceback" in done.stderr or "unexpected" in done.stderr
        return Outcome(None, said, line, crashed, done.returncode)
    return Outcome(out if out.exists() else None, said)
