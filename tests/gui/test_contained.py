"""A label's new text reaches the layouts around it only where the label wants another size."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.gui.widgets.contained import Contained


class _Layouts(QObject):
    """Counts how often a widget is laid out anew."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.LayoutRequest
        return False


def _shown(qtbot: QtBot, label: QLabel) -> tuple[QWidget, Contained, _Layouts]:
    window, room = QWidget(), Contained(label)
    column = QVBoxLayout(window)
    column.addWidget(room)
    column.addStretch()
    qtbot.addWidget(window)
    window.resize(200, 300)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(20)
    return window, room, _Layouts(window)


@pytest.mark.parametrize("wraps", [False, True], ids=["one line", "wrapped"])
def test_a_text_of_the_same_size_asks_for_no_layout(qtbot: QtBot, wraps: bool) -> None:
    label = QLabel("00:00.0")
    label.setMinimumWidth(120)
    label.setWordWrap(wraps)
    if wraps:
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    _window, _room, layouts = _shown(qtbot, label)
    for text in ("00:00.1", "00:00.2", "1", ""):
        label.setText(text)
        qtbot.wait(5)
    assert label.text() == "" and layouts.count == 0


def test_a_wider_text_gets_its_room(qtbot: QtBot) -> None:
    label = QLabel("1")
    window, room, layouts = _shown(qtbot, label)
    label.setText("a text that is much wider than the window was, as long as it is shown on one line")
    qtbot.waitUntil(lambda: layouts.count > 0)
    qtbot.waitUntil(lambda: room.width() >= label.sizeHint().width())
    assert label.geometry() == room.rect() and window.width() > 200


def test_more_lines_get_their_room_and_give_it_back(qtbot: QtBot) -> None:
    label = QLabel("one")
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    _window, room, _layouts = _shown(qtbot, label)
    low = room.height()
    label.setText("one\ntwo\nthree")
    qtbot.waitUntil(lambda: room.height() >= 2 * low)
    assert label.geometry() == room.rect()
    label.setText("one")
    qtbot.waitUntil(lambda: room.height() == low)


@pytest.mark.parametrize("away", ["window", "row"])
def test_what_was_written_while_hidden_has_room_when_it_is_shown(qtbot: QtBot, away: str) -> None:
    label = QLabel("one")
    window, room, _layouts = _shown(qtbot, label)
    hidden = window if away == "window" else room
    hidden.hide()
    label.setText("one\ntwo\nthree")
    hidden.show()
    qtbot.waitUntil(lambda: room.height() >= label.sizeHint().height())


def test_another_font_gets_its_room(qtbot: QtBot) -> None:
    label = QLabel("one")
    _window, room, _layouts = _shown(qtbot, label)
    font = label.font()
    font.setPointSize(40)
    label.setFont(font)
    qtbot.waitUntil(lambda: room.height() >= label.sizeHint().height() > 40)
