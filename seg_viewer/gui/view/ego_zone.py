"""The ego zone in the window: drawn, dragged by its corners, flashing when something enters. No safety function."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import make_folder
from seg_viewer.core.zone import Zone, ZoneWatch
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.recording import RecordsFiles, finish
from seg_viewer.gui.view.plates import plate, plate_size, put
from seg_viewer.gui.view.scene import Scene
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.words import class_name, figure, t
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat
from seg_viewer.sources import LiveSource

LAYER = "zone"
NOTE = "ego zone · no safety function"
_QUIET, _LOUD = QColor("#f5c542"), QColor("#ff3b41")
_FLASH_MS = 1500
_CLIP_MS = 10_000
_HANDLE = 7
_GRAB = 16
_LEAST = 0.0005  # less is 0.0 %
_log = logging.getLogger(__name__)


def _line(watch: ZoneWatch) -> str:
    """What is in the zone now, and since when."""
    shares = (t("{what} {percent} %", what=class_name(name), percent=figure(100 * share))
              for name, share in watch.shares.items() if share >= _LEAST)  # fmt: skip
    return t("{time} in the ego zone: {shares}", time=f"{datetime.now():%H:%M:%S}", shares=", ".join(shares))


class EgoZone(RecordsFiles):
    """Watches the shots that are shown. A live clip of what came in, from five seconds before, is saved where wanted.

    Args:
        view: is drawn on.
        live_source: what a clip is made of now, or None.
        background: finishes clips.
        folder: where clips go; made when it is not there.
        wants_clips: whether they are wanted.
    """

    entered = Signal(str)
    """One line: when, and how much of what."""
    clip_missed = Signal(str)
    """The same, where a clip could have been saved, but none is wanted."""

    def __init__(
        self,
        view: VideoView,
        live_source: Callable[[], LiveSource | None],
        background: Background,
        folder: Callable[[], Path],
        wants_clips: Callable[[], bool],
    ) -> None:
        super().__init__(view)
        self._folder, self._wants_clips = folder, wants_clips
        self._view = view
        view.set_painter(LAYER, self._paint)
        view.mouse.grips.insert(0, self)
        self._live_source = live_source
        self._background = background
        self._zone = Zone()
        self._labels: LabelSet | None = None
        self._watch: ZoneWatch | None = None
        self._dragged: int | None = None
        self._clip: Recording | None = None
        self._flash = QTimer(self, singleShot=True, interval=_FLASH_MS)
        self._flash.timeout.connect(view.update)
        self._clip_end = QTimer(self, singleShot=True, interval=_CLIP_MS)
        self._clip_end.timeout.connect(self.finish_clip)

    @property
    def clip_s(self) -> float:
        """How long a clip goes on after something entered, seconds."""
        return self._clip_end.interval() / 1000

    @clip_s.setter
    def clip_s(self, value: float) -> None:
        self._clip_end.setInterval(round(1000 * value))

    @property
    def on(self) -> bool:
        return self._view.is_on(LAYER)

    def set_on(self, on: bool) -> None:
        self._watch = None
        self._view.set_layer_on(LAYER, on)
        if not on:
            self._view.unsetCursor()
            self.finish_clip()

    def watch(self, shot: Shot) -> None:
        """Look into a shot that is shown."""
        if not self.on:
            return
        if self._watch is None or self._labels is not shot.labels:
            self._watch, self._labels = ZoneWatch(self._zone, shot.labels), shot.labels
        if self._watch.look(shot.classes) and self._watch.occupied:
            self._enter(_line(self._watch))

    def finish_clip(self) -> None:
        """End a clip; `saved` or `failed` follows when it is whole, for which closing the window waits."""
        clip, self._clip = self._clip, None
        self._clip_end.stop()
        if clip is not None:
            finish(clip, self._background, self)

    def _enter(self, line: str) -> None:
        _log.info("%s", line)
        self._flash.start()
        self._view.update()
        source = self._live_source()
        can_save = source is not None and source.packets is not None
        if can_save and not self._wants_clips():
            self.clip_missed.emit(line)
            return
        self.entered.emit(line)
        if source is None or not can_save:
            return
        self._clip_end.start()
        if self._clip is not None:
            return
        name = f"{source.info.file_stem}_zone_{datetime.now():%Y-%m-%d_%H-%M-%S}.mkv"
        try:
            path = make_folder(self._folder()) / name
            self._clip = Recording(RecordPlan(path, RecordWhat.SOURCE), source, None)
        except SegViewerError as error:
            self.failed.emit(str(error))

    # -- drawing and dragging --------------------------------------------------------------------------------------

    def points(self, rect: QRectF) -> list[QPointF]:
        """Its corners on a picture that is in a rectangle of the view."""
        return [QPointF(rect.x() + x * rect.width(), rect.y() + y * rect.height()) for x, y in self._zone.corners]

    def _paint(self, painter: QPainter, scene: Scene) -> None:
        rect, seen = scene.logical(scene.half.picture), scene.logical(scene.half.seen)
        occupied = self._watch is not None and self._watch.occupied
        color = _LOUD if occupied else _QUIET
        points = self.points(rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon(QPolygonF(points))
        painter.setBrush(color)
        for point in points:
            painter.drawEllipse(point, _HANDLE, _HANDLE)
        note = plate((t(NOTE),), painter.font(), scene.ratio, seen.width())
        width, height = plate_size(note)
        top = max(seen.top(), points[0].y() - _GRAB - height)
        put(painter, note, max(seen.left(), min(points[0].x(), seen.right() - width)), top)
        if self._flash.isActive():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(_LOUD, 10))
            painter.drawRect(seen.adjusted(5, 5, -5, -5))

    def cursor_at(self, at: QPointF) -> Qt.CursorShape | None:
        """A corner is a `Grip`."""
        return Qt.CursorShape.SizeAllCursor if self.on and self._corner_at(at) is not None else None

    def take(self, at: QPointF) -> None:
        self._dragged = self._corner_at(at)

    def drag(self, at: QPointF) -> None:
        rect = self._view.picture_rect(at)
        if self._dragged is None or rect.isEmpty():
            return
        point = ((at.x() - rect.x()) / rect.width(), (at.y() - rect.y()) / rect.height())
        self._zone = self._zone.with_corner(self._dragged, point)
        self._watch = None
        self._view.update()

    def drop(self) -> None:
        self._dragged = None

    def _corner_at(self, at: QPointF) -> int | None:
        rect = self._view.picture_rect(at)
        if rect.isEmpty():
            return None
        distances = [(point - at).manhattanLength() for point in self.points(rect)]
        nearest = min(range(4), key=distances.__getitem__)
        return nearest if distances[nearest] <= _GRAB else None
