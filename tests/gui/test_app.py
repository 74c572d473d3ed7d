"""Starting and leaving."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.core.error_hooks import error_hooks
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.signals import END_SIGNALS
from seg_viewer.gui import app, system
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import awaited

from ..waiting import wait_until
from .conftest import WAIT_MS, pause_at, wait_state, worker_threads


@pytest.mark.parametrize("state", [None, "loading", "playing", "paused", "ended", "error"])
def test_the_window_closes_and_leaves_no_thread(qtbot: QtBot, open_window, clip: Path, tmp_path, state):
    window = open_window({None: None, "error": tmp_path / "missing.mp4"}.get(state, clip))
    if state == "paused":
        pause_at(qtbot, window, 3)
    elif state not in (None, "loading"):
        wait_state(qtbot, window, PlayerState(state))
    assert window.close()
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)


def test_closing_while_another_file_is_being_opened(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    for _ in range(4):
        window.open(clip)
    assert window.close()
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)


@pytest.fixture(autouse=True)
def stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where threads do not end in time, as on a busy machine, the program leaves at once; the tests must not."""
    monkeypatch.setattr(app, "_leave_now", lambda _code: wait_until(lambda: not worker_threads(), "threads to end"))


def test_run_viewer_plays_and_returns(qtbot: QtBot, clip: Path, model: Path):
    shots: list[bool] = []

    def first_shot() -> None:
        shots.append(True)
        QTimer.singleShot(0, QApplication.instance().closeAllWindows)

    code = app.run_viewer([str(clip)], RunOptions(model=str(model)), on_first_shot=first_shot)
    assert code == 0 and shots == [True]
    assert not worker_threads()


def test_an_unexpected_error_in_a_slot_is_told_in_the_window():
    told: list[str] = []
    with error_hooks(told.append):
        sys.excepthook(ZeroDivisionError, ZeroDivisionError("by nothing"), None)
    assert told == ["Unexpected error: ZeroDivisionError: by nothing"]


def test_unexpected_errors_in_slots_and_threads_are_told_without_credentials(
    qtbot: QtBot, clip: Path, model: Path, caplog: pytest.LogCaptureFixture
):
    told: list[str] = []

    def fail(where: str) -> None:
        raise ValueError(f"rtsp://joe:hush@host/{where} broke")

    def first_shot() -> None:
        thread = threading.Thread(target=fail, args=("thread",))
        thread.start()
        thread.join()
        QTimer.singleShot(0, lambda: fail("slot"))
        QTimer.singleShot(200, look)

    def look() -> None:
        (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        told.extend(window.messages.texts("error"))
        QApplication.instance().closeAllWindows()

    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    app.run_viewer([str(clip)], RunOptions(model=str(model)), on_first_shot=first_shot)
    assert sorted(told) == [f"Unexpected error: ValueError: rtsp://host/{where} broke" for where in ("slot", "thread")]
    assert caplog.text.count("Traceback") == 2 and "hush" not in caplog.text
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == hooks


@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_window_that_is_asked_to_end_closes(clip: Path, model: Path, number: signal.Signals):
    before = signal.getsignal(number)
    late: list[str] = []
    patience = QTimer(singleShot=True, interval=WAIT_MS)  # ended with this test: later ones have windows, too

    def first_shot() -> None:
        QTimer.singleShot(0, lambda: os.kill(os.getpid(), number))
        patience.start()

    def give_up() -> None:
        late.append(f"open {WAIT_MS / 1000:g} s after {number!r}")
        QApplication.closeAllWindows()

    patience.timeout.connect(give_up)
    code = app.run_viewer([str(clip)], RunOptions(model=str(model)), on_first_shot=first_shot)
    patience.stop()
    assert code == 0
    assert late == [] and signal.getsignal(number) is before and not worker_threads()


def test_an_unexpected_error_of_the_player_is_one_line(qtbot: QtBot, open_window, clip: Path, monkeypatch):
    def breaks(_source, **_how):
        raise MemoryError("a picture\nof 8K")

    monkeypatch.setattr(awaited, "open_source", breaks)
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.ERROR)
    assert window.messages.texts("error") == [f"{clip}: stopped by an unexpected error: MemoryError: a picture of 8K"]


def test_without_a_display_one_line_says_what_to_do():
    with pytest.raises(SegViewerError, match="no display: use 'seg-viewer export "):
        system.check_display({"HOME": "/root"})


