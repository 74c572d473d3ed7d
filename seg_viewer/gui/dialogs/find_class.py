"""Asks what N and Shift+N jump to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


class FindClassDialog(QDialog):
    """A class, and how much of the picture it has to cover; stays open while one jumps.

    Args:
        names: what can be looked for.
        name: what is looked for now.
        least: share of the picture, 0…1.
    """

    changed = Signal(str, float)
    """Another class, or another share of the picture, 0…1."""
    wanted = Signal(bool)
    """Jump: True forward, False back."""

    def __init__(self, names: Sequence[str], name: str, least: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find a class")
        self.names = QComboBox()
        self.names.addItems([*names, *(() if name in names else (name,))])
        self.names.setCurrentText(name)
        self.names.setAccessibleName("Class")
        self.least = QDoubleSpinBox()
        self.least.setRange(0.0, 99.9)
        self.least.setDecimals(1)
        self.least.setSingleStep(0.5)
        self.least.setSuffix(" % of the picture")
        self.least.setValue(100 * least)
        self.least.setAccessibleName("More than, per cent of the picture")
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow("Class", self.names)
        form.addRow("More than", self.least)
        self.previous = QPushButton("&Previous")
        self.next = QPushButton("&Next")
        self.next.setDefault(True)
        self.next.setObjectName("primary")
        close = QPushButton("&Close")
        close.clicked.connect(lambda _checked: self.reject())
        jumps = QHBoxLayout()
        jumps.addWidget(close)
        jumps.addStretch(1)
        jumps.addWidget(self.previous)
        jumps.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setSpacing(14)
        column.addLayout(form)
        column.addLayout(jumps)
        self.names.currentTextChanged.connect(lambda _text: self._tell())
        self.least.valueChanged.connect(lambda _value: self._tell())
        self.next.clicked.connect(lambda _checked: self.wanted.emit(True))
        self.previous.clicked.connect(lambda _checked: self.wanted.emit(False))

    def _tell(self) -> None:
        self.changed.emit(self.names.currentText(), self.least.value() / 100)
