"""However a command is asked to end, it cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seg_viewer.core.signals import END_SIGNALS
from tests.clips import make_clip, video_times
from tests.servers.http_video import HttpVideo

ROOT = Path(__file__).parents[2]
_WAIT_S = 120.0

needs_hangup = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no terminals that hang up")


def _noise(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _start(*arguments: object, ignoring: tuple[int, ...] = ()) -> subprocess.Popen[str]:
    def ignore() -> None:
        for number in ignoring:
            signal.signal(number, signal.SIG_IGN)

    return subprocess.Popen(
        [sys.executable, "-m", "seg_viewer", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=ignore,
    )


def _wait(process: subprocess.Popen[str], holds: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + _WAIT_S
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until_s, f"no {what} within {_WAIT_S:g} s"
        time.sleep(0.02)


def _opened(files: Path) -> list[Path]:
    """What a process has open; a file that it closes meanwhile is none."""
    found = []
    with suppress(OSError):
        for file in files.iterdir():
            with suppress(OSError):
                found.append(file.readlink())
    return found


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    fast = {"preset": "ultrafast", "crf": "40"}
    return make_clip(folder / "in.mp4", frames=150, width=640, height=360, picture=_noise, options=fast)


@pytest.mark.parametrize(
    ("number", "times"), [(n, times) for n in END_SIGNALS for times in (1, 3) if times == 1 or n != signal.SIGINT]
)
def test_an_export_leaves_nothing(
    tmp_path: Path, model: Path, long_clip: Path, number: signal.Signals, times: int
) -> None:
    process = _start("export", long_clip, "-o", tmp_path / "out.mp4", "--model", model, "--preset", "slow")
    _wait(process, lambda: any(tmp_path.iterdir()), "file that is being written")
    for _ in range(times):  # a shell and the system both say that a terminal was closed
        process.send_signal(number)
    _, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 130, errors
    assert "stopped; nothing was left behind" in errors and "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@needs_hangup
def test_an_export_whose_terminal_is_closed_leaves_nothing(tmp_path: Path, model: Path, long_clip: Path) -> None:
    code = (
        "import fcntl, os, sys, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'seg_viewer', *sys.argv[1:]])\n"
    )
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, "export", str(long_clip), "-o", str(tmp_path / "out.mp4"), "--model", str(model)],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    until_s = time.monotonic() + _WAIT_S
    while not any(tmp_path.iterdir()):
        assert process.poll() is None and time.monotonic() < until_s, "no file that is being written"
        time.sleep(0.02)
    os.close(ours)
    process.wait(_WAIT_S)
    assert process.returncode > 0  # not killed by the signal
    assert list(tmp_path.iterdir()) == []


@needs_hangup
def test_an_export_under_nohup_goes_on(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=100, width=320, height=180, picture=_noise)
    out = tmp_path / "out" / "out.mp4"
    out.parent.mkdir()
    process = _start("export", clip, "-o", out, "--model", model, ignoring=(signal.SIGHUP,))
    _wait(process, lambda: any(out.parent.iterdir()), "file that is being written")
    process.send_signal(signal.SIGHUP)
    printed, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 0, errors
    assert "100 frames" in printed and sorted(path.name for path in out.parent.iterdir()) == [
        "out.mp4",
        "out.mp4.manifest.json",
    ]


@needs_hangup
def test_a_recording_whose_terminal_is_closed_is_whole(tmp_path: Path, model: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with HttpVideo(tmp_path) as server:
        process = _start("record", server.url(), "-o", out / "a.mp4", "--model", model)
        _wait(process, lambda: any(path.stat().st_size > 2000 for path in out.iterdir()), "recording")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        printed, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 0, errors
    assert "a.mp4: " in printed and [path.name for path in out.iterdir()] == ["a.mp4"]
    assert video_times(out / "a.mp4")


@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_bench_run_ends_in_one_line(tmp_path: Path, model: Path, long_clip: Path, number: signal.Signals) -> None:
    figures = tmp_path / "bench.json"
    process = _start("bench", long_clip, "--model", model, "--frames", "100000", "--json", figures)
    if (files := Path(f"/proc/{process.pid}/fd")).exists():
        _wait(process, lambda: long_clip in _opened(files), "clip opened")
    else:
        time.sleep(5)
    process.send_signal(number)
    _, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 130, errors
    assert errors.strip() == "seg-viewer: stopped; nothing was left behind"
    assert not figures.exists()


_STOP_AT = """
import os, signal, sys

