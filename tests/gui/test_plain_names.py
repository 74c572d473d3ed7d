"""Names of models, classes, files and devices are shown as they are, whatever Qt would make of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QTextDocument
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.core.labels import Label, LabelSet
from seg_viewer.gui.dialogs.help import AboutDialog
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.widgets.loading_bar import LoadingBar
from seg_viewer.gui.widgets.plain import ElidedLabel
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import LiveStatus

from ..models import color_model
from .conftest import wait_state

NAMES = ("<b>x", "<img src=x>", "a & b", "[*] x", "[red]", "&lt;")


def _unescaped(text: str) -> str:
    """What Qt shows of a text that it looks into: HTML where there is a tag."""
    if "<" not in text:
        return text
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


def _shown(thing: QLabel | QAbstractButton | QAction) -> str:
    if not isinstance(thing, QLabel):
        return re.sub("&(.)", r"\1", thing.text().split("\t")[0])
    text = thing.text().replace("\u200b", "")
    return text if thing.textFormat() is thing.textFormat().PlainText else _unescaped(text)


def _labels(widget: QWidget) -> str:
    return "\n".join(_shown(label) for label in widget.findChildren(QLabel))


def _models(window: MainWindow) -> list[QAction]:
    """The last of the models in the menu."""
    actions = window.menuBar().actions()[2].menu().actions()
    return [actions[next(i for i, action in enumerate(actions) if action.isSeparator()) - 1]]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files_models_and_classes_are_shown_as_they_are(
    qtbot: QtBot, open_window, clip: Path, tmp_path: Path, name: str
) -> None:
    classes = [Label(i, f"{name} {i}", (9, 90, 9 * i), painted=i > 0) for i in range(4)]
    model = color_model(tmp_path / f"{name}.onnx", name=f"model {name}", labels=LabelSet(classes))
    film = tmp_path / f"{name}.mp4"
    shutil.copy(clip, film)
    window = open_window(film, RunOptions(model=str(model)))
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.actions_by_id["play"].trigger()
    window.legend.boxes[f"{name} 1"].click()
    window.messages.show_error(f"{film}: wrong")

    assert window.windowHandle().title().startswith(f"{name}.mp4")
    assert f"model {name}" in _labels(window.stats)
    assert f"{film}: wrong" in _labels(window.messages)
    assert f"{name} 0" in _labels(window.legend)  # never painted: no box
    boxes = window.legend.boxes
    assert [_shown(box) for box in boxes.values()] == [f"{name} {i}" for i in (1, 2, 3)]
    assert f"Show or hide {name} 1" in _unescaped(boxes[f"{name} 1"].toolTip())
    for action in (window.recent_menu.actions()[0], *_models(window)):
        assert _shown(action) in (f"{name}.mp4", f"{name}.onnx") and str(tmp_path) in _unescaped(action.toolTip())
        assert name in _unescaped(action.toolTip())
    (button,) = window.start_page.recent_buttons
    assert _shown(button).startswith(f"{name}.mp4") and f"{name}.mp4" in _unescaped(button.toolTip())

    window.actions_by_id["export"].trigger()
    dialog = window.outputs.export_dialog
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.windowHandle().title().startswith(f"Export {name}.mp4")
    assert f"without {name} 1" in _labels(dialog)
    dialog.close()


@pytest.mark.parametrize("name", NAMES)
def test_names_of_devices_and_connections_are_shown_as_they_are(qtbot: QtBot, name: str) -> None:
    about, live, loading = AboutDialog(f"openvino · {name}"), LiveBar(), LoadingBar()
    for widget in (about, live, loading):
        qtbot.addWidget(widget)
    live.set_status(PlayerState.PLAYING, LiveStatus(False, f"camera:0 ({name}): is gone"))
    loading.show_loading((name, 0.5))
    assert f"openvino · {name}" in _labels(about)
    assert f"({name})" in _labels(live) and f"({name})" in _unescaped(live.status.toolTip())
    assert name in _labels(loading) and name in _unescaped(loading.label.toolTip())


def test_a_line_without_room_shows_its_beginning_and_end(qtbot: QtBot) -> None:
    label = ElidedLabel("/a/long/folder/of/videos/<b>film</b>.mp4")
    qtbot.addWidget(label)
    label.resize(400, 20)
    label.show()
    wide, words = label.grab().toImage(), label.fontMetrics().horizontalAdvance(label.text())
    label.resize(words // 2, 20)
    narrow = label.grab().toImage()
    assert label.minimumWidth() <= 60 < words // 2 and label.text().endswith("</b>.mp4")
    cut = wide.copy(0, 0, narrow.width(), narrow.height())
    assert narrow != cut, "it is not just cut off"
    dots = label.fontMetrics().elidedText(label.text(), Qt.TextElideMode.ElideMiddle, words // 2)
    assert "…" in dots and dots.endswith("mp4")
