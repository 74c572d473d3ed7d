"""What is opened: by dialogs, drops and lists; one after the other; and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QWidget

from seg_viewer.core.overlay import Overlay
from seg_viewer.gui.dialogs.password import PasswordDialog
from seg_viewer.gui.drops import Drops
from seg_viewer.gui.grid.window import GridWindow, players_of
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.opening import Opening
from seg_viewer.gui.playlist import PlaylistPart
from seg_viewer.gui.presenter import Presenter
from seg_viewer.gui.recents import Recents
from seg_viewer.gui.resume import Resume
from seg_viewer.gui.settings import open_store
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.widgets.drop_veil import DropVeil
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.recent_menu import RecentMenu
from seg_viewer.gui.widgets.start_page import StartPage
from seg_viewer.player.places import Places
from seg_viewer.player.player import Player
from seg_viewer.sources import DEMO, is_live, redact


class Sources(QObject):
    """The ways in, the playlist, the recent ones and the places where videos were left.

    Args:
        player: plays them.
        presenter: says what could be opened, and shows it.
        actions: of the window, by id.
        memory: remembers folders and recent ones.
        background: reads lists, folders, places and pictures.
        messages: say what was left out.
        start_page: offers the recent ones.
        recent_menu: offers them, too.
        seek: jumps to a time, seconds.
        export: puts files into the export queue.
        use_model: takes over with a model that was dropped.
        overlay: paints the pictures of recent ones; None for none.
        over: things can be dropped while they are over the window; the invitation covers this part of it.
        window: the dialogs belong to it, and the list is docked to it.
    """

    titled = Signal(str)
    """A source could be opened: its name, and its place in the playlist."""

    def __init__(
        self,
        player: Player,
        presenter: Presenter,
        actions: dict[str, QAction],
        memory: Memory,
        background: Background,
        messages: MessageBar,
        *,
        start_page: StartPage,
        recent_menu: RecentMenu,
        seek: Callable[[float], object],
        export: Callable[[Sequence[str]], None],
        use_model: Callable[[str], None],
        overlay: Callable[[], Overlay | None],
        over: QWidget,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._player, self._presenter, self._memory = player, presenter, memory
        self._messages, self._window = messages, window
        self._opened_now = ("", "")  # source and name
        self.opening = Opening(background, lambda: memory.settings.last_folder, window)
        self.playlist = PlaylistPart(
            player, actions, messages, background, play=self._play, complete=self.opening.complete, export=export,
            folder=self.folder, window=window,
        )  # fmt: skip
        self.recents = Recents(memory, start_page, recent_menu, background, overlay, self)
        self.resume = Resume(player, Places(), messages, background, seek, self)
        self.drops, self.veil = Drops(window), DropVeil(over)
        for chosen in (self.opening.chosen, self.recents.chosen):
            chosen.connect(self.open)
        self.opening.files_chosen.connect(self.playlist.open)
        self.opening.several_chosen.connect(self.open_grid)
        self.grids: list[GridWindow] = []
        """Open windows of several live sources."""
        self.left: list[Player] = []
        """Of such windows that were closed, as long as they may have something to tell."""
        self.recents.cleared.connect(self.resume.forget)
        self.drops.hovering.connect(self.veil.invite)
        self.drops.dropped.connect(self.playlist.take_dropped)
        self.playlist.model_wanted.connect(use_model)
        self.playlist.changed.connect(self._name)
        start_page.open_wanted.connect(actions["open"].trigger)
        start_page.address_wanted.connect(actions["address"].trigger)
        start_page.demo_wanted.connect(actions["demo"].trigger)
        presenter.source_opened.connect(self._opened)
        presenter.source_failed.connect(self._failed)
        presenter.password_wanted.connect(self._ask_password)
        presenter.shot_shown.connect(self.recents.watch)
        presenter.refreshed.connect(self.playlist.refresh)
        presenter.refreshed.connect(self.resume.refresh)
        presenter.refreshed.connect(self._tell_left)

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return self.opening.slots() | self.playlist.slots()

    def open(self, source: str | Path) -> None:
        """Play a file, a folder, "demo", a list or something live; what goes wrong is told in the message bar."""
        self.playlist.open([str(source)])

    def open_grid(self, sources: Sequence[str]) -> None:
        """Several live ones, in a window of their own; it closes with this one."""
        window = GridWindow(players_of(sources, self._player.options), sources, open_store())
        self.grids.append(window)
        window.closed.connect(lambda: self._grid_closed(window))
        window.show()

    def _grid_closed(self, window: GridWindow) -> None:
        self.grids.remove(window)
        self.left += [tile.player for tile in window.tiles]

    def _tell_left(self) -> None:
        """What the sources of closed windows have left behind."""
        for player in list(self.left):
            ended = player.has_ended  # asked first: one that ended has told all
            while (parting := player.take_parting()) is not None:
                self._messages.show_warning(parting)
            if ended:
                self.left.remove(player)

    def folder(self) -> str:
        """Where file dialogs open: beside what plays."""
        info = self._player.info
        return str(info.path.parent) if info and info.path else self._memory.settings.last_folder

    def leave(self) -> bool:
        """The window closes, and those of several with it; whether all threads of theirs have ended in time."""
        self.resume.leave()
        grids = list(self.grids)
        for grid in grids:
            grid.close()
        return all(grid.ended_in_time for grid in grids) and all(player.has_ended for player in self.left)

    def _play(self, source: str) -> None:
        self.resume.leave()
        if source != DEMO and not is_live(source):
            self._memory.change(last_folder=str(Path(source).parent))
        self._messages.clear()
        self._player.open(source)
        self._presenter.refresh()

    def _opened(self, source: str, name: str) -> None:
        info = self._player.info
        self._opened_now = (source, name)
        self.playlist.opened(source)
        self._name()
        self.recents.opened(source, float(info.sample_aspect) if info else 1.0)
        self.resume.opened()

    def _name(self) -> None:
        source, name = self._opened_now
        if name and source == self._player.source:
            self.titled.emit(f"{self.playlist.mark}{name}")

    def _ask_password(self, source: str, reason: str) -> None:
        said = reason.removeprefix(f"{redact(source).partition('#')[0]}: ").partition(";")[0]
        dialog = PasswordDialog(source, said, self._window)
        dialog.chosen.connect(self.open)
        dialog.show()

    def _failed(self, source: str) -> None:
        if self._player.spec is not None:  # else the model is to blame
            self.recents.failed(source)
            told = self._messages.texts("error")  # where something else plays on, the player has no error
            self.playlist.failed(source, self._player.error or (told[-1] if told else source))
