"""How FFmpeg is asked for a stream, and what its refusals mean."""

from __future__ import annotations

import errno
import socket
import ssl
import urllib.error
from dataclasses import dataclass

import av

from seg_viewer.sources.address import SDP, SECURE, Address
from seg_viewer.sources.hls import PlaylistStoppedError
from seg_viewer.sources.secure import tls_options, tls_problem

OPEN_TIMES = 2
"""So many times the time-out: finding out what a stream holds takes several answers."""
QUICK_LOOK_S = 0.5
"""Media time that is looked at to find out what a stream holds."""
LONG_LOOK_S = 8.0
"""The same where no video was in that: key frames may be seconds apart."""
_SEGMENT_TIMES = 4
_NEARLY = 0.9
_LOOK_BYTES_PER_S = 2_000_000


def open_options(address: Address, look_s: float) -> dict[str, str]:
    """FFmpeg's options for little delay and an answer in time, after `look_s` of media at most."""
    microseconds = str(round(address.timeout_s * 1e6))
    options = {"fflags": "discardcorrupt", "analyzeduration": f"{look_s * 1e6:.0f}"}
    options["probesize"] = f"{look_s * _LOOK_BYTES_PER_S:.0f}"
    match address.scheme:
        case "rtsp" | "rtsps":
            options |= {"rtsp_transport": address.transport, "timeout": microseconds, "max_delay": "200000"}
        case "http" | "https":
            options |= {"rw_timeout": microseconds, "http_persistent": "0"}
        case "rtmp" | "rtmps":
            options |= {"rw_timeout": microseconds, "rtmp_live": "live"}
        case "sdp":
            options |= {"protocol_whitelist": "file,rtp,udp", "max_delay": "200000"}
        case "udp":
            options |= {"timeout": microseconds, "fifo_size": "100000", "overrun_nonfatal": "1"}
    return options | tls_options(address)


def read_timeout_s(address: Address) -> float:
    """Between two segments of HLS nothing comes for seconds, and all is well."""
    return address.timeout_s * (_SEGMENT_TIMES if ".m3u8" in address.url.lower() else 1)


@dataclass(frozen=True)
class Refusal:
    """Why a stream cannot be had and what to do; without its address, which FFmpeg puts into its own texts.

    Args:
        text: half a line.
        passing: it may be there in a moment.
        password: another user and password may be accepted.
    """

    text: str
    passing: bool = False
    password: bool = False


def refusal_of(error: Exception, address: Address, waited_s: float) -> Refusal:
    """What an error of FFmpeg means.

    Args:
        error: raised by opening or reading.
        address: what was asked for.
        waited_s: how long that took.
    """
    waited = max(1, round(waited_s))
    if (answered := _http_refusal(error, address)) is not None:
        return answered
    if isinstance(error, PlaylistStoppedError):
        return Refusal(str(error), passing=True)
    if address.scheme in SECURE and (insecure := _tls_refusal(error, address)) is not None:
        return insecure
    match error:
        case av.error.ProtocolNotFoundError():
            return Refusal(_lacks(address.scheme))
        case av.error.ExitError() | OSError() if address.scheme in ("udp", SDP) and _resolves(address.host):
            text = f"nothing arrived within {waited} s; check the port and that something is sent to it"
            return Refusal(text, passing=True)
        case av.error.ExitError() | TimeoutError():
            return Refusal(f"no answer within {waited} s; check address and network", passing=True)
        case ConnectionRefusedError():
            text = "connection refused: nothing listens there; check host and port, or start the server"
            return Refusal(text, passing=True)
        case av.error.InvalidDataError() if address.scheme == "rtsp":  # so FFmpeg says of all that is no RTSP
            if waited_s >= _NEARLY * address.timeout_s:
                text = f"no answer within {waited} s: the server takes the connection and then says nothing"
                return Refusal(text, passing=True)
            text = "the server closes the connection, or does not speak RTSP; check host and port"
            return Refusal(text, passing=True)
        case ValueError() if address.scheme == SDP:
            return Refusal("is no SDP file, or describes no video; ask whoever sends the stream for another one")
        case av.error.InvalidDataError():
            return Refusal("what the server sends is no video")
    if address.scheme != SDP and address.host and not _resolves(address.host):
        return Refusal(f"no machine is called {_shown(address)}; check the name and the network", passing=True)
    return _broken(error, address)


