"""Looks at a video ahead of its playing, beside it, and without being in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.class_table import COARSE, ClassTable
from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines import Engine
from seg_viewer.engines.base import EngineReport
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import open_source
from seg_viewer.sources.base import Source

EVERY_FRAME_UP_TO_S = 600.0
"""Of shorter videos every frame is looked at, so that nothing is left to compute; of longer ones one in `STEP_S`."""
STEP_S = 0.2
_LOOK_AGAIN_S = 0.02
_WORTH_A_JUMP_S = 2.0
_log = logging.getLogger(__name__)


def _nothing(_shot: Shot, _engine: EngineReport) -> None: ...


def _never() -> bool:
    return False


class Analysis:
    """Fills the gaps of a table on a thread of its own, coarse to fine; has its own decoder and its own engine.

    The engine works on one core, one frame at a time, and only when `may_work` says so. The thread has the priority of
    all others: on a busy machine one of a lower priority would be stopped while it holds Python's lock, and hold up
    those that play. First come `COARSE` moments all over the video, then the rest in order.

    Args:
        source: what `open_source` takes.
        options: engine and device; the model is that of `spec`.
        spec: of the model.
        table: what is known; this only reads it.
        on_shot: called on the thread with each frame and its class map, and what computed it; adds to the table.
        may_work: asked before each frame and, while it says no, 50 times a second.
    """

    def __init__(
        self,
        source: str,
        options: RunOptions,
        spec: ModelSpec,
        table: ClassTable,
        on_shot: Callable[[Shot, EngineReport], None],
        may_work: Callable[[], bool],
    ) -> None:
        self.problem = ""
        """Why it ended before it was done, one line."""
        self.done = False
        """Nothing is left to look at."""
        self.computed = 0
        """Frames that it has looked at."""
        self._source, self._options, self._spec = source, options, spec
        self._table, self._on_shot, self._may_work = table, on_shot, may_work
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Once; again is fine."""
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, name="seg-analysis", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask it to end; it does so within one frame."""
        self._stop.set()
        if self._thread is None:
            self._let_go()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _let_go(self) -> None:
        """Of whom it works for, who knows it too: that cycle would stay until a collector comes."""
        self._on_shot, self._may_work = _nothing, _never

    def _run(self) -> None:
        try:
            self._work()
        except SegViewerError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a decoder or a runtime raises, what plays goes on
            _log.error("the analysis stopped\n%s", redacted_traceback(error))
            self.problem = f"{self._source}: the analysis stopped: {type(error).__name__}: {error}"
        finally:
            self._let_go()

    def _work(self) -> None:
        if not self._may_go_on():
            return
        with closing(open_source(self._source)) as source:
            engine: Engine | None = None
            try:
                for frame in self._wanted(source):
                    if engine is None:
                        engine = self._options.load(
                            self._spec, "background", lambda _what, _share: not self._stop.is_set()
                        )
                    ids = engine.segment(frame.picture.scaled_rgb(self._spec.width, self._spec.height))
                    self.computed += 1
                    found = ClassMap(ids, self._spec.labels, self._spec.sha256)
                    self._on_shot(Shot(frame, (found,)), engine.report)
            finally:
                if engine is not None:
                    engine.close()
        self.done = not self._stop.is_set()

    def _may_go_on(self) -> bool:
        """Waits until it may work; False when it is to end."""
        while not self._stop.is_set():
            if self._may_work():
                return True
            self._stop.wait(_LOOK_AGAIN_S)
        return False

    def _wanted(self, source: Source) -> Iterator[Frame]:
        """Frames that the table lacks."""
        table = self._table
        if table.length_s > 4 * COARSE * table.interval_s:
            yield from self._coarse(source)
        every = table.length_s <= EVERY_FRAME_UP_TO_S
        within_s = 0.0 if every else 0.75 * STEP_S
        longest_s = 1.5 * table.interval_s if every else 1.5 * STEP_S + table.interval_s
        place_s: float | None = 0.0
        while place_s is not None and (place_s := table.next_gap(place_s, longest_s)) is not None:
            place_s = yield from self._from(source, place_s, within_s, longest_s)

    def _coarse(self, source: Source) -> Iterator[Frame]:
        part_s = self._table.length_s / COARSE
        for number in scattered(COARSE):
            time_s = (number + 0.5) * part_s
            if self._table.is_known(time_s, part_s / 2):
                continue
            if not self._may_go_on():
                return
            source.seek(time_s)
            frame = next(iter(source), None)
            if frame is not None and not self._table.has(frame.id.pts):
                yield frame

    def _from(
        self, source: Source, start_s: float, within_s: float, longest_s: float
    ) -> Generator[Frame, None, float | None]:
        """Missing frames in order. Returns from where to look for the next gap once one is far; None at the end."""
        table = self._table
        source.seek(start_s)
        frames = iter(source)
        while self._may_go_on():
            frame = next(frames, None)
            if frame is None:
                return None
            is_known = table.is_known(frame.time_s, within_s) if within_s else table.has(frame.id.pts)
            if not is_known:
                yield frame
                continue
            gap_s = table.next_gap(frame.time_s, longest_s)
            if gap_s is None or gap_s > frame.time_s + _WORTH_A_JUMP_S:
                return gap_s
        return None


def scattered(count: int) -> list[int]:
    """0 … count − 1, each far from those before it; `count`: a power of two.

    Van der Corput's sequence: the binary digits of 0, 1, 2, … in reverse.
    """
    bits = count.bit_length() - 1
    return [int(f"{number:0{bits}b}"[::-1], 2) for number in range(count)]
