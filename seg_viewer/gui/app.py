"""Starts the window."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from seg_viewer.core.redact import redact_text
from seg_viewer.gui.system import check_display, mend_plugin_path
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.sources import DEMO

_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end the program as closing the window does, but for the questions."""
_log = logging.getLogger(__name__)


def run_viewer(
    source: str | None,
    options: RunOptions,
    *,
    truth_csv: Path | None = None,
    on_first_shot: Callable[[], None] | None = None,
) -> int:
    """Open the window and return the exit code when it was closed.

    Args:
        source: what `open_source` takes, or None for an empty window.
        options: model, engine, look.
        truth_csv: where the scores of `source` against its ground truth go, a line for each frame.
        on_first_shot: called once, when the first picture with its overlay was painted.

    Raises:
        SegViewerError: there is no display, or Qt misses system libraries.
    """
    check_display()
    mend_plugin_path()
    player = Player(options)
    if source is not None:
        if Path(source).exists() and source != DEMO:
            source = str(Path(source).absolute())  # the recent list outlives the working folder
        player.open(source, truth_csv)  # decodes and compiles while Qt is imported and the window is built
    try:
        return _show(player, on_first_shot)
    finally:
        player.close()


def _show(player: Player, on_first_shot: Callable[[], None] | None) -> int:
    # Qt is imported only now: it aborts where `check_display` would have said why
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from seg_viewer.gui.main_window import MainWindow
    from seg_viewer.gui.settings import open_store
    from seg_viewer.gui.theme import apply_theme, icon

    app = QApplication.instance() or QApplication(["seg-viewer"])
    assert isinstance(app, QApplication)
    app.setApplicationName("seg-viewer")
    app.setDesktopFileName("seg-viewer")
    apply_theme(app)
    app.setWindowIcon(icon("seg-viewer"))
    window = MainWindow(player, open_store())
    if on_first_shot is not None:
        window.first_shot_painted.connect(on_first_shot)
    old_hook = sys.excepthook
    sys.excepthook = _excepthook(window.messages.show_error)
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup does it
                signal.signal(number, lambda *_: QTimer.singleShot(0, window, window.close_without_asking))
    window.show()
    try:
        code = app.exec()
    finally:
        sys.excepthook = old_hook
    if not window.ended_in_time:
        _leave_now(code)
    return code


def _excepthook(show: Callable[[str], None]) -> Callable[..., None]:
    """One line in the window, the rest in the log, passwords in neither."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _log.error("unexpected error\n%s", redact_text("".join(traceback.format_exception(kind, error, trace))))
        show(redact_text(" ".join(f"Unexpected error: {kind.__name__}: {error}".split())))

    return hook


def _leave_now(code: int) -> None:
    """A runtime that still compiles cannot be interrupted, and the interpreter must not be taken apart under it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
