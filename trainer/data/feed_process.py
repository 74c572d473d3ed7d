"""The processes that make samples for a `trainer.data.feed.Feed`: one that starts them, and they."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import sys
import traceback

import cv2

from seg_viewer.core.errors import SourceError
from seg_viewer.core.signals import END_SIGNALS
from trainer.data.kept import SharedKept
from trainer.data.ring import DONE, ENTRY, HEAD, MESSAGE, Work, how_it_ended
from trainer.data.samples import Samples


def main() -> None:
    """Read `Work` and `Samples` from standard input, fork, and wait until all processes have ended."""
    for number in END_SIGNALS:  # the one that trains is asked to end, and ends these
        signal.signal(number, signal.SIG_IGN)
    try:
        work, samples = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the one that trains, whose process this is
    except EOFError:
        return  # the one that trains is gone
    cv2.setNumThreads(1)  # as many processes as there are cores: threads of OpenCV would only get in the way
    samples.kept = SharedKept(work.kept, work.shelf)
    children = []
    for _ in range(work.processes):
        child = os.fork()
        if not child:
            _make(work, samples)
            os._exit(0)
        children.append(child)
    done = socket.socket(fileno=work.done)
    socket.socket(fileno=work.tasks).close()
    while children:
        child, status = os.wait()
        children.remove(child)
        code = os.waitstatus_to_exitcode(status)
        if code:
            _answer(done, -1, {"kind": "died", "text": f"process {child} {how_it_ended(code)}"})


def _make(work: Work, samples: Samples) -> None:
    """Make samples until nobody asks any more."""
    pictures, masks = work.ring.views(work.slots)
    tasks, done = socket.socket(fileno=work.tasks), socket.socket(fileno=work.done)
    while message := tasks.recv(MESSAGE):
        slot, row, epoch, count = HEAD.unpack_from(message)
        said: dict[str, str] = {}
        try:
            for number in range(count):
                place, index, pair = ENTRY.unpack_from(message, HEAD.size + number * ENTRY.size)
                sample = samples.sample(epoch, place, (index, pair))
                pictures[slot, row + number], masks[slot, row + number] = sample
        except SourceError as error:
            said = {"kind": "SourceError", "text": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the one that trains raises it
            said = {"kind": type(error).__name__, "text": str(error), "trace": traceback.format_exc()}
        if not _answer(done, slot, said):
            return


def _answer(done: socket.socket, slot: int, said: dict[str, str]) -> bool:
    """Whether there was anybody to take it."""
    short = {key: text[: MESSAGE // 16] for key, text in said.items()}
    try:
        done.send(DONE.pack(slot) + (json.dumps(short).encode() if said else b""))
    except OSError:
        return False
    return True
