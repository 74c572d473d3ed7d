"""Which second model looks at each frame too: the menu that shows it and chooses another, or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.core.assets import find_model
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.gui.model_menu import ModelMenu
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.words import figure, t
from seg_viewer.jobs.options import RunOptions

DIFFER_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)


class CompareMenu(ModelMenu):
    """As `ModelMenu`, with an entry for no second model, and from which share on two models count as differing.

    Args:
        options: those of the run as they are now.
        wanted: name or file of the second model that is wanted, or None.
        spec: that of the first model, or None.
        background: reads files.
        parent: the window.
    """

    ended = Signal()
    """No second model is wanted."""
    share_chosen = Signal(float)
    """Share of the picture, 0…1, above which a frame counts as one where the models differ."""

    def __init__(
        self,
        options: Callable[[], RunOptions],
        wanted: Callable[[], str | None],
        spec: Callable[[], ModelSpec | None],
        background: Background,
        parent: QWidget,
    ) -> None:
        self._wanted = wanted
        self.menu = QMenu(t("&Compare with"), parent)
        other = self.menu.addAction(t("&Other model file…"))
        super().__init__(self.menu, options, spec, background)
        other.triggered.connect(lambda _=False: self.ask_file())
        self._none = self.menu.addAction(t("&Nothing"))
        self._none.setCheckable(True)
        self._none.triggered.connect(lambda _=False: self._end())
        self.menu.insertAction(self.menu.actions()[0], self._none)
        self.shares = QMenu(t("Next &disagreement above"), self.menu)
        self._share_group = QActionGroup(self)
        for share in DIFFER_SHARES:
            action = self._share_group.addAction(t("{percent} % of the picture", percent=figure(100 * share, ".0f")))
            action.setCheckable(True)
            action.setData(share)
            action.triggered.connect(lambda _=False, share=share: self.share_chosen.emit(share))
            self.shares.addAction(action)
        self.menu.addSeparator()
        self.menu.addMenu(self.shares)

    @property
    def running(self) -> Path | None:
        return self.wanted

    @property
    def wanted(self) -> Path | None:
        """File of the second model; it may still be loading. None for none."""
        name = self._wanted()
        try:
            return find_model(name).resolve() if name is not None else None
        except SegViewerError:
            return None

    def _first(self) -> str:
        """File of the first model."""
        spec = self._spec()
        try:
            return str((spec.path if spec is not None else self._options().model_path()).resolve())
        except SegViewerError:
            return ""

    def refresh(self) -> None:
        super().refresh()
        self._none.setChecked(self.running is None)
        first = self._first()
        for action in self._group.actions():
            if action.data() == first:
                action.setEnabled(False)
                action.setToolTip(t("This is the first of the two models"))

    def set_share(self, share: float) -> None:
        """Mark the one that holds."""
        for action in self._share_group.actions():
            action.setChecked(action.data() == share)

    def _default(self) -> str:
        return ""

    def _end(self) -> None:
        self.ended.emit()
        self.refresh()
