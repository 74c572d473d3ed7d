"""Starts the window."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seg_viewer.core.error_hooks import error_hooks
from seg_viewer.core.heap import tidied, use_few_heaps
from seg_viewer.core.signals import end_signals_to
from seg_viewer.core.typed_path import typed_path
from seg_viewer.gui.system import check_display, mend_plugin_path
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.sources import DEMO, is_live
from seg_viewer.sources.listed import Listing, list_sources

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from seg_viewer.gui.grid.window import GridWindow
    from seg_viewer.gui.main_window import MainWindow


def run_viewer(
    sources: Sequence[str],
    options: RunOptions,
    *,
    scores: Sequence[Path] = (),
    events: Path | None = None,
    deadline_s: float | None = None,
    on_first_shot: Callable[[], None] | None = None,
    on_parting: Callable[[str], None] = lambda _line: None,
) -> int:
    """Open the window and return the exit code when it was closed.

    Args:
        sources: each what `open_source` takes, a playlist file or a folder of videos; none for an empty window. Two to
            four that are live are shown beside each other.
        options: model, engine, look.
        scores: files for the scores of the source against its ground truth, see `Player.open`.
        events: a log of what enters the ego zone, which is switched on for it; or None.
        deadline_s: how old what is live may be when it is painted, seconds; None: as remembered.
        on_first_shot: called once, when the first picture with its overlay was painted.
        on_parting: called, when the window was closed, with each line of what a source has left behind.

    Raises:
        SegViewerError: there is no display, or Qt misses system libraries.
    """
    use_few_heaps()
    check_display()
    mend_plugin_path()
    ending = _Ending()
    with end_signals_to(ending):
        # first of all: it walks through sys.modules, and aborts the program when another thread imports meanwhile
        import shiboken6  # noqa: F401

        if is_grid(sources):
            return _run_grid(sources, options, ending, on_parting)
        player = Player(options)
        player.deadline_s = deadline_s
        listing = list_sources(sources)
        if listing.sources:
            # decodes and compiles while Qt is imported and the window is built
            player.open(_lasting(listing.sources[0]), scores)
        try:
            return _show(player, listing, ending, on_first_shot, events, on_parting)
        finally:
            player.close()


def is_grid(sources: Sequence[str]) -> bool:
    """Whether sources are shown beside each other: two or more, and all of them live."""
    return len(sources) > 1 and all(is_live(source) for source in sources)


def _run_grid(sources: Sequence[str], options: RunOptions, ending: _Ending, on_parting: Callable[[str], None]) -> int:
    """As `_show`, of a window that shows several at once."""
    app = _application()
    from seg_viewer.gui.grid.window import GridWindow, players_of
    from seg_viewer.gui.settings import open_store

    players = players_of(sources, options)
    window = GridWindow(players, sources, open_store())

    def show_error(text: str) -> None:  # from any thread
        messages = window.tiles[0].messages
        window.background.call_later(lambda: messages.show_error(text), owner=messages)

    return _run(app, window, ending, show_error, lambda: _tell_partings(players, on_parting))


def _tell_partings(players: Sequence[Player], on_parting: Callable[[str], None]) -> None:
    for player in players:
        while (line := player.take_parting()) is not None:
            on_parting(line)


def _lasting(source: str) -> str:
    """By a name that outlives the working folder, as the list of recent ones does."""
    return source if source == DEMO or is_live(source) else str(typed_path(source).absolute())


class _Ending:
    """What signals do: they close the window; before there is one they are noted.

    Raised while it is made, they would abort Qt's modules, or be lost in a method that Qt calls.
    """

    def __init__(self) -> None:
        self._asked = False
        self._close: Callable[[], object] | None = None

    def __call__(self, *_: object) -> None:
        self._asked = True
        if self._close is not None:
            self._close()

    def close_by(self, close: Callable[[], object]) -> None:
        """There is a window now."""
        self._close = close
        if self._asked:
            close()


def _show(
    player: Player,
    listing: Listing,
    ending: _Ending,
    on_first_shot: Callable[[], None] | None,
    events: Path | None,
    on_parting: Callable[[str], None],
) -> int:
    app = _application()
    from seg_viewer.gui.application import Application
    from seg_viewer.gui.main_window import MainWindow
    from seg_viewer.gui.settings import open_store

    window = MainWindow(player, open_store())
    window.sources.playlist.begin(listing)
    if events is not None:
        window.ego_zone.events_to = events
        window.actions_by_id["zone"].setChecked(True)
    if isinstance(app, Application):
        app.files_asked.connect(window.sources.playlist.take_dropped)
        app.be_ready()
    if on_first_shot is not None:
        window.first_shot_painted.connect(on_first_shot)

    def show_error(text: str) -> None:  # from any thread
        window.background.call_later(lambda: window.messages.show_error(text), owner=window.messages)

    return _run(app, window, ending, show_error, lambda: _tell_partings([player, *window.sources.left], on_parting))


def _application() -> QApplication:
    # Qt is imported only now: it aborts where `check_display` would have said why
    from PySide6.QtWidgets import QApplication

    from seg_viewer.gui.application import Application
    from seg_viewer.gui.theme import apply_theme, icon

    app = QApplication.instance() or Application(["seg-viewer"])
    assert isinstance(app, QApplication)
    app.setApplicationName("seg-viewer")
    app.setDesktopFileName("seg-viewer")
    apply_theme(app)
    app.setWindowIcon(icon("seg-viewer"))
    return app


def _run(
    app: QApplication,
    window: MainWindow | GridWindow,
    ending: _Ending,
    show_error: Callable[[str], None],
    on_closed: Callable[[], None],
) -> int:
    """Show the window until it was closed; returns the exit code."""
    from PySide6.QtCore import QTimer

    from seg_viewer.gui.collector import Collector

    with error_hooks(show_error), tidied(), _woken_by_signals(window):
        window.show()
        # between two events, wherever a signal comes
        ending.close_by(lambda: QTimer.singleShot(0, window, window.close_without_asking))
        collector = Collector(window)
        code = app.exec()
        collector.stop()
    on_closed()
    if not window.ended_in_time:
        _leave_now(code)
    return code


@contextmanager
def _woken_by_signals(window: QWidget) -> Iterator[None]:
    """Python looks for signals between two of its own steps; without this there is none until the next event of Qt."""
    from PySide6.QtCore import QSocketNotifier

    waker, woken = socket.socketpair()
    for end in (waker, woken):
        end.setblocking(False)
    notifier = QSocketNotifier(woken.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda: woken.recv(4096))
    before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        notifier.setEnabled(False)
        waker.close()
        woken.close()


def _leave_now(code: int) -> None:
    """A runtime that still compiles cannot be interrupted, and the interpreter must not be taken apart under it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
