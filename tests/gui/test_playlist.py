"""What is dropped, and what plays one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.gui.tasks.export_queue import State
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.sources.listed import Listing

from ..models import color_model
from ..servers.http_video import HttpVideo
from ..waiting import wait_until
from . import drag
from .conftest import GREEN, WAIT_MS, is_near, make_clip, pause_at, wait_state
from .modal_dialogs import ModalDialogs, types

KEY = Qt.Key
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four of 0.3 s."""
    folder = tmp_path_factory.mktemp("list")
    return [make_clip(folder / f"{name}.mp4", 6, colors=(GREEN,)) for name in "abcd"]


def _bad(path: Path) -> Path:
    path.write_text("this is no video\n" * 20)
    return path


def _title_is(window, text: str):
    return lambda: window.windowTitle() == f"{text} — seg-viewer"


def _names(window) -> list[str]:
    rows = window.sources.playlist.view.list
    return [rows.item(row).text() for row in range(rows.count())]


def _bold(window) -> list[str]:
    rows = window.sources.playlist.view.list
    return [rows.item(row).text() for row in range(rows.count()) if rows.item(row).font().bold()]


def test_twenty_dropped_are_twenty_entries_and_keys_go_through_them(qtbot: QtBot, open_window, clip, tmp_path):
    paths = [tmp_path / f"{number:02}.mp4" for number in range(20)]
    for path in paths:
        path.symlink_to(clip)
    window = open_window()
    drag.drop(window, drag.files(paths))
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.windowTitle() == "1/20  00.mp4 — seg-viewer"
    (told,) = window.messages.texts("info")
    assert told.startswith("20 in the playlist")
    qtbot.keyClick(window, KEY.Key_PageDown)
    qtbot.waitUntil(_title_is(window, "2/20  01.mp4"), timeout=WAIT_MS)
    qtbot.keyClick(window, KEY.Key_PageDown)
    qtbot.waitUntil(_title_is(window, "3/20  02.mp4"), timeout=WAIT_MS)
    qtbot.keyClick(window, KEY.Key_PageUp)
    qtbot.waitUntil(_title_is(window, "2/20  01.mp4"), timeout=WAIT_MS)
    assert window.actions_by_id["previous-file"].isEnabled()
    qtbot.keyClick(window, KEY.Key_PageUp)
    qtbot.waitUntil(_title_is(window, "1/20  00.mp4"), timeout=WAIT_MS)
    assert not window.actions_by_id["previous-file"].isEnabled()
    qtbot.keyClick(window, KEY.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert window.sources.playlist.dock.isVisible() and len(_names(window)) == 20 and _bold(window) == ["00.mp4"]


def test_it_goes_on_at_the_end_and_stops_after_the_last(qtbot: QtBot, open_window, clips: list[Path]):
    window = open_window()
    drag.drop(window, drag.files(clips[:3]))
    qtbot.waitUntil(_title_is(window, "3/3  c.mp4"), timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ENDED)
    assert not window.actions_by_id["next-file"].isEnabled()


def test_a_looped_list_begins_again(qtbot: QtBot, open_window, clips: list[Path]):
    window = open_window()
    qtbot.keyClick(window, KEY.Key_L, CTRL_SHIFT)
    assert window.actions_by_id["loop-list"].isChecked()
    drag.drop(window, drag.files(clips[:2]))
    qtbot.waitUntil(_title_is(window, "2/2  b.mp4"), timeout=WAIT_MS)
    qtbot.waitUntil(_title_is(window, "1/2  a.mp4"), timeout=WAIT_MS)


def test_one_that_is_looped_stays(qtbot: QtBot, open_window, clip: Path, clips: list[Path]):
    window = open_window()
    drag.drop(window, drag.files([clip, clips[0]]))
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.actions_by_id["loop"].trigger()
    times: list[float] = []
    window.presenter.shot_shown.connect(lambda shot: times.append(shot.frame.time_s))
    qtbot.waitUntil(lambda: sorted(times) != times, timeout=WAIT_MS)
    assert window.windowTitle().startswith("1/2  colors.mp4")


def test_a_pause_at_the_end_stays_there(qtbot: QtBot, open_window, clip: Path, clips: list[Path]):
    window = open_window()
    drag.drop(window, drag.files([clip, clips[0]]))
    pause_at(qtbot, window, 10)
    qtbot.keyClick(window, KEY.Key_End)
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.wait(400)
    assert window.windowTitle().startswith("1/2") and window.player.state is PlayerState.ENDED


def test_bad_ones_are_skipped_with_one_message(qtbot: QtBot, open_window, clips: list[Path], tmp_path: Path):
    bad = [_bad(tmp_path / f"bad{number}.mp4") for number in range(5)]
    window = open_window()
    drag.drop(window, drag.files([bad[0], clips[0], *bad[1:], clips[1]]))
    qtbot.waitUntil(_title_is(window, "2/7  a.mp4"), timeout=WAIT_MS)
    (told,) = window.messages.texts("warning")
    assert told.startswith("Skipped: ") and "bad0.mp4" in told and "not a video" in told
    qtbot.waitUntil(_title_is(window, "7/7  b.mp4"), timeout=WAIT_MS)
    (told,) = window.messages.texts("warning")
    assert told.startswith("Skipped 4 that cannot be played: bad1.mp4, bad2.mp4, bad3.mp4, …; the last: ")
    assert window.messages.texts("error") == []
    assert window.sources.playlist.view.summary.text() == "7 of 7  ·  5 skipped"
    qtbot.keyClick(window, KEY.Key_PageUp)  # asked for, a bad one is tried again, and the way back goes on
    qtbot.waitUntil(_title_is(window, "2/7  a.mp4"), timeout=WAIT_MS)


def test_where_all_are_bad_it_stops_and_says_so(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window()
    qtbot.keyClick(window, KEY.Key_L, CTRL_SHIFT)
    drag.drop(window, drag.files([_bad(tmp_path / f"bad{number}.mp4") for number in range(3)]))
    qtbot.waitUntil(lambda: any("Skipped 3" in text for text in window.messages.texts("warning")), timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ERROR)


@pytest.mark.parametrize("good", [0, 1])
@pytest.mark.parametrize("bad", [1, 2, 3])
def test_the_last_one_that_is_bad_is_named_once(
    qtbot: QtBot, open_window, clips: list[Path], tmp_path: Path, good: int, bad: int
):
    window = open_window()
    names = [f"broken{number}.mp4" for number in range(bad)]
    drag.drop(window, drag.files([*clips[:good], *(_bad(tmp_path / name) for name in names)]))
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    if bad > 1:
        summary = f"Skipped {bad} that"
        qtbot.waitUntil(lambda: any(summary in text for text in window.messages.texts("warning")), timeout=WAIT_MS)
    qtbot.wait(100)
    texts = "\n".join(window.messages.texts())
    assert all(texts.count(f"{name}: ") == (name == names[-1]) for name in names) and "not a video" in texts
    if bad > 1:
        assert window.messages.texts("warning") == [f"Skipped {bad} that cannot be played: {', '.join(names)}"]


class _FailsAtOnce(Player):
    """Opens a source, and comes back when it is open or has failed: a window that is slower than the disk."""

    def open(self, source: str, scores: Sequence[Path] = ()) -> None:
        super().open(source, scores)
        wait_until(lambda: self.state is not PlayerState.LOADING, f"{source} to be open, or not")


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("around", [False, True])
def test_bad_ones_are_skipped_however_soon_they_fail(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, open_window, tmp_path: Path, around: bool, count: int
):
    """The second of two that failed before the window looked was taken for the first."""
    monkeypatch.setattr("tests.gui.conftest.Player", _FailsAtOnce)
    window = open_window()
    if around:
        qtbot.keyClick(window, KEY.Key_L, CTRL_SHIFT)
    drag.drop(window, drag.files([_bad(tmp_path / f"bad{number}.mp4") for number in range(count)]))
    told = f"Skipped {count} that"
    qtbot.waitUntil(lambda: any(told in text for text in window.messages.texts("warning")), timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ERROR)


def test_a_model_that_cannot_run_skips_nothing(qtbot: QtBot, open_window, clips: list[Path], tmp_path: Path):
    from seg_viewer.jobs.options import RunOptions

    model = tmp_path / "bad.onnx"
    model.write_bytes(b"no model")
    window = open_window(options=RunOptions(model=str(model)))
    drag.drop(window, drag.files(clips))
    wait_state(qtbot, window, PlayerState.ERROR)
    qtbot.wait(200)
    assert window.sources.playlist.playlist.place == 0 and "bad.onnx" in window.messages.texts("error")[0]


def test_pictures_follow_each_other_slowly_enough_to_be_seen(qtbot: QtBot, open_window, clips, tmp_path: Path):
    picture = tmp_path / "one.png"
    cv2.imwrite(str(picture), np.full((48, 64, 3), (0, 0, 200), np.uint8))
    window = open_window()
    drag.drop(window, drag.files([picture, clips[0]]))
    wait_state(qtbot, window, PlayerState.ENDED)
    assert window.windowTitle().startswith("1/2  one.png") and window.sources.playlist._still.isActive()
    window.sources.playlist._still.setInterval(20)
    window.sources.playlist._still.start()
    qtbot.waitUntil(_title_is(window, "2/2  a.mp4"), timeout=WAIT_MS)


def test_what_is_live_follows_and_is_left_by_a_key(qtbot: QtBot, open_window, clips: list[Path], tmp_path: Path):
    with HttpVideo(tmp_path, size=(64, 48), rate=10) as server:
        window = open_window()
        window.sources.playlist.open([str(clips[0]), server.url(), str(clips[1])])
        qtbot.waitUntil(lambda: window.windowTitle().startswith("2/3  http://127.0.0.1"), timeout=WAIT_MS)
        qtbot.waitUntil(lambda: window.player.live_status is not None, timeout=WAIT_MS)
        qtbot.keyClick(window, KEY.Key_PageDown)
        qtbot.waitUntil(_title_is(window, "3/3  b.mp4"), timeout=WAIT_MS)


# -- what can be dropped -----------------------------------------------------------------------------------------------


def test_links_are_opened_and_what_is_refused_is_told(qtbot: QtBot, open_window, clips: list[Path]):
    window = open_window()
    data = drag.urls([clips[0].as_uri(), "ftp://HOST/x.mp4", "mailto:a@b.c", clips[1].as_uri()])
    drag.drop(window, data)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("1/2  a.mp4"), timeout=WAIT_MS)
    (told,) = window.messages.texts("warning")
    assert told.lower().startswith("ftp://host/x.mp4, mailto:a@b.c: cannot be opened; what can: files")


@pytest.mark.parametrize(
    ("data", "sources"),
    [
        (drag.urls(["rtsp://u:p%2Fq@127.0.0.1:1/x", "http://127.0.0.1:1/y.mjpg"]),
         ("rtsp://u:p%2Fq@127.0.0.1:1/x", "http://127.0.0.1:1/y.mjpg")),
        (drag.text("  rtsp://127.0.0.1:1/x \n"), ("rtsp://127.0.0.1:1/x",)),
        (drag.text("http://127.0.0.1:1/a\n\nhttps://127.0.0.1:1/b"), ("http://127.0.0.1:1/a", "https://127.0.0.1:1/b")),
    ],
    ids=["links", "text", "lines"],
)  # fmt: skip
def test_addresses_are_taken(data, sources):
    from seg_viewer.gui.drops import read_dropped

    assert read_dropped(data).sources == sources


@pytest.mark.parametrize("words", ["no file", "see http://HOST/x", "C:\\x.mp4", "screen", "camera:0", ""])
def test_any_other_text_is_refused(open_window, words: str):
    window = open_window()
    assert not drag.enter(window, drag.text(words)) and not window.sources.veil.isVisible()


def test_a_dropped_address_is_opened(qtbot: QtBot, open_window):
    window = open_window()
    drag.drop(window, drag.text("http://user:secret@127.0.0.1:9/x.mjpg#timeout=1"))
    qtbot.waitUntil(lambda: "127.0.0.1" in window.view.notice, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Waiting" in window.view.notice, timeout=WAIT_MS)
    shown = [*window.messages.texts(), window.view.notice, window.windowTitle(), *_names(window)]
    assert not any("secret" in text for text in shown)


def test_lists_and_folders_of_videos_stand_for_what_they_hold(qtbot: QtBot, open_window, clips, clip, tmp_path):
    (tmp_path / "mine.m3u").write_text(f"#EXTM3U\n{clip}\n{clips[1]}\n", encoding="utf-8")
    window = open_window()
    drag.drop(window, drag.files([tmp_path / "mine.m3u", clips[0].parent]))
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert _names(window) == ["colors.mp4", "b.mp4", "a.mp4", "b.mp4", "c.mp4", "d.mp4"]


def test_a_dropped_model_takes_over_what_plays(qtbot: QtBot, open_window, clip: Path, tmp_path: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    other = color_model(tmp_path / "other.onnx", 32, 16, name="other")
    drag.drop(window, drag.files([other]))
    qtbot.waitUntil(lambda: window.player.spec is not None and window.player.spec.name == "other", timeout=WAIT_MS)
    assert window.windowTitle() == "colors.mp4 — seg-viewer"


@pytest.mark.parametrize("playing", [False, True])
def test_the_invitation_is_seen_while_dragging(qtbot: QtBot, open_window, clip: Path, clips, playing: bool):
    window = open_window(clip if playing else None)
    if playing:
        pause_at(qtbot, window, 5)
    before = window.grab().toImage()
    assert drag.enter(window, drag.files(clips))
    assert window.sources.veil.isVisible() and window.sources.veil.text == "Drop to open these 4, one after the other"
    over = window.grab().toImage()
    middle = window.centralWidget().geometry()
    changed = [
        not is_near(before.pixelColor(x, y).getRgb()[:3], over.pixelColor(x, y).getRgb()[:3], 20)
        for x in range(middle.left() + 60, middle.right() - 60, 7)
        for y in range(middle.center().y() - 12, middle.center().y() + 12, 3)
    ]
    assert sum(changed) > 20  # the words
    drag.leave(window)
    assert not window.sources.veil.isVisible() and window.grab().toImage() == before
    drag.enter(window, drag.files(clips))
    window.resize(900, 600)
    assert window.sources.veil.geometry() == QRect(window.centralWidget().rect())
    drag.drop(window, drag.files(clips[:1]))
    assert not window.sources.veil.isVisible()


_OFFERED = {
    "copy": Qt.DropAction.CopyAction,
    "copy or move": Qt.DropAction.CopyAction | Qt.DropAction.MoveAction,
    "move or link": Qt.DropAction.MoveAction | Qt.DropAction.LinkAction,
    "link": Qt.DropAction.LinkAction,
    "move": Qt.DropAction.MoveAction,
}


@pytest.mark.parametrize("place", ["window", "list", "queue"])
def test_a_drop_never_moves_a_file(qtbot: QtBot, listed, clips, place: str) -> None:
    """After a move, the file manager deletes what it gave away."""
    listed.actions_by_id["export-queue"].trigger()
    rows = listed.sources.playlist.view.list.viewport()
    widget = {"window": listed, "list": rows, "queue": listed.outputs.queue_dialog}[place]
    for offered, actions in _OFFERED.items():
        for kind in (QDragEnterEvent, QDropEvent):
            at = QPointF(50, 50) if kind is QDropEvent else QPoint(50, 50)
            shift = Qt.KeyboardModifier.ShiftModifier  # asks for a move
            data = drag.files([clips[0] if place != "queue" else clips[0].with_name("gone.mp4")])
            event = kind(at, actions, data, Qt.MouseButton.LeftButton, shift)
            QApplication.sendEvent(widget, event)
            assert event.isAccepted() is (offered != "move"), (offered, kind)
            assert not event.isAccepted() or event.dropAction() is not Qt.DropAction.MoveAction, (offered, kind)


# -- the list ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(qtbot: QtBot, open_window, clip: Path, clips: list[Path]):
    """A window with its list open: a long one that is paused, then a, b, c."""
    window = open_window()
    drag.drop(window, drag.files([clip, *clips[:3]]))
    pause_at(qtbot, window, 10)
    window.actions_by_id["playlist"].trigger()
    qtbot.waitUntil(window.sources.playlist.dock.isVisible, timeout=WAIT_MS)
    return window


def test_the_list_is_rearranged_and_shortened_by_keys(qtbot: QtBot, listed):
    rows = listed.sources.playlist.view.list
    rows.setFocus()
    rows.setCurrentRow(3)
    qtbot.keyClick(rows, KEY.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert _names(listed) == ["colors.mp4", "a.mp4", "c.mp4", "b.mp4"] and rows.currentRow() == 2
    qtbot.keyClick(rows, KEY.Key_Delete)
    assert _names(listed) == ["colors.mp4", "a.mp4", "b.mp4"] and _bold(listed) == ["colors.mp4"]
    rows.setCurrentRow(2)
    qtbot.keyClick(rows, KEY.Key_Return)
    qtbot.waitUntil(_title_is(listed, "3/3  b.mp4"), timeout=WAIT_MS)
    assert _bold(listed) == ["b.mp4"]


def test_the_current_one_taken_out_plays_on(qtbot: QtBot, listed):
    rows = listed.sources.playlist.view.list
    rows.setCurrentRow(0)
    qtbot.mouseClick(listed.sources.playlist.view.remove_button, Qt.MouseButton.LeftButton)
    assert listed.player.state is PlayerState.PAUSED and _names(listed) == ["a.mp4", "b.mp4", "c.mp4"]
    qtbot.keyClick(listed, KEY.Key_PageDown)
    qtbot.waitUntil(lambda: "a.mp4" in listed.windowTitle(), timeout=WAIT_MS)


def test_what_was_not_opened_after_all_is_not_marked(qtbot: QtBot, listed):
    part = listed.sources.playlist
    part.playlist.choose(part.playlist.entries[2])  # asked for, and given up before it was there
    part.follow(listed.player.source)
    assert _bold(listed) == ["colors.mp4"] and listed.windowTitle() == "1/4  colors.mp4 — seg-viewer"
    part.follow("/not/in/the/list.mp4")
    assert _bold(listed) == ["colors.mp4"]


def test_a_double_click_plays(qtbot: QtBot, listed):
    rows = listed.sources.playlist.view.list
    at = rows.visualItemRect(rows.item(3)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(_title_is(listed, "4/4  c.mp4"), timeout=WAIT_MS)


def test_what_is_dropped_on_the_list_or_added_goes_to_its_end(qtbot, listed, clips, dialogs: ModalDialogs):
    drag.drop(listed.sources.playlist.view.list.viewport(), drag.files([clips[3]]))
    assert _names(listed)[-1] == "d.mp4" and listed.player.state is PlayerState.PAUSED
    dialogs.expect(types(clips[0]))
    qtbot.mouseClick(listed.sources.playlist.view.add_button, Qt.MouseButton.LeftButton)
    assert _names(listed)[-2:] == ["d.mp4", "a.mp4"] and listed.windowTitle().startswith("1/6")


def test_export_all_hands_the_files_to_the_queue(qtbot: QtBot, open_window, clips: list[Path], tmp_path: Path):
    copies = [make_clip(tmp_path / f"{name}.mp4", 3) for name in "xy"]
    window = open_window()
    window.sources.playlist.begin(Listing((*map(str, copies), "rtsp://127.0.0.1:1/x")))
    window.actions_by_id["playlist"].trigger()
    qtbot.mouseClick(window.sources.playlist.view.export_button, Qt.MouseButton.LeftButton)
    queue = window.outputs.export_queue
    qtbot.waitUntil(lambda: [item.state for item in queue.items] == [State.DONE] * 2, timeout=2 * WAIT_MS)
    assert sorted(path.name for path in tmp_path.glob("*_seg.mp4")) == ["x_seg.mp4", "y_seg.mp4"]
    assert any("1 of 3 are live" in text for text in window.messages.texts("warning"))


def test_the_list_hides_in_full_screen_and_its_cross_is_the_same_as_the_key(qtbot: QtBot, listed):
    action, dock = listed.actions_by_id["playlist"], listed.sources.playlist.dock
    qtbot.keyClick(listed, KEY.Key_F)
    assert not dock.isVisible() and action.isChecked()
    qtbot.keyClick(listed, KEY.Key_F)
    qtbot.waitUntil(dock.isVisible, timeout=WAIT_MS)
    qtbot.mouseClick(listed.sources.playlist.view.close_button, Qt.MouseButton.LeftButton)
    assert not action.isChecked() and not dock.isVisible()
