"""Scores against the ground truth, frame by frame, as a table."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from seg_viewer.core.errors import ExportError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import check_target, explain, part_file
from seg_viewer.core.scores import Score


class TruthCsv:
    """A line for each frame: number, time, mIoU, accuracy, IoU of each class (empty where it does not occur).

    Use it as a context manager. The file appears under its name at the end, however that comes about, and holds whole
    lines; without a single frame there is no file.

    Args:
        path: of a file to make.
        labels: the classes.

    Raises:
        UsageError: it exists, or its folder does not. ExportError: it cannot be written.
    """

    def __init__(self, path: Path, labels: LabelSet) -> None:
        check_target(path, overwrite=False)
        self.path = path
        self.rows = 0
        self._labels = labels
        self._stack = ExitStack()
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> TruthCsv:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write(self, index: int, time_s: float, score: Score) -> None:
        """Raises: ExportError."""
        try:
            if self._file is None:
                self._begin()
            iou = [_share(score.iou.get(name)) for name in self._labels.names]
            self._writer.writerow([index, f"{time_s:.4f}", _share(score.miou), _share(score.accuracy), *iou])
            self.rows += 1
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error

    def _begin(self) -> None:
        part = self._stack.enter_context(part_file(self.path))
        self._file = self._stack.enter_context(part.open("w", newline="", encoding="utf-8"))
        self._writer = csv.writer(self._file)
        names = [f"iou_{name}" for name in self._labels.names]
        self._writer.writerow(["frame", "time_s", "miou", "accuracy", *names])


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
