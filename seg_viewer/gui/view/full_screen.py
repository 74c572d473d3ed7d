"""Full screen: the picture alone; the controls float in when the mouse moves."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.central import CentralWidget
from seg_viewer.gui.widgets.controls import Controls

_HIDE_MS = 2500
_WIDEST = 980
_GAP = 24


class FullScreen(QObject):
    """Switches a window between its two arrangements.

    Args:
        window: fills the screen, or does not.
        central: its central widget.
        controls: float over the picture in full screen.
        view: shows the picture, or is hidden where there is none.
    """

    def __init__(self, window: QMainWindow, central: CentralWidget, controls: Controls, view: QWidget) -> None:
        super().__init__(window)
        self._window, self._central, self._controls, self._view = window, central, controls, view
        self._on = False
        self._was_maximized = False
        self._hide = timer(self, _HIDE_MS, once=True)
        self._hide.timeout.connect(self._hide_controls)

    @property
    def hide_after_ms(self) -> int:
        """How long the controls stay after the mouse moved."""
        return self._hide.interval()

    @hide_after_ms.setter
    def hide_after_ms(self, value: int) -> None:
        self._hide.setInterval(value)

    def set_on(self, on: bool) -> None:
        if on is self._on:
            return
        self._on = on
        window, controls, app = self._window, self._controls, QApplication.instance()
        assert app is not None
        window.menuBar().setVisible(not on)
        if on:
            self._was_maximized = window.isMaximized()
            self._central.column.removeWidget(controls)
            window.showFullScreen()
            app.installEventFilter(self)
        else:
            app.removeEventFilter(self)
            self._hide.stop()
            self._view.setContentsMargins(0, 0, 0, 0)
            self._central.column.addWidget(controls)
            self._view.unsetCursor()
            if self._was_maximized:
                window.showMaximized()
            else:
                window.showNormal()
        controls.setProperty("floating", on)
        controls.style().unpolish(controls)
        controls.style().polish(controls)
        if on:
            self._show_controls()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.MouseMove:
            self._show_controls()
        elif event.type() is QEvent.Type.Resize and watched is self._central:
            self._place()
        return False

    def _show_controls(self) -> None:
        self._controls.setVisible(self._view.isVisible())
        self._view.unsetCursor()
        self._place()
        self._controls.raise_()
        self._hide.start()

    def _hide_controls(self) -> None:
        controls = self._controls
        if controls.rect().contains(controls.mapFromGlobal(QCursor.pos())) or controls.seek_bar.dragging:
            self._hide.start()
            return
        controls.hide()
        self._view.setContentsMargins(0, 0, 0, 0)
        self._view.setCursor(Qt.CursorShape.BlankCursor)

    def _place(self) -> None:
        room = self._central.rect()
        width = min(_WIDEST, room.width() - 2 * _GAP)
        height = self._controls.sizeHint().height()
        self._controls.setGeometry((room.width() - width) // 2, room.height() - height - _GAP, width, height)
        if self._controls.isVisible():
            self._view.setContentsMargins(0, 0, 0, height + _GAP)  # words on the picture keep clear of it
