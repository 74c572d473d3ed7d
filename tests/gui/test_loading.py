"""While a TensorRT plan is built, and after its GPU failed; on the stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from tests.engines.nvidia.conftest import machine

from .conftest import WAIT_MS, wait_state, worker_threads

__all__ = ["machine"]


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(model=str(model), engine="tensorrt")


def test_the_build_is_shown_and_then_the_video_plays(
    qtbot: QtBot, open_window, clip: Path, options: RunOptions, machine: Any
):
    machine.build_gate.clear()
    window = open_window(clip, options)
    qtbot.waitUntil(window.loading_bar.isVisible, timeout=WAIT_MS)
    assert "Timing tactics" in window.loading_bar.label.text()
    assert window.player.state is PlayerState.LOADING
    machine.build_gate.set()
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: not window.loading_bar.isVisible(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "GPU.0 (Stand-in GPU)" in window.stats.text("runs_on"), timeout=WAIT_MS)
    assert window.messages.texts() == []


def test_stop_ends_the_build(qtbot: QtBot, open_window, clip: Path, options: RunOptions, machine: Any):
    machine.build_gate.clear()
    window = open_window(clip, options)
    qtbot.waitUntil(window.loading_bar.isVisible, timeout=WAIT_MS)
    qtbot.mouseClick(window.loading_bar.button, Qt.MouseButton.LeftButton)
    assert not window.loading_bar.button.isEnabled()
    machine.build_gate.set()
    wait_state(qtbot, window, PlayerState.ERROR)
    assert any("was stopped" in text for text in window.messages.texts("error"))
    qtbot.waitUntil(lambda: not window.loading_bar.isVisible(), timeout=WAIT_MS)


def test_closing_the_window_ends_the_build(qtbot: QtBot, open_window, clip: Path, options: RunOptions, machine: Any):
    machine.build_gate.clear()
    window = open_window(clip, options)
    qtbot.waitUntil(window.loading_bar.isVisible, timeout=WAIT_MS)
    window.close()
    assert not window.ended_in_time  # a build is not cut short: the program leaves without it
    machine.build_gate.set()
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)
    assert machine.names().count("deserialize") == 0  # stopped before there was a plan


def test_a_lost_gpu_is_told_and_the_video_goes_on(
    qtbot: QtBot, open_window, clip: Path, options: RunOptions, machine: Any
):
    window = open_window(clip, options)
    wait_state(qtbot, window, PlayerState.PLAYING)
    machine.faults["execute"] = "Cuda Runtime (device lost)"
    window.transport.seek(0.2)
    qtbot.waitUntil(lambda: bool(window.messages.texts("warning")), timeout=WAIT_MS)
    (warning,) = window.messages.texts("warning")
    assert "fell back to the processor" in warning and "device lost" in warning
    window.transport.seek(0.4)
    qtbot.waitUntil(lambda: window.view.shown.shot.frame.time_s >= 0.4, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "openvino" in window.stats.text("runs_on"), timeout=WAIT_MS)
