"""The ego zone in the window: flashes, tells, logs and saves clips when something enters it. No safety function."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPen

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import make_folder
from seg_viewer.core.zone import Crossing, Zone, ZoneWatch
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.notifying import Notifier
from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.gui.tasks.folders import Folders
from seg_viewer.gui.tasks.recording import RecordsFiles, finish
from seg_viewer.gui.timers import timer
from seg_viewer.gui.view.scene import Scene
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.view.zone_shape import LOUD, QUIET, ZoneShape
from seg_viewer.gui.words import class_name, figure, t
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat
from seg_viewer.jobs.zone_room import make_room
from seg_viewer.player.player import Player
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.queued import Queued, WhenFull
from seg_viewer.sinks.zone_log import ZoneLog
from seg_viewer.sources import LiveSource
from seg_viewer.sources.identity import camera_of

LAYER = "zone"
_FLASH_MS = 1500
_CLIP_MS = 10_000
_MOST_EVENTS = 1000  # that wait for a slow disk
_END_S = 5.0
_MOST_CAMERAS = 50
_LEAST = 0.0005  # less is 0.0 %
_log = logging.getLogger(__name__)


def _line(watch: ZoneWatch) -> str:
    """What is in the zone now, and since when."""
    shares = (t("{what} {percent} %", what=class_name(name), percent=figure(100 * share))
              for name, share in watch.shares.items() if share >= _LEAST)  # fmt: skip
    return t("{time} in the ego zone: {shares}", time=f"{datetime.now():%H:%M:%S}", shares=", ".join(shares))


class EgoZone(RecordsFiles):
    """Watches the shots that are shown. Each camera has a zone of its own.

    A log, notifications, and live clips of what came in, from five seconds before, where they are wanted.

    Args:
        view: is drawn on.
        player: shows a source; what a clip is made of.
        background: finishes clips and logs.
        folders: where they go; made when something first goes there.
        memory: the zones, and what is wanted.
    """

    entered = Signal(str)
    """One line: when, and how much of what."""
    clip_missed = Signal(str)
    """The same, where a clip could have been saved, but none is wanted."""
    told = Signal(str)
    """One line of other news."""

    def __init__(
        self, view: VideoView, player: Player, background: Background, folders: Folders, memory: Memory
    ) -> None:
        super().__init__(view)
        self._view, self._player, self._background = view, player, background
        self._folders, self._memory = folders, memory
        view.set_painter(LAYER, self._paint)
        self.shape = ZoneShape(view, LAYER)
        self.shape.changed.connect(self._keep_zone)
        self.shape.told.connect(self.told)
        self.notifier = Notifier(self)
        self.notifier.missing.connect(self.told)
        self.events_to: Path | None = None
        """A log that was asked for on the command line; instead of those of the settings."""
        self._source: str | None = None
        self._labels: LabelSet | None = None
        self._watch: ZoneWatch | None = None
        self._events: Queued[Crossing] | None = None
        self._log_failed = False
        self._clip: Recording | None = None
        self._flash = timer(self, _FLASH_MS, once=True)
        self._flash.timeout.connect(view.update)
        self._clip_end = timer(self, _CLIP_MS, once=True)
        self._clip_end.timeout.connect(self.finish_clip)
        self.saved.connect(self._keep_room)

    @property
    def clip_s(self) -> float:
        """How long a clip goes on after something entered, seconds."""
        return self._clip_end.interval() / 1000

    @clip_s.setter
    def clip_s(self, value: float) -> None:
        self._clip_end.setInterval(round(1000 * value))

    @property
    def folder(self) -> Path:
        """Where clips and logs go."""
        return self._folders.recordings() / "zone"

    @property
    def on(self) -> bool:
        return self._view.is_on(LAYER)

    def slots(self) -> dict[str, Callable[..., object]]:
        return {"zone": self.set_on, "zone-edit": self.edit}

    def set_on(self, on: bool) -> None:
        self._end_watch()
        self._view.set_layer_on(LAYER, on)
        if not on:
            self.shape.set_editing(False)
            self._view.unsetCursor()
            self.finish_clip()
            self.finish_log()

    def edit(self) -> None:
        """By keys, or no longer; the zone has to be seen for it."""
        if not self.on:
            self.told.emit("switch the ego zone on first (Z), then change it")
            return
        self.shape.set_editing(not self.shape.editing)

    def points(self, rect: QRectF) -> list[QPointF]:
        """See `ZoneShape.points`."""
        return self.shape.points(rect)

    # -- watching --------------------------------------------------------------------------------------------------

    def watch(self, shot: Shot) -> None:
        """Look into a shot that is shown."""
        if not self.on:
            return
        if self._player.source != self._source:
            self._change_source(self._player.source)
        if self._watch is None or self._labels is not shot.labels:
            self._end_watch()
            live = self._live_source() is not None
            self._watch, self._labels = ZoneWatch(self.shape.zone, shot.labels, live=live), shot.labels
        was = self._watch.occupied
        found = self._watch.look(shot.classes, shot.frame)
        self._write(found)
        if any(crossing.event == "enter" for crossing in found):
            self._enter(_line(self._watch))
        elif was and not self._watch.occupied:
            self._view.update()

    def _change_source(self, source: str | None) -> None:
        self._end_watch()
        self.finish_log()
        self._source = source
        self._log_failed = False
        self.shape.show_zone(self._kept_zone(camera_of(source)) if source else Zone())

    def _kept_zone(self, camera: str) -> Zone:
        text = next((zone for name, zone in self._zones() if name == camera), None)
        try:
            return Zone() if text is None else Zone.read(text)
        except ValueError:
            return Zone()  # of a settings file that somebody has edited

    def _zones(self) -> list[tuple[str, str]]:
        pairs = (entry.rpartition("=") for entry in self._memory.settings.zones)
        return [(name, zone) for name, _equals, zone in pairs]

    def _keep_zone(self, zone: Zone) -> None:
        """Of this camera, from now on."""
        self._end_watch()
        self.finish_log()  # its head says which zone it is of
        if self._player.source is None:
            return
        camera = camera_of(self._player.source)
        others = [f"{name}={text}" for name, text in self._zones() if name != camera]
        own = [] if zone == Zone() else [f"{camera}={zone}"]
        self._memory.change(zones=(*own, *others)[:_MOST_CAMERAS])

    def _end_watch(self) -> None:
        """What is in the zone is not followed any further."""
        if self._watch is not None:
            self._write(self._watch.end())
        self._watch = None

    def _enter(self, line: str) -> None:
        _log.info("%s", line)
        self._flash.start()
        self._view.update()
        if self._memory.settings.zone_notify:
            self.notifier.notify("ego-zone", t("seg-viewer: ego zone, no safety function"), line)
        source = self._live_source()
        can_save = source is not None and source.packets is not None
        if can_save and not self._memory.settings.zone_clips:
            self.clip_missed.emit(line)
            return
        self.entered.emit(line)
        if source is not None and can_save:
            self._begin_clip(source)

    def _live_source(self) -> LiveSource | None:
        return self._player.live_source

    # -- clips -----------------------------------------------------------------------------------------------------

    def _begin_clip(self, source: LiveSource) -> None:
        self._clip_end.start()
        if self._clip is not None:
            return
        name = f"{source.info.file_stem}_zone_{datetime.now():%Y-%m-%d_%H-%M-%S}.mkv"
        try:
            path = make_folder(self.folder) / name
            plan = RecordPlan(path, RecordWhat.SOURCE, sound=self._memory.settings.record_sound)
            self._clip = Recording(plan, source, None)
        except SegViewerError as error:
            self.failed.emit(str(error))

    def finish_clip(self) -> None:
        """End a clip; `saved` or `failed` follows when it is whole, for which closing the window waits."""
        clip, self._clip = self._clip, None
        self._clip_end.stop()
        if clip is not None:
            finish(clip, self._background, self)

    def _keep_room(self, files: list[str]) -> None:
        """Above the size that is wanted, the oldest clips go, and that is told."""
        most = int(self._memory.settings.zone_clips_mb)
        kept = [Path(name) for name in files]

        def told(removed: list[Path]) -> None:
            if removed:
                self.told.emit(f"older clips of the ego zone removed: {len(removed)}; all together may hold {most} MB")

        self._background.run(
            "zone-room",
            lambda: make_room(kept[0].parent, most * 1_000_000, kept),
            told,
            self.failed.emit,
            owner=self,
            subject=str(self.folder),
        )

    # -- the log ---------------------------------------------------------------------------------------------------

    def _write(self, crossings: list[Crossing]) -> None:
        wanted = self.events_to is not None or self._memory.settings.zone_log
        if not wanted or self._log_failed or not (crossings or self.events_to):
            return
        if self._events is None:
            name = self._player.info.name if self._player.info else self._source or ""
            stem = self._player.info.file_stem if self._player.info else "source"
            make = partial(_make_log, self.events_to, self.folder, stem, name, self.shape.zone)
            self._events = Queued(
                _LazyLog(make, in_any_case=self.events_to is not None), name="seg-zone-log", most=_MOST_EVENTS,
                when_full=WhenFull.FAIL,
                too_slow=f"{self.events_to or self.folder}: the disk is too slow for the log of the ego zone",
            )  # fmt: skip
        try:
            for crossing in crossings:
                self._events.write(crossing)
        except SegViewerError:
            self.refresh()

    def refresh(self) -> None:
        """Several times a second: notice a log that cannot be written."""
        if self._events is not None and self._events.problem and not self._log_failed:
            self._log_failed = True  # once; playing goes on
            self.failed.emit(self._events.problem)
            self._events = None

    def finish_log(self) -> None:
        """End a log; closing the window waits for it, but not for ever."""
        events, self._events = self._events, None
        if events is None:
            return

        def done(problem: str) -> None:
            if problem and not self._log_failed:
                self.failed.emit(problem)
            elif events.files:
                self.told.emit(t("Log of the ego zone: {path}", path=events.files[0]))

        def end() -> str:
            events.stop()
            return events.problem

        self._background.run(
            "zone-log", end, done, self.failed.emit, owner=self, subject=str(self.folder), wait=within(_END_S)
        )

    def close(self) -> None:
        """With the window."""
        self._end_watch()
        self.finish_clip()
        self.finish_log()
        self.notifier.close()

    # -- painting --------------------------------------------------------------------------------------------------

    def _paint(self, painter: QPainter, scene: Scene) -> None:
        occupied = self._watch is not None and self._watch.occupied
        self.shape.paint(painter, scene, LOUD if occupied else QUIET)
        if self._flash.isActive():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(LOUD, 10))
            painter.drawRect(scene.logical(scene.half.seen).adjusted(5, 5, -5, -5))


class _LazyLog(Sink[Crossing]):
    """A log that is made with its first event, on the thread that writes; in any case by the end, if that is wanted."""

    def __init__(self, make: Callable[[], ZoneLog], *, in_any_case: bool) -> None:
        self._make, self._in_any_case = make, in_any_case
        self._made: ZoneLog | None = None

    def write(self, item: Crossing) -> None:
        self._begun().write(item)

    def _begun(self) -> ZoneLog:
        if self._made is None:
            self._made = self._make()
            self.files = self._made.files
        return self._made

    def finish(self) -> None:
        if self._made is not None or self._in_any_case:
            self._begun().finish()

    def abandon(self) -> None:
        if self._made is not None:
            self._made.finish()


def _make_log(path: Path | None, folder: Path, stem: str, source: str, zone: Zone) -> ZoneLog:
    """Under the name that was asked for, or in the folder of the zone; a second one of that name is another one."""
    wanted = path or make_folder(folder) / f"{stem}_zone_{datetime.now():%Y-%m-%d_%H-%M-%S}.csv"
    free, number = wanted, 2
    while free.exists():
        free = wanted.with_stem(f"{wanted.stem}_{number}")
        number += 1
    return ZoneLog(free, source, zone)
