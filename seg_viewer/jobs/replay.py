"""Class maps kept while an export runs, so that one that goes on can show its sinks what was done already."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import ByteArray, Frame, Picture, Shot, YuvPlanes
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import explain
from seg_viewer.media.segments import SegmentFiles, SegmentRecord, segment_at
from seg_viewer.sinks.base import Sink
from seg_viewer.sources.base import Source

NAME = "maps"
"""Of these segments within the folder of an export."""


def map_files(folder: Path) -> SegmentFiles:
    """Where they are within it."""
    return SegmentFiles(folder, NAME, ".bin")


class MapKeeper(Sink[Shot]):
    """Writes the class map and the times of each shot, a file for each segment.

    Args:
        folder: of the export.
        start_s: the source's time at which segment 0 begins, seconds.
    """

    def __init__(self, folder: Path, start_s: float) -> None:
        self._files = map_files(folder)
        self._start_s = start_s
        self._next = len(self._files.whole())
        self._rows: list[bytes] = []
        self._number = self._next
        self._files.forget_from(self._next)

    def write(self, shot: Shot) -> None:
        number = segment_at(shot.frame.time_s - self._start_s)
        if number > self._number:
            self._store()
            while self._next < number:
                SegmentRecord().write(self._files.record(self._next))
                self._next += 1
            self._number = number
        self._rows.append(_packed(shot))

    def pause(self) -> None:
        self._store()

    def finish(self) -> None:
        """Nothing: once the whole is there, nobody goes on with it."""
        self._rows.clear()

    def abandon(self) -> None:
        self._rows.clear()

    def _store(self) -> None:
        if not self._rows:
            return
        try:
            self._files.data(self._number).write_bytes(b"".join(self._rows))
        except OSError as error:
            raise ExportError(explain(self._files.data(self._number), error)) from error
        SegmentRecord(frames=len(self._rows)).write(self._files.record(self._number))
        self._rows.clear()
        self._next = self._number + 1


class LatePicture:
    """The picture of a frame, decoded when somebody asks for it.

    Args:
        find: decodes the frame at a time.
        time_s: of the frame.
        width, height: of the picture.
    """

    def __init__(self, find: Callable[[float], Picture], time_s: float, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._find = find
        self._time_s = time_s

    def rgb(self) -> ByteArray:
        return self._find(self._time_s).rgb()

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        return self._find(self._time_s).scaled_rgb(width, height)

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        return self._find(self._time_s).scaled_bgra(width, height)

    def yuv420(self) -> YuvPlanes:
        return self._find(self._time_s).yuv420()


class PictureFinder:
    """Finds pictures of a source by time; the last one is kept.

    Args:
        open_source: opens it, when the first picture is asked for.
        change: what becomes of each picture, or None.
    """

    def __init__(self, open_source: Callable[[], Source], change: Callable[[Frame], Picture] | None) -> None:
        self._open = open_source
        self._change = change
        self._source: Source | None = None
        self._last: tuple[float, Picture] | None = None

    def __call__(self, time_s: float) -> Picture:
        if self._last is None or self._last[0] != time_s:
            self._source = self._source or self._open()
            self._source.seek(time_s)
            frame = next(iter(self._source))
            self._last = (time_s, frame.picture if self._change is None else self._change(frame))
        return self._last[1]

    def close(self) -> None:
        """Close the source; again is fine."""
        source, self._source = self._source, None
        if source is not None:
            source.close()


def replay(
    folder: Path, segments: int, labels: LabelSet, model: str, fingerprint: str, find: Callable[[float], Picture]
) -> Iterator[Shot]:
    """The shots of the first segments again, in order.

    Args:
        folder: of the export.
        segments: how many.
        labels: what the ids mean.
        model: hash of the model file.
        fingerprint: of the source.
        find: decodes the picture at a time.

    Raises: ExportError when what was kept is damaged.
    """
    files = map_files(folder)
    for number in range(segments):
        path = files.data(number)
        if not path.is_file():
            continue
        try:
            data = path.read_bytes()
            position = 0
            while position < len(data):
                fields, ids, position = _unpacked(data, position)
                picture = LatePicture(find, fields["time_s"], *fields["size"])
                frame = Frame(
                    fields["index"], fields["time_s"], picture, pts=fields["pts"], source=fingerprint,
                    duration_s=fields["duration_s"],
                )  # fmt: skip
                yield Shot(frame, (ClassMap(ids, labels, model),), fields["times_s"])
        except (OSError, ValueError, KeyError, zlib.error) as error:
            raise ExportError(f"{path}: is damaged ({error}); export without --resume") from error


def renumbered(data: bytes, shift: int) -> bytes:
    """A segment's maps, the numbers of their frames larger by `shift`."""
    made: list[bytes] = []
    position = 0
    while position < len(data):
        start, middle, end = _borders(data, position)
        fields = json.loads(data[start:middle])
        made.append(_joined(fields | {"index": fields["index"] + shift}, data[middle:end]))
        position = end
    return b"".join(made)


def _packed(shot: Shot) -> bytes:
    """Length-prefixed: facts as JSON, then the map as lengths and values of its runs."""
    frame, ids = shot.frame, shot.classes
    flat = ids.ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1)).astype(np.uint32)
    runs = np.diff(starts, append=np.uint32(flat.size)).astype(np.uint32)
    body = zlib.compress(runs.tobytes() + flat[starts].tobytes(), 1)
    fields = {
        "index": frame.index, "time_s": frame.time_s, "pts": frame.id.pts, "duration_s": frame.duration_s,
        "size": [frame.picture.width, frame.picture.height], "shape": list(ids.shape), "runs": len(starts),
        "times_s": dict(shot.times_s),
    }  # fmt: skip
    return _joined(fields, body)


def _joined(fields: dict[str, Any], body: bytes) -> bytes:
    head = json.dumps(fields).encode()
    return len(head).to_bytes(4, "little") + len(body).to_bytes(4, "little") + head + body


def _unpacked(data: bytes, position: int) -> tuple[dict[str, Any], ByteArray, int]:
    start, middle, end = _borders(data, position)
    fields = json.loads(data[start:middle])
    raw = zlib.decompress(data[middle:end])
    count = fields["runs"]
    runs = np.frombuffer(raw, np.uint32, count)
    ids = np.repeat(np.frombuffer(raw, np.uint8, count, 4 * count), runs).reshape(fields["shape"])
    return fields, ids, end


def _borders(data: bytes, position: int) -> tuple[int, int, int]:
    """Where the facts of a record begin, where its map does, and where it ends."""
    lengths = [int.from_bytes(data[position + at : position + at + 4], "little") for at in (0, 4)]
    middle = position + 8 + lengths[0]
    return position + 8, middle, middle + lengths[1]
