"""Which model runs: the menu that shows it and chooses another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu

from seg_viewer.core.assets import find_model, shipped_models
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.widgets.plain import plain_action, plain_tip
from seg_viewer.gui.words import t
from seg_viewer.jobs.options import RunOptions


class ModelMenu(QObject):
    """The shipped models and the user's own files of this run, above what is in the menu already.

    A file is read, beside the window's thread, before it takes over: one that is no model costs a message, not the
    video.

    Args:
        menu: ends with the action that asks for a file.
        options: those of the run as they are now.
        spec: that of the model that is shown now, or None.
        background: reads files.
    """

    chosen = Signal(str)
    """A model that can be read: name of a shipped one, or path of a file."""
    failed = Signal(str)
    """One line: why a file is no model."""

    def __init__(
        self,
        menu: QMenu,
        options: Callable[[], RunOptions],
        spec: Callable[[], ModelSpec | None],
        background: Background,
    ) -> None:
        super().__init__(menu)
        self._menu = menu
        self._options, self._spec = options, spec
        self._background = background
        self._line = menu.insertSeparator(menu.actions()[0])
        self._group = QActionGroup(self)
        self._own: list[str] = []
        self._folder = ""
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.refresh)

    @property
    def running(self) -> Path | None:
        """File of the model that runs, or that will with the next source; None where there is none."""
        spec = self._spec()
        if spec is not None:
            return spec.path.resolve()
        return self.wanted  # one that cannot be found is told when something is opened

    @property
    def wanted(self) -> Path | None:
        """File of the model that was chosen last; it may still be loading."""
        try:
            return self._options().model_path().resolve()
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
                text += " " + t("(the default here)")
            action = self._group.addAction(plain_action(text))
            action.setCheckable(True)
            action.setChecked(path == running)
            action.setData(str(path.resolve()))
            action.setToolTip(t("Comes with this program") if ships else plain_tip(str(path)))
            action.triggered.connect(lambda _=False, name=path.stem if ships else str(path): self.use(name))
            self._menu.insertAction(self._line, action)

    def _default(self) -> str:
        try:
            return self._options().default_model().name
        except SegViewerError:
            return ""

    def ask_file(self) -> None:
        name, _filter = QFileDialog.getOpenFileName(
            self._menu.parentWidget(), t("Open model file"), self._folder, t("Models (*.onnx);;All files (*)")
        )
        if name:
            self._folder = str(Path(name).parent)
            self.use(name)

    def use(self, name: str) -> None:
        """Choose a model once it has been read; the newest wish counts.

        Args:
            name: of a shipped model, or path of a file.
        """
        self._background.run(
            "model-file",
            lambda: read_model_file(find_model(name)),
            lambda _spec: self._was_read(name),
            self._cannot_be_read,
            owner=self,
            subject=name,
            newest=True,
        )

    def _was_read(self, name: str) -> None:
        self.chosen.emit(name)
        self.refresh()

    def _cannot_be_read(self, line: str) -> None:
        self.failed.emit(line)
        self.refresh()