class StopAt:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["STOP_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, StopAt())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill")
@pytest.mark.parametrize(
    ("program", "module"),
    [
        *(("seg_viewer", name) for name in ("click", "rich.console", "numpy", "seg_viewer.cli.view")),
        *(("trainer", name) for name in ("click", "numpy", "cv2", "trainer.commands.train")),
    ],
)
def test_ctrl_c_during_the_first_imports_ends_without_a_word(tmp_path: Path, program: str, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(_STOP_AT, encoding="utf-8")
    environ = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "STOP_AT": module}
    command = [sys.executable, "-m", program, "--version"]
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=_WAIT_S, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


_STOP_IN_TEXT = """
import os, signal, sys

class StopIn:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["STOP_AT"]:
            sys.meta_path.remove(self)
            exec("os.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(1000000): pass", globals())

sys.meta_path.insert(0, StopIn())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill")
@pytest.mark.parametrize(
    ("command", "module", "stopped"),
    [
        (("seg_viewer", "devices"), "seg_viewer.sources.devices", "stopped; nothing was left behind"),
        (("trainer", "compare", ".", "."), "trainer.drawing", "stopped"),
    ],
)
def test_ctrl_c_while_python_runs_a_text_ends_with_the_exit_code(
    tmp_path: Path, command: tuple[str, ...], module: str, stopped: str
) -> None:
    """Dataclasses and named tuples are made of texts, where Python remembers that it was stopped."""
    (tmp_path / "sitecustomize.py").write_text(_STOP_IN_TEXT, encoding="utf-8")
    environ = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "STOP_AT": module}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environ, capture_output=True, encoding="utf-8", timeout=_WAIT_S, check=False,
    )  # fmt: skip
    program = "seg-viewer" if command[0] == "seg_viewer" else "seg-trainer"
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", f"{program}: {stopped}")


_STOP_IN_IMPORT = """
import os, signal, sys, time
from seg_viewer.core import signals

context, number, times = getattr(signals, sys.argv[1]), getattr(signal, sys.argv[2]), int(sys.argv[3])
text = "for _ in range(times): os.kill(os.getpid(), number)\\nfor _ in range(1000): done.append(1)"
done = []
try:
    with context():
        exec(compile(text, "<frozen importlib._bootstrap>", "exec"), globals())
        time.sleep(30)
except KeyboardInterrupt:
    print(len(done))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill")
@pytest.mark.parametrize(
    ("context", "number", "times"),
    [
        ("ends_like_ctrl_c", "SIGINT", 1),
        ("ends_like_ctrl_c", "SIGTERM", 1),
        ("ends_like_ctrl_c", "SIGTERM", 3),
        ("ends_like_ctrl_c", "SIGHUP", 1),
        ("stop_event", "SIGINT", 2),
    ],
)
def test_what_raises_waits_for_pythons_own_import(context: str, number: str, times: int) -> None:
    """An exception there may leave the import lock locked, and other threads waiting for it for ever."""
    done = subprocess.run(
        [sys.executable, "-c", _STOP_IN_IMPORT, context, number, str(times)],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=_WAIT_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "1000\n", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill")
def test_a_background_job_that_ignores_ctrl_c_is_imported_whole(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_STOP_AT, encoding="utf-8")
    environ = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "STOP_AT": "click"}
    command = ["sh", "-c", 'trap "" INT; exec "$0" -m seg_viewer --version', sys.executable]
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=_WAIT_S, check=False)
    assert done.returncode == 0 and done.stdout.startswith("seg-viewer, version"), done.stderr


@pytest.mark.parametrize("script", ["seg-viewer", "seg-trainer"])
def test_the_installed_commands_begin_there(script: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = script.replace("-", "_").replace("seg_trainer", "trainer")
    assert project["scripts"][script] == f"{package}.__main__:program"
