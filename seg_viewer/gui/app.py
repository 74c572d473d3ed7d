"""Starts the window."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from seg_viewer.core.error_hooks import error_hooks
from seg_viewer.core.signals import end_signals_to
from seg_viewer.gui.system import check_display, mend_plugin_path
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.sources import DEMO


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
    asked = threading.Event()
    close: Callable[[], object] | None = None

    def end(*_: object) -> None:
        asked.set()
        if close is not None:
            close()

    # while the window is made, a signal is only noted: raised in there, Qt's modules abort, and its slots lose it
    with end_signals_to(end):
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

        def show_error(text: str) -> None:  # from any thread
            window.background.call_later(lambda: window.messages.show_error(text), owner=window.messages)

        with error_hooks(show_error):
            window.show()
            # between two events, wherever a signal comes
            close = partial(QTimer.singleShot, 0, window, window.close_without_asking)
            if asked.is_set():
                close()
            code = app.exec()
    if not window.ended_in_time:
        _leave_now(code)
    return code


def _leave_now(code: int) -> None:
    """A runtime that still compiles cannot be interrupted, and the interpreter must not be taken apart under it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
