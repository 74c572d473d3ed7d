"""Cameras of the network around: found by WS-Discovery, and asked by ONVIF for their streams; only when asked to.

One question goes to the group that such cameras listen to (OASIS WS-Discovery of 2005, section 5.2; ONVIF Core,
section 7). Whoever answers is asked for its streams without user and password; none is ever sent. What answers is a
stranger: its texts are read with `defusedxml`, bounded in size and time, and it is asked at its own address only.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit
from uuid import uuid4
from xml.etree.ElementTree import Element, ParseError

from seg_viewer.core.errors import SourceError
from seg_viewer.core.printable import printable
from seg_viewer.core.redact import redact

GROUP = "239.255.255.250", 3702
WAIT_S = 3.0
_MOST_BYTES = 1 << 16
_MOST_OF_AN_ANSWER = 1 << 18
_MOST_CAMERAS = 64
_MOST_STREAMS = 8
_LONGEST = 200
_ASK_S = 2.0
_ONE_CAMERA_S = 6.0
_AT_ONCE = 8

_NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
}
_ENVELOPE = "".join(f' xmlns:{key}="{value}"' for key, value in _NAMES.items())
_PROBE = f"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope{_ENVELOPE} xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>
<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>urn:uuid:%s</a:MessageID>
<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"""
_SCOPE = re.compile(r"^onvif://www\.onvif\.org/(name|hardware|location)/(.+)$", re.IGNORECASE)


@dataclass(frozen=True)
class NetworkStreamOffer:
    """A stream that a camera says it has.

    Args:
        address: what to open, without user and password.
        name: what the camera calls it.
        format: "H264 1920×1080 at 25 fps", as far as it says.
    """

    address: str
    name: str = ""
    format: str = ""


@dataclass(frozen=True)
class NetworkCamera:
    """A camera that answered.

    Args:
        host: where it is.
        name: what it calls itself, and what kind it is; printable, one line.
        service: address of its ONVIF device service; "" where it names none of its own.
        streams: that it told of.
        problem: why it told of none, half a line; "" where it did.
    """

    host: str
    name: str
    service: str
    streams: tuple[NetworkStreamOffer, ...] = ()
    problem: str = ""


def find_network_cameras(
    seconds: float | None = None, *, group: tuple[str, int] | None = None, gone: Callable[[], bool] = lambda: False
) -> list[NetworkCamera]:
    """Ask the network around for cameras, and each that answers for its streams.

    Args:
        seconds: how long answers are waited for; `WAIT_S` if None.
        group: where the question goes; `GROUP` if None.
        gone: whether nobody waits for the answers any more.

    Raises:
        SourceError: this machine has no network to ask.
    """
    found = _probe(WAIT_S if seconds is None else seconds, group or GROUP, gone)
    if gone():
        return []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="seg-onvif") as pool:
        return list(pool.map(_with_streams, found))


def _probe(seconds: float, group: tuple[str, int], gone: Callable[[], bool]) -> list[NetworkCamera]:
    """Whoever answers in time, by address."""
    asked = str(uuid4())
    found: dict[str, NetworkCamera] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(0.1)
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        try:
            line.sendto((_PROBE % asked).encode(), group)
        except OSError as error:
            raise SourceError(f"network cameras: nobody can be asked here ({error.strerror or error})") from None
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and len(found) < _MOST_CAMERAS and not gone():
            try:
                data, sender = line.recvfrom(_MOST_BYTES)
            except (TimeoutError, ConnectionError):
                continue
            for camera in read_matches(data, sender[0], asked):
                found.setdefault(camera.host, camera)
    return list(found.values())


def read_matches(data: bytes, host: str, asked: str) -> list[NetworkCamera]:
    """Cameras that an answer tells of; none for what is no answer to this question.

    Args:
        data: of one datagram.
        host: who sent it.
        asked: the UUID of the question.
    """
    root = _parsed(data)
    if root is None or (_text(root, "s:Header/a:RelatesTo") or "").lower() != f"urn:uuid:{asked}":
        return []
    cameras = []
    for match in root.iterfind("s:Body/d:ProbeMatches/d:ProbeMatch", _NAMES):
        scopes: dict[str, str] = {}
        for scope in (_text(match, "d:Scopes") or "").split():
            if (told := _SCOPE.match(scope)) is not None:
                scopes.setdefault(told[1].lower(), _shown(unquote(told[2])))
        names = [scopes[key] for key in ("name", "hardware", "location") if key in scopes]
        services = [url for url in (_text(match, "d:XAddrs") or "").split() if _is_at(url, host)]
        problem = "" if services else "names no address of its own"
        cameras.append(
            NetworkCamera(
                host,
                ", ".join(dict.fromkeys(names)) or "network camera",
                services[0] if services else "",
                problem=problem,
            )
        )
    return cameras[:1]  # a machine answers for itself


