"""How far an engine is that takes long to make ready, above the picture."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QWidget

from seg_viewer.gui.widgets.plain import ElidedLabel, plain_tip

_STEPS = 1000


class LoadingBar(QWidget):
    """Hidden while there is nothing to wait for."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Building the engine")
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
        self.bar.setAccessibleName("Share of the build that is done")
        line.addWidget(self.bar, 1)
        self.button = QPushButton("Stop")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setToolTip("Stop building the engine; the video closes")
        self.button.clicked.connect(self._stop)
        line.addWidget(self.button)
        self.hide()

    def show_loading(self, loading: tuple[str, float] | None) -> None:
        """What is being made ready and its share 0…1, or None for nothing."""
        if loading is None:
            self.hide()
            self.button.setEnabled(True)
            return
        what, share = loading
        self.label.setText(f"Preparing the engine, once for this GPU · {what}")
        self.label.setToolTip(plain_tip(what))
        self.bar.setValue(round(_STEPS * share))
        self.show()

    def _stop(self) -> None:
        self.button.setEnabled(False)
        self.cancelled.emit()
