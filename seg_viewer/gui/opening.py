"""The ways in: file dialogs, the address dialog, things dropped on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from seg_viewer.core.typed_path import typed_path
from seg_viewer.gui.dialogs.address import AddressDialog
from seg_viewer.gui.dialogs.once import OneOfEach
from seg_viewer.gui.tasks.background import Background
from seg_viewer.sources import DEMO, file_suffixes, is_live, redact


class Opening(QObject):
    """Asks for sources; keeps credentials for as long as the program runs, and nowhere else.

    Args:
        background: looks for cameras.
        window: the dialogs belong to it.
    """

    chosen = Signal(str)

    def __init__(self, background: Background, window: QWidget) -> None:
        super().__init__(window)
        self._background = background
        self._window = window
        self._full: dict[str, str] = {}
        self._dialogs = OneOfEach()

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

    def ask_file(self, folder: str) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in file_suffixes())
        name, _filter = QFileDialog.getOpenFileName(
            self._window, "Open video", folder, f"Videos and pictures ({kinds});;All files (*)"
        )
        if name:
            self.chosen.emit(name)

    def ask_folder(self, folder: str) -> None:
        name = QFileDialog.getExistingDirectory(self._window, "Open a folder of pictures", folder)
        if name:
            self.chosen.emit(name)

    def ask_address(self) -> None:
        self._dialogs.show("address", self._make_address)

    def _make_address(self) -> AddressDialog:
        dialog = AddressDialog(self._background, self._window)
        dialog.chosen.connect(self.chosen)
        return dialog


def dropped_files(data: QMimeData) -> list[str]:
    """Paths of the files and folders in what is dragged."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


def short_name(source: str) -> str:
    """How a list calls a source: a file by its name, an address as it may be shown."""
    return redact(source) if is_live(source) else Path(source).name
