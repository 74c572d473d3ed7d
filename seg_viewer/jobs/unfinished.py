"""What lies there of an export that was broken off, found without touching it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from seg_viewer.core.part_folder import PartFolder, folders_left_behind
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.parts import STATE
from seg_viewer.jobs.replay import map_files
from seg_viewer.media.segments import SegmentFiles, segments_s
from seg_viewer.sources import open_source


def unfinished_s(job: ExportJob) -> float:
    """How many seconds of its result an earlier run of the same job has left behind; 0.0 for nothing.

    What another process works on is not counted.

    Raises: as `run_export` does where its model or its source cannot be opened.
    """
    folders = list(folders_left_behind(job.first))
    if not folders:
        return 0.0
    spec = job.options.read_spec()
    with closing(open_source(job.source)) as source:
        key = job.key(source.info.fingerprint, spec.sha256)
    return max(_kept_s(job, key, path) for path in folders)


def _kept_s(job: ExportJob, key: str, path: Path) -> float:
    folder = PartFolder.adopt(path)
    if folder is None:
        return 0.0
    try:
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        if state["key"] != key:
            return 0.0
        kept = [SegmentFiles(path, str(number)) for number, out in enumerate(job.outputs) if out.kind.keeps_parts]
        if len(kept) < len(job.outputs):
            kept.append(map_files(path))
        whole = min(len(files.whole()) for files in kept)
        return segments_s(max((int(number) for number in state["places"] if int(number) <= whole), default=0))
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
    finally:
        folder.leave()
