"""Notifications of the desktop: through its portal where there is one (Linux), else by an icon in its tray."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher
from PySide6.QtWidgets import QApplication, QStyle, QSystemTrayIcon

_SERVICE, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_INTERFACE = "org.freedesktop.portal.Notification"


class Notifier(QObject):
    """Shows notifications; one replaces the one before of the same id, where the desktop can do that.

    Args:
        parent: the window.
        bus: of the desktop; None for that of the session.
    """

    missing = Signal(str)
    """One line, once: this desktop shows none."""

    def __init__(self, parent: QObject | None = None, bus: QDBusConnection | None = None) -> None:
        super().__init__(parent)
        self._bus = bus
        self._tray: QSystemTrayIcon | None = None
        self._told = False

    def notify(self, id_: str, title: str, text: str) -> None:
        """Show one; returns at once."""
        if sys.platform.startswith("linux"):
            bus = self._bus or QDBusConnection.sessionBus()
            if bus.isConnected():
                call = QDBusMessage.createMethodCall(_SERVICE, _PATH, _INTERFACE, "AddNotification")
                call.setArguments([id_, {"title": title, "body": text, "priority": "high"}])
                watcher = QDBusPendingCallWatcher(bus.asyncCall(call), self)
                watcher.finished.connect(lambda done: self._answered(done, title, text))
                return
        self._by_tray(title, text)

    def _answered(self, watcher: QDBusPendingCallWatcher, title: str, text: str) -> None:
        watcher.deleteLater()
        if watcher.isError():
            self._by_tray(title, text)

    def _by_tray(self, title: str, text: str) -> None:
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            if not self._told:
                self._told = True
                self.missing.emit("this desktop shows no notifications; what enters the ego zone is told here")
            return
        if self._tray is None:
            style = QApplication.style()
            icon = QApplication.windowIcon()
            if icon.isNull():
                icon = style.standardIcon(QStyle.StandardPixmap.SP_MessageBoxInformation)
            self._tray = QSystemTrayIcon(icon, self)
            self._tray.show()
        self._tray.showMessage(title, text)

    def close(self) -> None:
        """Take the icon out of the tray."""
        if self._tray is not None:
            self._tray.hide()
