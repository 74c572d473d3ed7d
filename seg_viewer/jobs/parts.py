"""What an export that was broken off leaves behind, and how it is found again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import write_text
from seg_viewer.core.part_folder import PartFolder, folders_left_behind
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.replay import NAME as MAPS
from seg_viewer.jobs.replay import map_files
from seg_viewer.media.segments import SegmentFiles, segments_s
from seg_viewer.sources.between import Place

STATE = "state.json"
"""Where each segment begins, and the key of the job."""

WAY_ON = "the same command with --resume goes on with them"
"""How a person goes on with what is kept, at a command line."""


class ExportParts:
    """The folder of an export that is under way, beside its first file.

    Args:
        job: the export.
        key: of the job, see `ExportJob.key`.
        names: of the outputs that keep segments.

    Attributes:
        folder: for the sinks.
        place: behind which frame to go on, or None to begin.
        resumed: how many segments are done already.
        start_s: the source's time that is 0 in the result, or None where nothing is done yet.
        warnings: of the part that is done.
        notes: what a person has to know of earlier runs, a line each.

    Raises:
        UsageError: another process works on the same export.
        ExportError: the folder cannot be made.
    """

    def __init__(self, job: ExportJob, key: str, names: Sequence[str]) -> None:
        self.place: Place | None = None
        self.resumed = 0
        self.start_s: float | None = None
        self.warnings: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.joining = False
        """All is encoded; what is missing is only to put it together."""
        self._key = key
        self._names = tuple(names)
        found = self._look_for(job)
        self.folder = found or PartFolder(job.first)
        if found is None and job.resume:
            self.notes += (f"{job.first}: nothing of an earlier run can be gone on with; it begins at the start",)

    @property
    def whole(self) -> int:
        """How many segments are whole in every output, from the first on."""
        return min((len(self.files(name).whole()) for name in self._names), default=0)

    @property
    def resumable(self) -> int:
        """How many of them can be gone on behind: it was written down where the next one begins."""
        places = self._read().get("places", {})
        return next((number for number in range(self.whole, 0, -1) if str(number) in places), 0)

    @property
    def done_s(self) -> float:
        """How much of the result need not be done again, seconds."""
        return segments_s(self.resumable)

    def files(self, name: str) -> SegmentFiles:
        """Of an output."""
        return map_files(self.folder.path) if name == MAPS else SegmentFiles(self.folder.path, name)

    def save(
        self, numbers: Sequence[int], start_s: float, place: Place, warnings: Sequence[str], made: str = ""
    ) -> None:
        """Write down where segments begin.

        Args:
            numbers: of the segment that begins, and of those before it in which the source shows nothing new.
            start_s: see above.
            place: of the last frame before it.
            warnings: so far.
            made: where the segments were made, one line, where that was not here.
        """
        ends = {*numbers[:1], *numbers[-1:]}  # a run broken off between them goes on from the first
        places = self._read().get("places", {}) | {str(number): asdict(place) for number in ends}
        state = {"key": self._key, "start_s": start_s, "warnings": list(warnings), "places": places, "made": made}
        write_text(self.folder.path / STATE, json.dumps(state))

    def remove(self) -> None:
        """All is done, or nobody wants it."""
        self.folder.remove()

    def leave(self) -> str:
        """Keep it for `--resume`, or remove it where nothing is gained by it. Returns what to say of it, or ""."""
        if not self.resumable:
            self.folder.remove()
            return ""
        self.folder.leave()
        return f"the first {self.done_s:.0f} s are kept; {WAY_ON}"

    def _look_for(self, job: ExportJob) -> PartFolder | None:
        chosen: PartFolder | None = None
        for path in folders_left_behind(job.first):
            folder = PartFolder.adopt(path)
            if folder is None:
                continue
            if job.resume and chosen is None and self._take(folder):
                chosen = folder
                continue
            seconds = segments_s(max(map(int, self._read(path).get("places", {})), default=0))
            folder.remove()
            if seconds:
                why = (
                    "it was made of another source or with other settings"
                    if job.resume
                    else "--resume would have gone on with it"
                )
                self.notes += (f"{job.first}: an unfinished export of {seconds:.0f} s was removed ({why})",)
        return chosen

    def _take(self, folder: PartFolder) -> bool:
        self.folder = folder
        state = self._read()
        try:
            number = self.resumable
            if not number or state["key"] != self._key:
                return False
            place = Place(**state["places"][str(number)])
            start_s, warnings = float(state["start_s"]), tuple(map(str, state["warnings"]))
        except (KeyError, TypeError, ValueError):  # it is damaged
            return False
        for name in self._names:
            self.files(name).forget_from(number)
        self.place, self.resumed, self.start_s, self.warnings = place, number, start_s, warnings
        self.notes += (state.get("made") or f"{segments_s(number):.0f} s were done already; it went on from there",)
        return True

    def _read(self, path: Path | None = None) -> dict[str, Any]:
        try:
            values = json.loads(((path or self.folder.path) / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}


def busy(job: ExportJob) -> bool:
    """Whether another process works on a file of the same name."""
    for path in folders_left_behind(job.first):
        folder = PartFolder.adopt(path)
        if folder is None:
            return True
        folder.leave()
    return False


def refuse_busy(job: ExportJob) -> None:
    """Raises: UsageError when `--resume` would go on with what somebody is making right now."""
    if job.resume and busy(job):
        raise UsageError(f"{job.first}: is being written by another export right now; wait for it or stop it")
