"""The dialogs that wait for an answer, answered as a person does: by their own buttons and keys."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QLineEdit, QMessageBox

_LOOK_MS = 20
Answer = Callable[[QDialog], None]


class ModalDialogs:
    """Looks for modal dialogs while a test runs."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        """Of the message boxes that were expected, title and text."""
        self.unexpected: list[str] = []
        self._answers: deque[Answer] = deque()
        self._timer = QTimer(interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def expect(self, answer: Answer) -> None:
        """The next dialog gets this answer."""
        self._answers.append(answer)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def check(self) -> None:
        """Raises: AssertionError when a dialog came that was not expected, or one did not come that was."""
        assert self.unexpected == [], f"a dialog that the test did not expect: {self.unexpected}"
        assert not self._answers, "a dialog that the test expected did not come"

    def _look(self) -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog) or not dialog.isVisible() or not dialog.isActiveWindow():
            return
        text = dialog.windowTitle()
        if isinstance(dialog, QMessageBox):
            text += f": {dialog.text()}"
        if self._answers:
            self.texts.append(text)
            self._answers.popleft()(dialog)
        else:
            self.unexpected.append(text)
            dialog.close()


def clicks(text: str) -> Answer:
    """A click on the button that says so."""

    def answer(dialog: QDialog) -> None:
        (button,) = [b for b in dialog.findChildren(QAbstractButton) if b.text().replace("&", "") == text]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    return answer


def presses(key: Qt.Key) -> Answer:
    """A key, which goes where the focus is."""
    return lambda dialog: QTest.keyClick(dialog.windowHandle(), key)


def types(path: Path) -> Answer:
    """A name typed into a file dialog, and Enter."""
    return _types(str(path))


def types_all(paths: Sequence[Path]) -> Answer:
    """Several names, as a file dialog takes them."""
    return _types(" ".join(f'"{path}"' for path in paths))


def _types(text: str) -> Answer:
    def answer(dialog: QDialog) -> None:
        assert isinstance(dialog, QFileDialog)
        name = dialog.findChild(QLineEdit, "fileNameEdit")
        name.setText(text)
        QTest.keyClick(name, Qt.Key.Key_Return)

    return answer
