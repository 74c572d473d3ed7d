"""The frozen program, run as somebody who has it and nothing else: no Python, no checkout.

Only where `make app` has built one: in dist/, or where SEG_VIEWER_APP says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets.packaging import linux
from benchmarks.frozen_start import HEIGHT, WIDTH, is_overlaid, read_screen
from seg_viewer import __version__
from seg_viewer.gui.words import AUTO, ENGLISH, LANGUAGES
from tests.house import ROOT
from tests.waiting import wait_until

APP = Path(os.environ.get("SEG_VIEWER_APP", ROOT / "dist" / "seg-viewer"))
PROGRAM = APP / ("seg-viewer.exe" if sys.platform == "win32" else "seg-viewer")
PATIENCE_S = 240.0
MOST_MB = 400
"""10^6 bytes, as `du --apparent-size` counts. On Linux OpenVINO, OpenCV, FFmpeg, Qt and numpy are 350 of them."""

pytestmark = pytest.mark.skipif(not PROGRAM.is_file(), reason=f"no frozen program in {APP}: run 'make app'")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody new."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "QT_"))}
    return environ | {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "QT_QPA_PLATFORM": "offscreen",
    }


def _run(environ: dict[str, str], folder: Path, *words: str) -> str:
    done = subprocess.run(
        [PROGRAM, *words], cwd=folder, env=environ, capture_output=True, encoding="utf-8", timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_says_its_version(bare: dict[str, str], tmp_path: Path) -> None:
    assert _run(bare, tmp_path, "--version") == f"seg-viewer, version {__version__}\n"


def test_the_doctor_finds_a_working_engine_for_each_model(bare: dict[str, str], tmp_path: Path) -> None:
    told = _run(bare, tmp_path, "doctor")
    assert re.findall(r"^✓ (\S+): openvino agrees", told, re.MULTILINE) == ["driving-fast", "driving-fine"]
    assert "pipx" in told and not re.search(r"\bpip\s+install", told)  # it has no pip


def test_its_masks_are_those_of_the_unfrozen_program(bare: dict[str, str], tmp_path: Path) -> None:
    words = ("export", "demo", "--end", "0.5", "--no-cache", "-o")
    _run(bare, tmp_path, *words, "frozen/", "-o", "frozen.mp4")
    unfrozen = [sys.executable, "-m", "seg_viewer", *words, "unfrozen/"]
    subprocess.run(unfrozen, cwd=tmp_path, env=bare | {"PYTHONPATH": str(ROOT)}, check=True, timeout=PATIENCE_S)
    pairs = [
        tuple(cv2.imread(str(tmp_path / which / file.name), cv2.IMREAD_UNCHANGED) for which in ("frozen", "unfrozen"))
        for file in sorted((tmp_path / "unfrozen").glob("*.png"))
    ]
    assert len(pairs) >= 5 and len(list((tmp_path / "frozen").glob("*.png"))) == len(pairs)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert len(np.unique(pairs[0][0])) > 2  # road, cars, rest
    assert (tmp_path / "frozen.mp4").stat().st_size > 10_000
    written = json.loads((tmp_path / "frozen.manifest.json").read_text(encoding="utf-8"))
    assert set(written["versions"]) == {"av", "numpy", "opencv-python-headless", "openvino"}


def test_it_exports_in_processes_of_its_own(bare: dict[str, str], tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(ROOT / "assets" / "demo" / "street.mp4", tmp_path / name)
    _run(bare, tmp_path, "export", "a.mp4", "b.mp4", "--end", "0.2", "--jobs", "2", "-o", "out/")
    assert sorted(file.name for file in (tmp_path / "out").glob("*.mp4")) == ["a_seg.mp4", "b_seg.mp4"]


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An X server of its own: its display, and the file that its picture is in."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-fbdir", str(tmp_path)]
    with subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as told:
                yield f":{told.readline().strip()}", tmp_path / "Xvfb_screen0"
        finally:
            server.terminate()


def test_its_window_shows_the_demo(bare: dict[str, str], tmp_path: Path, screen: tuple[str, Path]) -> None:
    environ = bare | {"DISPLAY": screen[0], "QT_QPA_PLATFORM": "xcb"}
    with subprocess.Popen([PROGRAM, "demo"], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as program:
        try:
            wait_until(
                lambda: is_overlaid(read_screen(screen[1])) or program.poll() is not None, "the overlay", PATIENCE_S
            )
            assert program.poll() is None, program.communicate()[1]
            program.send_signal(signal.SIGTERM)
            _, said = program.communicate(timeout=PATIENCE_S)
        finally:
            program.kill()
    assert program.returncode == 0 and "rror" not in said, said


def test_it_holds_what_it_needs_and_no_more() -> None:
    files = [path for path in APP.rglob("*") if not path.is_dir()]
    unwanted = re.compile(
        r"tensor(flow|rt)|keras|qt6?(qml|quick|webengine)|torch|scipy/|_gtk3|trainer|libmvec", re.IGNORECASE
    )
    assert [str(path) for path in files if unwanted.search(str(path.relative_to(APP)))] == []
    spoken = {path.name for path in files if path.suffix == ".qm"}
    assert spoken == {f"qtbase_{code}.qm" for code in LANGUAGES if code not in (AUTO, ENGLISH)}
    assert [str(path) for path in files if not path.exists()] == []  # links that lead nowhere
    if sys.platform == "linux":
        assert [text for text in linux.headers(files) if re.search(r" R(UN)?PATH +(\S+:)?/", text)] == []
    assert sum(path.lstat().st_size for path in APP.rglob("*")) / 1e6 < MOST_MB
