"""The classes over the time of a video: strips below the seek bar, and jumps to where a class is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from seg_viewer.core.class_table import Columns
from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import ERROR_COLOR, Overlay
from seg_viewer.gui.dialogs.find_class import FindClassDialog
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.widgets.class_strips import ClassStrips, Track
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.seek_bar import clock_text
from seg_viewer.gui.words import class_name, figure, key_text, t
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.player.timeline import DISAGREEMENT, ERRORS, Timeline

_EVERY = 3
"""Refreshes until new values are drawn: three times a second, not with the refresh that shows the numbers."""
_EXTRA_COLORS = {DISAGREEMENT: (255, 190, 0), ERRORS: ERROR_COLOR}


class ClassLine(QObject):
    """Shows what the player's `timeline` knows, and has it look ahead while that is shown.

    Args:
        player: plays.
        controls: the strips lie below its seek bar.
        overlay: how classes are painted now, or None.
        is_busy: whether something else needs the processor, e.g. an export.
        memory: keeps whether the strips are shown, and what is looked for.
        messages: are told why a jump leads nowhere.
        seek: jumps to a time, seconds.
        window: dialogs lie over it.
    """

    def __init__(
        self,
        player: Player,
        controls: Controls,
        overlay: Callable[[], Overlay | None],
        is_busy: Callable[[], bool],
        memory: Memory,
        messages: MessageBar,
        seek: Callable[[float], None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._player, self._controls, self._overlay, self._is_busy = player, controls, overlay, is_busy
        self._memory, self._messages, self._seek, self._window = memory, messages, seek, window
        self._dialogs = OneOfEach()
        self._on = memory.settings.timeline
        self._drawn: tuple[object, ...] = ()
        self._ticks = 0
        self.strips = ClassStrips(controls.seek_bar, self._describe)
        self.strips.hide()
        self.strips.sought.connect(controls.sought)
        self.strips.width_changed.connect(self._draw)
        controls.add_strip(self.strips)
        window.installEventFilter(self)

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do."""
        return {
            "timeline": self.set_on,
            "next-class": lambda: self.step(forward=True),
            "previous-class": lambda: self.step(forward=False),
            "find-class": self.ask,
        }

    def set_on(self, on: bool) -> None:
        """Show the strips, and look ahead for them; without them nothing is looked at but what plays."""
        self._on = on
        self._memory.change(timeline=on)
        self.refresh(at_once=True)

    def show_shot(self, shot: Shot) -> None:
        """Is on the screen now."""
        self.strips.set_position(shot.frame.time_s)

    def refresh(self, *, at_once: bool = False) -> None:
        """Called several times a second."""
        length_s = self._player.length_s
        if self._player.state is PlayerState.ENDED and length_s is not None:
            self.strips.set_position(length_s)  # as the handle above it
        wanted = self._on and not self._is_busy()
        if self._player.looks_ahead is not wanted:
            self._player.looks_ahead = wanted
        self._ticks += 1
        if at_once or self._ticks % _EVERY == 1:
            self._draw()

    def step(self, *, forward: bool) -> None:
        """To the next or the previous part of the video where the class is that is looked for."""
        timeline = self._player.timeline
        if timeline is None:
            self._messages.show_info(t("There is nothing to jump to: only videos at hand have a timeline of classes"))
            return
        settings = self._memory.settings
        if settings.find_class not in timeline.table.names:
            text = "This model has no class '{name}'; look for {names} ({key})"
            names = ", ".join(map(class_name, timeline.labels.names))
            name = class_name(settings.find_class)
            self._messages.show_info(t(text, name=name, names=names, key=key_text("Ctrl+F")))
            return
        # not from the handle, which at the end stands behind the frame that is shown
        found = timeline.step(settings.find_class, settings.find_least, self._player.wished_s, forward=forward)
        if found.time_s is not None:
            self._seek(found.time_s)
        else:
            self._messages.show_info(found.text)

    def ask(self) -> None:
        """What to look for."""
        self._dialogs.show("find", self._make_dialog)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self.strips.adapt()
        return False

    def _make_dialog(self) -> FindClassDialog:
        timeline, settings = self._player.timeline, self._memory.settings
        names = _tracks_of(timeline, None) if timeline is not None else [settings.find_class]
        dialog = FindClassDialog(names, settings.find_class, settings.find_least, self._window)
        dialog.changed.connect(lambda name, least: self._memory.change(find_class=name, find_least=least))
        dialog.wanted.connect(lambda forward: self.step(forward=forward))
        return dialog

    def _draw(self) -> None:
        timeline, overlay = self._player.timeline, self._overlay()
        shown = self._on and timeline is not None
        if self.strips.isHidden() is shown:
            self.strips.setVisible(shown)
        if not shown or timeline is None or overlay is None or overlay.labels.names != timeline.labels.names:
            return
        bar = self._controls.seek_bar
        now = (timeline, timeline.table.version, overlay, self.strips.columns, bar.length_s)
        if now == self._drawn or not bar.length_s:
            return
        self._drawn = now
        columns = timeline.table.columns(self.strips.columns, bar.length_s)
        self.strips.show_tracks(_tracks(timeline, overlay, columns))

    def _describe(self, time_s: float) -> str:
        """Time, and per cent of each class."""
        text = clock_text(time_s, tenths=True)
        timeline, overlay = self._player.timeline, self._overlay()
        values = timeline.table.at(time_s) if timeline is not None else None
        if timeline is None or values is None:
            return text + " · " + t("not looked at yet")
        by_name = dict(zip(timeline.table.names, values.tolist(), strict=True))
        known = [name for name in _tracks_of(timeline, overlay) if by_name[name] == by_name[name]]
        parts = [t("{what} {percent} %", what=class_name(name), percent=figure(100 * by_name[name])) for name in known]
        return " · ".join([text, *parts])


def _tracks_of(timeline: Timeline, overlay: Overlay | None) -> list[str]:
    """Names of what has a strip: classes that are painted, and what else there are values of."""
    labels = overlay.style.shown(timeline.labels) if overlay is not None else timeline.labels
    return [label.name for label in labels if label.painted] + [
        name for name in (DISAGREEMENT, ERRORS) if timeline.table.has_values(name)
    ]


def _tracks(timeline: Timeline, overlay: Overlay, columns: Columns) -> list[Track]:
    colors = {label.name: label.color for label in overlay.style.shown(timeline.labels)} | _EXTRA_COLORS
    made = []
    for name in _tracks_of(timeline, overlay):
        values = columns.values[:, timeline.table.names.index(name)]
        states = np.where(np.isnan(values), 0, columns.states).astype(np.uint8)
        made.append(Track(name, colors[name], values, states))
    return made
