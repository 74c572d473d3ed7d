"""What an export would do, told without doing it."""

from __future__ import annotations

from collections.abc import Container
from contextlib import closing
from pathlib import Path

from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.export_request import requests
from seg_viewer.sources import open_source
from seg_viewer.sources.between import Between


def plan_export(job: ExportJob, to_be_made: Container[Path] = ()) -> tuple[str, ...]:
    """Lines for a person: the source, each output, what is left out or changed. Nothing is written.

    Args:
        job: the export.
        to_be_made: folders that will be made first.

    Raises: as `run_export` does before its first frame.
    """
    job.check()
    spec = job.options.read_spec()
    with closing(open_source(job.source, job.stream)) as source:
        info = source.info
        job.check_outputs(info, to_be_made)
        start_s = 0.0
        if job.selection.start is not None:
            start_s = Between(source, job.selection).first().time_s
        asked = list(requests(job, spec, info, start_s=start_s))
        count = asked[0][1].frame_count
        facts = [f"{info.width}×{info.height}", info.codec]
        facts += [f"{info.rate:.2f} frames/s"] if info.rate else []
        facts += [f"{info.duration_s:.1f} s"] if info.duration_s else []
        lines = [f"{info.name}: {', '.join(filter(None, facts))}; model {spec.title}"]
        lines += [f"frames: {count if count is not None else 'all; the source does not say how many'}"]
        if job.selection.start is not None or job.selection.every > 1:
            lines[-1] += (
                f", from {start_s:.2f} s on, every {job.selection.every}"
                if job.selection.every > 1
                else (f", from {start_s:.2f} s on")
            )
        for kind, request in asked:
            replaced = " (replaces what is there)" if request.path.exists() else ""
            lines.append(f"{request.path}: {kind.help}{replaced}")
            lines += [f"  {line}" for line in kind.plan(request)]
        lines += [*job.unheeded, *source.warnings]
    return tuple(lines)
