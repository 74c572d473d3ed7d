"""Class maps against their ground truth while they play."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from seg_viewer.core.errors import ExportError, SegViewerError, UsageError
from seg_viewer.core.frame import ByteArray, Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.scores import LiveScore, Score, truth_for
from seg_viewer.sinks.base import Sink, SinkRequest
from seg_viewer.sinks.truth_csv import TruthCsv
from seg_viewer.sinks.truth_report import TruthReport


class Comparison:
    """Scores shots that bring their ground truth, on the thread that plays; read from any.

    Scores are of one model: another one begins anew, and ends the files.

    Args:
        files: for the scores of every frame, each a table, or a report where it ends in .html.
        on_problem: called, on the thread that plays, with one line when a file that ended is not where it should be.
    """

    def __init__(self, files: Sequence[Path] = (), on_problem: Callable[[str], None] = lambda _text: None) -> None:
        self.files = tuple(files)
        """Where scores are written to; none once they have ended."""
        self.name = ""
        """Of the source, for a report."""
        self.about: Mapping[str, str] = {}
        """What a report says of how it was made."""
        self._on_problem = on_problem
        self._model: str | None = None
        self._live_score: LiveScore | None = None
        self._sinks: dict[Path, Sink[Shot]] = {}

    def __enter__(self) -> Comparison:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_files()

    @property
    def score(self) -> Score | None:
        """Of the latest frames; None where none brought its truth."""
        return self._live_score.score() if self._live_score is not None else None

    def look(self, shot: Shot) -> ByteArray | None:
        """Count a shot. Returns its truth at the size of the class map; None where it brings none.

        A file that cannot be written is told once, and all else goes on.
        """
        if shot.frame.truth is None:
            return None
        if self._live_score is None or self._model != shot.maps[0].model:
            if self._live_score is not None:
                self._end_files()
            self._model, self._live_score = shot.maps[0].model, LiveScore(shot.labels)
        height, width = shot.classes.shape
        truth = truth_for(shot.frame.truth, shot.labels, width, height)
        self._live_score.add(shot.classes, truth)
        for path in self.files:
            try:
                if path not in self._sinks:
                    self._sinks[path] = self._sink(path, shot.labels)
                self._sinks[path].write(shot)
            except (ExportError, UsageError) as error:
                self._give_up(path, error)
        return truth

    def _give_up(self, path: Path, error: SegViewerError) -> None:
        """What is in it so far is kept, as far as that can be."""
        self.files = tuple(other for other in self.files if other != path)
        self._on_problem(f"{error}; playing goes on without {path.name}")
        sink = self._sinks.pop(path, None)
        if sink is not None:
            with suppress(ExportError):  # of the same disk
                sink.abandon()

    def _sink(self, path: Path, labels: LabelSet) -> Sink[Shot]:
        if path.suffix.lower() == ".html":
            return TruthReport(SinkRequest(path, labels, name=self.name, about=self.about))
        return TruthCsv(path, labels)

    def _end_files(self) -> None:
        sinks, self._sinks, self.files = self._sinks, {}, ()
        for sink in sinks.values():
            try:
                sink.finish()
            except ExportError as error:
                self._on_problem(str(error))
            for note in sink.notes:
                self._on_problem(note)
