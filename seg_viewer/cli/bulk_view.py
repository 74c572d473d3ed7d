"""What the export of many sources shows: a bar for each that runs and one in total, and a table at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from seg_viewer.cli.console import bulk_bar, say
from seg_viewer.core.counted import counted
from seg_viewer.core.printable import printable
from seg_viewer.jobs.bulk_one import BulkEvent, BulkResult, Ending

_LONGEST_NAME = 48


class BulkView:
    """Takes what happens and shows it on standard error: bars on a terminal, else a line for each that ended.

    Args:
        names: of the sources, for people.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [printable(name) for name in names]
        self._bar = bulk_bar()
        self._tasks: dict[int, Any] = {}
        self._shares: dict[int, float] = {}
        self._frames: dict[int, int] = {}
        self._results: dict[int, BulkResult] = {}
        self._start_s = time.perf_counter()
        self._total = self._bar.add_task("in total", total=len(names), count="", rate="")
        if self._bar.console.is_terminal:
            self._bar.start()

    def hear(self, event: BulkEvent) -> None:
        """Of any thread."""
        number = event.number
        if event.result is not None:
            self._end(event.result)
        elif number not in self._tasks:
            self._tasks[number] = self._bar.add_task(self._names[number], total=None, count="", rate="")
        elif event.loading:
            self._bar.update(self._tasks[number], count=event.loading)
        elif event.progress is not None:
            frames, total = event.progress.frames, event.progress.total
            self._frames[number] = frames
            self._shares[number] = frames / total if total else 0.0
            self._bar.update(
                self._tasks[number],
                completed=frames,
                total=total,
                count=f"{frames}/{total or '?'}",
                rate=f"{event.progress.rate:.1f} frames/s",
            )
        self._show_total()

    def note(self, line: str) -> None:
        """A line above the bars."""
        self._bar.console.print(Text(printable(line)), soft_wrap=True)

    def stop(self) -> None:
        """Remove the bars; again is fine."""
        self._bar.stop()

    def table(self) -> None:
        """Say what became of each, on standard output."""
        width = min(_LONGEST_NAME, max(map(cell_len, self._names)))
        for number, name in enumerate(self._names):
            result = self._results.get(number)
            if result is None:
                continue
            made, frames, rate = result.result, "", ""
            if made is not None:
                frames = counted(made.frames, "frame")
                rate = f"{made.frames / made.seconds:.1f} frames/s" if made.seconds else ""
            padding = " " * max(0, width - cell_len(name))
            say(f"{name}{padding}  {frames:>13}  {rate:>15}  {self._ending(result)}".rstrip())
        if self._results:  # else nothing was begun, and why is told
            say(self._summary())

    @property
    def failed(self) -> int:
        """How many."""
        return sum(result.ending is Ending.FAILED for result in self._results.values())

    def _end(self, result: BulkResult) -> None:
        number = result.number
        self._results[number] = result
        self._shares.pop(number, None)
        task = self._tasks.pop(number, None)
        if task is not None:
            self._bar.remove_task(task)
        name = self._names[number]
        if result.result is not None:
            self._frames[number] = result.result.frames
            for warning in result.result.warnings:
                self.note(f"warning: {_named(name, warning)}")
        if not self._bar.console.is_terminal or result.ending is Ending.FAILED:
            self.note(_named(name, self._ending(result)))

    def _show_total(self) -> None:
        ended, frames = len(self._results), sum(self._frames.values())
        self._bar.update(
            self._total,
            completed=ended + sum(self._shares.values()),
            count=f"{ended}/{len(self._names)} files",
            rate=f"{frames / max(1e-9, time.perf_counter() - self._start_s):.1f} frames/s",
        )

    def _ending(self, result: BulkResult) -> str:
        if result.result is not None:
            return ", ".join(map(str, result.result.files))
        return f"{result.ending}: {result.problem}" if result.problem else str(result.ending)

    def _summary(self) -> str:
        endings = [result.ending for result in self._results.values()]
        counts = ", ".join(f"{endings.count(ending)} {ending}" for ending in Ending if ending in endings)
        seconds = time.perf_counter() - self._start_s
        frames = sum(result.result.frames for result in self._results.values() if result.result is not None)
        files = counted(len(self._names), "file")
        made = f"; {counted(frames, 'frame')} in {seconds:.1f} s ({frames / seconds:.1f} frames/s)" if frames else ""
        return f"{files}: {counts}{made}"


def _named(name: str, line: str) -> str:
    """Beginning with the source's name, which most lines do already."""
    return line if name in line else f"{name}: {line}"
