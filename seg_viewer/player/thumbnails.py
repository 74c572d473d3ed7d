"""Small pictures with their classes, of any time of a file, beside whatever plays: never in its way."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray, FrameId, Picture
from seg_viewer.core.heap import give_back
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.machine import step_back
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scaling import nearest
from seg_viewer.engines import Engine, load_engine
from seg_viewer.media.look_ups import LookUps
from seg_viewer.player.showing import size_to_show
from seg_viewer.sources import Source, SourceInfo, open_source

SIZE = (256, 160)
"""Columns and rows of a thumbnail at most, pixels."""
CAPACITY = 32 << 20
"""Bytes of thumbnails that are kept."""
IDLE_S = 30.0
"""How long file and engine are kept without a wish, seconds."""

_PLACES = 240
"""Into how many places a file is divided; each has one thumbnail."""
_SHORTEST_S = 0.2
_NICE = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a file.

    Args:
        time_s: when it is shown in the file, seconds.
        pixels: shape (h, w, 3), uint8, RGB; the sides of non-square pixels are allowed for.
        classes: its class map, shape (h, w), uint8; None while there is none.
        labels: what the ids in it mean; None likewise.
    """

    time_s: float
    pixels: ByteArray
    classes: ByteArray | None = None
    labels: LabelSet | None = None

    @property
    def nbytes(self) -> int:
        return self.pixels.nbytes + (self.classes.nbytes if self.classes is not None else 0)


@dataclass(frozen=True)
class _Film:
    """What thumbnails are of."""

    source: str
    info: SourceInfo
    spec: ModelSpec

    @property
    def key(self) -> tuple[str, str]:
        return self.info.fingerprint, self.spec.sha256

    def place(self, time_s: float) -> int:
        return round(time_s / self.step_s)

    @property
    def step_s(self) -> float:
        return max(_SHORTEST_S, (self.info.duration_s or 0.0) / _PLACES)


Maps = Callable[[FrameId, str], ByteArray | None]
"""Finds a class map that was computed before, by frame and hash of the model file; None where there is none."""


