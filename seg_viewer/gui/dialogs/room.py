"""Dialogs that grow with what they have to say."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QDialog

_FRAME = 40  # what a window manager usually adds, pixels


class RoomForText(QObject):
    """Keeps a dialog as high as its wrapped lines need.

    Qt's layouts do not count them in the least height of a window: a message of three lines squeezed the fields above
    and below it until their boxes were cut off.

    Args:
        dialog: has a layout.
        least: its height with no text at all, pixels.
    """

    def __init__(self, dialog: QDialog, least: int = 0) -> None:
        super().__init__(dialog)
        self._dialog, self._least = dialog, least
        dialog.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize, QEvent.Type.Show):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        dialog, layout = self._dialog, self._dialog.layout()
        if layout is None:
            return
        room = dialog.screen().availableGeometry().height() - _FRAME
        needed = max(self._least, layout.totalMinimumHeightForWidth(dialog.width()))
        if dialog.minimumHeight() != min(needed, room):
            dialog.setMinimumHeight(min(needed, room))
