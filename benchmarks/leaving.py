"""How long it takes to leave a stream that has stalled: in a player, and in `seg-viewer record` and `view` by Ctrl-C.

Each protocol, by a real server behind a proxy: one that takes the connection and says nothing, one that stops while
pictures come, one that stops in the middle of a packet. CARLA, by the stand-in of the tests, which is held: instead of
the middle of a packet, in the middle of removing what was spawned. Time-outs are 60 s, so that none of them helps.

python -m benchmarks.leaving [--times 3] [PROTOCOL…]
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import psutil

from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
from seg_viewer.sources.carla import process as carla_process
from tests.servers.fault_proxy import FaultProxy
from tests.servers.http_video import HttpVideo
from tests.servers.pushed import free_port, rtmp_server, sender
from tests.servers.rtsp import RtspServer, why_not
from tests.servers.tls import make_certificates, secured
from tests.waiting import wait_until

LIMIT_S = 0.5
_AT_REST_PERCENT = 6.0
_LEAVE_S = carla_process.LEAVE_S
_STATES = ("says nothing", "stops", "stops in the middle", "goes on")
"""The last one is to compare with: a program takes time to end, and a file to be finished."""


@dataclass
class Served:
    """A stream, and how it is made to stop: at a pause, or in the middle of something."""

    url: str
    stop: Callable[[], object]
    cut: Callable[[], object]


def _behind(proxy: FaultProxy, url: str) -> Served:
    return Served(f"{url}{'&' if '#' in url else '#'}timeout=60", proxy.stalled.set, proxy.stop_in_the_middle)


@contextmanager
def _served(protocol: str, folder: Path, state: str) -> Iterator[Served]:
    with ExitStack() as stack:
        if protocol == "carla":
            from tests.carla_server.process import CarlaServer

            carla_process.LEAVE_S = _LEAVE_S  # as for people
            at_removal = ["--stop-at-removal"] if state.endswith("middle") else []
            carla = stack.enter_context(CarlaServer("--scene", "demo", *at_removal))
            yield Served(carla.url("size=640x360&vehicles=5&timeout=60"), carla.hold, lambda: None)
        elif protocol == "rtsp":
            server = stack.enter_context(RtspServer())
            proxy = stack.enter_context(FaultProxy(int(server.port)))
            yield _behind(proxy, f"rtsp://127.0.0.1:{proxy.port}/live")
        elif protocol == "rtmp":
            url = stack.enter_context(rtmp_server(folder))
            stack.enter_context(sender(url, "flv")).wait(15)
            proxy = stack.enter_context(FaultProxy(int(url.split(":")[2].split("/")[0]), rtsp=False))
            yield _behind(proxy, f"rtmp://127.0.0.1:{proxy.port}/live/x")
        elif protocol == "udp":
            port, ended = free_port(socket.SOCK_DGRAM), threading.Event()

            def send() -> None:
                with sender(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts"):
                    ended.wait()

            threading.Thread(target=send, daemon=True).start()
            stack.callback(ended.set)
            yield Served(f"udp://127.0.0.1:{port}#timeout=60", ended.set, ended.set)
        else:
            http = stack.enter_context(HttpVideo(folder, rate=20))
            port = http.port
            ca = ""
            if protocol == "https":
                certificates = make_certificates(folder / "tls")
                port, ca = stack.enter_context(secured(port, certificates)), f"#ca={certificates.ca}"
            proxy = stack.enter_context(FaultProxy(port, rtsp=False))
            path = "live.m3u8" if protocol == "hls" else "mjpeg"
            yield _behind(proxy, f"{'https' if ca else 'http'}://localhost:{proxy.port}/{path}{ca}")


def _halt(served: Served, state: str) -> None:
    if state == _STATES[-1]:
        return
    (served.cut if state.endswith("middle") else served.stop)()


def leave_player(served: Served, state: str) -> float:
    """Seconds until a player's threads have ended."""
    player = Player(RunOptions())
    if state == _STATES[0]:
        served.stop()
    player.open(served.url)
    if state == _STATES[0]:
        time.sleep(1.0)
    else:
        wait_until(lambda: player.take() is not None, "a picture")
        _halt(served, state)
        time.sleep(1.5)
    began_s = time.perf_counter()
    ended = player.close(10.0)
    return time.perf_counter() - began_s if ended else float("inf")


