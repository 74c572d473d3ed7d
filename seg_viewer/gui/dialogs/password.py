"""Asks for the user and the password that a server wants."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from seg_viewer.gui.dialogs.room import RoomForText
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import said, t
from seg_viewer.sources import redact
from seg_viewer.sources.address import with_credentials

_HINT = "They are used until the program ends, and neither shown nor stored."


class PasswordDialog(QDialog):
    """Two lines to type into; the window goes on meanwhile.

    Args:
        source: the address, with or without credentials that were not accepted.
        reason: what the server said, one line.
    """

    chosen = Signal(str)
    """The address with what was typed."""

    def __init__(self, source: str, reason: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(t("User and password"))
        self.setMinimumWidth(460)
        self._source = source
        self.reason = PlainLabel(f"{redact(source)}\n{said(reason)}")
        self.reason.setWordWrap(True)
        self.user, self.password = QLineEdit(), QLineEdit()
        self.user.setAccessibleName(t("User"))
        self.password.setAccessibleName(t("Password"))
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        hint = PlainLabel(t(_HINT), objectName="dim")
        hint.setWordWrap(True)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow(t("User"), self.user)
        form.addRow(t("Password"), self.password)
        form.addRow("", hint)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        for button in self.buttons.buttons():
            button.setIcon(icon(""))
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(self.reason)
        column.addLayout(form)
        column.addWidget(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.user.textChanged.connect(self._changed)
        self._changed("")
        RoomForText(self)

    def accept(self) -> None:
        self.chosen.emit(with_credentials(self._source, self.user.text(), self.password.text()))
        super().accept()

    def _changed(self, user: str) -> None:
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(bool(user))
