"""Exports on a Ray cluster: Ray says where and when each piece is made, and makes it again where a node was lost."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.installing import extra
from seg_viewer.core.signals import END_SIGNALS
from seg_viewer.jobs.bulk_one import (
    NOT_BEGUN,
    NOTHING_KEPT,
    BulkEvent,
    BulkResult,
    Ending,
    OnEvent,
    done_already,
    problem_of,
    run_one,
)
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.options import gpu_asked_for
from seg_viewer.jobs.piece import MadePiece, make_piece
from seg_viewer.jobs.spread import SpreadExport

RETRIES = 3
"""How often Ray makes a piece again whose worker or node was lost."""
_ASK_EVERY_S = 0.2
_CLEAN_UP_S = 10.0
_KNOCK_S = 10.0


def run_on_cluster(
    jobs: Sequence[ExportJob],
    address: str,
    *,
    on_event: OnEvent = lambda _event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[BulkResult, ...]:
    """Run all jobs, their segments made on the nodes of a cluster and joined here; as `run_bulk` otherwise.

    All nodes need this program in the same version, and see sources and model files under the same paths.

    Args:
        jobs: what is to be done, in this order.
        address: "auto" for the cluster that this machine belongs to, or HOST:PORT of its head.
        on_event: told what happens, on this thread, and while the whole is made also on another.
        cancelled: asked often.

    Raises:
        UsageError: Ray is not installed.
        ExportError: there is no such cluster.
        KeyboardInterrupt: see `run_bulk`.
    """
    ended: dict[int, BulkResult] = {}

    def hear(event: BulkEvent) -> None:
        if event.result is not None:
            ended[event.number] = event.result
        on_event(event)

    with _connected(address) as ray:
        try:
            _Head(ray, jobs, hear, cancelled).run()
        except KeyboardInterrupt as error:
            done = sum(result.ending in (Ending.DONE, Ending.SKIPPED) for result in ended.values())
            raise KeyboardInterrupt(
                f"{done} of {len(jobs)} are done; the same command with --resume goes on with the others"
            ) from error
        finally:
            for number in range(len(jobs)):
                if number not in ended:
                    hear(BulkEvent(number, result=BulkResult(number, Ending.STOPPED, problem=NOT_BEGUN)))
    return tuple(ended[number] for number in range(len(jobs)))


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    # what Ray says of itself would go between our lines; it stays in the cluster's log
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".*")
    try:
        import ray
    except ImportError as error:
        raise UsageError(f"Ray is not installed ({error}): {extra('ray')}") from None
    _knock(address)
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, ValueError, RuntimeError, OSError, AssertionError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].split(". ")[0]
        raise ExportError(_no_cluster(address, reason)) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)  # Ray takes that of SIGTERM, and would end this program at once
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Ray itself waits minutes for a cluster that is not there. Raises: UsageError, ExportError."""
    if address == "auto":
        return
    host, _colon, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--ray {address}: write auto, or HOST:PORT of the cluster's head")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S).close()
    except OSError as error:
        raise ExportError(_no_cluster(address, error.strerror or str(error))) from error


def _no_cluster(address: str, reason: str) -> str:
    return f"{address}: no Ray cluster answers there ({reason}); start one by 'ray start', or look at 'ray status'"


