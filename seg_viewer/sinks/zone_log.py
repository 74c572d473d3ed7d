"""What enters a zone and leaves it, as a log that is whole after each line: CSV, or JSON lines."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import check_new, explain
from seg_viewer.core.zone import NO_SAFETY, Crossing, Zone, ZoneWatch
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.whole import FileSink

SUFFIXES = (".csv", ".jsonl")
COLUMNS = (
    "event", "class", "time", "clock", "media_s", "frame", "share", "pixels", "most_share", "duration_s",
)  # fmt: skip
"""In this order; `time` is ISO 8601 with its offset, empty for what is not live; shares are of the zone, 0…1."""


def check_log(path: Path) -> None:
    """Raises: UsageError, ExportError for a log that cannot be made."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a log of the zone ends in {' or '.join(SUFFIXES)}; choose such a name")
    check_new(path)


def head(path: Path, source: str, zone: Zone) -> str:
    """What a log begins with.

    Args:
        path: its end says which kind it is.
        source: for people, without credentials.
        zone: that is watched.
    """
    if path.suffix.lower() == ".jsonl":
        about = {"event": "about", "source": source, "zone": str(zone), "note": NO_SAFETY}
        return json.dumps(about, ensure_ascii=False) + "\n"
    plain = " ".join(source.split())
    return f"# ego zone of {plain}, corners {zone}; {NO_SAFETY}\n{','.join(COLUMNS)}\n"


def line(path: Path, crossing: Crossing) -> str:
    """One event, as the kind of the log has it."""
    values: list[Any] = [
        crossing.event,
        crossing.name,
        "" if crossing.taken is None else crossing.taken.isoformat(timespec="milliseconds"),
        crossing.clock,
        round(crossing.time_s, 3),
        crossing.frame,
        round(crossing.share, 6),
        crossing.pixels,
        round(crossing.most_share, 6),
        None if crossing.duration_s is None else round(crossing.duration_s, 3),
    ]
    if path.suffix.lower() == ".jsonl":
        return json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False) + "\n"
    row: list[str] = []
    csv.writer(_Rows(row), lineterminator="\n").writerow(["" if value is None else value for value in values])
    return row[0]


class _Rows:
    """What `csv.writer` writes to."""

    def __init__(self, rows: list[str]) -> None:
        self._rows = rows

    def write(self, text: str) -> None:
        self._rows.append(text)


class ZoneLog(Sink[Crossing]):
    """A log that grows: each line is in the file once it is written, whatever ends the program.

    Args:
        path: of a file to make, with its first line.
        source, zone: see `head`.

    Raises:
        UsageError: the name says no kind, or there is such a file. ExportError: it cannot be written.
    """

    def __init__(self, path: Path, source: str, zone: Zone) -> None:
        check_log(path)
        self.path = path
        self._file: TextIO | None = None
        try:
            self._file = path.open("x", encoding="utf-8", newline="")
            self._put(head(path, source, zone))
        except OSError as error:
            raise ExportError(explain(path, error)) from error
        self.files = (path,)

    def write(self, item: Crossing) -> None:
        """Raises: ExportError."""
        try:
            self._put(line(self.path, item))
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error

    def _put(self, text: str) -> None:
        if self._file is not None:
            self._check_is_there(self._file)
            self._file.write(text)
            self._file.flush()

    def _check_is_there(self, file: TextIO) -> None:
        """Raises: ExportError where what is written comes into no file that anybody could open."""
        if not os.fstat(file.fileno()).st_nlink:
            raise ExportError(f"{self.path}: was removed while it was written; what comes now is in no file")

    def finish(self) -> None:
        file, self._file = self._file, None
        try:
            if file is not None:
                with file:
                    self._check_is_there(file)
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error

    def abandon(self) -> None:
        """The lines that are there are whole and stay."""
        self.finish()


class ZoneEvents(Sink[Shot]):
    """Watches a zone in the shots that come, and logs what enters and leaves it.

    Args:
        log: where events go; finished with this.
        zone: that is watched.
        live: pictures have a date.
    """

    def __init__(self, log: Sink[Crossing], zone: Zone, *, live: bool) -> None:
        self._log, self._zone, self._live = log, zone, live
        self._labels: LabelSet | None = None
        self._watch: ZoneWatch | None = None

    def write(self, item: Shot) -> None:
        """Raises: ExportError."""
        found: Sequence[Crossing] = ()
        if self._watch is None or self._labels is not item.labels:
            found = self._watch.end() if self._watch is not None else ()
            self._watch, self._labels = ZoneWatch(self._zone, item.labels, live=self._live), item.labels
        for crossing in (*found, *self._watch.look(item.classes, item.frame)):
            self._log.write(crossing)

    def finish(self) -> None:
        try:
            for crossing in self._watch.end() if self._watch is not None else ():
                self._log.write(crossing)
        finally:
            self._log.finish()
        self.files = self._log.files

    def abandon(self) -> None:
        self._log.abandon()


class _ZoneFile(FileSink):
    """Of an export: the file has its name once it is whole."""

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        with self._explained():
            self._file = self.part.open("w", encoding="utf-8", newline="")
            self._file.write(head(request.path, request.name, request.zone))
        self._events = ZoneEvents(_Lines(self._file, request.path), request.zone, live=False)

    def _add(self, shot: Shot) -> None:
        self._events.write(shot)

    def _complete(self) -> None:
        self._events.finish()
        self._file.close()

    def _drop(self) -> None:
        with suppress(OSError):  # the disk is full: why is known
            self._file.close()


class _Lines(Sink[Crossing]):
    """The lines of a file that somebody else makes."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file, self._path = file, path

    def write(self, item: Crossing) -> None:
        self._file.write(line(self._path, item))

    def finish(self) -> None:
        """It is closed by whoever opened it."""

    def abandon(self) -> None:
        """Likewise."""


SINK = SinkKind(
    "zone",
    (".zone.csv", ".zone.jsonl"),
    "what enters the ego zone and leaves it: class, time, share, how long",
    _ZoneFile,
    heeds_zone=True,
)