def test_missing_libraries_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch):
    real = ctypes.CDLL

    def without_cursor(name: str, *args: object, **kwargs: object) -> ctypes.CDLL:
        if name == "libxcb-cursor.so.0":
            raise OSError(f"{name}: cannot open shared object file")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(ctypes, "CDLL", without_cursor)
    assert "libxcb-cursor0" in system.missing_qt_libraries()
    assert "libxcb-cursor0" not in system.missing_qt_libraries(xcb=False)
    with pytest.raises(SegViewerError, match=r"apt-get install .*libxcb-cursor0"):
        system.check_display({"DISPLAY": ":0"})


def test_qt_paths_into_cv2_are_forgotten_and_others_kept():
    environ = {
        "QT_QPA_PLATFORM_PLUGIN_PATH": "/venv/lib/python3.11/site-packages/cv2/qt/plugins",
        "QT_QPA_FONTDIR": "/venv/lib/python3.11/site-packages/cv2/qt/fonts",
        "QT_PLUGIN_PATH": "/usr/lib/qt6/plugins",
    }
    system.mend_plugin_path(environ)
    assert environ == {"QT_PLUGIN_PATH": "/usr/lib/qt6/plugins"}


def test_it_starts_where_opencv_python_set_the_plugin_path(tmp_path: Path):
    wrong = tmp_path / "cv2" / "qt" / "plugins"
    wrong.mkdir(parents=True)
    program = (
        "from PySide6.QtCore import QTimer\n"
        "import seg_viewer.gui.theme as theme\n"
        "apply = theme.apply_theme\n"
        "def quit_soon(app):\n"
        "    apply(app)\n"
        "    QTimer.singleShot(50, app.quit)\n"
        "theme.apply_theme = quit_soon\n"
        "from seg_viewer.gui.app import run_viewer\n"
        "from seg_viewer.jobs.options import RunOptions\n"
        "print('left with', run_viewer((), RunOptions()))\n"
    )
    environ = os.environ | {"QT_QPA_PLATFORM_PLUGIN_PATH": str(wrong), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, encoding="utf-8", timeout=200
    )
    assert "left with 0" in done.stdout, done.stderr


ASKED_BY_THE_DESKTOP = """
import sys
from time import monotonic
from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
import seg_viewer.gui.theme as theme
from seg_viewer.gui.main_window import MainWindow

def window():
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))

until_s = monotonic() + 90

def look():
    entries = [entry.source for entry in window().sources.playlist.playlist.entries]
    plays = window().windowTitle()[:3] in ("1/2", "2/2")
    if plays and len(entries) == 2 or monotonic() > until_s:
        QApplication.instance().looking.stop()
        print(*entries, sep="\\n")
        window().close_without_asking()

apply = theme.apply_theme
def ask(app):  # as macOS does: before there is a window
    apply(app)
    for path in sys.argv[2:]:
        QCoreApplication.postEvent(app, QFileOpenEvent(path))
    app.looking = QTimer(interval=50)
    app.looking.timeout.connect(look)
    app.looking.start()
theme.apply_theme = ask

from seg_viewer.gui.app import run_viewer
from seg_viewer.jobs.options import RunOptions
run_viewer((), RunOptions(model=sys.argv[1]))
"""


def test_files_that_macos_asks_for_are_a_playlist(tmp_path: Path, clip: Path, model: Path):
    twin = shutil.copy(clip, tmp_path / "twin.mp4")
    done = subprocess.run(
        [sys.executable, "-c", ASKED_BY_THE_DESKTOP, model, clip, twin],
        env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, encoding="utf-8", timeout=200,
    )  # fmt: skip
    assert done.stdout.splitlines() == [str(clip), str(twin)], done.stderr


def test_asking_about_the_machine_needs_no_qt():
    program = "import sys, seg_viewer.gui.system; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("kind", ["error", "warning", "info"])
def test_no_message_shows_credentials(open_window, kind: str):
    window = open_window()
    getattr(window.messages, f"show_{kind}")("rtsp://joe:hush@host/cam: is broken")
    assert window.messages.texts(kind) == ["rtsp://host/cam: is broken"]


EXPORTING = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from seg_viewer.gui import app
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.jobs.options import RunOptions

clip, model, when = sys.argv[1:]

def window():
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))

def begin():
    export = window().actions_by_id["export"]
    if not export.isEnabled():
        return QTimer.singleShot(20, begin)
    export.trigger()
    window().outputs.export_dialog.export_button.click()
    wait()

def wait():
    if "frames/s" not in window().outputs.export_dialog.status.text():
        return QTimer.singleShot(20, wait)
    QTimer.singleShot(100, ready)
    if when == "asking about the dialog":
        window().outputs.export_dialog.close()
    elif when == "asking about the window":
        window().close()

