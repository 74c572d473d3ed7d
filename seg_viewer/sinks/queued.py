"""A sink on a thread of its own, behind a bounded queue."""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

from seg_viewer.core.errors import ExportError, SegViewerError
from seg_viewer.core.redact import redact_text
from seg_viewer.sinks.base import Sink

Item = TypeVar("Item")
_log = logging.getLogger(__name__)


class WhenFull(Enum):
    """What `Queued.write` does when its queue is full.

    wait: until there is room (every-frame). leave out: the item, which is counted. fail: the sink ends with a reason.
    """

    WAIT = auto()
    LEAVE_OUT = auto()
    FAIL = auto()


class Queued(Sink[Item]):
    """Hands items to another sink on a thread of its own.

    What was taken is written, or the sink ends with a reason; nothing that was taken is left out.

    Args:
        sink: used on that thread alone. When it fails it is abandoned, and `problem` says why.
        name: of the thread.
        most: how much may wait, as `weigh` counts.
        weigh: of an item: how much it counts, 1 by default.
        when_full: see `WhenFull`.
        on_left_out: called, on the thread that writes, for each item that is left out.
        too_slow: the reason when it fails for a full queue.
    """

    def __init__(
        self,
        sink: Sink[Item],
        *,
        name: str = "seg-sink",
        most: int = 4,
        weigh: Callable[[Item], int] = lambda _item: 1,
        when_full: WhenFull = WhenFull.WAIT,
        on_left_out: Callable[[], None] = lambda: None,
        too_slow: str = "what comes is too much for what writes it",
    ) -> None:
        self.sink = sink
        self.problem = ""
        """Why it ended by itself, one line; empty while all is well."""
        self.left_out = 0
        self._most, self._weigh = most, weigh
        self._when_full, self._on_left_out, self._too_slow = when_full, on_left_out, too_slow
        self._changed = threading.Condition()
        self._waiting: deque[Item] = deque()
        self._weight = 0
        self._ending = False
        self._abandoning = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """It still takes items."""
        return self._thread.is_alive() and not self.problem and not self._ending

    @property
    def waiting(self) -> int:
        """How many items are still to be written."""
        return len(self._waiting)

    def write(self, item: Item) -> None:
        """Queue an item. Raises: ExportError once the sink has ended by itself."""
        with self._changed:
            if self._ending:
                return
            if self._when_full is WhenFull.WAIT:
                self._changed.wait_for(lambda: self._weight < self._most or self._ending or bool(self.problem))
            if self.problem:
                raise ExportError(self.problem)
            if self._ending:
                return
            full = self._weight >= self._most
            if not full:
                self._waiting.append(item)
                self._weight += self._weigh(item)
            elif self._when_full is WhenFull.FAIL:
                self.problem = self._too_slow
            else:
                self.left_out += 1
            self._changed.notify_all()
        if full and self._when_full is WhenFull.LEAVE_OUT:
            self._on_left_out()
        if full and self._when_full is WhenFull.FAIL:
            raise ExportError(self._too_slow)

    def stop(self) -> None:
        """Write what waits, finish the sink, wait for both; `problem` shows how it went. Again is fine."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self.files, self.notes, self.sound = self.sink.files, self.sink.notes, self.sink.sound

    def finish(self) -> None:
        """As `stop`. Raises: ExportError when it has ended, or now ends, by itself."""
        self.stop()
        if self.problem:
            raise ExportError(self.problem)

    def abandon(self) -> None:
        self._abandoning = True
        self.stop()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self.sink.write(item)
        except Exception as error:  # noqa: BLE001 - told by `problem` rather than lost with the thread
            self._fail(error)
        try:
            if self._abandoning or self.problem:
                self.sink.abandon()
            else:
                self.sink.finish()
        except Exception as error:  # noqa: BLE001
            self._fail(error)
            self._give_up()
        with self._changed:
            self._waiting.clear()
            self._weight = 0
            self._changed.notify_all()

    def _next(self) -> Item | None:
        """The item that waits longest; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._ending or bool(self.problem))
            if self.problem or self._abandoning or not self._waiting:
                return None
            item = self._waiting.popleft()
            self._weight -= self._weigh(item)
            self._changed.notify_all()
            return item

    def _fail(self, error: Exception) -> None:
        if isinstance(error, SegViewerError):
            text = str(error)
        else:
            _log.error("a sink failed\n%s", redact_text(traceback.format_exc()))
            text = f"stopped by an unexpected error: {type(error).__name__}: {error}"
        with self._changed:
            self.problem = self.problem or text
            self._changed.notify_all()

    def _give_up(self) -> None:
        try:
            self.sink.abandon()
        except Exception as error:  # noqa: BLE001
            self._fail(error)