def _is_at(url: str, host: str) -> bool:
    """Whether an address is one of the machine that named it; nobody is sent elsewhere by a stranger."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.hostname == host and (parts.port or 80) > 0
    except ValueError:
        return False


def _with_streams(camera: NetworkCamera) -> NetworkCamera:
    if not camera.service:
        return camera
    until_s = time.monotonic() + _ONE_CAMERA_S
    try:
        media = _media_service(camera, until_s)
        profiles = _ask(media, "<trt:GetProfiles/>", until_s)
        streams = []
        for profile in list(profiles.iterfind("s:Body/trt:GetProfilesResponse/trt:Profiles", _NAMES))[:_MOST_STREAMS]:
            offer = _stream_of(media, profile, camera.host, until_s)
            if offer is not None:
                streams.append(offer)
    except PermissionError:
        return replace(camera, problem="asks for user and password before it tells; its manual names its address")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return replace(camera, problem=f"does not tell its streams ({_shown(str(error)) or type(error).__name__})")
    return replace(camera, streams=tuple(streams), problem="" if streams else "tells of no stream")


def _media_service(camera: NetworkCamera, until_s: float) -> str:
    """Address of what knows the streams (ONVIF Core, section 8.1.2). Raises: OSError, ValueError."""
    body = "<tds:GetCapabilities><tds:Category>Media</tds:Category></tds:GetCapabilities>"
    root = _ask(camera.service, body, until_s)
    where = "s:Body/tds:GetCapabilitiesResponse/tds:Capabilities/tt:Media/tt:XAddr"
    url = _text(root, where) or ""
    if not _is_at(url, camera.host):
        raise ValueError("it names another machine" if url else "it has no media service")
    return url


def _stream_of(media: str, profile: Element, host: str, until_s: float) -> NetworkStreamOffer | None:
    token = profile.get("token", "")
    body = (
        "<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP"
        f"</tt:Protocol></tt:Transport></trt:StreamSetup><trt:ProfileToken>{_escaped(token)}</trt:ProfileToken>"
        "</trt:GetStreamUri>"
    )
    root = _ask(media, body, until_s)
    url = (_text(root, "s:Body/trt:GetStreamUriResponse/trt:MediaUri/tt:Uri") or "").strip()
    try:
        parts = urlsplit(url)
        here = parts.scheme in ("rtsp", "rtsps") and parts.hostname == host and (parts.port or 554) > 0
    except ValueError:
        here = False
    if not here or len(url) > 4 * _LONGEST or not url.isprintable() or " " in url:
        return None
    encoder = profile.find("tt:VideoEncoderConfiguration", _NAMES)
    return NetworkStreamOffer(redact(url), _shown(_text(profile, "tt:Name") or token), _format_of(encoder))


def _format_of(encoder: Element | None) -> str:
    if encoder is None:
        return ""
    fields = ("tt:Encoding", "tt:Resolution/tt:Width", "tt:Resolution/tt:Height", "tt:RateControl/tt:FrameRateLimit")
    codec, width, height, rate = (_shown(_text(encoder, field) or "") for field in fields)
    size = f" {width}×{height}" if width and height else ""
    return f"{codec}{size}{f' at {rate} fps' if rate else ''}".strip()


def _ask(url: str, body: str, until_s: float) -> Element:
    """The answer of a service to a SOAP message.

    Raises:
        PermissionError: it wants to know who asks.
        OSError, ValueError, http.client.HTTPException: it cannot be had.
    """
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = make(parts.hostname or "", parts.port, timeout=min(_ASK_S, max(0.1, until_s - time.monotonic())))
    message = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope{_ENVELOPE}><s:Body>{body}</s:Body></s:Envelope>'
    over = threading.Timer(max(0.1, until_s - time.monotonic()), _hang_up, (line,))  # one that sends a byte a second
    over.daemon = True
    over.start()
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        line.request("POST", path, message.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"})
        answer = line.getresponse()
        data = b""
        while len(data) <= _MOST_OF_AN_ANSWER and (part := answer.read1(1 << 14)):
            data += part
    finally:
        over.cancel()
        line.close()
    if answer.status in (401, 403):
        raise PermissionError
    if len(data) > _MOST_OF_AN_ANSWER:
        raise ValueError("says too much")
    root = _parsed(data)
    if root is None:
        raise ValueError(f"no SOAP answer, HTTP {answer.status}")
    fault = root.find("s:Body/s:Fault", _NAMES)
    if fault is not None:
        if "NotAuthorized" in "".join(fault.itertext()):
            raise PermissionError
        raise ValueError(_text(fault, "s:Reason/s:Text") or "refused")
    return root


def _hang_up(line: http.client.HTTPConnection) -> None:
    with suppress(OSError):
        if line.sock is not None:
            line.sock.shutdown(socket.SHUT_RDWR)


def _parsed(data: bytes) -> Element | None:
    """XML from a stranger; None where it is none, or has what answers need not: a DTD, entities."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None
    return root


def _text(element: Element, path: str) -> str | None:
    found = element.find(path, _NAMES)
    return found.text if found is not None else None


def _shown(text: str) -> str:
    return printable(" ".join(text.split()))[:_LONGEST]


def _escaped(text: str) -> str:
    return "".join({"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(letter, letter) for letter in text)


def lines_of(cameras: Iterable[NetworkCamera]) -> list[tuple[str, str, str]]:
    """What to type, what it is, and its format or why there is none; for a list, one row a stream."""
    rows = []
    for camera in cameras:
        for stream in camera.streams:
            rows.append(
                (stream.address, f"{camera.name}: {stream.name}" if stream.name else camera.name, stream.format)
            )
        if not camera.streams:
            rows.append((f"rtsp://{camera.host}/", camera.name, camera.problem))
    return rows
