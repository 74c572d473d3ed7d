"""One engine for several pipelines: it serves them in turn, each picture alone, and none can take another's turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray, Frame, Size
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline.segmenter import Segmenter

_HAND_OVER_S = 0.25
"""Within which a picture is handed over whose turn has come; else it is the next one's turn."""


def _nothing() -> None: ...


@dataclass(eq=False)
class _Order:
    """A picture that waits, is looked at, or was.

    Args:
        share: whose it is.
        frame, pictures: as for `Segmenter.submit`.
        maps: the answer, once there is one.
        inference_s: seconds that it took.
    """

    share: Share
    frame: Frame
    pictures: Sequence[ByteArray]
    maps: tuple[ClassMap, ...] | None = None
    inference_s: float = 0.0


class SharedEngine:
    """Opens a segmenter on a thread of its own with the first share that is opened, closes it with the last one.

    Pictures are taken one after the other: of the shares that have one, always that which was served longest ago. It is
    handed over when its turn has come, so that it is the newest one by then; and a source that sends many, or none,
    takes nothing from the others. There is no batch: the engines here run a model for one picture at a time.

    Where it fails, all shares say why; the next one that is opened after they have left begins anew.

    Args:
        make: makes the segmenter, not opened; anew each time that it begins.
    """

    def __init__(self, make: Callable[[], Segmenter]) -> None:
        self.inner = make()
        self._make = make
        self._changed = threading.Condition()
        self._shares: list[Share] = []  # open ones; who was served longest ago comes first
        self._asking: set[Share] = set()  # they have a picture
        self._turn: Share | None = None  # whose picture is wanted now
        self._waiting: dict[Share, _Order] = {}
        self._is_open = self._is_given_up = False
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None  # that works now
        self._latest: threading.Thread | None = None  # begun last; it may be closing

    @property
    def error(self) -> Exception | None:
        """Why it is over for the present shares."""
        return self._error

    def share(self) -> Share:
        """Another place in the turn; it counts from its `open` on."""
        return Share(self)

    # -- on the threads of the pipelines ---------------------------------------------------------------------------

    def join(self, share: Share) -> None:
        """Wait until the engine is open. Raises: EngineError."""
        with self._changed:
            self._changed.wait_for(lambda: share.interrupted or not (self._is_given_up or self._error is not None))
            if share.interrupted:
                raise EngineError("stopped")
            self._shares.append(share)
            if self._thread is None:
                if self._latest is not None:
                    self.inner = self._make()
                self._thread = threading.Thread(target=self._run, args=(self._latest,), name="seg-shared", daemon=True)
                self._latest = self._thread
                self._thread.start()
            self._changed.wait_for(lambda: self._is_open or self._error is not None or share.interrupted)
            if self._is_open and not share.interrupted:
                return
            error = self._error
        self.leave(share)
        raise EngineError(str(error or "stopped")) from error

    def leave(self, share: Share) -> None:
        """Its turn is the others'; with the last one, the engine is closed. Waits for that; again is fine."""
        with self._changed:
            if share not in self._shares:
                return
            self._shares.remove(share)
            self._waiting.pop(share, None)
            self._asking.discard(share)
            thread = self._thread if not self._shares else None
            loads = thread is not None and not self._is_open
            if loads:
                self._is_given_up = True  # whoever comes now waits for its end: it is not to fail with this
            if not self._shares:
                self._error = None
            self._changed.notify_all()
        if loads:
            self.inner.interrupt()
        if thread is not None:
            thread.join()

    def ask(self, share: Share) -> bool:
        """There is a picture; returns whether its turn has come. Also when all is over: its answer says why."""
        with self._changed:
            if self._turn is share or self._error is not None:
                return True
            if share in self._shares and share not in self._asking:
                self._asking.add(share)
                self._changed.notify_all()
            return False

    def take(self, order: _Order) -> None:
        """The picture whose turn has come."""
        with self._changed:
            self._waiting[order.share] = order
            self._changed.notify_all()

    def wait_for(self, order: _Order) -> None:
        """Until there is an answer, or none will come."""
        with self._changed:
            self._changed.wait_for(lambda: order.maps is not None or self._error is not None)

    def wake_waiting(self) -> None:
        """Have whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    # -- on its own thread -----------------------------------------------------------------------------------------

    def _run(self, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # there is room for one engine
        inner = self.inner
        try:
            inner.open()
            with self._changed:
                self._is_open = True
                self._changed.notify_all()
            while (order := self._next()) is not None:
                self._answer(order)
        except Exception as error:  # noqa: BLE001 - each share raises it on the thread of its pipeline
            with self._changed:
                self._error = None if self._is_given_up else error
                shares = list(self._shares)
                self._is_open, self._thread = False, None
                self._changed.notify_all()
            for share in shares:
                share.wake()
        finally:
            inner.close()
            with self._changed:
                self._is_given_up = False
                self._changed.notify_all()

    def _next(self) -> _Order | None:
        """The picture of the share that was served longest ago; None when no share is left."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting or self._asking) or not self._shares)
                if not self._shares:
                    self._is_open, self._thread = False, None
                    return None
                self._turn = share = next(one for one in self._shares if one in self._waiting or one in self._asking)
                self._shares.remove(share)
                self._shares.append(share)
                self._asking.discard(share)
            share.wake()
            with self._changed:
                # it may have no picture any more
                self._changed.wait_for(partial(self._has_answered, share), _HAND_OVER_S)
                self._turn = None
                if share in self._waiting:
                    return self._waiting.pop(share)

    def _has_answered(self, share: Share) -> bool:
        """Whose turn has come has handed over a picture, or has left."""
        return share in self._waiting or share not in self._shares

    def _answer(self, order: _Order) -> None:
        self.inner.submit(order.frame, order.pictures)
        maps = self.inner.collect()
        with self._changed:
            order.maps, order.inference_s = maps, self.inner.inference_s
            order.share.report_now = self.inner.report
            order.share.served += 1
            self._changed.notify_all()
        order.share.wake()


