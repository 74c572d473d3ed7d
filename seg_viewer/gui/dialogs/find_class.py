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

from seg_viewer.gui.words import class_name, t


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
        self.setWindowTitle(t("Find a class"))
        self.names = QComboBox()
        for each in (*names, *(() if name in names else (name,))):
            self.names.addItem(class_name(each), each)
        self.names.setCurrentIndex(self.names.findData(name))
        self.names.setAccessibleName(t("Class"))
        self.least = QDoubleSpinBox()
        self.least.setRange(0.0, 99.9)
        self.least.setDecimals(1)
        self.least.setSingleStep(0.5)
        self.least.setSuffix(" " + t("% of the picture"))
        self.least.setValue(100 * least)
        self.least.setAccessibleName(t("More than, per cent of the picture"))
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow(t("Class"), self.names)
        form.addRow(t("More than"), self.least)
        self.previous = QPushButton(t("&Previous"))
        self.next = QPushButton(t("&Next"))
        self.next.setDefault(True)
        self.next.setObjectName("primary")
        close = QPushButton(t("&Close"))
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
        self.changed.emit(self.names.currentData(), self.least.value() / 100)
