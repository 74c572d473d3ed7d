"""From the player to the window: pictures, numbers, states and messages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import class_shares
from seg_viewer.gui.actions import all_specs
from seg_viewer.gui.look import Look
from seg_viewer.gui.opening import short_name
from seg_viewer.gui.timers import timer
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.legend import Legend
from seg_viewer.gui.widgets.live_bar import lost_text, waiting_text
from seg_viewer.gui.widgets.loading_bar import LoadingBar
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.stats_panel import StatsPanel
from seg_viewer.gui.words import t
from seg_viewer.player.numbers import meaningful
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.sources import LiveStatus, SourceInfo

_REFRESH_MS = 100
_STATS_EVERY = 3
_TICKS_TO_TELL = 4
"""Refreshes until an opening is told; most are over by then."""
_CAN_PLAY = (PlayerState.PLAYING, PlayerState.PAUSED, PlayerState.ENDED)


class Presenter(QObject):
    """Shows what the player does; commands go the other way, through `Transport` and the window.

    Args:
        player: may be at work already.
        look: gets the classes of each model.
        actions: of the window, by id; those that need something are switched on while it is there.
        view: gets the pictures.
        controls: get time, length and state.
        legend: gets the classes and their shares.
        stats: get the numbers.
        messages: get what went wrong.
        loading_bar: shows an engine that takes long to make ready.
    """

    shot_shown = Signal(object)
    """A `Shot` that is on the screen now, the first time."""
    video_wanted = Signal(bool)
    """Whether there is something to show in the view; the start page otherwise."""
    source_opened = Signal(str, str)
    """Source as given to the player, and its name to show."""
    source_failed = Signal(str)
    """The source could not be opened at all."""
    password_wanted = Signal(str, str)
    """A source whose server wants another user and password, and what it said."""
    model_changed = Signal()
    """Another model is shown, or none took over."""
    refreshed = Signal()
    """Several times a second."""
    _news = Signal()
    _changed = Signal()

    def __init__(
        self,
        player: Player,
        look: Look,
        actions: Mapping[str, QAction],
        *,
        view: VideoView,
        controls: Controls,
        legend: Legend,
        stats: StatsPanel,
        messages: MessageBar,
        loading_bar: LoadingBar,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player, self._look, self._actions = player, look, actions
        self._view, self._controls, self._legend, self._stats = view, controls, legend, stats
        self._messages, self._loading_bar = messages, loading_bar
        self._state = PlayerState.EMPTY
        self._is_state_shown = True
        self._waiting = ""
        self._opened_count = 0
        self._announced = False
        self._model: Path | None = None
        self._told: set[str] = set()
        self._ticks = 0
        self._ticks_opening = 0
        self._timer = timer(self, _REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._news.connect(self._take)
        self._changed.connect(self.refresh)

    def start(self) -> None:
        """Show what has come so far, and what comes."""
        self._player.listen(self._news.emit, self._changed.emit)  # signals are queued to the window's thread
        self._timer.start()
        self._show_state()
        self.refresh()
        self._take()

    def stop(self) -> None:
        self._timer.stop()

    def refresh(self) -> None:
        """Bring everything but the picture up to date."""
        player = self._player
        while (wanted := player.take_password_wanted()) is not None:
            self.password_wanted.emit(*wanted)
        self._show_problems()
        state = player.state
        self._announce()
        self._show_live()
        self.refreshed.emit()
        waiting, self._waiting = self._waiting, player.waiting
        if state is not self._state or not self._is_state_shown or waiting != self._waiting:
            self._state = state
            self._show_state()
        self._show_length()
        self._show_opening()
        report = player.engine_report
        fallback = [report.fallback] if report and report.fallback else []
        for warning in (*player.warnings, *fallback):
            if warning not in self._told:
                self._told.add(warning)
                self._messages.show_warning(warning)
        self._ticks += 1
        if self._ticks % _STATS_EVERY == 0:
            self._show_numbers()
            if player.live_status is not None and player.ledger is not None:
                self._controls.live_bar.set_times(player.ledger.snapshot())

    def _show_problems(self) -> None:
        """What failed while something else plays on."""
        while (problem := self._player.take_problem()) is not None:
            self._messages.show_error(problem)
            self.model_changed.emit()
        while (parting := self._player.take_parting()) is not None:
            self._messages.show_warning(parting)
        while (source := self._player.take_failed()) is not None:
            self.source_failed.emit(source)

    def _show_opening(self) -> None:
        """Which source is opened, where that takes long, and how far its engine is."""
        opening = self._player.opening
        self._ticks_opening = self._ticks_opening + 1 if opening is not None else 0
        is_long = opening is not None and self._ticks_opening >= _TICKS_TO_TELL
        name = short_name(opening) if opening is not None and is_long else None
        self._loading_bar.show_opening(name, self._player.waiting)
        self._loading_bar.show_loading(self._player.loading)

    # -- a picture -------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        shown = self._player.take()
        if shown is None:
            return
        self._announce()  # what is painted has the names and colours of the model that it is from
        self._view.show_shot(shown)
        self.shot_shown.emit(shown.shot)
        self.video_wanted.emit(True)
        self._controls.set_position(shown.shot.frame.time_s, self._player.wished_s)
        if self._state is not PlayerState.PLAYING:
            self._show_numbers()

    def _announce(self) -> None:
        """Once for each source: its name; once for each model: its classes."""
        player, source = self._player, self._player.source
        if self._opened_count != player.opened_count:
            self._opened_count = player.opened_count
            self._forget()
        if source is None or player.info is None or player.spec is None:
            return
        self._announce_model(player.info, player.spec)
        if self._announced:
            return
        self._announced = True
        self._view.set_source(player.info.sample_aspect, player.ledger)
        self._controls.set_position(player.position_s)
        self._controls.set_live(player.info.live)
        self._controls.live_bar.set_status(self._state, player.live_status or LiveStatus())
        self.source_opened.emit(source, player.info.name)
        self._state = player.state
        self._show_state()

    def _forget(self) -> None:
        """Another source is there; the last picture of the one before stays until the first one of it."""
        self._announced, self._model = False, None
        self._is_state_shown = False  # even where it is in the state of the one before: both failed at once
        self._told.clear()
        self._stats.clear()

    def _announce_model(self, info: SourceInfo, spec: ModelSpec) -> None:
        if self._model == spec.path:
            return
        self._model = spec.path
        self._stats.set_source(info, spec)
        self._legend.set_labels(spec.labels, self._look.style.hidden)
        self._look.set_labels(spec.labels)
        self.model_changed.emit()

    # -- the state -------------------------------------------------------------------------------------------------

    def _show_state(self) -> None:
        self._is_state_shown = True
        state, player = self._state, self._player
        self._controls.set_state(state)
        can_play = state in _CAN_PLAY
        is_file = can_play and player.info is not None and not player.info.live
        can = {
            "video": can_play,
            "seek": can_play and player.info is not None and player.info.can_seek,
            "file": is_file,
            "sound": is_file and player.info is not None and player.info.has_audio and player.info.is_container,
            "live": state is not PlayerState.ERROR and player.live_status is not None,
        }
        for spec in all_specs():
            if spec.needs:
                self._actions[spec.id].setEnabled(can[spec.needs])
        self._controls.speed_button.setEnabled(is_file)
        if state is PlayerState.LOADING:
            opening = t("Opening {name} …", name=short_name(player.source or ""))
            waiting = f"{waiting_text(self._waiting)}\n{t('Esc ends it')}"
            self._view.set_notice(waiting if self._waiting else opening)
            self.video_wanted.emit(True)
            self._view.setFocus()
            self.model_changed.emit()
        elif state is PlayerState.ERROR:
            self._show_failure(player.error or t("stopped"))
        elif state is PlayerState.EMPTY:
            self._view.clear()
            self.video_wanted.emit(False)
        else:
            self._view.set_notice("")

    def _show_failure(self, text: str) -> None:
        self._messages.show_error(text)
        self._view.set_lost("")
        if not self._announced and self._player.source is not None:
            self.source_failed.emit(self._player.source)
        if self._view.shown is None:
            self._controls.set_length(None, can_seek=False)
            self.video_wanted.emit(False)
        self._controls.seek_bar.setEnabled(False)

    def _show_live(self) -> None:
        """Whether what is on the picture is now."""
        status = self._player.live_status
        if status is None:
            return
        self._controls.live_bar.set_status(self._player.state, status)
        self._view.set_lost(lost_text(self._player.state, status))

    def _show_length(self) -> None:
        info, spec = self._player.info, self._player.spec
        if info is None or spec is None:
            return
        self._stats.set_source(info, spec)  # a live one may come back with another size
        length_s = self._player.length_s
        self._controls.set_length(length_s, can_seek=info.can_seek and self._state is not PlayerState.ERROR)
        if self._state is PlayerState.ENDED and length_s is not None:
            self._controls.seek_bar.set_position(length_s)

    def _show_numbers(self) -> None:
        shown, ledger, player = self._view.shown, self._player.ledger, self._player
        if shown is None or player.spec is None:
            return
        self._legend.set_shares(class_shares(shown.shot.classes, shown.shot.labels))
        self._stats.set_frame(shown.shot.frame.index)
        self._stats.set_engine(player.engine_report)
        self._stats.set_score(player.score)
        if ledger is not None and player.info is not None:
            self._stats.set_times(meaningful(ledger.snapshot(), player.info, player.state))
