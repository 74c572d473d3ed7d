"""A piece of an export, some of its segments, made wherever there is a processor for it."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from seg_viewer import __version__
from seg_viewer.core.errors import ExportError, SegViewerError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.part_folder import PartFolder, folders_left_behind
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.export_request import one_size, requests
from seg_viewer.jobs.replay import NAME as MAPS
from seg_viewer.jobs.replay import MapKeeper, map_files
from seg_viewer.media.segments import SEGMENT_S, SegmentFiles, SegmentRecord, segment_at
from seg_viewer.pipeline import Pipeline, Policy
from seg_viewer.sinks.base import Sink
from seg_viewer.sources import open_source
from seg_viewer.sources.base import Source
from seg_viewer.sources.between import Between, Moment, Place, Selection


@dataclass(frozen=True)
class Piece:
    """Some segments of an export; a plain value that can be sent.

    Args:
        job: the export; its source and model by names that mean the same everywhere.
        fingerprint: of the source, as it has to be.
        model: hash of the model file, likewise.
        start_s: the source's time that is 0 in the result, seconds.
        first: number of its first segment.
        end: number of the first segment behind it, or None for all that there are.
        version: of the program that wants it.
    """

    job: ExportJob
    fingerprint: str
    model: str
    start_s: float
    first: int = 0
    end: int | None = None
    version: str = __version__


@dataclass(frozen=True)
class MadeSegment:
    """A segment of one output.

    Args:
        name: of the output within the folder of the export.
        number: of the segment.
        record: what its file does not keep.
        data: the file.
    """

    name: str
    number: int
    record: SegmentRecord
    data: bytes


@dataclass(frozen=True)
class MadePiece:
    """What became of a piece.

    Args:
        segments: of all outputs that keep segments, those without a picture left out.
        last: of each segment that holds a picture, its number, how many there are in it, and the last one; that one's
            number for people and its ordinal are not known here.
        before: pts of the picture before the first, or None where the piece is the beginning.
        first_index: number of the first picture for people; right where the piece is the beginning.
        warnings: of the source and of the encoders, a line each.
        ran: what computed it, one line.
        node: name of the machine.
    """

    segments: tuple[MadeSegment, ...]
    last: tuple[tuple[int, int, Place], ...]
    before: int | None
    first_index: int
    warnings: tuple[str, ...]
    ran: str
    node: str

    @property
    def frames(self) -> int:
        return sum(count for _number, count, _place in self.last)


def part_names(job: ExportJob) -> tuple[str, ...]:
    """Names of what an export keeps in segments."""
    names = [str(number) for number, (_path, kind) in enumerate(job.outputs) if kind.keeps_parts]
    return (*names, MAPS) if len(names) < len(job.outputs) else tuple(names)


def make_piece(piece: Piece) -> MadePiece:
    """Make the segments, as an export that runs in one go would.

    Raises:
        ExportError: this machine has another version, source or model than the one that asks.
        UsageError, SourceError, ModelFileError, EngineError: the parts cannot be had.
    """
    node = socket.gethostname()
    if piece.version != __version__:
        raise ExportError(f"{node}: has seg_viewer {__version__}, not {piece.version}; install the same on all nodes")
    try:
        return _make(piece, node)
    except SegViewerError as error:
        text = str(error)
        raise ExportError(text if text.startswith(f"{node}: ") else f"{node}: {text}") from error


def _make(piece: Piece, node: str) -> MadePiece:
    with ExitStack() as stack:
        spec = piece.job.options.read_spec()
        if spec.sha256 != piece.model:
            raise ExportError(f"{node}: {spec.path} is another model there; give all nodes the same file")
        source = open_source(piece.job.source, piece.job.stream, hardware=piece.job.options.hardware)
        stack.callback(source.close)
        if source.info.fingerprint != piece.fingerprint:
            raise ExportError(
                f"{node}: {piece.job.source} is another file there; all nodes have to see the sources under the same "
                "paths, on a file system that they share"
            )
        folder = _folder()
        stack.callback(folder.remove)
        job = _inside(piece.job, folder.path)
        part = _Part(source, piece, job)
        sinks: list[tuple[str, Sink[Shot]]] = []
        names = part_names(job)
        for name in names:
            for number in range(piece.first):  # as if those before were there
                SegmentRecord().write(_files(folder.path, name).record(number))
        for kind, request in requests(job, spec, source.info, folder, piece.start_s):
            if kind.keeps_parts:
                sinks.append((request.part_name, kind.make(request)))
        if MAPS in names:
            sinks.append((MAPS, MapKeeper(folder.path, piece.start_s)))
        ran = _write(part, job, spec, [sink for _name, sink in sinks])
        segments = [segment for name, _sink in sinks for segment in _read(folder.path, name, piece.first)]
        last = tuple((number, count, place) for number, (count, place) in part.last.items())
        told = (*source.warnings, *(note for _name, sink in sinks for note in sink.notes))
        return MadePiece(tuple(segments), last, part.before, part.first_index, told, ran, node)


def _write(part: _Part, job: ExportJob, spec: ModelSpec, sinks: list[Sink[Shot]]) -> str:
    """Returns what computed it."""
    try:
        segmenter = job.with_steady(job.options.segmenter(spec), part.start_s)
        with Pipeline(part, segmenter, policy=Policy.EVERY_FRAME) as pipeline:
            for shot in pipeline:
                for sink in sinks:
                    sink.write(shot)
            report = pipeline.engine_report
        for sink in sinks:
            sink.pause()
    except BaseException:
        for sink in sinks:
            sink.abandon()
        raise
    return " · ".join(filter(None, [report.line(), report.fallback])) if report else ""


def _files(folder: Path, name: str) -> SegmentFiles:
    return map_files(folder) if name == MAPS else SegmentFiles(folder, name)


def _read(folder: Path, name: str, first: int) -> Iterator[MadeSegment]:
    files = _files(folder, name)
    for number, record in enumerate(files.whole()):
        if number >= first and record.frames:
            yield MadeSegment(name, number, record, files.data(number).read_bytes())


def _folder() -> PartFolder:
    """For what is under way. What a worker left behind that was killed is removed."""
    place = Path(tempfile.gettempdir()) / "seg-viewer-piece"
    for path in folders_left_behind(place):
        left = PartFolder.adopt(path)
        if left is not None:
            left.remove()
    return PartFolder(place)


def _inside(job: ExportJob, folder: Path) -> ExportJob:
    """The same with its outputs in that folder: none of them is made here, only segments."""
    names = job.out if isinstance(job.out, tuple) else (job.out,)
    moved = []
    for number, name in enumerate(names):
        (folder / f"out{number}").mkdir()
        slash = "/" if str(name).endswith(("/", os.sep)) else ""
        moved.append(f"{folder / f'out{number}' / Path(name).name}{slash}")
    return replace(job, out=tuple(moved))


class _Part:
    """The pictures of a piece.

    Args:
        source: of the export; closed together with this one.
        piece: which.
        job: the export.

    Attributes:
        before: pts of the last picture before it.
        first_index: number of its first one.
        last: number of each segment → how many pictures, and the last one's place.
        start_s: that of the piece.
    """

    def __init__(self, source: Source, piece: Piece, job: ExportJob) -> None:
        selection = job.selection
        if piece.first:
            # a tick early, so that the picture before the first is seen too
            early_s = float(source.info.time_base or 0) + 2e-6
            start_s = piece.start_s + piece.first * SEGMENT_S - early_s
            selection = Selection(Moment(time_s=max(0.0, start_s)), selection.end)
        self._between = Between(source, selection, change=one_size(job, source.info))
        self._piece = piece
        self.start_s = piece.start_s
        self.info, self.warnings = source.info, source.warnings
        self.before: int | None = None
        self.first_index = 0
        self.last: dict[int, tuple[int, Place]] = {}

    def seek(self, time_s: float) -> None:
        self._between.seek(time_s)

    def close(self) -> None:
        self._between.close()

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._between:
            number = segment_at(frame.time_s - self._piece.start_s)
            if number < self._piece.first:
                self.before = frame.id.pts
                continue
            if self._piece.end is not None and number >= self._piece.end:
                return
            if not self.last:
                self.first_index = frame.index
            count = self.last[number][0] if number in self.last else 0
            self.last[number] = (count + 1, Place(frame.id.pts, frame.time_s, frame.index, 0))
            yield frame