class Share:
    """See `Segmenter`: a place in the turn of a `SharedEngine`.

    Args:
        engine: whose.
    """

    def __init__(self, engine: SharedEngine) -> None:
        self.engine = engine
        self.sizes: tuple[Size, ...] = engine.inner.sizes
        self.wake: Callable[[], None] = _nothing
        self.inference_s = 0.0
        self.interrupted = False
        """Its `open` is to end."""
        self.report_now: EngineReport | None = None
        """Of the engine when it answered last."""
        self.served = 0
        """How many of its pictures were answered."""
        self._order: _Order | None = None

    @property
    def slots(self) -> int:
        return 1

    @property
    def report(self) -> EngineReport:
        """What really runs; once it is open."""
        return self.report_now or self.engine.inner.report

    def open(self) -> None:
        """Raises: EngineError."""
        self.engine.join(self)

    def interrupt(self) -> None:
        self.interrupted = True
        self.engine.wake_waiting()

    def may_submit(self) -> bool:
        """See `TakesTurns`."""
        return self.engine.ask(self)

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        """See `Segmenter`; another share's may follow at once."""
        self._order = _Order(self, frame, pictures)
        self.engine.take(self._order)

    def ready(self) -> bool:
        return self.engine.error is not None or (self._order is not None and self._order.maps is not None)

    def collect(self) -> tuple[ClassMap, ...]:
        """Raises: EngineError, that of the engine: it is the end of all shares."""
        order, self._order = self._order, None
        if order is not None:
            self.engine.wait_for(order)
        if order is None or order.maps is None:
            raise EngineError(str(self.engine.error or "no frame is in flight")) from self.engine.error
        self.inference_s = order.inference_s
        return order.maps

    def close(self) -> None:
        self.engine.leave(self)
