"""The ways in: file dialogs and the address dialog; see `drops.py` for what is dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from seg_viewer.core.typed_path import typed_path
from seg_viewer.gui.dialogs.address import AddressDialog
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.words import t
from seg_viewer.sources import DEMO, file_suffixes, is_live, redact
from seg_viewer.sources.listed import LIST_SUFFIXES


def video_filter() -> str:
    """For file dialogs: what can be opened."""
    kinds = " ".join(f"*{suffix}" for suffix in (*file_suffixes(), *LIST_SUFFIXES))
    return t("Videos, pictures, playlists ({kinds});;All files (*)", kinds=kinds)


class Opening(QObject):
    """Asks for sources; keeps credentials for as long as the program runs, and nowhere else.

    Args:
        background: looks for cameras.
        folder: where file dialogs open.
        window: the dialogs belong to it.
    """

    chosen = Signal(str)
    several_chosen = Signal(list)
    """Live sources that are to be shown beside each other."""
    files_chosen = Signal(list)
    """Paths, at least one: what plays one after the other."""

    def __init__(self, background: Background, folder: Callable[[], str], window: QWidget) -> None:
        super().__init__(window)
        self._background, self._folder = background, folder
        self._window = window
        self._full: dict[str, str] = {}
        self._dialogs = OneOfEach()

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {
            "open": self.ask_file,
            "open-folder": self.ask_folder,
            "address": self.ask_address,
            "demo": lambda: self.chosen.emit(DEMO),
        }

    def complete(self, source: str | Path) -> str:
        """A source as the player takes it: files by their absolute path, addresses with what was taken out of them."""
        text = str(source)
        if text == DEMO:
            return text
        if not is_live(text):
            return str(typed_path(text).absolute())
        shown = redact(text)
        if text != shown:
            self._full[shown] = text
        return self._full.get(shown, text)

    def ask_file(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(
            self._window,
            t("Open videos"),
            self._folder(),
            video_filter(),
        )
        if names:
            self.files_chosen.emit(names)

    def ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self._window, t("Open a folder of pictures or videos"), self._folder())
        if name:
            self.chosen.emit(name)

    def ask_address(self) -> None:
        self._dialogs.show("address", self._make_address)

    def _make_address(self) -> AddressDialog:
        dialog = AddressDialog(self._background, self._window)
        dialog.chosen.connect(self.chosen)
        dialog.several.connect(self.several_chosen)
        return dialog


def short_name(source: str) -> str:
    """How a list calls a source: a file by its name, an address as it may be shown."""
    return redact(source) if is_live(source) else Path(source).name
