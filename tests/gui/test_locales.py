"""The window starts in every locale, Turkish too, whose "i" in upper case is no "I"."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT

_START = """
import locale, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from seg_viewer.gui.main_window import MainWindow

shown = MainWindow.showEvent
def quit_then(self, event):
    shown(self, event)
    print("shown in", locale.setlocale(locale.LC_CTYPE))
    QTimer.singleShot(0, self.close)
MainWindow.showEvent = quit_then
from seg_viewer.cli.main import program
sys.argv = ["seg-viewer"]
program()
"""


@pytest.mark.skipif(not shutil.which("localedef"), reason="localedef makes locales")
@pytest.mark.parametrize("name", ["tr_TR", "ja_JP", "ar_EG"])
def test_the_window_starts(tmp_path: Path, name: str) -> None:
    made = subprocess.run(
        ["localedef", "-i", name, "-f", "UTF-8", tmp_path / f"{name}.UTF-8"], capture_output=True, check=False
    )
    if made.returncode > 1:  # 1: with warnings
        pytest.skip(f"this system does not describe {name}")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    environ |= {"LOCPATH": str(tmp_path), "LANG": f"{name}.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    environ |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _START], cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (0, f"shown in {name}.UTF-8\n"), done.stderr


def test_no_property_that_begins_with_an_i_is_given_by_keyword() -> None:
    """PySide finds none of them in Turkish, see `seg_viewer.gui.timers`."""
    given = []
    for file in (ROOT / "seg_viewer" / "gui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[0] == "Q":
                names = [word.arg for word in node.keywords if word.arg and word.arg.startswith("i")]
                given += [f"{file}:{node.lineno}: {node.func.id}({name}=…)" for name in names]
    assert given == []
