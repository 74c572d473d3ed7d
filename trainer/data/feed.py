"""The batches of a run, made ahead of the training step by processes of their own, or by threads.

TensorFlow and JAX run threads that a fork would break. So the feed starts one plain Python process that imports neither
(`trainer.data.feed_process`), and that one forks those that make samples. They write into memory that all share, and
get their work, and say that it is done, through two sockets. When the process that trains ends, however it ends, the
sockets end with it, and so do they.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SegViewerError, SourceError
from seg_viewer.core.machine import usable_cores
from trainer.data.batches import batches
from trainer.data.kept import memory_file, plan_shelf
from trainer.data.memory import free_bytes
from trainer.data.ring import DONE, ENTRY, HEAD, MESSAGE, Ring, Work, how_it_ended
from trainer.data.samples import CACHE_SHARE, Samples

LOOK_EVERY = 0.5
"""Seconds after which whoever waits for a batch looks whether anybody is still making it."""


def can_fork() -> bool:
    """Whether samples can be made by processes here: Linux, and a Python of its own."""
    return sys.platform == "linux" and hasattr(os, "memfd_create") and not getattr(sys, "frozen", False)


def usual_workers(gpu: bool) -> int:
    """Processes that make samples when nobody says how many; 0 (threads) where they cannot be.

    With a GPU all cores but one, which drives it. On a processor that trains one for every four cores: more stand in
    the way of the step.

    Args:
        gpu: whether a GPU trains.
    """
    if not can_fork():
        return 0
    return max(1, usable_cores() - 1) if gpu else usable_cores() // 4


@dataclass
class _Asked:
    """A batch that was asked for.

    Args:
        epoch, step: which.
        slot: where it is made.
        waits: parts that are not there yet.
        error: what went wrong with it.
    """

    epoch: int
    step: int
    slot: int
    waits: int
    error: SegViewerError | Exception | None = None


@dataclass
class _Line:
    """What was asked for, in order.

    Args:
        share: (first, end): the places of every batch that this machine makes.
        asked: under way, or done and not given yet.
        next: epoch and step to ask for next.
        until: epoch before which to stop.
        plans: of the epochs under way.
    """

    share: tuple[int, int] = (0, 0)
    asked: deque[_Asked] = field(default_factory=deque)
    next: tuple[int, int] = (-1, 0)
    until: int = 0
    plans: dict[int, NDArray[np.int64]] = field(default_factory=dict)


class Feed:
    """Gives the batches of epochs; a context manager, for one thread.

    For every number of processes, and for none, the batches are the same, in the same order.

    Args:
        samples: what they are made of; kept pictures are shared by the processes.
        processes: that make samples; 0: threads, as in `trainer.data.batches`.
        held: how many batches stay valid at a time, see `epoch`.
        note: called with a line about memory, and where processes cannot be.
    """

    def __init__(
        self,
        samples: Samples,
        processes: int = 0,
        held: int = 1,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        if processes and not can_fork():
            note("samples are made by threads: processes share memory under Linux only")
            processes = 0
        self._samples, self._processes, self._held = samples, processes, held
        self._note = note
        self._process: subprocess.Popen[bytes] | None = None
        self._line = _Line()
        self._given: deque[int] = deque()
        self._generation = 0

    @property
    def processes(self) -> int:
        """That make samples; 0: threads do."""
        return self._processes

    @property
    def pid(self) -> int | None:
        """The process that starts those that make samples; None while there is none."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        if self._processes:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes. Batches that were given stay readable."""
        if self._process is None:
            return
        self._generation += 1
        self._tasks.close()
        self._done.close()
        with contextlib.suppress(ProcessLookupError):  # a session of its own: all of them, whatever they are doing
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def epoch(self, epoch: int, first: int = 0, worker: int = 0, workers: int = 1) -> Iterator[tuple[Any, Any]]:
        """The batches of an epoch, in order: pictures (N, h, w, 3) uint8 RGB and masks (N, h/s, w/s) uint8.

        While the last ones are used the first ones of the next epoch are made already.

        Args:
            epoch: which, from 0.
            first: step of the epoch to begin with.
            worker, workers: of how many machines this is which; each gets its share of every batch.

        Returns:
            Iterator. From processes: NumPy arrays in shared memory, valid until `held` more batches are asked for (the
            next one, by default), and overwritten then: whoever steps without waiting must copy, or hold more. JAX and
            TensorFlow on a processor may read them where they lie. From threads: as `trainer.data.batches`.

        Raises:
            SourceError: a file is damaged (while iterating).
            SegViewerError: a process was killed (while iterating).
        """
        if not self._processes:
            yield from batches(self._samples, epoch, first, worker, workers)
            return
        if self._process is None:
            raise RuntimeError("the feed is closed, or was not entered")
        self._generation += 1
        mine = self._generation
        self._begin(epoch, first, worker, workers)
        self._line.until = max(epoch + 1, self._samples.recipe.run.epochs)
        for _ in range(first, self._samples.steps):
            if mine != self._generation:
                raise RuntimeError("another epoch was begun, or the feed closed")
            while len(self._given) >= self._held:
                self._free.append(self._given.popleft())
            self._ask()
            batch = self._line.asked[0]
            while batch.waits:
                self._receive()
            self._line.asked.popleft()
            self._given.append(batch.slot)
            if batch.error:
                raise batch.error
            self._ask()
            yield self._pictures[batch.slot, : self._count], self._masks[batch.slot, : self._count]

    @property
    def _count(self) -> int:
        return self._line.share[1] - self._line.share[0]

    def _start(self) -> None:
        run, view = self._samples.recipe.run, self._samples.view
        part = max(1, run.batch_size // self._processes)
        parts = -(-run.batch_size // part)
        slots = -(-2 * self._processes // parts) + 1 + self._held
        ring = Ring(slots, run.batch_size, part, view.crop, view.mask_stride)
        sizes = self._samples.held_sizes()
        most = max(0, int(CACHE_SHARE * (free_bytes() - ring.nbytes)))
        shelf = plan_shelf(sizes, self._samples.most_points, most)
        self._tell(len(sizes), shelf.left_out, shelf.nbytes, most)
        slot_file, kept_file = memory_file(ring.nbytes), memory_file(shelf.nbytes)
        self._tasks, tasks = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._done, done = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        work = Work(self._processes, ring, shelf, slot_file, kept_file, tasks.fileno(), done.fileno())
        start = f"import sys; sys.path[:] = {sys.path!r}; from trainer.data.feed_process import main; main()"
        given = pickle.dumps((work, self._samples))
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, with our own code
                [sys.executable, "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(slot_file, kept_file, tasks.fileno(), done.fileno()),
                env=os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
                start_new_session=True,  # Ctrl-C is for the one that trains, which finishes its step
            )
            self._pictures, self._masks = ring.views(slot_file)
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(given)
        except BaseException:
            self.close()
            raise
        finally:
            for one in (tasks, done):
                one.close()
            for file in (slot_file, kept_file):
                os.close(file)
        self._ring, self._free = ring, deque(range(ring.slots))

    def _tell(self, count: int, left_out: int, nbytes: int, most: int) -> None:
        who = f"samples are made by {self._processes} process{'es' if self._processes > 1 else ''}"
        if left_out:
            self._note(
                f"{who}; {count - left_out} of {count} decoded pictures stay in memory ({most / 1e9:.1f} GB, half of"
                " what is free): the others are read again each time"
            )
        elif count:
            self._note(f"{who}; all {count} decoded pictures stay in memory ({nbytes / 1e9:.2f} GB)")
        else:
            self._note(f"{who}; nothing is known of the pictures' sizes, so that each is read again each time")

    def _begin(self, epoch: int, first: int, worker: int, workers: int) -> None:
        """Go on with what was asked for ahead, where that is it; else forget it."""
        size = self._samples.recipe.run.batch_size
        share = size // workers
        wanted = (worker * share, (worker + 1) * share)
        line = self._line
        ahead = (line.asked[0].epoch, line.asked[0].step) if line.asked else line.next
        if (epoch, first) == ahead and wanted == line.share:
            return
        while any(batch.waits for batch in line.asked):
            self._receive()
        self._free.extend(batch.slot for batch in line.asked)
        self._line = _Line(share=wanted, next=(epoch, first))

    def _ask(self) -> None:
        """Have batches made in all slots that are free, in the next epoch too, but for what is behind the last."""
        line, steps = self._line, self._samples.steps
        while self._free:
            epoch, step = line.next
            if step == steps:
                epoch, step = epoch + 1, 0
            if epoch >= line.until:
                return
            if epoch not in line.plans:
                line.plans = {old: plan for old, plan in line.plans.items() if old >= epoch - 1}
                line.plans[epoch] = self._samples.plan(epoch)
            first, end = line.share
            slot = self._free.popleft()
            parts = range(first, end, self._ring.part)
            line.asked.append(_Asked(epoch, step, slot, len(parts)))
            for start in parts:
                entries = line.plans[epoch][step, start : min(end, start + self._ring.part)]
                place = step * len(line.plans[epoch][step]) + start
                message = HEAD.pack(slot, start - first, epoch, len(entries)) + b"".join(
                    ENTRY.pack(place + number, int(index), int(pair)) for number, (index, pair) in enumerate(entries)
                )
                try:
                    self._tasks.send(message)
                except OSError:
                    raise self._ended() from None
            line.next = (epoch, step + 1)

    def _receive(self) -> None:
        """Take an answer; raises SegViewerError where nobody can give one any more."""
        assert self._process is not None
        wait_s = LOOK_EVERY
        while not (heard := select.select([self._done], [], [], wait_s)[0]) or self._process.poll() is not None:
            if not heard and self._process.poll() is not None:
                raise self._ended()
            if heard:  # nobody starts any more; why, may be among what was said last
                wait_s = 0.0
                self._read()
        slot, said = self._read()
        batch = next(batch for batch in self._line.asked if batch.slot == slot)
        batch.waits -= 1
        if said:
            batch.error = batch.error or _error(said)

    def _read(self) -> tuple[int, dict[str, str]]:
        """The next answer: slot, and what went wrong; raises SegViewerError when that is the death of a process."""
        message = self._done.recv(MESSAGE)
        if not message:
            raise self._ended()
        (slot,) = DONE.unpack_from(message)
        said = json.loads(message[DONE.size :]) if len(message) > DONE.size else {}
        if slot < 0:
            raise self._ended(said["text"])
        return slot, said

    def _ended(self, how: str = "") -> SegViewerError:
        """What to raise when samples are no longer made."""
        if not how and self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                how = f"the process that starts them {how_it_ended(self._process.wait(5))}"
        return SegViewerError(
            f"samples are no longer made: {how or 'a process went away'}; the checkpoint stays, and the same command"
            " goes on (--workers with a smaller number takes less memory, 0 makes them by threads)"
        )


def _error(said: dict[str, str]) -> Exception:
    """The error that a process met, as one of this process."""
    if said["kind"] == "SourceError":
        return SourceError(said["text"])
    if said["kind"] == "MemoryError":
        return MemoryError(said["text"])
    error = RuntimeError(f"{said['kind']}: {said['text']}")
    error.add_note(said.get("trace", ""))
    return error
