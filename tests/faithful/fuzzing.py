"""Spoilt inputs by number, and a process that exports them and notices what must not happen."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.faithful.cases import left_behind
from tests.faithful.exports import Outcome, export_by_command, export_here

SAID = re.compile(r"(/[^\s:]*/)?[\w.-]+\.(part\.)?\w{2,5}(?=[:,\s])|[0-9]+(\.[0-9]+)?")
ADDRESS_SPACE_B = 6 << 30
LONGEST_LINE = 600


@dataclass(frozen=True)
class Verdict:
    """What came of one spoilt input.

    Args:
        number: of the input.
        kind: "exported", "refused", or what must not happen: "crash", "hang", "unexpected", "left behind",
            "unplayable", "no line", "thread", "noise" (a library wrote to the terminal, beside the one line).
        line: what was said: the error, or the first warning.
        seconds: it took.
        memory_mib: resident, of the process afterwards.
        files: open file descriptors afterwards.
        threads: alive afterwards.
        trace: of an error that nobody expected.
        origin: name of the sound input, and what was done to it.
    """

    number: int
    kind: str
    line: str = ""
    seconds: float = 0.0
    memory_mib: float = 0.0
    files: int = 0
    threads: int = 0
    trace: str = ""
    origin: str = ""

    @property
    def bad(self) -> bool:
        return self.kind not in ("exported", "refused")

    @property
    def signature(self) -> str:
        """The same for the same kind of finding: without names and numbers."""
        last = self.trace.strip().splitlines()[-3:-1] if self.trace else []
        return f"{self.kind}: {SAID.sub('…', self.line)[:160]} {' '.join(' '.join(last).split())[:160]}".strip()


def spoil(seeds: Sequence[Path], number: int, chance: int = 0) -> tuple[bytes, str, str]:
    """Input `number`: (bytes, suffix, what was done); the same at each call."""
    rng = np.random.default_rng([chance, number])
    seed = seeds[int(rng.integers(len(seeds)))]
    data = bytearray(seed.read_bytes())
    done = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        change = CHANGES[int(rng.integers(len(CHANGES)))]
        data = change(data, rng) if data else data
        done.append(change.__name__.strip("_"))
    if rng.random() < 0.1:
        other = seeds[int(rng.integers(len(seeds)))].read_bytes()
        data += other[int(rng.integers(len(other))) :] if rng.random() < 0.5 else other
        done.append(f"and {seed.name}")
    suffix = seed.suffix if rng.random() < 0.95 else str(rng.choice([".mp4", ".mkv", ".ts", ".avi", ".bin", ""]))
    return bytes(data), suffix, f"{seed.name}: {', '.join(done)}"


def _cut(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data[: int(rng.integers(len(data) + 1))]


def _flip_anywhere(data: bytearray, rng: np.random.Generator) -> bytearray:
    for place in rng.integers(len(data), size=int(rng.choice([1, 4, 20, 200]))):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def _other_bytes_in_the_header(data: bytearray, rng: np.random.Generator) -> bytearray:
    for place in rng.integers(min(len(data), 2000), size=int(rng.choice([1, 3, 10, 40]))):
        data[place] = int(rng.integers(256))
    return data


def _other_bytes_at_the_end(data: bytearray, rng: np.random.Generator) -> bytearray:
    for place in rng.integers(max(0, len(data) - 4000), len(data), size=int(rng.choice([1, 3, 10, 40]))):
        data[place] = int(rng.integers(256))
    return data


def _take_out(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = int(rng.integers(len(data)))
    del data[start : start + int(rng.choice([1, 4, 188, 1000, 20_000]))]
    return data


def _put_in(data: bytearray, rng: np.random.Generator) -> bytearray:
    start, size = int(rng.integers(len(data))), int(rng.choice([1, 4, 188, 1000, 20_000]))
    data[start:start] = bytes(size) if rng.random() < 0.5 else rng.integers(256, size=size, dtype=np.uint8).tobytes()
    return data


def _repeat(data: bytearray, rng: np.random.Generator) -> bytearray:
    start, size = int(rng.integers(len(data))), int(rng.choice([188, 1000, 20_000]))
    data[start:start] = data[start : start + size]
    return data


def _swap(data: bytearray, rng: np.random.Generator) -> bytearray:
    size = int(rng.choice([188, 1000, 5000]))
    one, other = (int(rng.integers(max(1, len(data) - size))) for _ in range(2))
    data[one : one + size], data[other : other + size] = data[other : other + size], data[one : one + size]
    return data


def _extreme_number(data: bytearray, rng: np.random.Generator) -> bytearray:
    values = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFF00, 0x00FFFFFF]
    for place in rng.integers(min(len(data), 4000), size=int(rng.choice([1, 2, 5]))):
        data[place : place + 4] = int(rng.choice(values)).to_bytes(4, "big")
    return data


def _blank(data: bytearray, rng: np.random.Generator) -> bytearray:
    start, size = int(rng.integers(len(data))), int(rng.choice([16, 188, 2000, 30_000]))
    data[start : start + size] = bytes(len(data[start : start + size]))
    return data


CHANGES: list[Callable[[bytearray, np.random.Generator], bytearray]] = [
    _cut, _flip_anywhere, _flip_anywhere, _other_bytes_in_the_header, _other_bytes_in_the_header,
    _other_bytes_at_the_end, _take_out, _put_in, _repeat, _swap, _extreme_number, _extreme_number, _blank,
]  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """What the process is to do: a plain value."""

    number: int
    source: Path
    folder: Path
    model: Path
    suffix: str = ".mp4"
    by_command: bool = False
    limit_s: float = 60.0


def attempt(task: Attempt) -> Verdict:
    """Export, and look at what is there afterwards."""
    before = {path.name for path in task.folder.iterdir()}
    lost: list[str] = []
    threading.excepthook = lambda args: lost.append("".join(traceback.format_exception(args.exc_value)))
    trace = ""
    if task.by_command:
        outcome = export_by_command(task.source, task.folder / f"out{task.suffix}", task.model, task.limit_s)
    else:
        outcome = export_here(task.source, task.folder / f"out{task.suffix}", task.model)
        trace = outcome.trace
    left = left_behind(task.folder, before, outcome)
    kind, line = _kind(outcome, left, lost)
    return Verdict(task.number, kind, line, trace=trace or "".join(lost), **_resources())


def _kind(outcome: Outcome, left: list[str], lost: list[str]) -> tuple[str, str]:
    said = outcome.error or (outcome.told[0] if outcome.told else "")
    if outcome.unexpected:
        return ("crash" if outcome.code < 0 else "unexpected"), said
    if lost:
        return "thread", said
    if left:
        return "left behind", ", ".join(left)
    if outcome.path is None:
        good = outcome.code in (1, 2) and said.strip() and "\n" not in said and len(said) < LONGEST_LINE
        return ("refused" if good else "no line"), said
    wrong = unplayable(outcome.path)
    return ("unplayable", wrong) if wrong else ("exported", said)


def unplayable(path: Path) -> str:
    """Why a result does not play from its first picture to its last; "" when it does."""
    if path.suffix not in (".mp4", ".mkv", ".mov", ".webm"):
        return "" if path.exists() else "not there"
    try:
        with av.open(str(path)) as container:
            frames = 0
            for packet in container.demux():
                if packet.stream.type in ("video", "audio"):
                    frames += len(packet.decode()) if packet.stream.type == "video" else 0
            return "" if frames else "no picture"
    except (av.FFmpegError, OSError) as error:
        return str(error)


def _resources() -> dict[str, Any]:
    pages = (
        int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) if Path("/proc/self/statm").exists() else 0
    )
    files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    return {"memory_mib": pages * 4096 / 2**20, "files": files, "threads": threading.active_count()}


def _serve(pipe: Any, job: Callable[[Attempt], Verdict]) -> None:
    """In the other process: one task after the other until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_B, ADDRESS_SPACE_B))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:
        pass
    noise = tempfile.TemporaryFile()  # noqa: SIM115  as long as this process lives
    os.dup2(noise.fileno(), 2)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)
        verdict = job(task)
        said = os.pread(2, 2000, 0).decode("utf-8", "replace").strip()
        pipe.send(asdict(replace(verdict, kind="noise", line=said) if said and not verdict.bad else verdict))


