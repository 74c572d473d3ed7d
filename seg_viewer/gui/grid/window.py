"""The window of several live sources: a grid of tiles, of which one can be large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QSettings, QSize, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QGridLayout, QMainWindow, QWidget

from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui.actions import ActionSpec, connect_action, new_action
from seg_viewer.gui.dialogs.password import PasswordDialog
from seg_viewer.gui.grid.actions import GRID_MENUS
from seg_viewer.gui.grid.tile import Tile
from seg_viewer.gui.look import Look
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.folders import Folders
from seg_viewer.gui.tasks.recording import RecordingTask
from seg_viewer.gui.tasks.screenshot import take_screenshot
from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.plain import plain_title
from seg_viewer.gui.words import t, use_language
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.player.pool import EnginePool
from seg_viewer.sources import redact

TITLE = "seg-viewer"
_REFRESH_MS = 100
_OPACITY_STEP = 0.05
_GAP = 2
_FRAME = QSize(4, 40)  # what a window manager usually adds


def players_of(sources: Sequence[str], options: RunOptions) -> list[Player]:
    """One for each source, at work already, all on one engine."""
    pool = EnginePool()
    players = [Player(options, pool) for _ in sources]
    for player, source in zip(players, sources, strict=True):
        player.open(source)
    return players


class GridWindow(QMainWindow):
    """Up to four live sources; each has its own state, age, drops, messages and recording.

    Args:
        players: of the sources, at work already; closed with the window.
        sources: as they were opened.
        store: where settings live; only read.
    """

    closed = Signal()

    def __init__(self, players: Sequence[Player], sources: Sequence[str], store: QSettings) -> None:
        super().__init__()
        self.memory = Memory(store, self)
        use_language(self.memory.settings.language)
        style = players[0].options.style
        for player in players:
            if player.options.steady is None:  # one of the command line wins
                player.steady = self.memory.settings.steady
        self.look = Look(self.memory.settings.style if style == OverlayStyle() else style, self)
        self.background, self.folders = Background(self), Folders(self.memory)
        self.ended_in_time = True
        """Once closed: whether every thread has ended."""
        self.large: Tile | None = None
        self.tiles = [
            Tile(player, source, number, self.look, self._recording_of(player))
            for number, (player, source) in enumerate(zip(players, sources, strict=True), 1)
        ]
        self._current = self.tiles[0]
        page = QWidget()
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(_GAP, _GAP, _GAP, _GAP)
        self._grid.setSpacing(_GAP)
        self.setCentralWidget(page)
        names = ", ".join(redact(source) for source in sources)
        self.setWindowTitle(plain_title(f"{names} — {TITLE}"))
        self.setMinimumSize(480, 320)
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableGeometry().size() - _FRAME))
        self._connect()
        self._arrange()
        self._timer = timer(self, _REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self._set_current(self._current)
        self._current.view.setFocus()
        self.refresh()

    def _recording_of(self, player: Player) -> RecordingTask:
        return RecordingTask(
            lambda: player.live_source, player.set_recording, self.background, self.folders.recordings,
            lambda: self.memory.settings.record_sound, self,
        )  # fmt: skip

    def _connect(self) -> None:
        slots: dict[str, Callable[..., object]] = {
            "grid-record": lambda: self._current.toggle_recording(),
            "grid-record-all": self.record_all,
            "grid-screenshot": self._take_screenshot,
            "grid-again": lambda: self._current.open(),
            "grid-close": self.close,
            "grid-large": lambda: self.answer(self._current),
            "grid-overlay": self._set_colored,
            "grid-outline": lambda on: self.look.change(outline=on),
            "grid-more": lambda: self._change_opacity(_OPACITY_STEP),
            "grid-less": lambda: self._change_opacity(-_OPACITY_STEP),
            "grid-full": self._set_full_screen,
        }
        self.actions_by_id: dict[str, QAction] = {}
        for title, items in GRID_MENUS:
            menu = self.menuBar().addMenu(t(title))
            for spec in items:
                self._add(menu.addAction, spec, slots) if spec is not None else menu.addSeparator()
        self.actions_by_id["grid-overlay"].setChecked(True)
        self.actions_by_id["grid-outline"].setChecked(self.look.style.outline)
        for number, tile in enumerate(self.tiles, 1):
            QShortcut(QKeySequence(f"{number}"), self, partial(self.show_large, tile))
            tile.wanted.connect(partial(self.answer, tile))
            tile.focused.connect(partial(self._set_current, tile))
            tile.password_wanted.connect(partial(self._ask_password, tile))
        QShortcut(QKeySequence("Esc"), self, self._back)
        for key, step in (("Right", 1), ("Left", -1)):
            QShortcut(QKeySequence(key), self, partial(self._go, step))

    def _add(self, add: Callable[..., object], spec: ActionSpec, slots: dict[str, Callable[..., object]]) -> None:
        action = self.actions_by_id[spec.id] = new_action(self, spec)
        connect_action(action, slots[spec.id])
        add(action)

    # -- which is where --------------------------------------------------------------------------------------------

    def show_large(self, tile: Tile) -> None:
        """That one alone; all again where it is alone already. The others go on, and record on."""
        self.large = None if self.large is tile else tile
        self._set_current(tile)
        self._arrange()
        tile.view.setFocus()

    def answer(self, tile: Tile) -> None:
        """A click, or Enter: one that has failed is tried again, any other becomes large, or all are shown."""
        if tile.player.error is not None:
            tile.open()
        else:
            self.show_large(tile)

    def _back(self) -> None:
        if self._current.messages.dismiss():
            return
        if self.large is not None:
            self.show_large(self.large)
        else:
            self.actions_by_id["grid-full"].setChecked(False)

    def _go(self, step: int) -> None:
        """Keys are for the next one, which is large where the one before was."""
        tile = self.tiles[(self.tiles.index(self._current) + step) % len(self.tiles)]
        if self.large is not None:
            self.large = None
            self.show_large(tile)
        tile.view.setFocus()

    def _set_current(self, tile: Tile) -> None:
        self._current = tile
        for other in self.tiles:
            other.set_current(other is tile)

    def _arrange(self) -> None:
        """All of the same size: two beside or above each other, as the window is wide or high; more in two rows."""
        seen = [self.large] if self.large is not None else self.tiles
        columns = 1 if len(seen) == 1 or (len(seen) == 2 and self.width() < self.height() * 1.2) else 2
        rows = -(-len(seen) // columns)
        for tile in self.tiles:
            self._grid.removeWidget(tile)
            tile.setVisible(tile in seen)
        for number, tile in enumerate(seen):
            self._grid.addWidget(tile, number // columns, number % columns)
        for index in range(2):
            self._grid.setRowStretch(index, int(index < rows))
            self._grid.setColumnStretch(index, int(index < columns))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if len(self.tiles) == 2 and self.large is None:
            self._arrange()

    # -- what a person wants ---------------------------------------------------------------------------------------

    def record_all(self) -> None:
        """Start the recordings that do not run; where all do, end them."""
        can = [tile for tile in self.tiles if tile.player.live_source is not None]
        idle = [tile for tile in can if not tile.recording.running]
        for tile in idle or can:
            tile.toggle_recording()

    def _take_screenshot(self) -> None:
        tile = self._current
        shown, info = tile.view.shown, tile.player.info
        if shown is None or info is None:
            return
        overlay = self.look.overlay if self.actions_by_id["grid-overlay"].isChecked() else None
        take_screenshot(
            self.background, self, shown.shot, overlay, self.folders.pictures(), f"{info.file_stem}.png",
            on_saved=lambda path: tile.messages.show_info(t("Screenshot saved: {names}", names=str(path))),
            on_failed=tile.messages.show_error,
        )  # fmt: skip

    def _set_colored(self, on: bool) -> None:
        for tile in self.tiles:
            tile.set_colored(on)

    def _change_opacity(self, by: float) -> None:
        self.look.change(opacity=min(1.0, max(0.0, self.look.style.opacity + by)))

    def _set_full_screen(self, on: bool) -> None:
        self.menuBar().setVisible(not on)
        self.showFullScreen() if on else self.showNormal()

    def _ask_password(self, tile: Tile, source: str, reason: str) -> None:
        said = reason.removeprefix(f"{redact(source).partition('#')[0]}: ").partition(";")[0]
        dialog = PasswordDialog(source, said, self)
        dialog.chosen.connect(tile.open)
        dialog.show()

    def refresh(self) -> None:
        for tile in self.tiles:
            tile.refresh()

    # -- leaving ---------------------------------------------------------------------------------------------------

    def close_without_asking(self) -> None:
        """The program was told to end; recordings finish."""
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self.hide()
        for tile in self.tiles:
            tile.recording.stop()
            tile.player.stop()
        ended = [tile.player.close() for tile in self.tiles]
        self.ended_in_time = self.background.close() and all(ended)
        self.memory.close()
        super().closeEvent(event)
        self.closed.emit()
