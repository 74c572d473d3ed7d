"""An export whose segments are made elsewhere: what is to be made, and how what comes back becomes the result."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import av

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import ExportError
from seg_viewer.core.part_file import explain
from seg_viewer.jobs.export import ExportProgress
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.export_request import expected_frames
from seg_viewer.jobs.parts import ExportParts, refuse_busy
from seg_viewer.jobs.piece import MadePiece, Piece, part_names
from seg_viewer.jobs.replay import NAME as MAPS
from seg_viewer.jobs.replay import renumbered
from seg_viewer.media.segments import SEGMENT_S, SegmentFiles, SegmentRecord
from seg_viewer.sources import open_source
from seg_viewer.sources.base import SourceInfo
from seg_viewer.sources.between import Between, Place

LONGEST_PIECE = 6
"""Segments: what a node that is lost costs at most."""


class SpreadExport:
    """Asks for the pieces of an export, takes them in any order, and leaves what `resume` makes the whole of.

    Args:
        job: the export.
        workers: how many pieces are made at a time, everywhere.

    Attributes:
        pieces: what is to be made; none where all is there already.
        begun_s: when that was worked out, by `time.perf_counter()`.

    Raises: as `run_export` before its first frame.
    """

    def __init__(self, job: ExportJob, workers: int) -> None:
        job.check()
        spec = job.options.read_spec()
        with closing(open_source(job.source, job.stream)) as source:
            job.check_outputs(source.info)
            refuse_busy(job)
            key = job.key(source.info.fingerprint, spec.sha256)
            self._start_s = Between(source, job.selection).first().time_s if job.selection.start is not None else 0.0
            info = source.info
        self._job = job
        self._total = expected_frames(job, info)
        self._names = part_names(job)
        self._parts = ExportParts(job, key, self._names)
        self._counts = info.is_container and job.selection.every == 1
        self._made: dict[int, MadePiece] = {}
        self._frames = 0
        self.begun_s = time.perf_counter()
        sent = replace(_anywhere(job, info), resume=False)
        borders = list(self._borders(info, workers))
        self.pieces = tuple(
            Piece(sent, info.fingerprint, spec.sha256, self._start_s, first, end) for first, end in borders
        )

    @property
    def is_whole(self) -> bool:
        return len(self._made) == len(self.pieces)

    def take(self, number: int, made: MadePiece) -> None:
        """Keep what came back of a piece. Raises: ExportError."""
        self._made[number] = replace(made, segments=())
        self._frames += made.frames
        for segment in made.segments:
            files = self._parts.files(segment.name)
            path = files.data(segment.number)
            try:
                path.write_bytes(segment.data)
            except OSError as error:
                raise ExportError(explain(path, error)) from error
            # under another name until it is known that it fits to those before
            segment.record.write(_pending(files, segment.number))

    def progress(self) -> ExportProgress:
        seconds = time.perf_counter() - self.begun_s
        rate = self._frames / seconds if seconds else 0.0
        left_s = None if self._total is None or not rate else max(0, self._total - self._frames) / rate
        return ExportProgress(self._frames, self._total, rate, left_s)

    def leave(self) -> str:
        """Join what is there without a gap from the start on to what `resume` goes on with. Returns what to say of it.

        Raises: ExportError.
        """
        self._assemble()
        return self._parts.leave()

    def remove(self) -> None:
        """Nobody wants it."""
        self._parts.remove()

    def _borders(self, info: SourceInfo, workers: int) -> Iterator[tuple[int, int | None]]:
        """First segment and end of each piece; the last one is open, as a file's length is what its header says."""
        selection = self._job.selection
        by_number = any(place is not None and place.frame is not None for place in (selection.start, selection.end))
        first = self._parts.resumed
        if by_number or selection.every > 1:
            # frames are counted from the start, so nobody can begin in the middle
            if not first:
                yield 0, None
            return
        end_s = min(each for each in (info.duration_s, selection.end.time_s if selection.end else None, 1e9) if each)
        count = max(first + 1, -(-max(0.0, end_s - self._start_s) // SEGMENT_S)) if end_s < 1e9 else first + 1
        length = int(max(1, min(LONGEST_PIECE, (count - first) // (2 * workers))))
        while first + length < count:
            yield first, first + length
            first += length
        yield first, None

    def _assemble(self) -> None:
        """Make records of all segments that follow each other, and say where each begins."""
        place, after = self._parts.place, self._parts.resumed
        step = self._job.selection.every
        nodes: list[str] = []
        ran: list[str] = []
        warnings = [*self._parts.warnings, *self._parts.notes]
        for number, piece in enumerate(self.pieces):
            made = self._made.get(number)
            if made is None:
                break
            if made.last and piece.first and not self._fits(made, place):
                warnings.append(
                    f"{self._job.first}: pieces do not meet at {piece.first * SEGMENT_S:.0f} s; what follows was made "
                    "anew, on this machine"
                )
                break
            nodes.append(made.node)
            ran.append(made.ran)
            warnings += made.warnings
            # behind a jump a file's pictures have numbers that were worked out; they are counted on from those before
            shift = place.index + 1 - made.first_index if self._counts and place is not None else 0
            for segment, count, last in made.last:
                self._fill(after, segment, place)
                self._accept(segment, shift)
                ordinal = (count - 1) * step if place is None else place.ordinal + count * step
                place, after = Place(last.pts, last.time_s, last.index + shift, ordinal), segment + 1
                self._parts.save((after,), self._start_s, place, list(dict.fromkeys(warnings)), _told(nodes, ran))
        if place is not None:
            self._parts.save((after,), self._start_s, place, list(dict.fromkeys(warnings)), _told(nodes, ran))

    def _fits(self, made: MadePiece, place: Place | None) -> bool:
        """Whether a piece begins where those before end, and was encoded alike: a decoder takes them in a row."""
        if made.before != (place.pts if place else None):
            return False
        number = made.last[0][0]
        for name in self._names:
            files = self._parts.files(name)
            before = next((n for n, record in enumerate(files.whole()) if record.frames), None)
            if name != MAPS and before is not None and _header(files.data(before)) != _header(files.data(number)):
                return False
        return True

    def _fill(self, first: int, end: int, place: Place | None) -> None:
        """The source shows nothing new for longer than a segment."""
        for number in range(first, end):
            for name in self._names:
                files = self._parts.files(name)
                before = SegmentRecord.read(files.record(number - 1)) if number else None
                last, end_s = (before.last_pts, before.end_s) if before else (-1, None)
                record = SegmentRecord() if name == MAPS else SegmentRecord(last_pts=last, end_s=end_s)
                record.write(files.record(number))
        if place is not None and end > first:
            self._parts.save(range(first + 1, end + 1), self._start_s, place, ())

    def _accept(self, number: int, shift: int) -> None:
        for name in self._names:
            files = self._parts.files(name)
            if name == MAPS and shift:
                path = files.data(number)
                path.write_bytes(renumbered(path.read_bytes(), shift))
            _pending(files, number).rename(files.record(number))


def _told(nodes: list[str], ran: list[str]) -> str:
    if not nodes:
        return ""
    names, engines = ", ".join(dict.fromkeys(nodes)), " and ".join(dict.fromkeys(ran))
    return f"made in {counted(len(nodes), 'piece')} on {names} by {engines}"


def _header(segment: Path) -> tuple[str, bytes | None]:
    """Codec and parameter sets."""
    with av.open(f"file:{segment}") as container:
        codec = container.streams.video[0].codec_context
        return codec.name, codec.extradata


def _pending(files: SegmentFiles, number: int) -> Path:
    return files.record(number).with_suffix(".pending")


def _anywhere(job: ExportJob, info: SourceInfo) -> ExportJob:
    """Source and model by names that mean the same in another folder and on another machine."""
    model = job.options.model or job.options.default_model().name
    if model not in {path.stem for path in shipped_models()}:
        model = os.path.abspath(os.path.expanduser(model))
    source = os.path.realpath(info.path) if info.path is not None else job.source
    return replace(job, source=source, options=replace(job.options, model=model))
