"""What takes long: an engine that is made ready, another source that is opened while one plays."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QWidget

from seg_viewer.gui.widgets.live_bar import waiting_text
from seg_viewer.gui.widgets.plain import ElidedLabel, plain_tip
from seg_viewer.gui.words import said, t

_STEPS = 1000


class LoadingBar(QWidget):
    """Hidden while there is nothing to wait for."""

    cancelled = Signal()
    """The engine is not to be made ready."""
    given_up = Signal()
    """The other source is not to be opened."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(t("Building the engine"))
        frame = QFrame()
        frame.setObjectName("message")
        frame.setProperty("kind", "info")
        around = QHBoxLayout(self)
        around.setContentsMargins(8, 8, 8, 8)
        around.addWidget(frame)
        line = QHBoxLayout(frame)
        line.setContentsMargins(12, 6, 12, 6)
        line.setSpacing(12)
        self.label = ElidedLabel()
        line.addWidget(self.label, 2)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setAccessibleName(t("Share of the build that is done"))
        line.addWidget(self.bar, 1)
        self.button = QPushButton(t("Stop"))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._stop)
        line.addWidget(self.button)
        self._is_opening = False
        self.hide()

    def show_opening(self, name: str | None, waiting: str = "") -> None:
        """Name of the source that is opened while another one plays, or None for none.

        Args:
            name: of it.
            waiting: why it is not there yet, one line.
        """
        if name is None:
            if self._is_opening:
                self._is_opening = False
                self.hide()
            return
        self._is_opening = True
        opening = t("Opening {name} …", name=name)
        self.label.setText(" ".join(waiting_text(waiting).split("\n")) if waiting else opening)
        self.label.setToolTip(plain_tip(said(waiting)))
        self.button.setToolTip(t("Give it up; what plays goes on (Esc)"))
        self.button.setEnabled(True)
        self.bar.hide()
        self.show()

    def show_loading(self, loading: tuple[str, float] | None) -> None:
        """What is being made ready and its share 0…1, or None for nothing."""
        if loading is None:
            if not self._is_opening:
                self.hide()
                self.button.setEnabled(True)
            return
        what, share = loading
        self._is_opening = False
        self.bar.show()
        self.button.setToolTip(t("Stop building the engine; the model before goes on, or the video closes"))
        self.label.setText(t("Preparing the engine, once for this GPU · {what}", what=said(what)))
        self.label.setToolTip(plain_tip(said(what)))
        self.bar.setValue(round(_STEPS * share))
        self.show()

    def _stop(self) -> None:
        self.button.setEnabled(False)
        (self.given_up if self._is_opening else self.cancelled).emit()