class Thumbnails:
    """Makes thumbnails on a thread of its own, at low priority, with a decoder and an engine of its own.

    Every method returns at once. Of several wishes only the newest is fulfilled.

    Args:
        on_ready: called, on its thread, when `best` of the time wished last is another.
        capacity: most bytes that are kept.
        maps: where class maps may be found that need not be computed.
        make_engine: makes an engine for a model, on its thread. Raises: SegViewerError.
        idle_s: file and engine are let go so many seconds after the last wish, whatever is opened meanwhile.
    """

    def __init__(
        self,
        on_ready: Callable[[], None],
        *,
        capacity: int = CAPACITY,
        maps: Maps = lambda _frame, _model: None,
        make_engine: Callable[[ModelSpec], Engine] = lambda spec: load_engine(spec, "openvino", "CPU", "background"),
        idle_s: float = IDLE_S,
    ) -> None:
        self._on_ready, self._capacity, self._maps, self._make_engine = on_ready, capacity, maps, make_engine
        self._changed = threading.Condition()
        self._film: _Film | None = None
        self._wish: tuple[_Film, float] | None = None
        self._stopping = False
        self._kept: OrderedDict[tuple[str, str, int], Thumbnail] = OrderedDict()  # by source, model and time in ms
        self._bytes = 0
        self._places: dict[tuple[str, str, int], int] = {}  # (source, model, place): time in ms
        self._thread: threading.Thread | None = None
        self._idle_s, self._used_s = idle_s, 0.0
        self._pictures: _Pictures | None = None
        self._pictures_of: _Film | None = None
        self._engine: Engine | None = None
        self._engine_of = ""  # hash of its model; also of one that cannot be loaded

    # -- from the window -------------------------------------------------------------------------------------------

    def open(self, source: str | None, info: SourceInfo | None, spec: ModelSpec | None) -> None:
        """What `best` and `want` are about from now on; None: nothing. Only what can be sought in has thumbnails."""
        with self._changed:
            there = source is not None and info is not None and spec is not None and info.can_seek and not info.live
            self._film = _Film(source, info, spec) if there and source and info and spec else None
            self._wish = None
            self._changed.notify_all()

    def best(self, time_s: float) -> Thumbnail | None:
        """What there is already of a time."""
        with self._changed:
            film = self._film
            if film is None:
                return None
            at_ms = self._places.get((*film.key, film.place(time_s)))
            found = self._kept.get((*film.key, at_ms)) if at_ms is not None else None
            if found is not None and at_ms is not None:
                self._kept.move_to_end((*film.key, at_ms))
            return found

    def want(self, time_s: float) -> None:
        """Make one of a time, seconds, unless there is one with its classes."""
        found = self.best(time_s)
        with self._changed:
            film = self._film
            if film is None or (found is not None and found.classes is not None):
                self._wish = None
                return
            self._wish = film, time_s
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="seg-thumbnails", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def forget(self) -> None:
        """Nobody waits for the wish any more."""
        with self._changed:
            self._wish = None

    @property
    def held_bytes(self) -> int:
        return self._bytes

    def close(self, timeout_s: float = 1.0) -> bool:
        """Stop; returns whether its thread has ended in time."""
        with self._changed:
            self._stopping, self._wish = True, None
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    # -- its own thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        step_back(_NICE)
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(self._has_work, self._left_s())
                    wish, film = self._wish, self._film
                    if self._stopping:
                        return
                if wish is not None:
                    self._fulfil(wish)
                    self._used_s = time.perf_counter()
                elif self._left_s() == 0.0:
                    self._release()  # nobody has wished for long: memory and file are let go
                elif film is not self._pictures_of:
                    self._close_pictures()
        finally:
            self._release()

    def _left_s(self) -> float | None:
        """Until file and engine are let go; None while there are none."""
        if not (self._engine or self._pictures):
            return None
        return max(0.0, self._used_s + self._idle_s - time.perf_counter())

    def _has_work(self) -> bool:
        left = self._pictures is not None and self._pictures_of is not self._film
        return self._stopping or self._wish is not None or left

    def _fulfil(self, wish: tuple[_Film, float]) -> None:
        film, time_s = wish
        try:
            for at_s, pts, picture in self._of(film).near(time_s, lambda: self._wish is wish):
                if self._wish is not wish:
                    return
                self._make(film, time_s, at_s, pts, picture)
        except SegViewerError:
            pass  # whoever plays the file says what is wrong with it
        except Exception as error:  # noqa: BLE001 - a thumbnail is never worth a crash
            _log.warning("no thumbnail\n%s", redacted_traceback(error))
        with self._changed:
            if self._wish is wish:
                self._wish = None

    def _make(self, film: _Film, time_s: float, at_s: float, pts: int | None, picture: Picture) -> None:
        at_ms = round(1000 * at_s)
        found = self._kept.get((*film.key, at_ms))
        if found is None:
            width, height = size_to_show(picture.width, picture.height, film.info.sample_aspect or Fraction(1), SIZE)
            found = Thumbnail(at_s, picture.scaled_rgb(width, height))
        self._keep(film, time_s, at_ms, found)
        if found.classes is not None:
            return
        frame = FrameId(film.info.fingerprint, pts) if pts is not None else None
        classes = self._maps(frame, film.spec.sha256) if frame is not None else None
        engine = self._engine_for(film.spec) if classes is None else None
        if engine is not None:
            classes = engine.segment(picture.scaled_rgb(film.spec.width, film.spec.height))
        if classes is not None:
            height, width = found.pixels.shape[:2]
            small = nearest(classes, width, height)
            self._keep(film, time_s, at_ms, replace(found, classes=small, labels=film.spec.labels))

    def _keep(self, film: _Film, time_s: float, at_ms: int, thumbnail: Thumbnail) -> None:
        with self._changed:
            key = (*film.key, at_ms)
            before = self._kept.pop(key, None)
            self._bytes += thumbnail.nbytes - (before.nbytes if before is not None else 0)
            self._kept[key] = thumbnail
            self._places[(*film.key, film.place(time_s))] = at_ms
            while self._bytes > self._capacity and len(self._kept) > 1:
                old, gone = self._kept.popitem(last=False)
                self._bytes -= gone.nbytes
                self._places = {
                    place: ms for place, ms in self._places.items() if (*place[:2], ms) != old
                }  # few hundred entries, once in a while
        if not self._stopping:
            self._on_ready()

    def _of(self, film: _Film) -> _Pictures:
        if self._pictures is None or self._pictures_of != film:
            self._close_pictures()
            self._pictures = _pictures(film)
            self._pictures_of = film
        return self._pictures

    def _engine_for(self, spec: ModelSpec) -> Engine | None:
        if self._engine_of != spec.sha256:
            self._close_engine()
            self._engine_of = spec.sha256
            try:
                self._engine = self._make_engine(spec)
            except SegViewerError as error:
                _log.info("thumbnails without classes: %s", error)
        return self._engine

    def _release(self) -> None:
        self._close_pictures()
        self._close_engine()

    def _close_pictures(self) -> None:
        pictures, self._pictures, self._pictures_of = self._pictures, None, None
        if pictures is not None:
            pictures.close()

    def _close_engine(self) -> None:
        engine, self._engine, self._engine_of = self._engine, None, ""
        if engine is not None:
            engine.close()
            give_back()


class _Pictures(Protocol):
    def near(self, time_s: float, goes_on: Callable[[], bool]) -> Iterator[tuple[float, int | None, Picture]]:
        """Pictures near a time, the best last: time in seconds, pts, picture."""
        ...

    def close(self) -> None: ...


class _OfFile:
    def __init__(self, film: _Film) -> None:
        assert film.info.path is not None
        self._look_ups = LookUps(film.info.path)

    def near(self, time_s: float, goes_on: Callable[[], bool]) -> Iterator[tuple[float, int | None, Picture]]:
        for look in self._look_ups.near(time_s, goes_on):
            yield look.time_s, look.pts, look.picture

    def close(self) -> None:
        self._look_ups.close()


class _OfSource:
    """Folders of pictures and the like, where each picture stands for itself."""

    def __init__(self, film: _Film) -> None:
        self._source: Source = open_source(film.source)

    def near(self, time_s: float, goes_on: Callable[[], bool]) -> Iterator[tuple[float, int | None, Picture]]:
        self._source.seek(time_s)
        frame = next(iter(self._source), None)
        if frame is not None and goes_on():
            yield frame.time_s, frame.id.pts, frame.picture

    def close(self) -> None:
        self._source.close()


def _pictures(film: _Film) -> _Pictures:
    is_video = film.info.is_container and film.info.path is not None and not film.info.is_animation
    return _OfFile(film) if is_video else _OfSource(film)
