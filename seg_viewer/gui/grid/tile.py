"""One of several live sources: its name, its picture, its state, its messages, its recording."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from seg_viewer.core.overlay import Overlay
from seg_viewer.gui.look import Look
from seg_viewer.gui.opening import short_name
from seg_viewer.gui.outputs import recorded_text
from seg_viewer.gui.tasks.recording import RecordingTask
from seg_viewer.gui.view.modes import MODES, mode_by_id
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.widgets.folders import open_folder_of
from seg_viewer.gui.widgets.live_bar import LiveBar, lost_text, waiting_text
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.plain import ElidedLabel, PlainLabel, plain_tip
from seg_viewer.gui.words import frames_text, said, t
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.sources import LiveStatus


class Tile(QFrame):
    """Shows one player, and nothing of it touches another tile.

    Args:
        player: of its source; closed by the window.
        source: what it opens.
        number: its key, from 1 on.
        look: how classes are painted, in all tiles.
        recording: of this player.
    """

    wanted = Signal()
    """Somebody clicked on it, or pressed Enter: large, or all again."""
    password_wanted = Signal(str, str)
    """A source whose server wants another user and password, and what it said."""
    focused = Signal()
    _news = Signal()
    _changed = Signal()

    def __init__(
        self,
        player: Player,
        source: str,
        number: int,
        look: Look,
        recording: RecordingTask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("tile")
        self.player, self.source, self._look = player, source, look
        self._opened_count = -1
        self._told: set[str] = set()
        self._had_picture = False
        self.title = ElidedLabel(short_name(source))
        self.left_out = PlainLabel(objectName="dim")
        self.left_out.setAccessibleName(t("Dropped"))
        self.view, self.bar, self.messages = VideoView(), LiveBar(), MessageBar()
        self.view.setAccessibleName(t("Picture {number}: {name}", number=number, name=short_name(source)))
        self.view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.view.setMinimumSize(120, 60)
        self.recording = recording
        self._arrange(number)
        self._connect()

    def _arrange(self, number: int) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(6, 2, 6, 0)
        head.addWidget(PlainLabel(f"{number}", objectName="key"))
        head.addWidget(self.title, 1)
        head.addWidget(self.left_out)
        over = QGridLayout()
        over.setContentsMargins(0, 0, 0, 0)
        over.addWidget(self.view, 0, 0)
        over.addWidget(self.messages, 0, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(1)
        column.addLayout(head)
        column.addLayout(over, 1)
        column.addWidget(self.bar)

    def _connect(self) -> None:
        player, view = self.player, self.view
        view.wished.connect(self._wish)
        view.clicked.connect(self.wanted)
        view.double_clicked.connect(self.wanted)
        view.installEventFilter(self)
        self._look.changed.connect(view.set_overlay)
        self._look.changed.connect(self.recording.set_overlay)
        self.recording.saved.connect(self._show_saved)
        self.recording.failed.connect(self.messages.show_error)
        self.recording.noted.connect(self.messages.show_warning)
        self._wish(view.wish)
        self._news.connect(self._take)
        self._changed.connect(self.refresh)
        player.listen(self._news.emit, self._changed.emit)  # signals are queued to the window's thread

    # -- what a person wants ---------------------------------------------------------------------------------------

    def open(self, source: str | None = None) -> None:
        """Once more, or by another address: with the user and password that were missing."""
        self.source = source or self.source
        self.messages.clear()
        self.player.open(self.source)

    def set_colored(self, on: bool) -> None:
        """Whether classes are painted; recordings keep them."""
        self.view.set_mode(MODES[0] if on else mode_by_id("original"))

    def toggle_recording(self) -> None:
        """Start one, once a model runs; or end it."""
        if self.recording.running:
            self.recording.stop()
        elif self._look.overlay is not None:
            self.recording.start(self._look.overlay)

    # -- what the player does --------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Several times a second."""
        player = self.player
        while (wanted := player.take_password_wanted()) is not None:
            self.password_wanted.emit(*wanted)
        while (problem := player.take_problem()) is not None:
            self.messages.show_error(problem)
        while (parting := player.take_parting()) is not None:
            self.messages.show_warning(parting)
        while player.take_failed() is not None:
            pass  # `take_problem` has said why
        self.recording.refresh()
        self.bar.set_recording(self.recording.seconds)
        self._announce()
        self._show_state()
        self._warn()
        if player.ledger is not None:
            drops = player.ledger.snapshot().drops
            count = sum(drops.values())
            self.left_out.setText(t("{frames} left out", frames=frames_text(count)) if count else "")
            causes = "\n".join(f"{frames_text(number)}: {said(cause)}" for cause, number in sorted(drops.items()))
            self.left_out.setToolTip(plain_tip(causes))
            self.bar.set_times(player.ledger.snapshot())

    def _announce(self) -> None:
        """Once for each opening: its name, shape and classes."""
        player = self.player
        if player.info is None or player.spec is None or self._opened_count == player.opened_count:
            return
        self._opened_count = player.opened_count
        self._told.clear()
        self.title.setText(player.info.name)
        self.title.setToolTip(plain_tip(player.info.name))
        self.view.set_source(player.info.sample_aspect, player.ledger)
        if self._look.overlay is None or self._look.overlay.labels != player.spec.labels:
            self._look.set_labels(player.spec.labels)
        overlay: Overlay | None = self._look.overlay
        assert overlay is not None
        self.view.set_overlay(overlay)

    def _show_state(self) -> None:
        player, status = self.player, self.player.live_status or LiveStatus()
        state = player.state
        self.bar.setVisible(state is not PlayerState.LOADING and player.live_status is not None)
        self.bar.set_status(state, status)
        if state is PlayerState.ERROR:
            self.view.set_lost("")
            text = f"{said(player.error or t('stopped'))}\n{t('Enter tries again')}"
            self.view.clear(text)
        elif state is PlayerState.LOADING:
            waiting = waiting_text(player.waiting) if player.waiting else ""
            self.view.set_notice(waiting or t("Opening {name} …", name=short_name(self.source)))
        else:
            self.view.set_lost(lost_text(state, status))

    def _warn(self) -> None:
        """Each warning once."""
        report = self.player.engine_report
        fallback = [report.fallback] if report and report.fallback else []
        for warning in (*self.player.warnings, *fallback):
            if warning not in self._told:
                self._told.add(warning)
                self.messages.show_warning(warning)

    def _take(self) -> None:
        shown = self.player.take()
        if shown is not None:
            self._announce()
            self.view.show_shot(shown)

    def _wish(self, wish: object) -> None:
        self.player.wish = self.view.wish

    def _show_saved(self, paths: list[str]) -> None:
        about = {str(report.path): recorded_text(report) for report in self.recording.reports}
        names = ", ".join(f"{Path(path).name} ({about[path]})" if path in about else Path(path).name for path in paths)
        saved = t("Recording saved: {names}", names=names)
        self.messages.show_info(saved, t("Open folder"), lambda: open_folder_of(Path(paths[0])))

    # -- focus -----------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """The frame shows which tile keys are for; without a picture, a click is one, too."""
        if event.type() is QEvent.Type.MouseButtonRelease and self.view.shown is None:
            self.wanted.emit()
        if event.type() is QEvent.Type.FocusIn:
            self.focused.emit()
        return False

    def set_current(self, on: bool) -> None:
        """Whether keys are for this one."""
        self.setProperty("current", on)
        self.style().unpolish(self)
        self.style().polish(self)
