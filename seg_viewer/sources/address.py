"""Addresses of live sources as a person types them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact, split_credentials
from seg_viewer.core.typed_path import is_file

NETWORK_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "udp")
SECURE = ("rtsps", "rtmps", "https")
"""Those over TLS."""
TRANSPORTS = ("tcp", "udp")
SDP = "sdp"
"""In place of a scheme, for streams that a file describes."""

_OTHER = {
    "rtp": "says nothing of what it carries; write an SDP file and open that, or send MPEG-TS to udp://",
    "whep": "is WebRTC, which cannot be read here; most such servers have RTSP as well: rtsp://HOST/PATH",
    "whip": "is WebRTC, which cannot be read here; most such servers have RTSP as well: rtsp://HOST/PATH",
    "onvif": "is where a camera is set up; open its RTSP address, as its web page or manual names it",
    "file": "names a file of another machine; write file:///PATH, or the path alone",
}

_ESCAPE = re.compile("(%[0-9A-Fa-f]{2})")
_NETWORK = re.compile(rf"^({'|'.join(NETWORK_SCHEMES)})://", re.IGNORECASE)


def is_network(text: str) -> bool:
    """Whether a source is an address that goes over the network."""
    return bool(_NETWORK.match(text))


def check_scheme(text: str) -> None:
    """Raises: UsageError for what is written like an address but is of no kind that can be opened."""
    match = re.match(r"([a-z][a-z0-9+.-]+):(//?)[^/]", text, re.IGNORECASE)
    if match is None:
        return
    scheme, shown = match[1].lower(), redact(text)
    if match[2] == "/":
        if scheme in NETWORK_SCHEMES:
            raise UsageError(f"{scheme}:/…: a slash is missing; write {scheme}://HOST/PATH")
        return
    known = f"cannot be opened; there are {', '.join(NETWORK_SCHEMES)}"
    raise UsageError(f"{shown}: {_OTHER.get(scheme, known)}")


@dataclass(frozen=True)
class Address:
    """A network stream.

    Args:
        url: for FFmpeg, credentials included; never shown.
        name: for people.
        scheme: in lower case.
        host: name or number of the machine.
        has_user: the address names one.
        transport: "tcp" or "udp", how RTSP carries its pictures; "" where the protocol leaves no choice.
        timeout_s: how long to wait for an answer or for the next picture, seconds.
        ca: file with the certificates to trust, in place of those that the system trusts; "" for these.
    """

    url: str = field(repr=False)
    name: str
    scheme: str
    host: str
    has_user: bool = False
    transport: str = ""
    timeout_s: float = 5.0
    ca: str = ""


def parse_address(text: str) -> Address:
    """Read `SCHEME://[USER:PASSWORD@]HOST[:PORT]/PATH[#transport=udp&timeout=10&ca=FILE]`; what follows `#` is for us.

    Raises: UsageError, without the credentials.
    """
    name = redact(text)
    match = _NETWORK.match(text)
    if match is None:
        raise UsageError(f"{name}: is no network address; write one like rtsp://HOST/PATH")
    scheme = match.group(1).lower()
    url, _, fragment = _encoded(text).partition("#")
    name = name.partition("#")[0]
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{name}: is no address; write one like {scheme}://HOST:PORT/PATH") from None
    if not host and scheme != "udp":
        raise UsageError(f"{name}: names no host; write one like {scheme}://HOST/PATH")
    usual = {"transport": "tcp" if scheme.startswith("rtsp") else "", "timeout": "5", "ca": ""}
    options = read_options(name, fragment, usual)
    if options["transport"] not in (*TRANSPORTS, ""):
        raise UsageError(f"{name}: transport '{options['transport']}': choose tcp or udp")
    if options["transport"] and not scheme.startswith("rtsp"):
        raise UsageError(f"{name}: {scheme} has no choice of transport; leave it out")
    timeout_s = number(name, "timeout", options["timeout"], 0.2, 120)
    if options["ca"] and scheme not in SECURE:
        raise UsageError(f"{name}: {scheme} has no certificates to check; leave ca out, or write {_secure(scheme)}")
    if options["ca"] and not is_file(options["ca"]):
        raise UsageError(f"{name}: ca {options['ca']}: no such file")
    has_user = parts.username is not None
    return Address(url, name, scheme, host or "", has_user, options["transport"], timeout_s, options["ca"])


def _secure(scheme: str) -> str:
    return f"{scheme}s" if f"{scheme}s" in SECURE else "https"


def with_authorities(text: str, file: str) -> str:
    """An address whose server is checked against the certificates in a file; what is not secure stays as it is."""
    if not text.lower().startswith(tuple(f"{scheme}://" for scheme in SECURE)):
        return text
    address = _encoded(text)
    return f"{address}{'&' if '#' in address else '#'}ca={quote(str(file), safe='/')}"


def with_credentials(text: str, user: str, password: str) -> str:
    """An address with this user and password in place of those that it has."""
    scheme, rest = text.split("://", 1)
    _, address = split_credentials(rest, showing=False)
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{address}"


def _encoded(text: str) -> str:
    """The address with what is odd in its user and password percent-encoded; what already is stays."""
    scheme, rest = text.split("://", 1)
    credentials, address = split_credentials(rest, showing=False)
    if credentials is None:
        return text
    user, colon, password = credentials.partition(":")
    return f"{scheme}://{_quoted(user)}{colon}{_quoted(password)}@{address}"


def _quoted(text: str) -> str:
    return "".join(part if _ESCAPE.fullmatch(part) else quote(part, safe="") for part in _ESCAPE.split(text))


def read_options(name: str, text: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """`key=value&…` over defaults. Raises: UsageError for a key that has no default, or one without a value."""
    options = dict(defaults)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError:
        raise UsageError(f"{name}: '{text}': write options as key=value&key=value") from None
    for key, value in pairs:
        if key not in defaults:
            raise UsageError(f"{name}: there is no option '{key}'; it has {', '.join(defaults)}")
        if not value:
            raise UsageError(f"{name}: option '{key}' has no value")
        options[key] = value
    return options


def number(name: str, key: str, text: str, least: float, most: float) -> float:
    """Raises: UsageError."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise UsageError(f"{name}: {key} '{text}': give a number from {least:g} to {most:g}")
    return value
