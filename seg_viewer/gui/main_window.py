"""The window: makes its parts, connects them, and remembers what is to be remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow

from seg_viewer.core.assets import find_model
from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui.actions import connect_actions, fill_menu_bar, make_actions
from seg_viewer.gui.class_colors import ClassColors
from seg_viewer.gui.class_line import ClassLine
from seg_viewer.gui.comparing import Comparing
from seg_viewer.gui.deadline import DeadlinePart
from seg_viewer.gui.dialogs.help import AboutDialog, HelpDialog
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.focus_keys import FocusKeys
from seg_viewer.gui.hover import Hover
from seg_viewer.gui.look import Look
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.model_menu import ModelMenu
from seg_viewer.gui.numbers import Numbers
from seg_viewer.gui.outputs import Outputs
from seg_viewer.gui.panel_fold import PanelFold
from seg_viewer.gui.placement import Placement
from seg_viewer.gui.preferences import Preferences
from seg_viewer.gui.presenter import Presenter
from seg_viewer.gui.settings import style_changes
from seg_viewer.gui.sound import SoundMenu, SoundPart
from seg_viewer.gui.sources import Sources
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.dataset import DatasetTask
from seg_viewer.gui.tasks.folders import Folders
from seg_viewer.gui.tasks.recording import RecordingTask
from seg_viewer.gui.theme_choice import ThemeChoice
from seg_viewer.gui.transport import Transport
from seg_viewer.gui.view.ego_zone import EgoZone
from seg_viewer.gui.view.full_screen import FullScreen
from seg_viewer.gui.view.looking import Looking
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.widgets.central import CentralWidget
from seg_viewer.gui.widgets.controls import Controls
from seg_viewer.gui.widgets.legend import Legend
from seg_viewer.gui.widgets.loading_bar import LoadingBar
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import plain_title
from seg_viewer.gui.widgets.policy_menu import PolicyMenu
from seg_viewer.gui.widgets.recent_menu import RecentMenu
from seg_viewer.gui.widgets.record_menu import RecordMenu
from seg_viewer.gui.widgets.side_panel import SidePanel
from seg_viewer.gui.widgets.start_page import StartPage
from seg_viewer.gui.widgets.stats_panel import StatsPanel
from seg_viewer.gui.words import t, use_language
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player

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
        self.placement = Placement(self, self.memory)
        use_language(self.memory.settings.language)
        self._asks = True
        self._dialogs = OneOfEach()
        self.ended_in_time = True
        """Once closed: whether every thread has ended."""
        remembered, style = self.memory.settings, player.options.style
        if style == OverlayStyle():
            style = remembered.style

        self.background = Background(self)
        self.look, self._style = Look(style, self), style
        self.view = VideoView()
        self.folders = Folders(self.memory)
        self.ego_zone = EgoZone(self.view, player, self.background, self.folders, self.memory)
        self.recording = RecordingTask(
            lambda: player.live_source, player.set_recording, self.background, self.folders.recordings,
            lambda: self.memory.settings.record_sound, self,
        )  # fmt: skip
        self.actions_by_id = make_actions(self)
        self.start_page = StartPage()
        self.messages = MessageBar()
        self.loading_bar = LoadingBar()
        self.legend = Legend()
        self.class_colors = ClassColors(self.look, self.legend, self.actions_by_id["hatch"], self)
        self.theme_choice = ThemeChoice(self.memory, self)
        self.stats = StatsPanel()
        self.controls = Controls(self.actions_by_id)
        self.panel = SidePanel(self.legend, self.stats)
        self.transport = Transport(player, self.controls, self)
        self.outputs = Outputs(
            self.recording, self.ego_zone, self.actions_by_id["record"], self.controls.live_bar, self.messages,
            self.background, self._export_options, lambda: self.controls.seek_bar.position_s,
            lambda: self.sources.folder(), self.folders, self.memory, self,
        )  # fmt: skip
        central = CentralWidget(
            (self.messages, self.loading_bar, self.outputs.export_strip), (self.start_page, self.view),
            self.panel, self.controls,
        )  # fmt: skip
        for page in (self.start_page, self.view):
            central.notices.height_changed.connect(page.set_covered)
        self.stack = central.stack
        self.setCentralWidget(central)
        self.setWindowTitle(TITLE)
        self.setMinimumSize(480, 320)
        self.looking = Looking(player, self.view, self.actions_by_id, self.memory, self.messages, self)
        self.comparing = Comparing(
            player, self.view, self.looking, self.stats, self.messages, self.actions_by_id, self.memory,
            self.background, self,
        )  # fmt: skip
        self._build_menus()
        self.panel_fold = PanelFold(central.splitter, self.panel, self.actions_by_id["panel"], self.memory, self)
        self.focus_keys = FocusKeys(self, self.view)
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
        self.class_line = ClassLine(
            player, self.controls, lambda: self.look.overlay, lambda: self.outputs.exporting, self.memory,
            self.messages, self.transport.seek, self,
        )  # fmt: skip
        self.preferences = Preferences(
            self.memory, player, self.model_menu.use, self.messages, self.background, self, player.cache,
            {"palette": lambda name: self.look.change(palette=name)},
        )  # fmt: skip
        self.numbers = Numbers(
            player, self.stats, self.memory, self.actions_by_id["save-numbers"], self.messages, self.background, self
        )
        self.sources = Sources(
            player, self.presenter, self.actions_by_id, self.memory, self.background, self.messages,
            start_page=self.start_page, recent_menu=self.recent_menu, seek=self.transport.seek,
            export=self.outputs.queue_files, use_model=self.model_menu.use, overlay=lambda: self.look.overlay,
            over=central, window=self,
        )  # fmt: skip
        self.sound = SoundPart(
            player, self.actions_by_id, self.controls, self.sound_menu, self.memory, self.messages, self
        )
        self.hover = Hover(player, self.controls.seek_bar, self.look, self.actions_by_id["overlay"], self)
        undo = self.actions_by_id["undo"]
        self.dataset = DatasetTask(self._shot_to_send, self.folders.dataset, undo, self.background, self)
        parts = (
            self.sources, self.transport, self.looking, self.comparing, self.class_line, self.class_colors,
            self.panel_fold, self.numbers, self.preferences, self.dataset, self.sound, self.ego_zone,
        )  # fmt: skip
        connect_actions(self.actions_by_id, self._slots(), *(part.slots() for part in parts))
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
            "more": lambda: self._change_opacity(_OPACITY_STEP),
            "less": lambda: self._change_opacity(-_OPACITY_STEP),
            "full-screen": self._set_full_screen,
            "help": lambda: self._dialogs.show("help", lambda: HelpDialog(self)),
            "about": lambda: self._dialogs.show("about", self._make_about),
        }

    def _build_menus(self) -> None:
        self.recent_menu = RecentMenu(self)
        self.record_menu = RecordMenu(self.recording.what, self)
        player = self.player
        self.sound_menu = SoundMenu(self)
        self.policy_menu = PolicyMenu(lambda: player.left_out, self)
        self.deadline = DeadlinePart(player, self.controls.live_bar, self.memory, self)
        inner = {
            "open-model": self.comparing.menu.menu, "next-disagreement": self.deadline.menu,
            "demo": self.recent_menu, "slower": self.controls.speed_menu, "loop": self.policy_menu,
            "record": self.record_menu, "quieter": self.sound_menu, "hatch": self.class_colors.menu,
            "full-screen": self.theme_choice.menu,
        }  # fmt: skip
        menus = fill_menu_bar(self.menuBar(), self.actions_by_id, inner)
        self.model_menu = ModelMenu(menus["Model"], lambda: player.options, lambda: player.own_spec, self.background)

    def _connect(self) -> None:
        actions = self.actions_by_id
        self.sources.titled.connect(lambda name: self.setWindowTitle(plain_title(f"{name} — {TITLE}")))
        self.dataset.told.connect(lambda line, undo: self.messages.show_info(line, t("Undo") if undo else "", undo))
        self.dataset.failed.connect(self.messages.show_error)
        self.record_menu.chosen.connect(self.recording.set_what)
        self.model_menu.chosen.connect(self._use_model)
        self.model_menu.failed.connect(self.messages.show_error)
        self.loading_bar.cancelled.connect(self.player.stop_loading)
        self.loading_bar.given_up.connect(self._give_up_opening)
        self.view.painted_first.connect(self.first_shot_painted)
        self.view.double_clicked.connect(actions["full-screen"].toggle)
        self.transport.told.connect(self.messages.show_info)
        self.transport.outdated.connect(self.messages.take_back)
        self.transport.changed.connect(self.presenter.refresh)  # the icon changes at once
        self.policy_menu.chosen.connect(self._set_in_full)
        self.controls.opacity_chosen.connect(lambda value: self.look.change(opacity=value))
        self.legend.hidden_changed.connect(lambda names: self.look.change(hidden=names))
        self.look.changed.connect(self.view.set_overlay)
        self.look.changed.connect(self.recording.set_overlay)
        self.look.style_changed.connect(self._remember_style)
        for changed in (self.look.changed, actions["overlay"].toggled):
            changed.connect(lambda _new: self.outputs.refresh_look())
        self.outputs.export_started.connect(self.player.pause)  # both would only slow each other down
        self.presenter.shot_shown.connect(self.ego_zone.watch)
        self.presenter.shot_shown.connect(self.sound.saw)
        self.presenter.shot_shown.connect(self.looking.show_numbers)
        self.presenter.shot_shown.connect(self.comparing.show)
        for refreshed in (self.looking, self.ego_zone, self.comparing, self.deadline):
            self.presenter.refreshed.connect(refreshed.refresh)
        self.presenter.video_wanted.connect(self._show_page)
        for opened in (self.transport.forget, self.sound.opened, self.hover.opened):
            self.presenter.source_opened.connect(lambda *_, opened=opened: opened())
        self.presenter.model_changed.connect(self.hover.opened)
        for menu in (self.model_menu, self.comparing.menu):
            self.presenter.model_changed.connect(menu.refresh)
        self.presenter.refreshed.connect(self.outputs.refresh)
        for number in range(10):
            QShortcut(QKeySequence(f"{number}"), self, lambda share=number / 10: self.transport.seek_share(share))
        self.presenter.refreshed.connect(self.class_line.refresh)
        self.presenter.shot_shown.connect(self.class_line.show_shot)
        self.presenter.refreshed.connect(self.numbers.refresh)
        for number in range(1, 10):
            QShortcut(QKeySequence(f"Alt+{number}"), self, lambda number=number: self.legend.toggle(number))

    def _apply_settings(self) -> None:
        settings = self.memory.settings
        if not (settings.geometry and self.restoreGeometry(settings.geometry)):
            room = self.screen().availableGeometry().size() - _FRAME
            self.resize(QSize(1280, 800).boundedTo(room))
        # closed in full screen, it still opens as a window
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowFullScreen)
        self.controls.set_opacity(self.look.style.opacity)
        for name, on in (("outline", self.look.style.outline), ("timeline", settings.timeline)):
            self.actions_by_id[name].setChecked(on)
        self._set_in_full(settings.in_full)
        self.model_menu.refresh()
        self.comparing.menu.refresh()
        self.looking.apply_settings()
        self._arrange()

    # -- sources and models ----------------------------------------------------------------------------------------

    def open(self, source: str | Path) -> None:
        """See `Sources.open`."""
        self.sources.open(source)

    def _give_up_opening(self) -> None:
        self.player.give_up_opening()
        self.sources.playlist.follow(self.player.source)
        self.presenter.refresh()

    def _use_model(self, model: str) -> None:
        """Another model at the same place."""
        if find_model(model).resolve() == self.model_menu.wanted and self.player.error is None:
            return
        if self.player.error is not None:  # the message is of the model, or the source, that is tried anew
            self.messages.clear()
        files = self.player.scores_to if self.player.score else ()
        self.player.use_model(model)
        self.presenter.refresh()
        for table in files:
            self.messages.show_info(t("{table} holds the scores of the model before, and ends with it", table=table))

    # -- what a person wants ---------------------------------------------------------------------------------------

    def _take_screenshot(self) -> None:
        shown, info = self.view.shown, self.player.info
        if shown and info:
            overlay = self.look.overlay if self.actions_by_id["overlay"].isChecked() else None
            self.outputs.take_screenshot(shown.shot, overlay, f"{info.file_stem}.png")

    def _shot_to_send(self) -> tuple[Shot, str] | None:
        shown, info = self.view.shown, self.player.info
        return (shown.shot, info.file_stem) if shown and info else None

    def _show_export(self) -> None:
        source, info = self.player.source, self.player.info
        if source is not None and info is not None:
            self.outputs.show_export(source, info, self.transport.marks_s)

    def _export_options(self) -> RunOptions:
        """As things are shown now: with the overlay off, nothing is painted."""
        style = self.look.style
        if not self.actions_by_id["overlay"].isChecked():
            style = replace(style, opacity=0.0, outline=False)
        return replace(self.player.options, style=style)

    def _set_in_full(self, in_full: bool) -> None:
        self.player.in_full = in_full
        self.policy_menu.set_in_full(in_full)
        self.memory.change(in_full=in_full)

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
            (self.view if video else self.start_page.open_button).setFocus()

    def _set_full_screen(self, on: bool) -> None:
        self.actions_by_id["panel"].setEnabled(not on)
        self.full_screen.set_on(on)
        self._arrange()

    def _arrange(self) -> None:
        """Panel and controls only where there is something to show and to steer."""
        has_video = self.stack.currentWidget() is self.view
        full_screen = self.actions_by_id["full-screen"].isChecked()
        self.panel_fold.set_room(has_video and not full_screen)
        if not full_screen:
            self.controls.setVisible(has_video)

    def _make_about(self) -> AboutDialog:
        report = self.player.engine_report
        return AboutDialog(report.line() if report else "", self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.player.is_opening:
                self._give_up_opening()
            elif not self.comparing.stop() and not self.messages.dismiss():
                self.actions_by_id["full-screen"].setChecked(False)
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
        others_ended = self.sources.leave()
        for dialog in self.findChildren(QDialog):
            dialog.hide()
        self.hide()
        self.outputs.end(asked=self._asks)
        self.numbers.end()
        silent = self.sound.close() and self.hover.close()
        played_out = self.player.close() and silent
        self.ended_in_time = self.background.close() and played_out and others_ended
        self.memory.close()
        super().closeEvent(event)

    def _remember_style(self, style: OverlayStyle) -> None:
        """What was changed by hand; what the command line asked for is for this time only."""
        before, self._style = self._style, style
        self.memory.change(**style_changes(before, style, self.memory.settings))
