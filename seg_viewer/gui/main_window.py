"""The window: makes its parts, connects them, and remembers what is to be remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QMoveEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow

from seg_viewer.core.assets import find_model
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui.actions import connect_actions, fill_menu_bar, make_actions
from seg_viewer.gui.dialogs.help import AboutDialog, HelpDialog
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.drops import Drops
from seg_viewer.gui.look import Look
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.model_menu import ModelMenu
from seg_viewer.gui.opening import Opening
from seg_viewer.gui.outputs import Outputs
from seg_viewer.gui.presenter import Presenter
from seg_viewer.gui.recents import Recents
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.recording import RecordingTask
from seg_viewer.gui.transport import Transport
from seg_viewer.gui.view.ego_zone import EgoZone
from seg_viewer.gui.view.full_screen import FullScreen
from seg_viewer.gui.view.looking import Looking
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.widgets.central import CentralWidget
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.legend import Legend, SidePanel
from seg_viewer.gui.widgets.loading_bar import LoadingBar
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import plain_title
from seg_viewer.gui.widgets.recent_menu import RecentMenu
from seg_viewer.gui.widgets.record_menu import RecordMenu
from seg_viewer.gui.widgets.start_page import StartPage
from seg_viewer.gui.widgets.stats_panel import StatsPanel
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.sources import DEMO, is_live

TITLE = "seg-viewer"
_OPACITY_STEP = 0.05
_FRAME = QSize(4, 40)  # what a window manager usually adds


class MainWindow(QMainWindow):
    """One player with its picture and its controls.

    Args:
        player: what plays, perhaps at work already; closed with the window. A style in its options other than the
            default wins over what is remembered.
        store: where the window's settings live.
    """

    first_shot_painted = Signal()

    def __init__(self, player: Player, store: QSettings) -> None:
        super().__init__()
        self.player = player
        self.memory = Memory(store, self)
        self._asks = True
        self._dialogs = OneOfEach()
        self.ended_in_time = True
        """Once closed: whether every thread has ended."""
        remembered, style = self.memory.settings, player.options.style
        if style == OverlayStyle():
            style = OverlayStyle(remembered.opacity, remembered.hidden, remembered.outline)

        self.background = Background(self)
        self.look = Look(style, self)
        self.view = VideoView()
        self.ego_zone = EgoZone(self.view, lambda: player.live_source, self.background)
        self.recording = RecordingTask(lambda: player.live_source, player.set_recording, self.background, self)
        self.actions_by_id = make_actions(self)
        self.start_page = StartPage()
        self.messages = MessageBar()
        self.loading_bar = LoadingBar()
        self.legend = Legend()
        self.stats = StatsPanel()
        self.controls = Controls(self.actions_by_id)
        self.panel = SidePanel(self.legend, self.stats)
        self.transport = Transport(player, self.controls)
        self.opening = Opening(self.background, lambda: self.memory.settings.last_folder, self)
        self.outputs = Outputs(
            self.recording, self.ego_zone, self.actions_by_id["record"], self.controls.live_bar, self.messages,
            self.background, self._export_options, lambda: self.controls.seek_bar.position_s, self._source_folder,
            self,
        )  # fmt: skip
        central = CentralWidget(
            (self.messages, self.loading_bar, self.outputs.export_strip), (self.start_page, self.view),
            self.panel, self.controls,
        )  # fmt: skip
        self.stack = central.stack
        self.setCentralWidget(central)
        self.setWindowTitle(TITLE)
        self.setMinimumSize(720, 460)
        self._build_menus()
        self.full_screen = FullScreen(self, central, self.controls, self.view)
        self.presenter = Presenter(
            player,
            self.look,
            self.actions_by_id,
            view=self.view,
            controls=self.controls,
            legend=self.legend,
            stats=self.stats,
            messages=self.messages,
            loading_bar=self.loading_bar,
            parent=self,
        )
        self.drops = Drops(self)
        self.looking = Looking(player, self.view, self.actions_by_id, self.memory, self.messages, self)
        connect_actions(
            self.actions_by_id, self._slots(), self.opening.slots(), self.transport.slots(), self.looking.slots()
        )
        self._connect()
        self._apply_settings()
        self.presenter.start()

    # -- building --------------------------------------------------------------------------------------------------

    def _slots(self) -> dict[str, Callable[..., object]]:
        return {
            "open-model": lambda: self.model_menu.ask_file(),
            "screenshot": self._take_screenshot,
            "record": lambda: self.outputs.toggle_recording(self.look.overlay),
            "export": self._show_export,
            "export-queue": lambda: self.outputs.show_queue(),
            "quit": self.close,
            "outline": lambda on: self.look.change(outline=on),
            "zone": self.ego_zone.set_on,
            "more": lambda: self._change_opacity(_OPACITY_STEP),
            "less": lambda: self._change_opacity(-_OPACITY_STEP),
            "panel": self._set_panel,
            "full-screen": self._set_full_screen,
            "help": lambda: self._dialogs.show("help", lambda: HelpDialog(self)),
            "about": lambda: self._dialogs.show("about", self._make_about),
        }

    def _build_menus(self) -> None:
        self.recent_menu = RecentMenu(self)
        self.recents = Recents(self.memory, self.start_page, self.recent_menu, self)
        self.record_menu = RecordMenu(self.recording.what, self)
        inner = {"demo": self.recent_menu, "slower": self.controls.speed_menu, "record": self.record_menu}
        menus = fill_menu_bar(self.menuBar(), self.actions_by_id, inner)
        player = self.player
        self.model_menu = ModelMenu(menus["Model"], lambda: player.options, lambda: player.spec, self.background)

    def _connect(self) -> None:
        actions = self.actions_by_id
        actions["play"].triggered.connect(lambda _checked: self.presenter.refresh())  # its icon changes at once
        self.opening.chosen.connect(self.open)
        self.recents.chosen.connect(self.open)
        self.start_page.open_wanted.connect(actions["open"].trigger)
        self.start_page.address_wanted.connect(actions["address"].trigger)
        self.start_page.demo_wanted.connect(actions["demo"].trigger)
        self.drops.dropped.connect(self._dropped)
        self.drops.hovering.connect(lambda on: self.view.set_notice("Drop to open" if on else ""))
        self.record_menu.chosen.connect(self.recording.set_what)
        self.model_menu.chosen.connect(self._use_model)
        self.model_menu.failed.connect(self.messages.show_error)
        self.loading_bar.cancelled.connect(self.player.stop_loading)
        self.view.painted_first.connect(self.first_shot_painted)
        self.view.double_clicked.connect(actions["full-screen"].toggle)
        self.controls.sought.connect(self.transport.seek)
        self.controls.speed_chosen.connect(self.transport.set_speed)
        self.controls.opacity_chosen.connect(lambda value: self.look.change(opacity=value))
        self.legend.hidden_changed.connect(lambda names: self.look.change(hidden=names))
        self.look.changed.connect(self.view.set_overlay)
        self.look.changed.connect(self.recording.set_overlay)
        self.look.style_changed.connect(self._remember_style)
        for changed in (self.look.changed, actions["overlay"].toggled):
            changed.connect(lambda _new: self.outputs.refresh_look())
        self.outputs.export_started.connect(self.player.pause)  # both would only slow each other down
        self.presenter.shot_shown.connect(self.ego_zone.watch)
        self.presenter.shot_shown.connect(self.looking.show_numbers)
        self.presenter.refreshed.connect(self.looking.refresh)
        self.presenter.video_wanted.connect(self._show_page)
        self.presenter.source_opened.connect(self._source_opened)
        self.presenter.source_failed.connect(self.recents.failed)
        self.presenter.model_changed.connect(self.model_menu.refresh)
        self.presenter.refreshed.connect(self.outputs.refresh)
        for number in range(1, 10):
            QShortcut(QKeySequence(str(number)), self, lambda number=number: self.legend.toggle(number))

    def _apply_settings(self) -> None:
        settings = self.memory.settings
        if not (settings.geometry and self.restoreGeometry(settings.geometry)):
            room = self.screen().availableGeometry().size() - _FRAME
            self.resize(QSize(1280, 800).boundedTo(room))
        # closed in full screen, it still opens as a window
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowFullScreen)
        self.controls.set_opacity(self.look.style.opacity)
        for name, on in (("outline", self.look.style.outline), ("panel", settings.panel)):
            self.actions_by_id[name].setChecked(on)
        self.model_menu.refresh()
        self.looking.apply_settings()
        self._arrange()

    # -- sources and models ----------------------------------------------------------------------------------------

    def open(self, source: str | Path) -> None:
        """Play a file, a folder, "demo" or something live; what goes wrong is told in the message bar."""
        text = self.opening.complete(source)
        if text != DEMO and not is_live(text):
            self.memory.change(last_folder=str(Path(text).parent))
        self.presenter.forget()
        self.player.open(text)
        self.presenter.refresh()

    def _use_model(self, model: str) -> None:
        """Another model at the same place."""
        if find_model(model).resolve() == self.model_menu.wanted and self.player.error is None:
            return
        table = self.player.truth_csv if self.player.score else None
        if self.player.error is not None:
            self.presenter.forget()
        self.player.use_model(model)
        self.presenter.refresh()
        if table is not None:
            self.messages.show_info(f"{table} holds the scores of the model before, and ends with it")

    def _source_opened(self, source: str, name: str) -> None:
        self.setWindowTitle(plain_title(f"{name} — {TITLE}"))
        self.recents.opened(source)

    def _dropped(self, paths: list[str]) -> None:
        self.open(paths[0])
        if len(paths) > 1:
            self.messages.show_info(
                f"Opened the first of {len(paths)} things dropped",
                f"Export all {len(paths)}…",
                lambda: self.outputs.queue_files(paths),
            )

    # -- what a person wants ---------------------------------------------------------------------------------------

    def _take_screenshot(self) -> None:
        shown, info = self.view.shown, self.player.info
        if shown and info:
            overlay = self.look.overlay if self.actions_by_id["overlay"].isChecked() else None
            self.outputs.take_screenshot(shown.shot, overlay, f"{info.file_stem}.png")

    def _show_export(self) -> None:
        source, info = self.player.source, self.player.info
        if source is not None and info is not None:
            self.outputs.show_export(source, info)

    def _export_options(self) -> RunOptions:
        """As things are shown now: with the overlay off, nothing is painted."""
        style = self.look.style
        if not self.actions_by_id["overlay"].isChecked():
            style = replace(style, opacity=0.0, outline=False)
        return replace(self.player.options, style=style)

    def _source_folder(self) -> str:
        info = self.player.info
        return str(info.path.parent) if info and info.path else self.memory.settings.last_folder

    def _change_opacity(self, by: float) -> None:
        self.controls.set_opacity(min(1.0, max(0.0, self.look.style.opacity + by)))

    # -- what is where ---------------------------------------------------------------------------------------------

    def _show_page(self, video: bool) -> None:
        page = self.view if video else self.start_page
        if not video:
            self.setWindowTitle(TITLE)
        if self.stack.currentWidget() is not page:
            self.stack.setCurrentWidget(page)
            self._arrange()

    def _set_full_screen(self, on: bool) -> None:
        self.actions_by_id["panel"].setEnabled(not on)
        self.full_screen.set_on(on)
        self._arrange()

    def _set_panel(self, on: bool) -> None:
        self.memory.change(panel=on)
        self._arrange()

    def _arrange(self) -> None:
        """Panel and controls only where there is something to show and to steer."""
        has_video = self.stack.currentWidget() is self.view
        full_screen = self.actions_by_id["full-screen"].isChecked()
        self.panel.setVisible(has_video and self.actions_by_id["panel"].isChecked() and not full_screen)
        if not full_screen:
            self.controls.setVisible(has_video)

    def _make_about(self) -> AboutDialog:
        report = self.player.engine_report
        return AboutDialog(report.line() if report else "", self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            full_screen = self.actions_by_id["full-screen"]
            if full_screen.isChecked():
                full_screen.setChecked(False)
            else:
                self.messages.dismiss()
            return
        super().keyPressEvent(event)

    # -- leaving ---------------------------------------------------------------------------------------------------

    def close_without_asking(self) -> None:
        """The program was told to end: exports keep what is done, recordings finish, questions are answered with no."""
        self._asks = False
        for widget in QApplication.topLevelWidgets():
            if widget.isModal() and widget.isVisible():
                widget.close()
        self.close()  # does nothing while `closeEvent` below waits for an answer; that has it now and goes on

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._asks and not self.outputs.may_close() and self._asks:
            event.ignore()
            return
        self.presenter.stop()
        self.hide()
        self.outputs.end(asked=self._asks)
        played_out = self.player.close()
        self.ended_in_time = self.background.close() and played_out
        self.memory.write()
        super().closeEvent(event)

    def _remember_style(self, style: OverlayStyle) -> None:
        self.memory.change(opacity=style.opacity, outline=style.outline, hidden=style.hidden)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._placed()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._placed()

    def _placed(self) -> None:
        if self.isVisible():  # before, it has not been where a person put it
            self.memory.change_late("geometry", lambda: bytes(self.saveGeometry().data()))
