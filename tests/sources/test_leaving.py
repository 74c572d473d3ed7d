"""A stream that has stalled is left without its time-out being waited for, and what is left behind is bounded."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from seg_viewer.core.frame import Frame
from seg_viewer.sources import LiveSource, connection, open_source
from seg_viewer.sources.connection import Connection
from seg_viewer.sources.live import given_up_by
from tests.servers.fault_proxy import FaultProxy
from tests.servers.http_video import HttpVideo
from tests.servers.pushed import free_port, sender
from tests.servers.rtsp import RtspServer
from tests.waiting import WAIT_S, wait_until

LONG = "#timeout=120"  # longer than any test waits


@contextmanager
def _behind_a_proxy(kind: str, folder: Path) -> Iterator[tuple[FaultProxy, str]]:
    with ExitStack() as stack:
        if kind == "rtsp":
            server = stack.enter_context(RtspServer())
            proxy = stack.enter_context(FaultProxy(int(server.port)))
            yield proxy, f"rtsp://127.0.0.1:{proxy.port}/live{LONG}"
            return
        http = stack.enter_context(HttpVideo(folder))
        proxy = stack.enter_context(FaultProxy(http.port, rtsp=False))
        yield proxy, f"http://127.0.0.1:{proxy.port}{kind}{LONG}"


@pytest.mark.parametrize(
    ("kind", "middle"), [("rtsp", True), ("/mjpeg", False), ("/mjpeg", True), ("/live.m3u8", False)]
)
def test_what_stalls_while_it_plays_is_left(tmp_path: Path, kind: str, middle: bool) -> None:
    with _behind_a_proxy(kind, tmp_path) as (proxy, url):
        source = open_source(url)
        seen = 0

        def read() -> None:
            nonlocal seen
            for _frame in source:
                seen += 1

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        wait_until(lambda: seen, "a picture")
        (proxy.stop_in_the_middle if middle else proxy.stalled.set)()
        wait_until(proxy.stalled.is_set, "the stall")
        source.interrupt()
        reader.join(WAIT_S)
        assert not reader.is_alive()
        source.close()


@pytest.mark.parametrize("kind", ["/mjpeg", "/live.m3u8"])
def test_what_says_nothing_is_left_while_it_is_opened(tmp_path: Path, kind: str) -> None:
    with _behind_a_proxy(kind, tmp_path) as (proxy, url):
        proxy.stalled.set()
        left, ended = threading.Event(), threading.Event()

        def run() -> None:
            with given_up_by(left), pytest.raises(Exception, match="left before it answered"):
                open_source(url)
            ended.set()

        threading.Thread(target=run, daemon=True).start()
        wait_until(lambda: any(thread.name == "network-read" for thread in threading.enumerate()), "an attempt")
        left.set()
        assert ended.wait(WAIT_S)


@pytest.mark.parametrize("kind", ["rtsp", "udp"])
def test_nothing_is_news_when_a_time_out_is_over(kind: str) -> None:
    """FFmpeg holds back the latest picture until the next one comes; at the time-out it gives it, and waits again."""
    with ExitStack() as stack:
        if kind == "rtsp":
            server = stack.enter_context(RtspServer())
            proxy = stack.enter_context(FaultProxy(int(server.port)))
            url, stall = f"rtsp://127.0.0.1:{proxy.port}/live", proxy.stalled.set
        else:
            url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
            sending = ExitStack()
            stack.callback(sending.close)
            sending.enter_context(sender(f"{url}?pkt_size=1316", "mpegts"))
            stall = sending.close
        source = open_source(f"{url}#timeout=3")
        assert isinstance(source, LiveSource)
        seen: list[Frame] = []
        reader = threading.Thread(target=lambda: seen.extend(source), daemon=True)
        reader.start()
        wait_until(lambda: len(seen) > 20, "pictures")
        stall()
        wait_until(lambda: source.status.silent, "the silence to be noticed")
        count = len(seen)
        wait_until(lambda: not source.status.connected and not source.status.silent, "the connection to be given up")
        assert "within 3 s" in source.status.problem and len(seen) == count
        source.interrupt()
        reader.join(WAIT_S)
        source.close()


def _connection(open_container: Callable[[], object], stopping: threading.Event) -> Connection:
    return Connection(open_container, lambda error, _waited_s: error, stopping, 5.0)  # type: ignore[arg-type]


def test_no_more_are_left_behind_than_there_are_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_places", threading.BoundedSemaphore(2))
    monkeypatch.setattr(connection, "_CLOSE_S", 0.01)
    answer, opening, stopping = threading.Event(), [], threading.Event()

    def stuck() -> object:
        opening.append(1)
        answer.wait(WAIT_S)
        raise OSError("too late")

    made = [_connection(stuck, stopping) for _ in range(5)]
    wait_until(lambda: len(opening) == 2, "two attempts")
    for each in made:
        each.close()
    wait_until(lambda: sum(each._thread.is_alive() for each in made) == 2, "those that wait for a place to leave")
    assert len(opening) == 2
    answer.set()
    wait_until(lambda: not any(each._thread.is_alive() for each in made), "the others to leave when they are answered")
    last = _connection(stuck, stopping)
    with pytest.raises(OSError, match="too late"):
        last.wait_until_open()
    last.close()
