"""The widget that has the focus gets its own keys first; everywhere else they are the window's.

Space plays and the arrows seek, wherever one is in the window. But a button that was reached by Tab is pressed by Space
and Enter, and a slider moved by the arrows, as in every other program. Which keys are whose is data, over kinds of
widgets, so that one that is added later behaves the same.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QComboBox, QToolButton, QWidget
from shiboken6 import isValid

_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_PRESS = _ENTER | {Qt.Key.Key_Space, Qt.Key.Key_Select}
_MOVE = frozenset(
    {
        Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
        Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
    }
)  # fmt: skip

OWN_KEYS: tuple[tuple[type[QWidget], frozenset[Qt.Key]], ...] = (
    (QAbstractButton, _PRESS),
    (QAbstractSlider, _MOVE),
    (QComboBox, _PRESS | _MOVE),
)
"""Keys, without modifiers, that a kind of widget uses itself while it has the focus."""


def press(button: QAbstractButton) -> None:
    """What a click does; where that opens a menu, the menu opens."""
    at_once = QToolButton.ToolButtonPopupMode.InstantPopup
    if isinstance(button, QToolButton) and button.menu() is not None and button.popupMode() is at_once:
        button.showMenu()
    else:
        button.click()


class FocusKeys(QObject):
    """Keeps the window's shortcuts from taking those keys.

    Args:
        window: key events that its widgets have left come to it, as Qt passes them up.
        home: gets the focus when the widget that had it goes away; Qt would give it to the next button, where Space
            does something that nobody wanted.
    """

    def __init__(self, window: QWidget, home: QWidget) -> None:
        super().__init__(window)
        self._window, self._home = window, home
        window.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._focus_changed)

    def _focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        if old is None or now is None or now is self._home or not isValid(old) or not self._home.isVisible():
            return
        inside = self._window.isAncestorOf(old) and self._window.isAncestorOf(now)
        if inside and not (old.isVisible() and old.isEnabled()):
            self._home.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) or not isinstance(event, QKeyEvent):
            return False
        focused = QApplication.focusWidget()
        if focused is None or not focused.isEnabled() or not _is_own(focused, event):
            return False
        if kind is QEvent.Type.ShortcutOverride:
            event.accept()  # the widget gets the key itself
            return True
        if event.key() in _ENTER and isinstance(focused, QAbstractButton):
            event.accept()
            if not event.isAutoRepeat():
                press(focused)
            return True
        return False


def _is_own(widget: QWidget, event: QKeyEvent) -> bool:
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return False
    return any(isinstance(widget, kind) and event.key() in keys for kind, keys in OWN_KEYS)
