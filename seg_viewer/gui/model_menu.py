"""Which model runs: the menu that tells and chooses."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu

from seg_viewer.core.assets import find_model, shipped_models
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.model_file import read_model_file
from seg_viewer.gui.widgets.plain import plain_action, plain_tip

if TYPE_CHECKING:
    from seg_viewer.gui.main_window import MainWindow


class Models(QObject):
    """The shipped models and the user's own files of this run, above what is in the menu already.

    A file is read, on a thread of its own, before it takes over: one that is no model costs a message, not the video.

    Args:
        window: whose player runs the model.
        menu: ends with the action that asks for a file.
    """

    chosen = Signal(str)
    _read = Signal(int, str, str)

    def __init__(self, window: MainWindow, menu: QMenu) -> None:
        super().__init__(window)
        self._window = window
        self._menu = menu
        self._line = menu.insertSeparator(menu.actions()[0])
        self._group = QActionGroup(self)
        self._own: list[str] = []
        self._wish = 0
        self._folder = ""
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.refresh)
        self._read.connect(self._was_read)

    @property
    def running(self) -> Path | None:
        """File of the model that runs, or that will with the next source; None where there is none."""
        spec = self._window.player.spec
        if spec is not None:
            return spec.path.resolve()
        return self._wanted()  # one that cannot be found is told when something is opened

    def _wanted(self) -> Path | None:
        """File of the model that was chosen last; it may still be loading."""
        try:
            return self._window.player.options.model_path().resolve()
        except SegViewerError:
            return None

    def refresh(self) -> None:
        """List what there is and mark what runs."""
        running, shipped = self.running, shipped_models()
        if running is not None and running not in shipped and str(running) not in self._own:
            self._own.append(str(running))
        for action in self._group.actions():
            self._menu.removeAction(action)
            self._group.removeAction(action)
            action.deleteLater()
        default = self._default()
        for path in (*shipped, *map(Path, self._own)):
            ships = path in shipped
            text = path.stem if ships else path.name
            if ships and path.stem == default:
                text += " (the default here)"
            action = self._group.addAction(plain_action(text))
            action.setCheckable(True)
            action.setChecked(path == running)
            action.setToolTip("Comes with this program" if ships else plain_tip(str(path)))
            action.triggered.connect(lambda _=False, name=path.stem if ships else str(path): self.use(name))
            self._menu.insertAction(self._line, action)

    def _default(self) -> str:
        try:
            return self._window.player.options.default_model().name
        except SegViewerError:
            return ""

    def ask_file(self) -> None:
        name, _filter = QFileDialog.getOpenFileName(
            self._window, "Open model file", self._folder, "Models (*.onnx);;All files (*)"
        )
        if name:
            self._folder = str(Path(name).parent)
            self.use(name)

    def use(self, name: str) -> None:
        """Run another model at the same place of the same source, once it has been read; the newest wish counts.

        Args:
            name: of a shipped model, or path of a file.
        """
        self._wish += 1
        threading.Thread(target=self._look, args=(self._wish, name), name="seg-model", daemon=True).start()

    def _look(self, wish: int, name: str) -> None:
        try:
            read_model_file(find_model(name))
        except SegViewerError as error:
            self._read.emit(wish, name, str(error))
        except Exception as error:  # no memory for a file of gigabytes, …
            self._read.emit(wish, name, f"{name}: cannot be read: {type(error).__name__}: {error}")
        else:
            self._read.emit(wish, name, "")

    def _was_read(self, wish: int, name: str, problem: str) -> None:
        if wish != self._wish:
            return
        if problem:
            self._window.messages.show_error(problem)
        elif find_model(name).resolve() != self._wanted() or self._window.player.error is not None:
            self.chosen.emit(name)
        self.refresh()
