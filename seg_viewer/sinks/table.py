"""A row for each frame: times, share and pixels of each class, cars and people, how long each stage took."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from seg_viewer.core.errors import UsageError
from seg_viewer.core.frame import Shot
from seg_viewer.core.frame_stats import countable_names
from seg_viewer.core.installing import extra
from seg_viewer.core.labels import LabelSet
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.whole import FileSink

STAGES = ("decode", "convert", "inference", "latency")
"""Stage times that a shot brings; what blends and encodes are the other outputs."""

_ROWS_A_GROUP = 4096
_DECIMALS = {"seconds": 6, "share": 6, "ms": 3}


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: its head.
        kind: "integer", "seconds", "share" (0…1) or "ms".
    """

    name: str
    kind: Literal["integer", "seconds", "share", "ms"]


def columns(labels: LabelSet) -> list[Column]:
    """All columns, in order; `row` gives the values."""
    words = _words(labels)
    return [
        Column("frame", "integer"),
        Column("pts", "integer"),
        Column("time_s", "seconds"),
        Column("duration_s", "seconds"),
        *(Column(f"share_{words[name]}", "share") for name in labels.names),
        *(Column(f"pixels_{words[name]}", "integer") for name in labels.names),
        *(Column(f"count_{words[name]}", "integer") for name in countable_names(labels)),
        *(Column(f"{stage}_ms", "ms") for stage in STAGES),
    ]


def row(shot: Shot) -> list[int | float | None]:
    """The values of a shot; None where the source or the pipeline does not say."""
    stats, frame = shot.stats, shot.frame
    times = [shot.times_s.get(stage) for stage in STAGES]
    return [
        frame.index,
        frame.id.pts,
        frame.time_s,
        frame.duration_s,
        *stats.shares.values(),
        *stats.pixels.values(),
        *stats.counts.values(),
        *(None if seconds is None else 1000 * seconds for seconds in times),
    ]


def _words(labels: LabelSet) -> dict[str, str]:
    """Class name → word for the head of a column: letters, digits and underscores; no two the same."""
    words: dict[str, str] = {}
    for label in labels:
        word = re.sub(r"\W+", "_", label.name).strip("_") or str(label.id)
        words[label.name] = f"{word}_{label.id}" if word in words.values() else word
    return words


class CsvTable(FileSink):
    """Comma-separated, with a head; UTF-8; what is not known is empty.

    Args:
        request: of which `path`, `overwrite` and `labels` count.

    Raises:
        ExportError: it cannot be written.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        self._columns = columns(request.labels)
        with self._explained():
            self._file = self.part.open("w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._writer.writerow([column.name for column in self._columns])

    def _add(self, shot: Shot) -> None:
        pairs = zip(self._columns, row(shot), strict=True)
        self._writer.writerow([_text(column, value) for column, value in pairs])

    def _complete(self) -> None:
        self._file.close()

    def _drop(self) -> None:
        with suppress(OSError):  # the disk is full: why is known
            self._file.close()


def _text(column: Column, value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if column.kind == "integer" else f"{value:.{_DECIMALS[column.kind]}f}"


class ParquetTable(FileSink):
    """The same columns with types, in row groups; what was known of source and model is in the schema's metadata.

    Args:
        request: of which `path`, `overwrite`, `labels`, `name` and `about` count.

    Raises:
        UsageError: pyarrow is missing. ExportError: it cannot be written.
    """

    def __init__(self, request: SinkRequest) -> None:
        pa, pq = _pyarrow(request)
        super().__init__(request)
        self._pa = pa
        kinds = {"integer": pa.int64(), "seconds": pa.float64(), "share": pa.float64(), "ms": pa.float32()}
        about = {"source": request.name, **request.about}
        self._schema = pa.schema(
            [(column.name, kinds[column.kind]) for column in columns(request.labels)],
            metadata={f"seg_viewer.{key}": text for key, text in about.items()},
        )
        self._rows: list[Sequence[Any]] = []
        with self._explained():
            self._file = self.part.open("wb")
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")

    def _add(self, shot: Shot) -> None:
        self._rows.append(row(shot))
        if len(self._rows) >= _ROWS_A_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        values = zip(*self._rows, strict=True)
        arrays = [self._pa.array(column, field.type) for column, field in zip(values, self._schema, strict=True)]
        self._rows.clear()
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def _complete(self) -> None:
        if self._rows:
            self._write_group()
        self._writer.close()
        self._file.close()

    def _drop(self) -> None:
        with suppress(OSError):
            self._writer.close()
        with suppress(OSError):
            self._file.close()


def _plan(request: SinkRequest) -> tuple[str, ...]:
    if _is_parquet(request):
        _pyarrow(request)
    return ()


def _make(request: SinkRequest) -> Sink[Shot]:
    return ParquetTable(request) if _is_parquet(request) else CsvTable(request)


def _is_parquet(request: SinkRequest) -> bool:
    return request.path.suffix.lower() == ".parquet"


def _pyarrow(request: SinkRequest) -> tuple[Any, Any]:
    """The package and its module for Parquet. Raises: UsageError where there is none."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        text = f"{request.path}: Parquet needs pyarrow; write a .csv, or {extra('parquet')}"
        raise UsageError(text) from error
    return pyarrow, pyarrow.parquet


SINK = SinkKind(
    "table",
    (".csv", ".parquet"),
    "a row for each frame: times, share and pixels of each class, cars and people, stage times",
    _make,
    plan=_plan,
)
