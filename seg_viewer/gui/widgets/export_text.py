"""What an export is at, in words."""

from __future__ import annotations

from seg_viewer.gui.tasks.export_queue import MADE, QueuedExport, State
from seg_viewer.gui.widgets.seek_bar import clock_text
from seg_viewer.gui.words import figure, frames_text, said, t, tn
from seg_viewer.jobs.export import ExportResult


def progress_text(item: QueuedExport) -> str:
    """ "120 of 300 frames  ·  45.1 frames/s  ·  0:04 left"; "" before anything is known."""
    progress = item.progress
    if progress is None:
        return t("Preparing the engine: {what}", what=said(item.loading)) if item.loading else ""
    count = frames_text(progress.frames)
    if progress.total:
        count = tn(progress.total, "{number} of 1 frame", "{number} of {count} frames", number=progress.frames)
    parts = [count, rate_text(progress.rate)]
    if progress.time_left_s is not None:
        parts.append(t("{time} left", time=clock_text(progress.time_left_s)))
    return "  ·  ".join(parts)


def state_text(item: QueuedExport) -> str:
    """In a list: "43 %  ·  45.1 frames/s  ·  0:04 left", "failed: …", "done: film_seg.mp4  ·  left out: …"."""
    if item.state is State.RUNNING:
        progress = item.progress
        if progress is None:
            return progress_text(item) or t("preparing …")
        share = f"{100 * item.share:.0f} %" if item.share is not None else frames_text(progress.frames)
        left = [t("{time} left", time=clock_text(progress.time_left_s))] if progress.time_left_s is not None else []
        return "  ·  ".join([share, rate_text(progress.rate), *left])
    if item.state is State.STOPPING:
        return t("stopping …")
    if item.state is State.FAILED:
        return t("failed: {why}", why=said(_without_name(item, item.problem)))
    if item.state not in MADE:
        return t(item.state)
    first, *more = (*item.notes, "")
    told = f"  ·  {said(_without_name(item, first))}" if first else ""
    others = "  " + t("(and {count} more)", count=len(more) - 1) if len(more) > 1 else ""
    return f"{t(item.state)}: {item.made.name}{told}{others}"


def detail_text(item: QueuedExport) -> str:
    """All that there is to say of one, some lines."""
    if item.state is State.FAILED:
        return said(item.problem)
    lines = [t("Saved as {name}" if item.state in MADE else "Will be saved as {name}", name=item.made)]
    if item.state is State.STOPPED:
        lines = [t("Stopped; nothing was written.")]
    if item.result is not None:
        lines += [result_text(item.result), *map(said, item.notes)]
    return "\n".join(lines)


def result_text(result: ExportResult) -> str:
    """ "300 frames in 6.5 s (46.2 frames/s), sound: aac copied"."""
    rate = f" ({rate_text(result.frames / result.seconds)})" if result.seconds else ""
    return t(
        "{frames} in {s} s{rate}, sound: {sound}",
        frames=frames_text(result.frames), s=figure(result.seconds), rate=rate, sound=said(result.audio),
    )  # fmt: skip


def rate_text(rate: float) -> str:
    return t("{rate} frames/s", rate=figure(rate))


def _without_name(item: QueuedExport, line: str) -> str:
    """The name stands in the same row."""
    return line.removeprefix(f"{item.job.source}: ").removeprefix(f"{item.name}: ")