class Worker:
    """A process for exports that may take it down; another one takes its place then.

    Args:
        job: what it does with each task; importable.
        limit_s: seconds that one task may take.
        lifetime: tasks after which a fresh process goes on.
    """

    def __init__(
        self, job: Callable[[Attempt], Verdict] = attempt, *, limit_s: float = 60.0, lifetime: int = 400
    ) -> None:
        self._job = job
        self._limit_s = limit_s
        self._lifetime = lifetime
        self._process: Any = None
        self._pipe: Any = None
        self._done = 0

    def run(self, task: Attempt) -> Verdict:
        """What came of it; a crash or a hang is a verdict as well."""
        if self._process is None:
            self._start()
        self._pipe.send(task)
        try:
            if not self._pipe.poll(self._limit_s):
                self.close()
                return Verdict(task.number, "hang", f"longer than {self._limit_s:g} s", self._limit_s)
            verdict = Verdict(**self._pipe.recv())
        except (EOFError, OSError):
            self._process.join(10)
            code = self._process.exitcode
            self.close()
            return Verdict(task.number, "crash", f"signal {-code}" if code and code < 0 else f"exit {code}")
        self._done += 1
        if self._done >= self._lifetime:
            self.close()
        return verdict

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._job), daemon=True)
        self._process.start()
        theirs.close()
        self._done = 0

    def close(self) -> None:
        """End the process; safe to call again."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None


def clean(folder: Path) -> Path:
    """An empty folder of that name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
