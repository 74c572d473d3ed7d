"""Scores against the ground truth, frame by frame, as a table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import PartFile, check_target, explain, remove_left_behind, sync
from seg_viewer.core.scores import LiveScore, truth_for
from seg_viewer.sinks.base import Sink


class TruthCsv(Sink[Shot]):
    """A line for each frame: number, time, mIoU, accuracy, IoU of each class (empty where it does not occur).

    The file appears under its name at the end, however that comes about, and holds whole lines; without a single frame
    that brings its truth there is no file.

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
        self._score = LiveScore(labels, window=1)
        self._part: PartFile | None = None
        self._file: TextIO | None = None
        self._writer: Any = None

    def write(self, item: Shot) -> None:
        """Add a line, unless the shot brings no truth. Raises: ExportError."""
        frame = item.frame
        if frame.truth is None:
            return
        height, width = item.classes.shape
        score = self._score.add(item.classes, truth_for(frame.truth, self._labels, width, height))
        try:
            if self._file is None:
                self._begin()
            iou = [_share(score.iou.get(name)) for name in self._labels.names]
            self._writer.writerow(
                [frame.index, f"{frame.time_s:.4f}", _share(score.miou), _share(score.accuracy), *iou]
            )
            self.rows += 1
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error

    def finish(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        try:
            if self._file is None:
                return
            self._file.close()
            sync(part.part)
            made = part.commit()
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error
        finally:
            part.discard()
        self.files = (made,)
        if made != self.path:
            raise ExportError(f"{self.path}: exists by now and was left alone; the scores are in {made}")

    def abandon(self) -> None:
        """As `finish`: the lines that are there are whole."""
        self.finish()

    def _begin(self) -> None:
        remove_left_behind(self.path)
        self._part = PartFile(self.path, overwrite=False, keep=True)
        self._file = self._part.part.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        names = [f"iou_{name}" for name in self._labels.names]
        self._writer.writerow(["frame", "time_s", "miou", "accuracy", *names])


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
