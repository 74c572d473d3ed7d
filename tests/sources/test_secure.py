"""Streams over TLS: who answers is checked, whatever reads it, and a password goes to nobody else."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import NotThereYetError, PasswordError, SourceError, UsageError
from seg_viewer.sources import open_source
from seg_viewer.sources.address import with_authorities
from tests.clips import make_clip
from tests.servers.http_video import HttpVideo
from tests.servers.rtsp import RtspServer
from tests.servers.tls import Certificates, make_certificates, secured


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("others"))


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path_factory.mktemp("http")) as server:
        yield server


@pytest.fixture(scope="module")
def port(http: HttpVideo, ours: Certificates) -> Iterator[int]:
    """Of the same server behind TLS."""
    with secured(http.port, ours) as secure:
        yield secure


def _pictures(address: str, count: int = 5) -> int:
    source = open_source(address)
    try:
        return len(list(islice(source, count)))
    finally:
        source.close()


def _is_refused(address: str, ours: Certificates, others: Certificates) -> None:
    """Without the authority, and with another one in its place; the line names the way out."""
    with pytest.raises(SourceError, match="certificate is not trusted") as unknown:
        open_source(address)
    assert "--ca FILE" in str(unknown.value) and not isinstance(unknown.value, NotThereYetError)
    with pytest.raises(SourceError, match=r"certificate is not trusted .*the right file"):
        open_source(with_authorities(address, str(others.ca)))


@pytest.mark.parametrize("path", ["/mjpeg", "/live.m3u8", "/7.ts"])
def test_https_is_read_from_whom_one_trusts(path: str, port: int, ours: Certificates, others: Certificates) -> None:
    address = f"https://localhost:{port}{path}"
    _is_refused(address, ours, others)
    assert _pictures(with_authorities(address, str(ours.ca))) == 5


def test_a_file_behind_https_has_an_end(port: int, ours: Certificates) -> None:
    source = open_source(f"https://localhost:{port}/7.ts#ca={ours.ca}")
    assert not source.info.live and len(list(source)) == 10


def test_rtsps_with_digest(ours: Certificates, others: Certificates) -> None:
    """A server that demands both; one that has the wrong password is told apart from one that is not trusted."""
    with RtspServer(cert=ours.cert, key=ours.key, user="joe", password="hush-hush", digest=1) as server:
        _is_refused(server.url, ours, others)
        ca = f"#ca={ours.ca}"
        with pytest.raises(PasswordError, match="asks for user and password"):
            open_source(server.url + ca)
        with pytest.raises(PasswordError, match="does not accept this user"):
            open_source(server.url.replace("//", "//joe:no-no-no@") + ca)
        assert _pictures(server.url.replace("//", "//joe:hush-hush@") + ca) == 5


def test_another_name_than_the_certificate_has(
    http: HttpVideo, tmp_path: Path, ours: Certificates, others: Certificates
) -> None:
    elsewhere = make_certificates(tmp_path, "DNS:elsewhere.example")
    with secured(http.port, elsewhere) as port, pytest.raises(SourceError, match=r"not trusted .*localhost"):
        open_source(f"https://localhost:{port}/mjpeg#ca={elsewhere.ca}")


def test_what_a_playlist_names_is_checked_as_well(
    http: HttpVideo, tmp_path: Path, ours: Certificates, others: Certificates, capfd: pytest.CaptureFixture[str]
) -> None:
    """FFmpeg by itself reads these segments from anybody."""

    class Playlist(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:1"]
            for number in (1, 2, 3):
                lines += ["#EXTINF:1.000,", f"https://localhost:{untrusted}/{number}.ts"]
            data = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with (
        _serving(Playlist) as plain,
        secured(plain, ours) as port,
        secured(http.port, others) as untrusted,
        pytest.raises(SourceError, match="certificate is not trusted"),
    ):
        open_source(f"https://joe:hush-hush@localhost:{port}/a.m3u8#ca={ours.ca}")
    assert "hush" not in "".join(capfd.readouterr())


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_password_is_sent_when_asked_for_and_shown_nowhere(
    http: HttpVideo, port: int, ours: Certificates, capfd: pytest.CaptureFixture[str]
) -> None:
    http.needs = "Basic " + b64encode(b"joe:hush-hush").decode()
    try:
        for path in ("/mjpeg", "/live.m3u8"):
            address = f"https://USER@localhost:{port}{path}#ca={ours.ca}"
            assert _pictures(address.replace("USER", "joe:hush-hush")) == 5
            with pytest.raises(PasswordError, match="does not accept this user") as raised:
                open_source(address.replace("USER", "joe:no-no-no"))
            assert "no-no" not in f"{raised.value!r} {raised.value.__context__!r} {raised.value.__cause__!r}"
            with pytest.raises(PasswordError, match="asks for user and password"):
                open_source(address.replace("USER@", ""))
    finally:
        http.needs = ""
    with pytest.raises(SourceError, match="404"):
        open_source(f"https://joe:hush-hush@localhost:{port}/nothing#ca={ours.ca}")
    shown = "".join(capfd.readouterr())
    assert "hush" not in shown and "no-no" not in shown


def test_nobody_is_sent_on_to_where_others_can_listen(http: HttpVideo, ours: Certificates) -> None:
    class Onward(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", http.url())
            self.end_headers()

    with _serving(Onward) as plain, secured(plain, ours) as port, pytest.raises(SourceError, match="not secure"):
        open_source(f"https://localhost:{port}/x#ca={ours.ca}")


def test_a_file_is_sought_in_by_parts_of_it(tmp_path: Path, ours: Certificates) -> None:
    """The index of an MP4 file lies at its end, as cameras write it."""
    noise = np.random.default_rng(1)
    clip = make_clip(
        tmp_path / "a.mp4",
        frames=30,
        width=256,
        height=192,
        picture=lambda _index, width, height: noise.integers(0, 255, (height, width, 3), np.uint8),
    )
    data = clip.read_bytes()
    assert len(data) > 200_000  # more than is read ahead
    asked: list[str] = []

    class Parts(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0] or 0)
            self.send_response(206 if wanted else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:])

    with _serving(Parts) as plain, secured(plain, ours) as port:
        source = open_source(f"https://localhost:{port}/a.mp4#ca={ours.ca}")
        assert len(list(source)) == 30 and not source.info.live
    assert any(asked)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("https://h/x#ca=/no/such.pem", "no such file"),
        ("rtsp://h/x#ca=/no/such.pem", "write rtsps"),
        ("http://h/x#ca=/no/such.pem", "write https"),
        (f"https://h/x#ca={__file__}", "PEM"),
        (f"rtsps://127.0.0.1:1/x#ca={__file__}", "PEM|refused"),
    ],
)
def test_a_file_of_certificates_that_is_none(address: str, says: str) -> None:
    with pytest.raises((UsageError, NotThereYetError), match=says):
        open_source(address)


def test_a_file_of_certificates_goes_with_any_address() -> None:
    assert with_authorities("rtsp://h/x", "/a.pem") == "rtsp://h/x"
    assert with_authorities("rtsps://h/x#timeout=3", "/a b.pem") == "rtsps://h/x#timeout=3&ca=/a%20b.pem"
    assert with_authorities("https://joe:a#b@h/x", "/a.pem") == "https://joe:a%23b@h/x#ca=/a.pem"
