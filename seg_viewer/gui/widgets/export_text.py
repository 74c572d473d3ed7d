"""What an export is at, in words."""

from __future__ import annotations

from seg_viewer.core.counted import counted
from seg_viewer.gui.tasks.export_queue import MADE, QueuedExport, State
from seg_viewer.gui.widgets.seek_bar import clock_text


def progress_text(item: QueuedExport) -> str:
    """ "120 of 300 frames  ·  45.1 frames/s  ·  0:04 left"; "" before anything is known."""
    progress = item.progress
    if progress is None:
        return f"Preparing the engine: {item.loading}" if item.loading else ""
    count = (
        f"{progress.frames} of {counted(progress.total, 'frame')}"
        if progress.total
        else counted(progress.frames, "frame")
    )
    parts = [count, f"{progress.rate:.1f} frames/s"]
    if progress.time_left_s is not None:
        parts.append(f"{clock_text(progress.time_left_s)} left")
    return "  ·  ".join(parts)


def state_text(item: QueuedExport) -> str:
    """In a list: "43 %  ·  45.1 frames/s  ·  0:04 left", "failed: …", "done: film_seg.mp4  ·  left out: …"."""
    if item.state is State.RUNNING:
        progress = item.progress
        if progress is None:
            return progress_text(item) or "preparing …"
        share = f"{100 * item.share:.0f} %" if item.share is not None else counted(progress.frames, "frame")
        left = [f"{clock_text(progress.time_left_s)} left"] if progress.time_left_s is not None else []
        return "  ·  ".join([share, f"{progress.rate:.1f} frames/s", *left])
    if item.state is State.STOPPING:
        return "stopping …"
    if item.state is State.FAILED:
        return f"failed: {_without_name(item, item.problem)}"
    if item.state not in MADE:
        return str(item.state)
    first, *more = (*item.notes, "")
    told = f"  ·  {_without_name(item, first)}" if first else ""
    return f"{item.state}: {item.made.name}{told}" + (f"  (and {len(more) - 1} more)" if len(more) > 1 else "")


def detail_text(item: QueuedExport) -> str:
    """All that there is to say of one, some lines."""
    if item.state is State.FAILED:
        return item.problem
    lines = [f"{'Saved as' if item.state in MADE else 'Will be saved as'} {item.made}"]
    if item.state is State.STOPPED:
        lines = ["Stopped; nothing was written."]
    if item.result is not None:
        seconds = item.result.seconds
        rate = f" ({item.result.frames / seconds:.1f} frames/s)" if seconds else ""
        lines.append(f"{counted(item.result.frames, 'frame')} in {seconds:.1f} s{rate}, sound: {item.result.audio}")
        lines += item.notes
    return "\n".join(lines)


def _without_name(item: QueuedExport, line: str) -> str:
    """The name stands in the same row."""
    return line.removeprefix(f"{item.job.source}: ").removeprefix(f"{item.name}: ")
