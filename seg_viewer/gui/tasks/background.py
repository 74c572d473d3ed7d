"""Work beside the window's thread: the one way to start it, and to come back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.redact import redact_text

Result = TypeVar("Result")
Wait = Callable[[threading.Thread], object]
"""Returns when a thread has ended, or when it is no use to wait any longer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Task:
    """Work under way.

    Args:
        thread: runs it.
        wait: how the end of the program waits for it; None for not at all.
    """

    thread: threading.Thread
    wait: Wait | None


def within(seconds: float) -> Wait:
    """Waits for as long."""
    return lambda thread: thread.join(seconds)


class Background(QObject):
    """Runs work on threads of their own, and brings what comes of it back to the thread that this was made on."""

    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: list[_Task] = []
        self._wishes: dict[str, int] = {}
        self._closed = False
        self._came.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        name: str,
        work: Callable[[], Result],
        on_done: Callable[[Result], None],
        on_error: Callable[[str], None],
        *,
        owner: QObject,
        subject: str,
        newest: bool = False,
        wait: Wait | None = None,
    ) -> None:
        """Start work; exactly one of the two calls follows, unless the owner is gone by then.

        Args:
            name: of the thread, which is called `seg-NAME`.
            work: runs on a thread of its own; a `SegViewerError` of it is expected, any other is logged, too.
            on_done: called with what `work` returned.
            on_error: called with one line, without passwords.
            owner: whom the calls are for; nothing is called once it was deleted.
            subject: what the work is about, which the line of an unexpected error begins with.
            newest: only the newest work of this name is answered.
            wait: how the end of the program waits for what must not be lost; None for what nobody misses.
        """
        wish = self._wishes[name] = self._wishes.get(name, 0) + 1

        def answer(call: Callable[[], None]) -> None:
            if not newest or self._wishes[name] == wish:
                call()

        def run() -> None:
            try:
                result = work()
            except SegViewerError as error:
                line = _one_line(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a library raises, the window goes on
                _log.error("%s: unexpected error\n%s", redact_text(subject), redacted_traceback(error))
                line = _one_line(f"{subject}: stopped by an unexpected error: {type(error).__name__}: {error}")
            else:
                self.call_later(lambda: answer(lambda: on_done(result)), owner=owner)
                return
            if self._closed:
                _log.warning(line)  # nobody is there to be told
            self.call_later(lambda: answer(lambda: on_error(line)), owner=owner)

        thread = threading.Thread(target=run, name=f"seg-{name}", daemon=True)
        self._tasks = [task for task in self._tasks if task.thread.is_alive()]
        self._tasks.append(_Task(thread, wait))
        thread.start()

    def call_later(self, call: Callable[[], None], *, owner: QObject) -> None:
        """From any thread: call on the thread that this was made on, unless the owner was deleted by then."""
        if self._closed:
            return
        try:
            self._came.emit(lambda: call() if isValid(owner) else None)
        except RuntimeError:
            return  # this was deleted meanwhile, with the window

    def close(self) -> bool:
        """Wait for what is to be kept; nothing comes back any more. Returns whether all work has ended."""
        self._closed = True
        for task in self._tasks:
            if task.wait is not None:
                task.wait(task.thread)
        return not any(task.thread.is_alive() for task in self._tasks)

    def _call(self, call: Callable[[], None]) -> None:
        if not self._closed:
            call()


def _one_line(text: str) -> str:
    return redact_text(" ".join(text.split()))
