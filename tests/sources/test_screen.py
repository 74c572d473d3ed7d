"""The screen as a source, on a virtual one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.sources import open_source
from seg_viewer.sources.live import Backoff
from seg_viewer.sources.screen import Screen, list_screens


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen of 320×200."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed: apt-get install xvfb")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "320x200x24", "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    if not number:
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    process.terminate()
    process.wait()


@pytest.fixture(autouse=True)
def on_the_display(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)


def test_the_whole_screen() -> None:
    screen = open_source("screen?fps=50")
    assert (screen.info.width, screen.info.height, screen.info.live) == (320, 200, True)
    frames = list(islice(screen, 3))
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].picture.rgb().shape == (200, 320, 3)
    screen.close()


def test_a_region() -> None:
    screen = open_source("screen:1?region=10,20,64x48&fps=50")
    (frame,) = islice(screen, 1)
    assert frame.picture.scaled_bgra(64, 48).shape == (48, 64, 4)
    assert np.all(frame.picture.scaled_bgra(64, 48)[..., 3] == 255)
    screen.close()


def test_screens_are_listed() -> None:
    assert list_screens() == [(1, 320, 200)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("screen:5", "there are screen:1 to screen:1"),
        ("screen:x", "a number from 1 to 64"),
        ("screen?region=0,0,999x20", "beyond the screen, which has 320×200"),
        ("screen?region=all", "100,50,640x360"),
        ("screen?speed=2", "no option 'speed'"),
    ],
)
def test_what_is_not_there(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_source(text)


def test_no_desktop_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(SourceError, match="needs a desktop") as raised:
        open_source("screen")
    assert "\n" not in str(raised.value)
    assert list_screens() == []


def test_a_desktop_that_goes_away_is_waited_for(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen("screen?fps=50", Backoff(0.01, 0.01))
    frames = iter(screen)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    monkeypatch.setenv("DISPLAY", ":4711")
    problems: list[str] = []

    def wait(_seconds: float) -> bool:
        problems.append(screen.status.problem)
        if len(problems) == 2:
            monkeypatch.setenv("DISPLAY", display)
        return False

    screen._stop.wait = wait  # type: ignore[method-assign]
    assert next(iter(screen)).index == 1
    assert "needs a desktop" in problems[0] and screen.status.reconnects == 1
    screen.close()
