"""Exports in processes of their own, some at a time: one that crashes takes no other along."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from types import FrameType

from seg_viewer.core.machine import step_back
from seg_viewer.core.signals import OutsideImports
from seg_viewer.jobs.bulk_one import NOTHING_KEPT, BulkEvent, BulkResult, Ending, OnEvent, run_one
from seg_viewer.jobs.export import ExportJob

_ASK_EVERY_S = 0.1
_PATIENCE_S = 20.0
_BEHIND = 5
"""Steps of priority behind what started it: a window whose videos play, and what plays in it."""
_STOP, _CANCEL = "stop", "cancel"


def run_in_processes(jobs: Sequence[ExportJob], workers: int, on_event: OnEvent, cancelled: Callable[[], bool]) -> None:
    """Run jobs, each told to `on_event` from its begin to its end, on this thread; see `run_bulk`.

    Raises: KeyboardInterrupt, once all processes have ended.
    """
    waiting = deque(enumerate(jobs))
    shares = _shares(min(workers, len(jobs)))
    running: list[_Worker] = []
    free = list(reversed(shares))
    try:
        while (waiting and not cancelled()) or any(worker.number is not None for worker in running):
            for worker in [each for each in running if each.number is None and waiting and not cancelled()]:
                worker.begin(*waiting.popleft())
            while free and waiting and not cancelled():
                running.append(_Worker(free.pop()))
                running[-1].begin(*waiting.popleft())
            if cancelled():
                for worker in running:
                    worker.ask(_CANCEL)
            for worker in _heard(running, on_event):
                running.remove(worker)
                free.append(worker.cores)
                worker.close()
                if worker.number is not None:  # it was gone before it had begun
                    waiting.appendleft((worker.number, jobs[worker.number]))
    except BaseException:
        for worker in running:
            worker.ask(_STOP)
        _let_end(running, on_event)
        raise
    finally:
        for worker in running:
            worker.close()


def _heard(running: Sequence[_Worker], on_event: OnEvent) -> list[_Worker]:
    """Pass on what they say. Returns those that are no more."""
    gone = []
    ready = wait([worker.connection for worker in running], _ASK_EVERY_S)
    for worker in running:
        if worker.connection in ready:
            event = worker.next_event()
            if event is not None:
                on_event(event)
            if worker.is_gone:
                gone.append(worker)
    return gone


def _let_end(running: list[_Worker], on_event: OnEvent) -> None:
    """Wait until each has cleaned up; who takes too long is ended."""
    until_s = time.monotonic() + _PATIENCE_S
    rest = [worker for worker in running if worker.number is not None]
    while rest and time.monotonic() < until_s:
        gone = _heard(rest, on_event)
        rest = [worker for worker in rest if worker.number is not None and worker not in gone]


class _Worker:
    """A process that runs one job after another.

    Args:
        cores: processors that it may use; none: as this one.

    Attributes:
        number: of the job that it works on, or None.
        is_gone: the process has ended, or is about to.
    """

    def __init__(self, cores: tuple[int, ...]) -> None:
        self.cores = cores
        self.number: int | None = None
        self.is_gone = False
        self._has_begun = self._has_served = False
        self._asked = ""
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, cores), name="seg-export", daemon=True)
        with _deaf_children():
            self._process.start()
        theirs.close()

    def begin(self, number: int, job: ExportJob) -> None:
        self.number, self._has_begun = number, False
        with suppress(OSError):  # it is gone: that is noticed where its answer is read
            self.connection.send((number, job))

    def ask(self, what: str) -> None:
        """To stop, or to cancel; once."""
        if self._asked != what and self.number is not None:
            self._asked = what
            with suppress(OSError):
                self.connection.send(what)

    def next_event(self) -> BulkEvent | None:
        try:
            event: BulkEvent = self.connection.recv()
        except (EOFError, OSError):
            self.is_gone = True
            self._process.join(_PATIENCE_S)
            if self.number is None or (self._has_served and not self._has_begun and not self._asked):
                return None
            number, self.number = self.number, None
            return BulkEvent(number, result=self._crashed(number))
        self._has_begun = True
        if event.result is not None:
            self.number, self._has_served = None, True
            if event.result.ending is Ending.STOPPED:
                self.is_gone = True
                if not self._asked:
                    why = f"somebody ended its process; {event.result.problem}"
                    event = replace(event, result=replace(event.result, ending=Ending.FAILED, problem=why))
        return event

    def close(self) -> None:
        """It ends by itself once nobody speaks to it; who does not is ended."""
        self.connection.close()
        self._process.join(_PATIENCE_S / 4)
        for end in (self._process.terminate, self._process.kill):
            if self._process.is_alive():
                end()
                self._process.join(_PATIENCE_S / 4)
        self._process.close()

    def _crashed(self, number: int) -> BulkResult:
        if self._asked:
            return BulkResult(number, Ending.STOPPED, problem=NOTHING_KEPT)
        code = self._process.exitcode
        how = f"with code {code}"
        if code is not None and code < 0:
            how = f"by {_signal_name(-code)}"
            how += " (is there too little memory? try fewer --jobs)" if -code == 9 else ""
        return BulkResult(number, Ending.FAILED, problem=f"its process was ended {how}; --resume goes on with it")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _shares(count: int) -> list[tuple[int, ...]]:
    """The processor's cores dealt out; empty where a process cannot be bound to some."""
    if not hasattr(os, "sched_getaffinity"):
        return [()] * count
    cores = sorted(os.sched_getaffinity(0))
    # dealt like cards: the two threads of one core usually lie half the list apart, and so go to the same worker
    return [tuple(cores[number % len(cores) :: count]) for number in range(count)]


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Ctrl-C in a terminal goes to all its processes; one that is just starting would die of it with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its own start takes such a mask back
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _unheard())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _unheard() -> set[signal.Signals]:
    """What a terminal sends to all; only the process that started the others listens to it."""
    return {getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}


