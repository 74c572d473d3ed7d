"""Class maps against their ground truth while they play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.scores import LiveScore, Score, truth_for
from seg_viewer.sinks.truth_csv import TruthCsv


class Comparison:
    """Scores shots that bring their ground truth, on the thread that plays; read from any.

    Scores are of one model: another one begins anew, and ends the table.

    Args:
        table: a file for the scores of every frame, or None.
        on_problem: called, on the thread that plays, with one line when a table that ended is not where it should be.
    """

    def __init__(self, table: Path | None = None, on_problem: Callable[[str], None] = lambda _text: None) -> None:
        self.table = table
        """Where scores are written to; None once it has ended."""
        self._on_problem = on_problem
        self._model: str | None = None
        self._live_score: LiveScore | None = None
        self._csv: TruthCsv | None = None

    def __enter__(self) -> Comparison:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_table()

    @property
    def score(self) -> Score | None:
        """Of the latest frames; None where none brought its truth."""
        return self._live_score.score() if self._live_score is not None else None

    def look(self, shot: Shot) -> ByteArray | None:
        """Count a shot. Returns its truth at the size of the class map; None where it brings none.

        Raises: ExportError when the table cannot be written.
        """
        if shot.frame.truth is None:
            return None
        if self._live_score is None or self._model != shot.maps[0].model:
            if self._live_score is not None:
                self._end_table()
            self._model, self._live_score = shot.maps[0].model, LiveScore(shot.labels)
        height, width = shot.classes.shape
        truth = truth_for(shot.frame.truth, shot.labels, width, height)
        self._live_score.add(shot.classes, truth)
        if self.table is not None:
            if self._csv is None:
                self._csv = TruthCsv(self.table, shot.labels)
            self._csv.write(shot)
        return truth

    def _end_table(self) -> None:
        csv, self._csv = self._csv, None
        self.table = None
        if csv is not None:
            try:
                csv.finish()
            except ExportError as error:
                self._on_problem(str(error))