def leave_view(served: Served, state: str, folder: Path) -> float:
    """Seconds from Ctrl-C until the program with its window has ended; on a screen that nobody sees."""
    table = folder / f"{time.monotonic_ns()}.csv"
    has_truth = served.url.startswith("carla:")
    command = [sys.executable, "-m", "seg_viewer", "view", served.url, *(["--truth-csv", str(table)] * has_truth)]
    if state == _STATES[0]:
        served.stop()
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(folder)}
    viewer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        if state != _STATES[0] and has_truth:
            wait_until(lambda: viewer.poll() is not None or any(folder.glob(f"*{table.stem}*")), "pictures")
        elif state == _STATES[0]:
            _wait_until_at_rest(viewer)
        else:
            time.sleep(12.0)
        if viewer.returncode is not None:
            raise click.ClickException(f"{served.url}: the window closed by itself")
        if state != _STATES[0]:
            _halt(served, state)
            time.sleep(1.5)
        return _ended_by_ctrl_c(viewer)
    finally:
        viewer.kill()


def _ended_by_ctrl_c(program: subprocess.Popen[bytes]) -> float:
    """Seconds from Ctrl-C until it has ended."""
    began_s = time.perf_counter()
    program.send_signal(signal.SIGINT)
    program.wait(70)
    return time.perf_counter() - began_s


def _wait_until_at_rest(program: subprocess.Popen[bytes]) -> None:
    """Until it has begun, and does nothing but wait."""
    time.sleep(3.0)
    process = psutil.Process(program.pid)
    wait_until(lambda: process.cpu_percent(4.0) < _AT_REST_PERCENT, "a program that waits")


def _size(folder: Path, stem: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"*{stem}*"))


def leave_record(served: Served, state: str, folder: Path) -> float:
    """Seconds from Ctrl-C until the program has ended."""
    if state == _STATES[0]:
        served.stop()
    target = folder / f"{time.monotonic_ns()}.mkv"
    what = "annotated" if served.url.startswith("carla:") else "source"
    command = [sys.executable, "-m", "seg_viewer", "record", served.url, "-o", str(target), "--what", what]
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if state == _STATES[0]:
            _wait_until_at_rest(program)
        else:
            wait_until(lambda: program.poll() is not None or _size(folder, target.stem) > 2000, "a recording")
            if program.returncode is not None:
                raise click.ClickException(f"{served.url}: the recording ended by itself")
            _halt(served, state)
            time.sleep(1.5)
        return _ended_by_ctrl_c(program)
    finally:
        program.kill()


@click.command(help=__doc__)
@click.option("--times", default=3)
@click.argument("only", nargs=-1)
def main(times: int, only: tuple[str, ...]) -> None:
    protocols = ["http", "https", "hls", "udp"]
    if find_spec("carla") is not None:
        protocols.append("carla")
    if reason := why_not():
        click.echo(reason)
    else:
        protocols.insert(0, "rtsp")
    if shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        protocols.append("rtmp")
    worst = 0.0
    for protocol in only or protocols:
        for state in _STATES:
            if protocol == "udp" and state.endswith("middle"):
                continue
            found: dict[str, list[float]] = {"player": [], "record": [], "view": []}
            for _ in range(times):
                for way, took in found.items():
                    with tempfile.TemporaryDirectory() as name, _served(protocol, Path(name), state) as served:
                        if way == "player":
                            took.append(leave_player(served, state))
                        else:
                            leave = leave_record if way == "record" else leave_view
                            took.append(leave(served, state, Path(name)))
            worst = max(worst, *(max(took) for took in found.values()))
            words = ", ".join(f"{way} {np.median(took):.2f} s (most {max(took):.2f})" for way, took in found.items())
            click.echo(f"{protocol:6} {state:20} {words}")
    click.echo(f"{'HOLDS' if worst < LIMIT_S else 'DOES NOT HOLD'}: each was left within {worst:.2f} s")


if __name__ == "__main__":
    main()