def _http_refusal(error: Exception, address: Address) -> Refusal | None:
    """What an HTTP status says, by FFmpeg's error or by Python's."""
    status = error.code if isinstance(error, urllib.error.HTTPError) else 0
    match error:
        case _ if status == 401 or isinstance(error, av.error.HTTPUnauthorizedError):
            return Refusal(_unauthorized(address), password=True)
        case _ if status == 403 or isinstance(error, av.error.HTTPForbiddenError):
            return Refusal("the server refuses this user (403); check user and password", password=True)
        case _ if status == 404 or isinstance(error, av.error.HTTPNotFoundError):
            return Refusal("the server has no such stream (404); check the path", passing=True)
        case av.error.HTTPServerError() | av.error.HTTPClientError():
            passing = isinstance(error, av.error.HTTPServerError)
            return Refusal(f"the server refuses: {error.strerror}", passing)
        case urllib.error.HTTPError():
            return Refusal(f"the server refuses: {status} {error.reason}", passing=status >= 500)
    return None


def _tls_refusal(error: Exception, address: Address) -> Refusal | None:
    """What keeps a secure connection from being made; None where it is something else."""
    if isinstance(error, OSError) and error.errno == errno.EIO and not isinstance(error, ssl.SSLError):
        found = tls_problem(address)  # FFmpeg's "Input/output error" may be anything
    else:
        found = error if isinstance(error, ssl.SSLError) else None
    match found:
        case None:
            return None
        case ssl.SSLCertVerificationError():
            why = found.verify_message.strip(" .")
            if address.ca:
                return Refusal(f"its certificate is not trusted ({why}); is this the right file?")
            return Refusal(f"its certificate is not trusted ({why}); for one of your own, name its file: --ca FILE")
    plain = address.scheme[:-1]
    return Refusal(f"there is no secure connection to be had (TLS); try {plain}, or another port")


def _lacks(scheme: str) -> str:
    """What else to do where the FFmpeg at hand does not know a protocol."""
    if scheme != "srt":
        return f"the FFmpeg in this PyAV has no {scheme}; send the stream as rtsp or udp"
    way = "ffmpeg -i ADDRESS -c copy -f mpegts 'udp://127.0.0.1:5000?pkt_size=1316'"
    return f"the FFmpeg in this PyAV has no srt; have another one pass it on: {way}, and open udp://127.0.0.1:5000"


def _unauthorized(address: Address) -> str:
    if address.has_user:
        return "the server does not accept this user and password (401); check both"
    return "the server asks for user and password (401); write them between // and the host, as USER:PASSWORD@"


def _broken(error: Exception, address: Address) -> Refusal:
    """An error that says little: FFmpeg's "Input/output error" stands for several."""
    if address.scheme in ("rtmp", "rtmps") and isinstance(error, OSError) and error.errno == errno.EIO:
        text = "the server has no such stream, or nobody sends it now; check port and path, or start the sender"
        return Refusal(text, passing=True)
    if type(error) is OSError and error.errno is None:  # raised here
        return Refusal(str(error))
    text = f"the connection broke ({getattr(error, 'strerror', None) or type(error).__name__})"
    return Refusal(text, passing=True)


def _shown(address: Address) -> str:
    """The host; not where it may be part of a password that was not percent-encoded."""
    return address.host if address.host.lower() in address.name.lower() else "that"


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host or None, 0))
    except OSError:
        return False
