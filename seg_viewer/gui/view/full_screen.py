"""Full screen: the picture alone; the controls float in when the mouse moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from seg_viewer.gui.main_window import MainWindow

_HIDE_MS = 2500
_WIDEST = 980
_GAP = 24


class FullScreen(QObject):
    """Switches a window between its two arrangements."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._on = False
        self._was_maximized = False
        self._hide = QTimer(self, singleShot=True, interval=_HIDE_MS)
        self._hide.timeout.connect(self._hide_controls)

    def set_on(self, on: bool) -> None:
        if on is self._on:
            return
        self._on = on
        window, controls = self._window, self._window.controls
        window.menuBar().setVisible(not on)
        window.actions_by_id["panel"].setEnabled(not on)
        if on:
            self._was_maximized = window.isMaximized()
            window.main_column.removeWidget(controls)
            window.showFullScreen()
            QApplication.instance().installEventFilter(self)
        else:
            QApplication.instance().removeEventFilter(self)
            self._hide.stop()
            window.main_column.addWidget(controls)
            window.view.unsetCursor()
            if self._was_maximized:
                window.showMaximized()
            else:
                window.showNormal()
        controls.setProperty("floating", on)
        controls.style().unpolish(controls)
        controls.style().polish(controls)
        window._arrange()
        if on:
            self._show_controls()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.MouseMove:
            self._show_controls()
        elif event.type() is QEvent.Type.Resize and watched is self._window.centralWidget():
            self._place()
        return False

    def _show_controls(self) -> None:
        window = self._window
        window.controls.setVisible(window.stack.currentWidget() is window.view)
        window.view.unsetCursor()
        self._place()
        window.controls.raise_()
        self._hide.start()

    def _hide_controls(self) -> None:
        controls = self._window.controls
        if controls.rect().contains(controls.mapFromGlobal(QCursor.pos())) or controls.seek_bar.dragging:
            self._hide.start()
            return
        controls.hide()
        self._window.view.setCursor(Qt.CursorShape.BlankCursor)

    def _place(self) -> None:
        central, controls = self._window.centralWidget(), self._window.controls
        width = min(_WIDEST, central.width() - 2 * _GAP)
        height = controls.sizeHint().height()
        controls.setGeometry((central.width() - width) // 2, central.height() - height - _GAP, width, height)
