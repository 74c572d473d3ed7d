"""What cannot be had is told in a line that says what is wrong, and whether waiting helps."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import pytest

from seg_viewer.core.errors import NotThereYetError, PasswordError, SourceError, UsageError
from seg_viewer.core.redact import redact_text
from seg_viewer.sources import open_source
from tests.servers.http_video import HttpVideo
from tests.servers.pushed import free_port, rtmp_server, sender
from tests.servers.rtsp import RtspServer


@contextmanager
def _listening(answer: bytes | None) -> Iterator[int]:
    """A port that takes connections; None says nothing, anything else is sent before it closes."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def run() -> None:
            while True:
                try:
                    taken, _ = server.accept()
                    with taken:
                        taken.recv(100)
                        taken.sendall(answer or b"")
                except OSError:
                    return

        if answer is not None:
            threading.Thread(target=run, daemon=True, name="listening").start()
        yield server.getsockname()[1]
        server.close()


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp", "http", "https"])
def test_a_server_that_says_nothing(scheme: str) -> None:
    with _listening(None) as port, pytest.raises(NotThereYetError, match=r"no answer within \d+ s") as raised:
        open_source(f"{scheme}://127.0.0.1:{port}/x#timeout=0.5")
    assert "no video" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
def test_a_plain_port_that_is_asked_for_a_secure_connection(scheme: str) -> None:
    with _listening(b"HTTP/1.0 400 no\r\n\r\n" * 9) as port, pytest.raises(SourceError, match="TLS") as raised:
        open_source(f"{scheme}://127.0.0.1:{port}/x")
    assert f"try {scheme[:-1]}," in str(raised.value) and not isinstance(raised.value, NotThereYetError)


def test_what_is_no_rtsp() -> None:
    with _listening(b"hello\r\n\r\n" * 99) as port, pytest.raises(SourceError, match="does not speak RTSP"):
        open_source(f"rtsp://127.0.0.1:{port}/x")


def test_a_path_that_an_rtmp_server_does_not_have(tmp_path: Path) -> None:
    with rtmp_server(tmp_path) as url, pytest.raises(NotThereYetError, match="no such stream") as raised:
        open_source(f"{url.replace('/live/', '/nope/')}#timeout=1")
    assert "Input/output" not in str(raised.value)


def test_a_path_that_an_rtsp_server_does_not_have() -> None:
    with RtspServer() as server, pytest.raises(NotThereYetError, match="404"):
        open_source(f"{server.url}x")


def test_a_machine_that_is_not_there() -> None:
    for scheme in ("rtsp", "http", "rtmp", "udp"):
        with pytest.raises(NotThereYetError, match=r"no machine is called no\.such\.host\.invalid"):
            open_source(f"{scheme}://no.such.host.invalid:5/x#timeout=1")


@pytest.mark.parametrize("kind", ["rtsp", "http"])
def test_a_missing_password_and_a_wrong_one_read_differently(tmp_path: Path, kind: str) -> None:
    """And the way out is still there when all addresses in the text have lost theirs."""
    with RtspServer(user="joe", password="x") if kind == "rtsp" else HttpVideo(tmp_path) as server:
        if isinstance(server, HttpVideo):
            server.needs = "Basic am9lOng="
        url = server.url() if isinstance(server, HttpVideo) else server.url
        with pytest.raises(PasswordError) as missing:
            open_source(url)
        with pytest.raises(PasswordError) as wrong:
            open_source(url.replace("//", "//joe:hush-hush@"))
    assert "asks for user and password (401)" in str(missing.value)
    assert "USER:PASSWORD@" in redact_text(str(missing.value))
    assert "does not accept this user and password (401)" in str(wrong.value)
    assert "hush" not in str(wrong.value) and "joe" not in str(wrong.value)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("rtp://127.0.0.1:5004", "SDP file"),
        ("whep://cam/stream", "RTSP"),
        ("whip://cam/stream", "RTSP"),
        ("onvif://cam/device", "RTSP address"),
        ("ftp://cam/a.mp4", "rtsp, rtsps, rtmp"),
        ("ws://joe:hush-hush@cam/a", "rtsp, rtsps, rtmp"),
        ("rtsp:/cam/live", "rtsp://"),
        ("file://elsewhere/a.mp4", "file:///"),
        ("file:///no/such.mp4", "/no/such.mp4: no such file"),
    ],
)
def test_an_address_of_another_kind_is_no_missing_file(typed: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_source(typed)
    text = str(raised.value)
    assert says in text and "\n" not in text and "hush" not in text
    if "://" in typed and not typed.startswith("file:///"):
        assert redact_text(typed) in text  # with both of its slashes


def _sdp(folder: Path, host: str, port: int) -> Path:
    file = folder / "cam.sdp"
    lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", f"c=IN IP4 {host}", "t=0 0", f"m=video {port} RTP/AVP 96"]
    file.write_text("\n".join([*lines, "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1", ""]))
    return file


GROUP = "239.255.66.77"  # of those for use within a site, RFC 2365


def _has_multicast(port: int) -> bool:
    """Whether what this machine sends to a group comes back to it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
    ):
        try:
            ear.bind(("", port))
            joined = socket.inet_aton(GROUP) + bytes(4)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
            ear.settimeout(2)
            mouth.sendto(b"hello", (GROUP, port))
            return ear.recv(9) == b"hello"
        except OSError:
            return False


@pytest.mark.parametrize("host", ["127.0.0.1", GROUP])
def test_rtp_comes_by_an_sdp_file(tmp_path: Path, host: str) -> None:
    port = free_port(socket.SOCK_DGRAM)
    if host == GROUP and not _has_multicast(port):
        pytest.skip("this machine's network has no multicast")
    with sender(f"rtp://{host}:{port}", "rtp"):
        source = open_source(_sdp(tmp_path, f"{host}/1" if host == GROUP else host, port))
        frames = list(islice(source, 10))
        source.close()
    assert source.info.live and (source.info.width, source.info.height) == (128, 64)
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))


def test_mpeg_ts_comes_by_multicast() -> None:
    port = free_port(socket.SOCK_DGRAM)
    if not _has_multicast(port):
        pytest.skip("this machine's network has no multicast")
    with sender(f"udp://{GROUP}:{port}?pkt_size=1316", "mpegts"):
        source = open_source(f"udp://{GROUP}:{port}#timeout=10")
        assert len(list(islice(source, 5))) == 5
        source.close()


def test_an_sdp_file_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "cam.sdp").write_text("hello")
    with pytest.raises(SourceError, match="no SDP file"):
        open_source(tmp_path / "cam.sdp")
    with pytest.raises(UsageError, match="no such file"):
        open_source(tmp_path / "gone.sdp")
