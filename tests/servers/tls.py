"""Servers behind TLS, with certificates of an authority that nobody else trusts; made by the openssl program."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificates:
    """Of one authority: `ca` is to be trusted, `cert` and `key` are those of a server on this machine."""

    ca: Path
    cert: Path
    key: Path


def make_certificates(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> Certificates:
    """A new authority, and a server of these names. Skips where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl; Debian: apt-get install openssl")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "names").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n", encoding="utf-8")
    extension = ("-addext", "basicConstraints=critical,CA:TRUE")
    for words in (
        ("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=tests", *extension),
        ("req", *_KEY, "-keyout", "key.pem", "-out", "asked", "-subj", "/CN=server"),
        ("x509", "-req", "-in", "asked", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "cert.pem",
         "-days", "2", "-extfile", "names"),
    ):  # fmt: skip
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


@contextmanager
def secured(port: int, certificates: Certificates) -> Iterator[int]:
    """A port that speaks TLS and passes on what it hears to a plain one of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.cert, certificates.key)
    plain = "127.0.0.1", port

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(taken: socket.socket) -> None:
        try:
            with context.wrap_socket(taken, server_side=True) as near, socket.create_connection(plain) as far:
                threading.Thread(target=pump, args=(far, near), daemon=True).start()
                pump(near, far)
        except OSError:
            return  # a client that does not trust this certificate leaves

    def accept() -> None:
        with suppress(OSError):
            while True:
                taken, _ = listening.accept()
                threading.Thread(target=serve, args=(taken,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True, name="tls").start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
