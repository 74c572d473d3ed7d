"""How loud it is: a button that mutes, and a slider."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from seg_viewer.gui.theme import icon
from seg_viewer.gui.words import said, t

_LEAST, _MOST = 36, 64
"""Width of the slider, pixels: as the window has room."""


class Volume(QWidget):
    """Shown for sources with sound only; see `set_problem` for a machine that cannot play any.

    Args:
        mute: the action that the button stands for; checkable.
    """

    chosen = Signal(float)
    """A person wants this volume, 0…1."""
    retried = Signal()
    """A person wants a device to be looked for again."""

    def __init__(self, mute: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mute = mute
        self._problem: str | None = None
        self.button = QToolButton()
        self.button.setObjectName("button-mute")
        self.button.setIconSize(QSize(20, 20))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._clicked)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setSingleStep(5)
        self.slider.setPageStep(10)
        self.slider.setMinimumWidth(_LEAST)
        self.slider.setMaximumWidth(_MOST)
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setAccessibleName(t("Volume"))
        self.slider.valueChanged.connect(lambda percent: self.chosen.emit(percent / 100))
        self.slider.valueChanged.connect(lambda _percent: self._show())
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 8, 0)  # its handle is not beside the next button
        line.setSpacing(4)
        line.addWidget(self.button)
        line.addWidget(self.slider)
        mute.toggled.connect(lambda _on: self._show())
        self._show()

    def set_volume(self, volume: float) -> None:
        """Show a volume, 0…1, without a signal."""
        before = self.slider.blockSignals(True)
        self.slider.setValue(round(100 * volume))
        self.slider.blockSignals(before)
        self._show()

    def set_problem(self, problem: str | None) -> None:
        """Why no sound can be played here, half a sentence, or None: then the button looks for a device again."""
        self._problem = problem
        self.slider.setEnabled(problem is None)
        self._show()

    def _clicked(self) -> None:
        if self._problem is None:
            self._mute.toggle()
        else:
            self.retried.emit()

    def _show(self) -> None:
        silent = self._mute.isChecked() or self._problem is not None or not self.slider.value()
        self.button.setIcon(icon("sound-off" if silent else "sound"))
        if self._problem is not None:
            text = t("No sound: {why}. Click to try again", why=said(self._problem))
            name = t("No sound, try again")
        else:
            name = t("Sound on" if self._mute.isChecked() else "Mute")
            text = f"{name} (M)"
        self.button.setToolTip(text)
        self.button.setAccessibleName(name)
        self.slider.setToolTip(t("Volume {percent} % (Shift with up, down)", percent=self.slider.value()))