# -- in the other process ----------------------------------------------------------------------------------------------


def _serve(connection: Connection, cores: tuple[int, ...]) -> None:
    step_back(_BEHIND)
    for number in _unheard():
        signal.signal(number, signal.SIG_IGN)
    outside = OutsideImports()

    def end(number: int, frame: FrameType | None) -> None:
        if not outside.waits(number, frame):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # cleaning up is not broken off
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _unheard())
    if cores:
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
    desk = _Desk(connection)
    with suppress(KeyboardInterrupt):  # its end was told
        while (task := desk.next_job()) is not None:
            run_one(*task, on_event=desk.tell, cancelled=desk.is_cancelled, go_on=desk.goes_on)


class _Desk:
    """Hears the other process, also while a job runs.

    Args:
        connection: to it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._jobs: deque[tuple[int, ExportJob]] = deque()
        self._cancel = self._stop = False
        threading.Thread(target=self._listen, name="seg-desk", daemon=True).start()

    def next_job(self) -> tuple[int, ExportJob] | None:
        """None when there is no more to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stop)
            return None if self._stop else self._jobs.popleft()

    def tell(self, event: BulkEvent) -> None:
        with self._lock, suppress(OSError):  # nobody is there any more: `_listen` notices
            self._connection.send(event)

    def is_cancelled(self) -> bool:
        """Raises: KeyboardInterrupt, on the main thread, when it is to stop and keep what can be gone on with."""
        if self._stop and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return self._cancel

    def goes_on(self) -> bool:
        return not (self._stop or self._cancel)

    def _listen(self) -> None:
        while True:
            try:
                heard = self._connection.recv()
            except (EOFError, OSError):
                heard = _STOP
            with self._changed:
                if heard == _STOP:
                    self._stop = True
                elif heard == _CANCEL:
                    self._cancel = True
                else:
                    self._jobs.append(heard)
                self._changed.notify_all()
            if heard == _STOP:
                return
