"""Several sources, one after the other: what is opened goes through here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QFileDialog, QMainWindow, QWidget

from seg_viewer.core.redact import redact_text
from seg_viewer.gui.drops import Dropped, read_dropped
from seg_viewer.gui.opening import short_name, video_filter
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.playlist_view import PlaylistView
from seg_viewer.gui.words import said, t
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.player.playlist import Entry, Playlist
from seg_viewer.sources import DEMO, file_suffixes, is_live
from seg_viewer.sources.listed import Listing, list_sources

PICTURE_MS = 3000
"""How long a single picture stays when something follows it."""
_NAMED = 3
_FEW = 20
"""So many names are looked at on the window's thread, which looks into no folder."""


class PlaylistPart(QObject):
    """Plays one entry after the other, and shows the list.

    Args:
        player: says when something ended or could not be opened.
        actions: of the window, by id.
        messages: say what was left out.
        background: reads playlist files and folders.
        play: opens one source, as the player takes it.
        complete: makes of what was given what the player takes.
        export: puts files into the export queue.
        folder: where the file dialog opens.
        window: the list is docked to it.
    """

    changed = Signal()
    """The list, or the place in it."""
    model_wanted = Signal(str)
    """Path of a model file that was dropped."""

    def __init__(
        self,
        player: Player,
        actions: dict[str, QAction],
        messages: MessageBar,
        background: Background,
        *,
        play: Callable[[str], None],
        complete: Callable[[str], str],
        export: Callable[[Sequence[str]], None],
        folder: Callable[[], str],
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._player, self._actions, self._messages, self._background = player, actions, messages, background
        self._play, self._complete, self._export, self._folder = play, complete, export, folder
        self._window = window
        self.playlist = Playlist()
        self.around = False
        self._wish = 0
        self._state = PlayerState.EMPTY
        self._is_open = False
        self._skipped: list[Entry] = []
        self._skip_told = ""
        self._forward = True
        self._still = timer(self, PICTURE_MS, once=True)
        self._still.timeout.connect(self._after_still)
        self.view = PlaylistView()
        self.dock = QDockWidget(t("Playlist"), window)
        self.dock.setObjectName("playlist-dock")
        self.dock.setWidget(self.view)
        self.dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.dock.setTitleBarWidget(QWidget())
        self.dock.hide()
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.dock)
        self.view.chosen.connect(self.play_entry)
        self.view.removed.connect(self._remove)
        self.view.rearranged.connect(self._rearrange)
        self.view.dropped.connect(self._add_dropped)
        self.view.add_wanted.connect(self._ask_files)
        self.view.export_wanted.connect(self._export_all)
        self.view.close_wanted.connect(lambda: actions["playlist"].setChecked(False))
        actions["full-screen"].toggled.connect(lambda on: self._show_list(actions["playlist"].isChecked() and not on))
        if player.source is not None:
            self.begin(Listing((player.source,)))

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {
            "next-file": self.next,
            "previous-file": self.previous,
            "loop-list": self._set_around,
            "playlist": self._show_list,
        }

    @property
    def mark(self) -> str:
        """Which one plays, for the title of the window; "" where there is only one."""
        place, count = self.playlist.place, len(self.playlist)
        return f"{place + 1}/{count}  " if place is not None and count > 1 else ""

    # -- opening ---------------------------------------------------------------------------------------------------

    def open(self, sources: Sequence[str], notes: Sequence[str] = ()) -> None:
        """Play these and no others; playlist files and folders of videos stand for what they hold.

        Args:
            sources: as a person gives them.
            notes: a line for each thing to be told once they were opened.
        """
        self._list(sources, lambda listing: self._take(replace(listing, notes=(*notes, *listing.notes))))

    def take_dropped(self, found: Dropped) -> None:
        """Play what was dropped; a model takes over what plays."""
        notes = [found.refusal] if found.refusal else []
        if found.models:
            self.model_wanted.emit(found.models[0])
        if len(found.models) > 1:
            name, count = Path(found.models[0]).name, len(found.models)
            notes.append(t("Only one model runs at a time: {name} of {count}", name=name, count=count))
        if found.sources:
            self.open(found.sources, notes)
        else:
            self._tell(Listing((), tuple(notes)))

    def begin(self, listing: Listing) -> None:
        """The player has been given the first of these already."""
        self.playlist.replace([self._complete(source) for source in listing.sources])
        if len(self.playlist):
            self.playlist.choose(self.playlist.entries[0])
        self._tell(listing)
        self._show()

    def add(self, sources: Sequence[str]) -> None:
        """Behind the others; played at once where nothing is open."""
        self._list(sources, self._take_more)

    def _list(self, sources: Sequence[str], take: Callable[[Listing], None]) -> None:
        """What the sources stand for; those that may stand for several are looked into beside the window's thread."""
        self._wish += 1
        wish = self._wish
        if len(sources) <= _FEW and all(_is_one(source) for source in sources):
            take(Listing(tuple(map(self._complete, sources))))
            return

        def work() -> Listing:
            found = list_sources(sources)
            return replace(found, sources=tuple(map(self._complete, found.sources)))

        def done(listing: Listing) -> None:
            if wish == self._wish:
                take(listing)

        self._background.run("list", work, done, self._messages.show_error, owner=self, subject="playlist")

    def _take(self, listing: Listing) -> None:
        if listing.sources:
            self.playlist.replace(listing.sources)
            self._skipped = []
            self.play_entry(self.playlist.entries[0])
        self._tell(listing)

    def _take_more(self, listing: Listing) -> None:
        before = len(self.playlist)
        self.playlist.add(listing.sources)
        self._show()
        if self._player.state is PlayerState.EMPTY and len(self.playlist) > before:
            self.play_entry(self.playlist.entries[before])
        for note in listing.notes:
            self._messages.show_warning(note)

    def _tell(self, listing: Listing) -> None:
        for note in listing.notes:
            self._messages.show_warning(note)
        count = len(listing.sources)
        if count > 1 and not self.dock.isVisible():
            self._messages.show_info(
                t("{count} in the playlist; Page Down plays the next one", count=count),
                t("Show playlist"),
                lambda: self._actions["playlist"].setChecked(True),
            )

    # -- one after the other ---------------------------------------------------------------------------------------

    def play_entry(self, entry: Entry) -> None:
        """Play one of the list, now."""
        if entry not in self.playlist.entries:
            return
        self._still.stop()
        self.playlist.choose(entry)
        self._is_open = False  # until then, what the player does may be about the one before
        self._show()
        self._play(entry.source)
        self._tell_skipped()

    def next(self) -> None:
        """What comes after; after the last one the first, where the list is looped."""
        self._go(forward=True, asked=True)

    def previous(self) -> None:
        self._go(forward=False, asked=True)

    def _go(self, *, forward: bool, asked: bool) -> bool:
        if asked:
            self._skipped = []
        self._forward = forward
        step = self.playlist.after if forward else self.playlist.before
        entry = step(around=self.around, skip=not asked)
        if entry is not None:
            self.play_entry(entry)
        return entry is not None

    def opened(self, source: str) -> None:
        """The player plays a source from now on."""
        current = self.playlist.current
        if current is not None and current.source == source:
            self._is_open, self._state = True, PlayerState.LOADING

    def follow(self, source: str | None) -> None:
        """What was to be opened is not; the player goes on with a source."""
        entry = next((each for each in self.playlist.entries if each.source == source), None)
        if entry is not None and entry is not self.playlist.current:
            self.playlist.choose(entry)
            self._is_open, self._state = True, self._player.state
            self._show()

    def refresh(self) -> None:
        """Called several times a second: goes on at the end."""
        self._pass_over_what_is_waited_for()
        before, self._state = self._state, self._player.state
        if self._state is before or not self._is_open:
            return
        current = self.playlist.current
        if self._state in (PlayerState.PLAYING, PlayerState.ENDED) and current is not None:
            self._is_good(current)
        if self._state is PlayerState.ENDED and before in (PlayerState.PLAYING, PlayerState.LOADING):
            info = self._player.info
            if info is not None and info.frame_count == 1:
                self._still.start()
            else:
                self._go(forward=True, asked=False)
        elif self._state is not PlayerState.ENDED:
            self._still.stop()

    def _pass_over_what_is_waited_for(self) -> None:
        """A live source that is not there holds up no list; where nothing else is left, it is waited for."""
        current, (source, why) = self.playlist.current, self._player.awaited
        if current is None or current.source != source or current.problem:
            return
        step = self.playlist.after if self._forward else self.playlist.before
        if step(around=self.around, skip=True) not in (None, current):
            self._skip(source, why)

    def failed(self, source: str, problem: str) -> None:
        """A source could not be opened, and it is not the model's fault: the next one is tried."""
        QTimer.singleShot(0, self, lambda: self._skip(source, problem))  # whoever tells this is not done yet

    def _skip(self, source: str, problem: str) -> None:
        entry = self.playlist.current
        if entry is None or entry.source != source:
            return
        entry.problem = problem
        self._show()
        if len(self.playlist) > 1:
            self._skipped.append(entry)
            if self._go(forward=self._forward, asked=False):
                return
            self._tell_skipped()
        if self._player.source != source:
            self.follow(self._player.source)

    def _is_good(self, entry: Entry) -> None:
        self._skipped, self._forward = [], True
        if entry.problem:
            entry.problem = ""
            self._show()

    def _tell_skipped(self) -> None:
        """One message for all that were skipped in a row; opening the next one has taken away those before."""
        bad = self._skipped
        if not bad:
            return
        told = said(redact_text(bad[-1].problem)) in self._messages.texts("error")  # nothing was opened after it
        if len(bad) == 1:
            if not told:
                self._skip_told = t("Skipped: {why}", why=said(bad[0].problem))
                self._messages.show_warning(self._skip_told)
            return
        self._messages.take_back(self._skip_told)  # it is one of these
        names = ", ".join(short_name(entry.source) for entry in bad[:_NAMED]) + (", …" if len(bad) > _NAMED else "")
        if told:
            text = t("Skipped {count} that cannot be played: {names}", count=len(bad), names=names)
        else:
            why = said(bad[-1].problem)
            text = "Skipped {count} that cannot be played: {names}; the last: {why}"
            text = t(text, count=len(bad), names=names, why=why)
        self._skip_told = text
        self._messages.show_warning(text)

    def _after_still(self) -> None:
        if self._player.state is PlayerState.ENDED:
            self._go(forward=True, asked=False)

    # -- the list --------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        playlist = self.playlist
        self.view.show_entries(playlist.entries, playlist.current)
        several = len(playlist) > 1
        for name, step in (("next-file", playlist.after), ("previous-file", playlist.before)):
            self._actions[name].setEnabled(several and step(around=self.around) is not None)
        self.changed.emit()

    def _set_around(self, on: bool) -> None:
        self.around = on
        self._show()

    def _show_list(self, on: bool) -> None:
        self.dock.setVisible(on and not self._actions["full-screen"].isChecked())
        if on:  # the picture keeps most of a narrow window
            width = min(self.view.sizeHint().width(), self._window.width() // 4)
            self._window.resizeDocks([self.dock], [width], Qt.Orientation.Horizontal)

    def _remove(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.playlist.remove(entry)
        self._show()

    def _rearrange(self, entries: Sequence[Entry]) -> None:
        self.playlist.reorder(entries)
        self._show()

    def _add_dropped(self, data: QMimeData) -> None:
        found = read_dropped(data)
        if found.sources:
            self.add(found.sources)
        if found.refusal:
            self._messages.show_warning(found.refusal)

    def _ask_files(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(
            self._window,
            t("Add to the playlist"),
            self._folder(),
            video_filter(),
        )
        if names:
            self.add(names)

    def _export_all(self) -> None:
        files = [e.source for e in self.playlist.entries if not is_live(e.source) and e.source != DEMO]
        left_out = len(self.playlist) - len(files)
        if files:
            self._export(files)
        if left_out:
            text = "{count} of {all} are live or the demo: not exported"
            self._messages.show_warning(t(text, count=left_out, all=len(self.playlist)))


def _is_one(source: str) -> bool:
    """Whether a source stands for itself only, as far as its name says; nothing is looked up."""
    return source == DEMO or Path(source).suffix.lower() in file_suffixes() or is_live(source)