class _Head:
    """Hands out pieces and makes wholes of what comes back."""

    def __init__(self, ray: Any, jobs: Sequence[ExportJob], hear: OnEvent, cancelled: Callable[[], bool]) -> None:
        self._ray = ray
        self._jobs = jobs
        self._hear = hear
        self._cancelled = cancelled
        cores = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
        cores = [int(count) for count in cores if count >= 1]
        if not cores:
            raise ExportError("the Ray cluster has no processor to offer; start its nodes with 'ray start --num-cpus'")
        # a piece uses what cores there are; the smallest node takes one at a time, a larger one as many as it can
        self._share = min(cores)
        self._workers = sum(count // self._share for count in cores)
        self._waiting = deque(enumerate(jobs))
        self._open: dict[int, SpreadExport] = {}
        self._pieces: deque[tuple[int, int]] = deque()
        self._running: dict[Any, tuple[int, int]] = {}

    def run(self) -> None:
        try:
            while self._waiting or self._running or self._pieces:
                if self._cancelled():
                    self._stop(keep=False)
                    return
                self._hand_out()
                if not self._running:
                    continue
                ready, _rest = self._ray.wait(list(self._running), timeout=_ASK_EVERY_S)
                for reference in ready:
                    self._take(reference)
        except BaseException:
            self._stop(keep=True)
            raise

    def _hand_out(self) -> None:
        """So much that nobody waits; the rest stays here, where it costs no memory of the cluster's."""
        while len(self._running) < 2 * self._workers:
            if not self._pieces:
                if not self._waiting:
                    return
                self._begin(*self._waiting.popleft())
                continue
            number, piece = self._pieces.popleft()
            options = self._jobs[number].options
            on_gpu = 1 if gpu_asked_for(options.engine, options.device) else 0
            task = self._ray.remote(
                num_cpus=self._share, num_gpus=on_gpu, max_retries=RETRIES, scheduling_strategy="SPREAD"
            )(make_piece)
            self._running[task.remote(self._open[number].pieces[piece])] = (number, piece)

    def _begin(self, number: int, job: ExportJob) -> None:
        self._hear(BulkEvent(number))
        try:
            if done_already(job):
                self._end(BulkResult(number, Ending.SKIPPED))
                return
            self._open[number] = export = SpreadExport(job, self._workers)
        except Exception as error:  # noqa: BLE001 - whatever it is, the jobs after it are run
            self._end(BulkResult(number, Ending.FAILED, problem=problem_of(error)))
            return
        self._pieces += [(number, piece) for piece in range(len(export.pieces))]
        if export.is_whole:
            self._finish(number)

    def _take(self, reference: Any) -> None:
        number, piece = self._running.pop(reference)
        try:
            made: MadePiece = self._ray.get(reference)
            self._open[number].take(piece, made)
        except Exception as error:  # noqa: BLE001 - its own, Ray's, or the disk's
            self._fail(number, _reason(error))
            return
        self._hear(BulkEvent(number, self._open[number].progress()))
        if self._open[number].is_whole:
            self._finish(number)

    def _finish(self, number: int) -> None:
        try:
            self._open[number].leave()
        except ExportError as error:
            self._fail(number, str(error))
            return
        begun_s = self._open.pop(number).begun_s

        def hear(event: BulkEvent) -> None:
            ended = event.result
            if ended is not None and ended.result is not None:  # joining alone says nothing of how fast it went
                result = replace(ended.result, seconds=time.perf_counter() - begun_s)
                event = replace(event, result=replace(ended, result=result))
            self._hear(event)

        run_one(number, replace(self._jobs[number], resume=True), on_event=hear, cancelled=self._cancelled)

    def _fail(self, number: int, problem: str) -> None:
        self._drop(number)
        self._end(BulkResult(number, Ending.FAILED, problem="; ".join(filter(None, [problem, self._leave(number)]))))

    def _drop(self, number: int) -> None:
        self._pieces = deque(each for each in self._pieces if each[0] != number)
        for reference in [each for each, (owner, _piece) in self._running.items() if owner == number]:
            del self._running[reference]
            self._ray.cancel(reference)

    def _leave(self, number: int) -> str:
        export = self._open.pop(number)
        try:
            return export.leave()
        except ExportError as error:
            return str(error)

    def _stop(self, *, keep: bool) -> None:
        references = list(self._running)
        for number in list(self._open):
            self._drop(number)
            if keep:
                kept = self._leave(number)
            else:
                self._open.pop(number).remove()
                kept = ""
            self._end(BulkResult(number, Ending.STOPPED, problem=kept or NOTHING_KEPT))
        if references:  # they clean up on their nodes
            with suppress(Exception):
                self._ray.wait(references, num_returns=len(references), timeout=_CLEAN_UP_S)

    def _end(self, result: BulkResult) -> None:
        self._hear(BulkEvent(result.number, result=result))


def _reason(error: Exception) -> str:
    """Ours where a task raised it, else Ray's, on one line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        return problem_of(cause)
    if type(error).__module__.startswith("ray."):
        return (
            f"a piece of it was lost on the cluster {RETRIES + 1} times ({type(error).__name__}); see Ray's log there"
        )
    return problem_of(error)
