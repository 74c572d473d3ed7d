"""The window: connects the player, the view and the controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import Overlay, OverlayStyle, class_shares
from seg_viewer.gui.actions import SPEEDS, all_specs, fill_menu_bar, make_actions
from seg_viewer.gui.bridge import PlayerBridge
from seg_viewer.gui.dialogs.help import AboutDialog, HelpDialog
from seg_viewer.gui.model_menu import Models
from seg_viewer.gui.opening import Opening, dropped_files, short_name
from seg_viewer.gui.outputs import Outputs
from seg_viewer.gui.settings import WindowSettings, load_settings, save_settings
from seg_viewer.gui.tasks.recording import WhatMenu
from seg_viewer.gui.view.ego_zone import EgoZone
from seg_viewer.gui.view.full_screen import FullScreen
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.legend import Legend, SidePanel
from seg_viewer.gui.widgets.live_bar import lost_text
from seg_viewer.gui.widgets.loading_bar import LoadingBar
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import plain_title
from seg_viewer.gui.widgets.recent_menu import RecentMenu
from seg_viewer.gui.widgets.start_page import StartPage
from seg_viewer.gui.widgets.stats_panel import StatsPanel
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.player.session import PlayerState
from seg_viewer.sources import DEMO, LiveStatus, SourceInfo, is_live, redact

TITLE = "seg-viewer"
_REFRESH_MS = 100
_STATS_EVERY = 3
_JUMP_S = 5.0
_OPACITY_STEP = 0.05
_FRAME = QSize(4, 40)  # what a window manager usually adds


class MainWindow(QMainWindow):
    """See the package's words; `player` may be at work already.

    Args:
        player: what plays; closed with the window.
        options: model, engine and style of the run; a style other than the default wins over what is remembered.
        store: where the window's settings live.
    """

    first_shot_painted = Signal()

    def __init__(self, player: Player, options: RunOptions, store: QSettings) -> None:
        super().__init__()
        self.player = player
        self.options = options
        self._store = store
        self._settings = load_settings(store)
        style = options.style
        if style == OverlayStyle():
            style = OverlayStyle(self._settings.opacity, self._settings.hidden, self._settings.outline)
        self.style_now = style
        self.overlay: Overlay | None = None
        self._announced: str | None = None
        self._announced_model: Path | None = None
        self._told: set[str] = set()
        self._state = PlayerState.EMPTY
        self._real_length_s: float | None = None
        self._ticks = 0
        self.ended_in_time = True

        self.view = VideoView()
        self.ego_zone = EgoZone(self.view, player)
        self.actions_by_id = make_actions(self, self._slots())
        self.start_page = StartPage()
        self.messages = MessageBar()
        self.loading_bar = LoadingBar()
        self.legend = Legend()
        self.stats = StatsPanel()
        self.controls = Controls(self.actions_by_id)
        self.panel = SidePanel(self.legend, self.stats)
        self.outputs = Outputs(self)
        self._opening = Opening(self)
        self._build()
        self._full_screen = FullScreen(self)
        self._connect()
        self._apply_settings()
        self.bridge = PlayerBridge(player, self)
        self.bridge.news.connect(self._take)
        self.bridge.changed.connect(self._refresh)
        self._timer = QTimer(self, interval=_REFRESH_MS)
        self._timer.timeout.connect(self._refresh)
        self._timer.start()
        self._state_changed()
        self._refresh()
        self._take()  # what came before anybody listened

    # -- building --------------------------------------------------------------------------------------------------

    def _slots(self) -> dict[str, Callable[..., None]]:
        player = self.player
        return {
            "open": lambda: self._opening.ask_file(self._settings.last_folder),
            "open-folder": lambda: self._opening.ask_folder(self._settings.last_folder),
            "address": lambda: self._opening.ask_address(),
            "demo": lambda: self.open(DEMO),
            "open-model": lambda: self.models.ask_file(),
            "screenshot": lambda: self.outputs.take_screenshot(),
            "record": lambda: self.outputs.toggle_recording(),
            "export": lambda: self.outputs.show_export(),
            "quit": self.close,
            "play": self.toggle_play,
            "step": player.step,
            "step-back": player.step_back,
            "forward": lambda: self.seek_by(_JUMP_S),
            "back": lambda: self.seek_by(-_JUMP_S),
            "start": lambda: self.seek(0.0),
            "end": self._seek_end,
            "faster": lambda: self._change_speed(1),
            "slower": lambda: self._change_speed(-1),
            "loop": self._set_loop,
            "overlay": self._set_overlay_on,
            "outline": lambda on: self._set_style(replace(self.style_now, outline=on)),
            "errors": self._set_errors_on,
            "zone": self.ego_zone.set_on,
            "more": lambda: self._change_opacity(_OPACITY_STEP),
            "less": lambda: self._change_opacity(-_OPACITY_STEP),
            "panel": lambda _on: self._arrange(),
            "full-screen": lambda on: self._full_screen.set_on(on),
            "help": lambda: self._show_dialog(HelpDialog(self)),
            "about": self._show_about,
        }

    def _build(self) -> None:
        self.setWindowTitle(TITLE)
        self.setMinimumSize(720, 460)
        self.setAcceptDrops(True)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.start_page)
        self.stack.addWidget(self.view)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.messages)
        left.addWidget(self.loading_bar)
        left.addWidget(self.stack, 1)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addLayout(left, 1)
        row.addWidget(self.panel)
        central = QWidget()
        self.main_column = QVBoxLayout(central)
        self.main_column.setContentsMargins(0, 0, 0, 0)
        self.main_column.setSpacing(0)
        self.main_column.addLayout(row, 1)
        self.main_column.addWidget(self.controls)
        self.setCentralWidget(central)
        self.recent_menu = RecentMenu(self)
        menus = fill_menu_bar(
            self.menuBar(),
            self.actions_by_id,
            {
                "demo": self.recent_menu,
                "slower": self.controls.speed_menu,
                "record": WhatMenu(self.outputs.recorder, self),
            },
        )
        self.models = Models(self, menus["Model"])

    def _connect(self) -> None:
        self._opening.chosen.connect(self.open)
        self.start_page.open_wanted.connect(self.actions_by_id["open"].trigger)
        self.start_page.address_wanted.connect(self.actions_by_id["address"].trigger)
        self.start_page.demo_wanted.connect(lambda: self.open(DEMO))
        self.start_page.recent_wanted.connect(self.open)
        self.recent_menu.chosen.connect(self.open)
        self.models.chosen.connect(self._use_model)
        self.recent_menu.cleared.connect(self._clear_recent)
        self.loading_bar.cancelled.connect(self.player.stop_loading)
        self.view.resized.connect(self._view_resized)
        self.view.settled.connect(self._view_settled)
        self.view.painted_first.connect(self.first_shot_painted)
        self.view.double_clicked.connect(self.actions_by_id["full-screen"].toggle)
        self.controls.sought.connect(self.seek)
        self.controls.speed_chosen.connect(self._set_speed)
        self.controls.opacity_chosen.connect(lambda value: self._set_style(replace(self.style_now, opacity=value)))
        self.legend.hidden_changed.connect(lambda names: self._set_style(replace(self.style_now, hidden=names)))
        for number in range(1, 10):
            QShortcut(QKeySequence(str(number)), self, lambda number=number: self.legend.toggle(number))

    def _apply_settings(self) -> None:
        if not (self._settings.geometry and self.restoreGeometry(self._settings.geometry)):
            room = self.screen().availableGeometry().size() - _FRAME
            self.resize(QSize(1280, 800).boundedTo(room))
        # closed in full screen, it still opens as a window
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowFullScreen)
        self.controls.set_opacity(self.style_now.opacity)
        for name, on in (("overlay", True), ("outline", self.style_now.outline), ("panel", self._settings.panel)):
            self.actions_by_id[name].setChecked(on)
        self._show_recent()
        self.models.refresh()
        self._arrange()

    # -- opening ---------------------------------------------------------------------------------------------------

    def open(self, source: str | Path) -> None:
        """Play a file, a folder, "demo" or something live; what goes wrong is told in the message bar."""
        text = self._opening.complete(source)
        if text != DEMO and not is_live(text):
            self._settings = replace(self._settings, last_folder=str(Path(text).parent))
        self._forget_source()
        self.player.open(text)
        self._refresh()

    def _use_model(self, model: str) -> None:
        """Another model at the same place."""
        table = self.player.truth_csv if self.player.score else None
        if self.player.error is not None:
            self._forget_source()
        self.player.use_model(model)
        self.options = replace(self.options, model=model)
        self._refresh()
        if table is not None:
            self.messages.show_info(f"{table} holds the scores of the model before, and ends with it")

    def _forget_source(self) -> None:
        self._state = PlayerState.EMPTY
        self.messages.clear()
        self._told.clear()
        self._announced = self._announced_model = None
        self.overlay = None
        self.view.clear()
        self.stats.clear()

    def _show_recent(self) -> None:
        recent = self._settings.recent
        self.start_page.set_recent(recent)
        self.recent_menu.set_recent(recent)

    def _clear_recent(self) -> None:
        self._settings = replace(self._settings, recent=())
        self._show_recent()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.view.set_notice("Drop to open")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.view.set_notice("")

    def dropEvent(self, event: QDropEvent) -> None:
        paths = dropped_files(event.mimeData())
        if not paths:
            return
        event.acceptProposedAction()
        self.open(paths[0])
        if len(paths) > 1:
            self.messages.show_info(f"Opened the first of {len(paths)} things dropped")

    # -- player to window ------------------------------------------------------------------------------------------

    @property
    def length_s(self) -> float | None:
        """Length of the source, seconds: as declared, or once its end was seen, as it is; None when unknown."""
        info = self.player.info
        if info is None:
            return None
        if self._state is PlayerState.ENDED and self.view.shown:
            # the last frame is shown for one interval; declared lengths may promise more than there is
            self._real_length_s = self.view.shown.shot.frame.time_s + (1 / info.rate if info.rate else 0.0)
        return self._real_length_s or info.duration_s

    def _take(self) -> None:
        shown = self.player.take()
        if shown is None:
            return
        self._announce()  # what is painted has the names and colours of the model that it is from
        self.view.show_shot(shown)
        self.ego_zone.look(shown.shot, shown.shot.labels)
        if self.stack.currentWidget() is not self.view:
            self.stack.setCurrentWidget(self.view)
        time_s = shown.shot.frame.time_s
        self.controls.set_position(time_s)
        if self._state is not PlayerState.PLAYING:
            self._show_numbers()

    def _refresh(self) -> None:
        """Bring everything but the picture up to date."""
        state = self.player.state
        self._announce()
        self._show_live()
        self.outputs.refresh()
        if state is not self._state:
            self._state = state
            self._state_changed()
        info = self.player.info
        if info is not None and self.player.spec is not None:
            self.stats.set_source(info, self.player.spec)  # a live one may come back with another size
            self.controls.set_length(self.length_s, can_seek=info.can_seek)
        if state is PlayerState.ENDED and self.length_s is not None:
            self.controls.seek_bar.set_position(self.length_s)
        self.loading_bar.show_loading(self.player.loading)
        if (problem := self.player.take_problem()) is not None:
            self.messages.show_error(problem)
            self.options = self.player.options
            self.models.refresh()
        report = self.player.engine_report
        fallback = [report.fallback] if report and report.fallback else []
        for warning in (*self.player.warnings, *fallback):
            if warning not in self._told:
                self._told.add(warning)
                self.messages.show_warning(warning)
        self._ticks += 1
        if self._ticks % _STATS_EVERY == 0:
            self._show_numbers()
            if self.player.live_status is not None and self.player.ledger is not None:
                self.controls.live_bar.set_times(self.player.ledger.snapshot())

    def _show_live(self) -> None:
        """Whether what is on the picture is now."""
        status = self.player.live_status
        if status is None:
            return
        self.controls.live_bar.set_status(self.player.state, status)
        self.view.set_lost(lost_text(self.player.state, status))

    def _announce(self) -> None:
        """Once for each source: name and recent list; once for each model: its classes."""
        player, source = self.player, self.player.source
        if source is None or player.info is None or player.spec is None:
            return
        self._announce_model(player.info, player.spec)
        if self._announced == source:
            return
        self._announced = source
        self._real_length_s = None
        self.setWindowTitle(plain_title(f"{player.info.name} — {TITLE}"))
        self.view.set_source(player.info.sample_aspect, player.ledger)
        self.controls.set_position(player.position_s)
        self.controls.set_live(player.info.live)
        self.controls.live_bar.set_status(self._state, player.live_status or LiveStatus())
        if source != DEMO:
            self._settings = self._settings.with_recent(redact(source))
            self._show_recent()

    def _announce_model(self, info: SourceInfo, spec: ModelSpec) -> None:
        if self._announced_model == spec.path:
            return
        self._announced_model = spec.path
        self.stats.set_source(info, spec)
        self.legend.set_labels(spec.labels, self.style_now.hidden)
        self.overlay = Overlay(spec.labels, self.style_now)
        self.view.set_overlay(self.overlay)
        self.outputs.set_overlay(self.overlay)
        self.models.refresh()

    def _state_changed(self) -> None:
        state, player = self._state, self.player
        self.controls.set_state(state)
        can_play = state in (PlayerState.PLAYING, PlayerState.PAUSED, PlayerState.ENDED)
        can_seek = can_play and player.info is not None and player.info.can_seek
        is_file = can_play and player.info is not None and not player.info.live
        is_live_now = state is not PlayerState.ERROR and player.live_status is not None
        can = {"video": can_play, "seek": can_seek, "file": is_file, "live": is_live_now}
        for spec in all_specs():
            if spec.needs:
                self.actions_by_id[spec.id].setEnabled(can[spec.needs])
        self.controls.speed_button.setEnabled(is_file)
        if state is PlayerState.LOADING:
            self.stack.setCurrentWidget(self.view)
            self.view.setFocus()
            self.view.set_notice(f"Opening {short_name(player.source or '')} …")
            self.models.refresh()
        elif state is PlayerState.ERROR:
            self._failed(player.error or "stopped")
        else:
            self.view.set_notice("")
        self._arrange()

    def _failed(self, text: str) -> None:
        self.messages.show_error(text)
        source = self.player.source
        self.view.set_lost("")
        if self._announced is None and source in self._settings.recent and not is_live(source):
            self._settings = self._settings.without_recent(source)
            self._show_recent()
        if self.view.shown is None:
            self.stack.setCurrentWidget(self.start_page)
            self.setWindowTitle(TITLE)
            self.controls.set_length(None, can_seek=False)
        self.controls.seek_bar.setEnabled(False)

    def _show_numbers(self) -> None:
        shown, ledger = self.view.shown, self.player.ledger
        if shown is None or self.player.spec is None or not self.panel.isVisible():
            return
        self.legend.set_shares(class_shares(shown.shot.classes, shown.shot.labels))
        self.stats.set_frame(shown.shot.frame.index)
        self.stats.set_engine(self.player.engine_report)
        self.stats.set_score(self.player.score)
        if ledger is not None:
            self.stats.set_times(ledger.snapshot(), live=self.player.live_status is not None)

    def _arrange(self) -> None:
        """Panel and controls only where there is something to show and to steer."""
        has_video = self.stack.currentWidget() is self.view
        wanted = self.actions_by_id["panel"].isChecked()
        self.panel.setVisible(has_video and wanted and not self._full_screen_on())
        if not self._full_screen_on():
            self.controls.setVisible(has_video)

    def _full_screen_on(self) -> bool:
        return self.actions_by_id["full-screen"].isChecked()

    # -- window to player ------------------------------------------------------------------------------------------

    def toggle_play(self) -> None:
        if self.player.state is PlayerState.PLAYING:
            self.player.pause()
        else:
            self.player.play()
        self._refresh()

    def seek(self, time_s: float) -> None:
        time_s = min(max(0.0, time_s), self.length_s or time_s)
        self.player.seek(time_s)
        self.controls.set_position(time_s)

    def _seek_end(self) -> None:
        if self.length_s is not None:
            self.seek(self.length_s)

    def seek_by(self, delta_s: float) -> None:
        self.seek(self.controls.seek_bar.position_s + delta_s)

    def _set_speed(self, speed: float) -> None:
        self.player.speed = speed
        self.controls.set_speed(speed)

    def _change_speed(self, by: int) -> None:
        place = SPEEDS.index(self.player.speed) + by
        self._set_speed(SPEEDS[min(max(0, place), len(SPEEDS) - 1)])

    def _set_loop(self, on: bool) -> None:
        self.player.loop = on

    # -- look ------------------------------------------------------------------------------------------------------

    def _set_style(self, style: OverlayStyle) -> None:
        self.style_now = style
        if self.overlay is not None:
            self.overlay = Overlay(self.overlay.labels, style)
            self.view.set_overlay(self.overlay)
            self.outputs.set_overlay(self.overlay)

    def _set_overlay_on(self, on: bool) -> None:
        self.view.set_overlay_on(on)

    def _set_errors_on(self, on: bool) -> None:
        self.view.set_errors_on(on)
        shown = self.view.shown
        if on and shown is not None and shown.truth is None:
            self.messages.show_info("This source brings no ground truth: nothing to mark")

    def _change_opacity(self, by: float) -> None:
        self.controls.set_opacity(min(1.0, max(0.0, self.style_now.opacity + by)))

    def _view_resized(self, size: QSize) -> None:
        self.player.view_size = (size.width(), size.height())

    def _view_settled(self) -> None:
        if self.view.shown and self.player.state is not PlayerState.PLAYING:
            self.player.rescale(self.view.shown)

    # -- other things ----------------------------------------------------------------------------------------------

    def _show_about(self) -> None:
        report = self.player.engine_report
        self._show_dialog(AboutDialog(report.line() if report else "", self))

    def _show_dialog(self, dialog: QWidget) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self._full_screen_on():
                self.actions_by_id["full-screen"].setChecked(False)
            else:
                self.messages.dismiss()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.outputs.may_close():
            event.ignore()
            return
        self._timer.stop()
        self.hide()
        outputs_ended = self.outputs.close()
        self.ended_in_time = self.player.close() and outputs_ended
        self._remember()
        super().closeEvent(event)

    def _remember(self) -> None:
        settings: WindowSettings = replace(
            self._settings,
            geometry=bytes(self.saveGeometry().data()),
            opacity=self.style_now.opacity,
            outline=self.style_now.outline,
            hidden=self.style_now.hidden,
            panel=self.actions_by_id["panel"].isChecked(),
        )
        save_settings(self._store, settings)
