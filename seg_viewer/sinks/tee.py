"""Several sinks as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from seg_viewer.core.errors import ExportError
from seg_viewer.sinks.base import Sink

Item = TypeVar("Item")
OnFailure = Callable[[Sink[Any], Exception], None]


class Tee(Sink[Item]):
    """Hands each item to several sinks; they can be added and removed on the way, from any thread.

    A sink that fails is abandoned and told, and the others go on. One that may be slow belongs into a `Queued`, so that
    the others need not wait for it.

    Args:
        sinks: to begin with.
        on_failure: called with a sink that failed, and why, on the thread that wrote. Without it the error is raised,
            once all the others have what they should.
    """

    def __init__(self, *sinks: Sink[Item], on_failure: OnFailure | None = None) -> None:
        self._lock = threading.Lock()
        self._sinks: tuple[Sink[Item], ...] = sinks
        self._on_failure = on_failure

    @property
    def sinks(self) -> tuple[Sink[Item], ...]:
        return self._sinks

    def add(self, sink: Sink[Item]) -> None:
        """It takes what comes from now on."""
        with self._lock:
            self._sinks = (*self._sinks, sink)

    def remove(self, sink: Sink[Item]) -> None:
        """It takes no more; whoever removes it finishes it. One that is not there is fine."""
        with self._lock:
            self._sinks = tuple(other for other in self._sinks if other is not sink)

    def write(self, item: Item) -> None:
        """Raises: what a sink raised, where nobody else is told."""
        self._each(lambda sink: sink.write(item), self._sinks)

    def make_whole(self) -> None:
        self._each(lambda sink: sink.make_whole(), self._sinks)

    def finish(self) -> None:
        """Finish all. Raises: what a sink raised, where nobody else is told; then no file has its name, if it can be.

        Names are given once all are whole: somebody who begins again finds no half of it in the way.
        """
        try:
            self.make_whole()
        except BaseException:
            self.abandon()
            raise
        with self._lock:
            sinks, self._sinks = self._sinks, ()
        try:
            self._each(lambda sink: sink.finish(), sinks)
        finally:
            self._collect(sinks)

    def abandon(self) -> None:
        with self._lock:
            sinks, self._sinks = self._sinks, ()
        try:
            self._each(lambda sink: sink.abandon(), sinks)
        finally:
            self._collect(sinks)

    def _each(self, do: Callable[[Sink[Item]], None], sinks: tuple[Sink[Item], ...]) -> None:
        errors: list[Exception] = []
        for sink in sinks:
            try:
                do(sink)
            except Exception as error:  # noqa: BLE001 - of one sink: the others get theirs first
                self.remove(sink)
                errors += [error, *_abandon(sink)]
                if self._on_failure is not None:
                    for each in errors:
                        self._on_failure(sink, each)
                    errors.clear()
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExportError("; ".join(str(error) for error in errors)) from errors[0]

    def _collect(self, sinks: tuple[Sink[Item], ...]) -> None:
        self.files = tuple(path for sink in sinks for path in sink.files)
        self.notes = tuple(note for sink in sinks for note in sink.notes)
        self.sound = next((sink.sound for sink in sinks if sink.sound != "none"), "none")


def _abandon(sink: Sink[Any]) -> list[Exception]:
    try:
        sink.abandon()
    except Exception as error:  # noqa: BLE001
        return [error]
    return []
