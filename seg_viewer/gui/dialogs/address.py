"""Asks for a network address, a camera or a screen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.core.errors import SegViewerError
from seg_viewer.gui.dialogs.room import RoomForText
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.words import said, t
from seg_viewer.player.pool import MOST_IN_GRID
from seg_viewer.sources import check_live, is_live
from seg_viewer.sources.devices import list_cameras
from seg_viewer.sources.screen import list_screens

_HINT = "User and password may stand in the address; they are used, and neither shown nor stored."


class AddressDialog(QDialog):
    """A line to type into, and what was found on this machine to choose from.

    Args:
        background: looks for cameras and screens.
    """

    chosen = Signal(str)
    several = Signal(list)
    """Addresses that are to be shown beside each other."""

    def __init__(self, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(t("Open camera or address"))
        self.setMinimumWidth(560)
        self.address = QLineEdit()
        self.address.setPlaceholderText("rtsp://HOST/PATH   http://HOST/video   camera:0   screen")
        self.address.setAccessibleName(t("Address"))
        self.transport = QComboBox()
        self.transport.addItem(t("TCP: nothing gets lost"), "tcp")
        self.transport.addItem(t("UDP: a little less delay"), "udp")
        self.transport.setAccessibleName(t("Transport of RTSP"))
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow(t("Address"), self.address)
        form.addRow(t("RTSP over"), self.transport)
        hint = PlainLabel(t(_HINT), objectName="dim")
        hint.setWordWrap(True)
        form.addRow("", hint)
        more = PlainLabel(t("Two to four, with spaces between them, are shown beside each other."), objectName="dim")
        more.setWordWrap(True)
        form.addRow("", more)
        self.devices = QListWidget()
        self.devices.setAccessibleName(t("Cameras and screens"))
        self.devices.setIconSize(QSize(18, 18))
        self.devices.setMinimumHeight(96)
        self.devices.addItem(t("Looking for cameras …"))
        self.problem = PlainLabel(objectName="problem")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        for button in self.buttons.buttons():
            button.setIcon(icon(""))
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(PlainLabel(t("ON THIS MACHINE"), objectName="heading"))
        column.addWidget(self.devices)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self.address.textChanged.connect(self._changed)
        self.devices.itemClicked.connect(self._take)
        self.devices.itemActivated.connect(self._take)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._changed("")
        RoomForText(self)
        background.run(
            "devices", _find_devices, self._list, self._show_problem, owner=self, subject="Cameras and screens"
        )

    def source(self) -> str:
        """What was typed, with the transport where that matters."""
        text = self.address.text().strip()
        if text.lower().startswith("rtsp") and "#" not in text and self.transport.currentData() != "tcp":
            return f"{text}#transport={self.transport.currentData()}"
        return text

    def sources(self) -> list[str]:
        """What was typed, as several where each part of it is live by itself: a camera's name may hold a space."""
        parts = self.address.text().split()
        return parts if len(parts) > 1 and all(map(is_live, parts)) else [self.source()]

    def accept(self) -> None:
        sources = self.sources()
        if len(sources) > MOST_IN_GRID:
            self._show_problem(t("At most {count} can be shown beside each other", count=MOST_IN_GRID))
            return
        try:
            for source in sources:
                check_live(source)
        except SegViewerError as error:
            self._show_problem(str(error))
            return
        if len(sources) > 1:
            self.several.emit(sources)
        else:
            self.chosen.emit(sources[0])
        super().accept()

    def _changed(self, text: str) -> None:
        self.problem.hide()
        self.transport.setEnabled(text.strip().lower().startswith("rtsp") and "#" not in text)

    def _show_problem(self, text: str) -> None:
        self.problem.setText(said(text))
        self.problem.show()

    def _list(self, found: list[tuple[str, str]]) -> None:
        self.devices.clear()
        for source, name in found:
            item = QListWidgetItem(
                icon("camera" if source.startswith("camera") else "live"), f"{source}   —   {said(name)}"
            )
            item.setData(Qt.ItemDataRole.UserRole, source)
            self.devices.addItem(item)
        if not found:
            self.devices.addItem(t("No camera and no screen was found"))

    def _take(self, item: QListWidgetItem) -> None:
        source = item.data(Qt.ItemDataRole.UserRole)
        if source:
            self.address.setText(source)


def _find_devices() -> list[tuple[str, str]]:
    """What to type for each camera and screen, and what it is."""
    found = [(f"camera:{device.index}", device.name) for device in list_cameras()]
    return found + [(f"screen:{index}", f"screen, {width}×{height}") for index, width, height in list_screens()]