def ready():
    asks = any(isinstance(w, QMessageBox) and w.isVisible() for w in QApplication.topLevelWidgets())
    print("asks" if asks else "exports", flush=True)

sys.exit(app.run_viewer([clip], RunOptions(model=model), on_first_shot=begin))
"""


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("SIGTERM", "exporting"),
        ("SIGTERM", "asking about the dialog"),
        ("SIGTERM", "asking about the window"),
        ("SIGINT", "asking about the window"),
        ("SIGHUP", "exporting"),
    ],
)
def test_a_signal_ends_the_program_without_a_question_and_the_export_keeps_what_is_whole(
    tmp_path: Path, model: Path, long_clip: Path, name: str, when: str
):
    clip = shutil.copy(long_clip, tmp_path / "film.mp4")
    command = [sys.executable, "-c", EXPORTING, str(clip), str(model), when]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"HOME": str(tmp_path)},
    ) as program:
        watchdog = threading.Timer(60, program.kill)
        watchdog.start()
        assert program.stdout.readline().strip() == ("exports" if when == "exporting" else "asks")
        assert any(tmp_path.glob(".film_seg.*"))  # it writes
        program.send_signal(getattr(signal, name))
        _, said = program.communicate(timeout=200)
        watchdog.cancel()
    assert program.returncode == 0 and "Traceback" not in said, said
    kept = [path for path in tmp_path.iterdir() if "film" in path.name and path.name != "film.mp4"]
    assert [path.suffix for path in kept] == [".parts"] * ("s are kept; exporting again goes on with them" in said)
    for folder in kept:  # no segment that was only begun
        whole = {path.stem for path in folder.glob("0-*.json")}
        assert whole and {path.stem for path in folder.glob("0-*.mkv")} == whole


def test_a_hangup_that_nohup_ignores_stays_ignored(tmp_path: Path):
    program = (
        "import os, signal\n"
        "from PySide6.QtCore import QTimer\n"
        "from PySide6.QtWidgets import QApplication\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from seg_viewer.gui import app, theme\n"
        "from seg_viewer.jobs.options import RunOptions\n"
        "apply = theme.apply_theme\n"
        "def hang_up(): os.kill(os.getpid(), signal.SIGHUP); QTimer.singleShot(300, end)\n"
        "def end(): print('still there'); QApplication.closeAllWindows()\n"
        "def begin(it): apply(it); QTimer.singleShot(100, hang_up)\n"
        "theme.apply_theme = begin\n"
        "app.run_viewer((), RunOptions())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )
    assert done.stdout.strip() == "still there", done.stderr


STARTING = """
import os, signal, sys

number, where = int(sys.argv.pop()), sys.argv.pop()

class AfterShiboken:
    \"\"\"Sends the signal from within the import of Qt's binding, which aborts when that raises.\"\"\"
    seen = False
    def find_spec(self, name, *_):
        if self.seen and where == "while Qt is imported":
            sys.meta_path.remove(self)
            print("sent", flush=True)
            os.kill(os.getpid(), number)
        self.seen = self.seen or name == "shiboken6.Shiboken"

sys.meta_path.insert(0, AfterShiboken())
if where == "while the window is built":
    from seg_viewer.gui.widgets.legend import Legend
    arrange = Legend.sizeHint
    sent = []
    def from_within_qt(legend):
        if not sent:  # Qt's binding remembers the method, whatever it is replaced by
            sent.append(number)
            print("sent", flush=True)
            os.kill(os.getpid(), number)
        return arrange(legend)
    Legend.sizeHint = from_within_qt

from seg_viewer.cli.main import main
main()
"""


@pytest.mark.parametrize("number", END_SIGNALS)
@pytest.mark.parametrize("where", ["while Qt is imported", "while the window is built"])
def test_a_signal_ends_the_program_while_it_starts(tmp_path: Path, clip: Path, where: str, number: int):
    done = subprocess.run(
        [sys.executable, "-c", STARTING, "view", str(clip), where, str(int(number))],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )
    assert done.stdout.strip() == "sent"
    assert done.returncode in (0, 130) and "Traceback" not in done.stderr and "Fatal" not in done.stderr, done.stderr


def test_qts_binding_is_loaded_while_no_other_thread_imports(tmp_path: Path, clip: Path):
    """It walks through sys.modules; one start in thirty was aborted when the player's thread imported meanwhile."""
    program = (
        "import os, signal, sys, threading\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'shiboken6.Shiboken':\n"
        "            print(*(thread.name for thread in threading.enumerate()), flush=True)\n"
        "        if name == 'seg_viewer.gui.main_window':\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from seg_viewer.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "view", str(clip)],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("MainThread", 0), done.stderr
