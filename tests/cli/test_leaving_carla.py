"""Leaving a CARLA simulator that hangs: by Ctrl-C, by closing the window, by opening another source.

The simulator hangs all the while: what ends, ends without it, and long before the time-out of 200 s.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.sources import DEMO
from tests.waiting import wait_until

pytest.importorskip("carla", reason="the carla client is not installed")
pytest.importorskip("msgpack", reason="msgpack is not installed")

from seg_viewer.sources.carla import process
from tests.carla_server.process import CarlaServer

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing can be held here")

_QUERY = "size=64x32&fps=100&timeout=200&vehicles=2"
LEFT = re.compile(
    r"carla://127\.0\.0\.1:\d+: does not answer; what was spawned there is removed as soon as it does,"
    r" or by the next drive"
)
_WAIT_S = 120.0
KINDS = ("says nothing", "stops", "stops while actors are removed")
"""When one connects; while pictures come; once it is left."""


@dataclass
class Hanging:
    """A simulator.

    Args:
        url: of it.
        begin: waits until it was connected to or, where it has any, until pictures came; `came` says so, too.
        hang: it does, unless it does so by itself.
        hangs: whether it does now.
        go_on: it answers, and is waited for until nothing of ours is there.
    """

    url: str
    begin: Callable[[Callable[[], bool]], None]
    hang: Callable[[], None]
    hangs: Callable[[], bool]
    go_on: Callable[[], None]


@contextmanager
def hanging(kind: str) -> Iterator[Hanging]:
    with ExitStack() as stack:
        if kind == KINDS[0]:
            silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            silent.settimeout(_WAIT_S)

            def begin(_came: Callable[[], bool]) -> None:
                connection, _ = silent.accept()
                stack.enter_context(connection)

            host, port = silent.getsockname()
            yield Hanging(f"carla://{host}:{port}?{_QUERY}", begin, lambda: None, lambda: True, lambda: None)
            return
        at_removal = kind == KINDS[2]
        server = stack.enter_context(CarlaServer("--scene", "colors", *["--stop-at-removal"] * at_removal))

        def go_on() -> None:
            server.go_on()
            report = server.wait_until(lambda report: not report["alive"] and not report["settings"][0])
            assert report["alive"] == {} and report["settings"][0] is False

        yield Hanging(
            server.url(_QUERY),
            lambda came: wait_until(came, "pictures", _WAIT_S),
            (lambda: None) if at_removal else server.hold,
            lambda: server.is_held,
            go_on,
        )


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_a_recording_which_is_whole(kind: str, tmp_path: Path, model: Path) -> None:
    target = tmp_path / "drive.mkv"

    def has_begun() -> bool:
        return any(path.stat().st_size > 1000 for path in tmp_path.glob("*drive*"))

    with hanging(kind) as simulator:
        command = ["record", simulator.url, "-o", str(target), "--model", str(model), "--engine", "openvino"]
        out, err, code = _left_by_ctrl_c(command, simulator, has_begun)
        if kind == KINDS[0]:
            assert code == 130 and list(tmp_path.iterdir()) == []
        else:
            assert code == 0 and target.stat().st_size > 1000
            assert re.match(rf"{re.escape(str(target))}: [\d.]+ s, \d+ pictures, no sound\n", out)
        assert len(LEFT.findall(err)) == 1
        simulator.go_on()


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_the_window(kind: str, tmp_path: Path, model: Path) -> None:
    table = tmp_path / "scores.csv"

    def has_begun() -> bool:  # the table begins with the first shot
        return any(tmp_path.glob("*scores*"))

    with hanging(kind) as simulator:
        command = ["view", simulator.url, "--model", str(model), "--engine", "openvino", "--truth-csv", str(table)]
        _out, err, code = _left_by_ctrl_c(command, simulator, has_begun)
        assert code == 0 and len(LEFT.findall(err)) == 1
        simulator.go_on()


def _left_by_ctrl_c(command: list[str], simulator: Hanging, has_begun: Callable[[], bool]) -> tuple[str, str, int]:
    """What it said on both, and its code; also who reads what it says has read all, while the simulator hangs."""
    with subprocess.Popen(
        [sys.executable, "-m", "seg_viewer", *command],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        encoding="utf-8",
    ) as program:  # fmt: skip
        try:
            simulator.begin(has_begun)
            simulator.hang()
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=_WAIT_S)
            assert simulator.hangs()
            return out, err, program.returncode
        finally:
            program.kill()


@pytest.fixture
def player(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    monkeypatch.setattr(process, "LEAVE_S", 0.2)  # as for people
    made = Player(RunOptions(model=str(model), engine="openvino"))
    yield made
    made.close(_WAIT_S)


def _has_ended() -> bool:
    drives = [child.name for child in multiprocessing.active_children() if child.name == "seg-carla"]
    return not drives and not [thread for thread in threading.enumerate() if thread.name == "seg-player"]


@contextmanager
def shown_until_it_hangs(kind: str, player: Player) -> Iterator[Hanging]:
    """A simulator that hangs while the player shows it."""
    with hanging(kind) as simulator:
        player.open(simulator.url)
        simulator.begin(lambda: player.take() is not None)
        simulator.hang()
        yield simulator


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_that_closes_leaves_it_and_says_what_stays(kind: str, player: Player) -> None:
    with shown_until_it_hangs(kind, player) as simulator:
        assert player.close(_WAIT_S) and simulator.hangs()
        assert _has_ended()
        assert LEFT.fullmatch(player.take_parting() or "") and player.take_parting() is None
        simulator.go_on()


@pytest.mark.parametrize("kind", KINDS)
def test_another_source_takes_its_place_and_what_stays_is_said(kind: str, player: Player) -> None:
    with shown_until_it_hangs(kind, player) as simulator:
        player.open(DEMO)

        def is_there() -> bool:
            shown = player.take()
            return shown is not None and player.source == DEMO

        wait_until(is_there, "a picture of the other source", _WAIT_S)
        lines: list[str] = []

        def is_said() -> bool:
            lines.extend(filter(None, [player.take_parting()]))
            return bool(lines)

        wait_until(is_said, "what stays", _WAIT_S)
        assert LEFT.fullmatch(lines[0]) and simulator.hangs()
        simulator.go_on()
