"""How FFmpeg is asked for a stream, and what its refusals mean."""

from __future__ import annotations

import socket

import av

from seg_viewer.sources.address import Address

OPEN_TIMES = 2
"""So many times the time-out: finding out what a stream holds takes several answers."""
QUICK_LOOK_S = 0.5
"""Media time that is looked at to find out what a stream holds."""
LONG_LOOK_S = 8.0
"""The same where no video was in that: key frames may be seconds apart."""
_SEGMENT_TIMES = 4
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
        case "udp":
            options |= {"timeout": microseconds, "fifo_size": "100000", "overrun_nonfatal": "1"}
    return options


def read_timeout_s(address: Address) -> float:
    """Between two segments of HLS nothing comes for seconds, and all is well."""
    return address.timeout_s * (_SEGMENT_TIMES if ".m3u8" in address.url.lower() else 1)


def reason_of(error: Exception, address: Address, waited_s: float) -> str:
    """Why a stream cannot be had and what to do; without its address, which FFmpeg puts into its own texts."""
    match error:
        case av.error.HTTPUnauthorizedError():
            return f"the server asks for user and password; write {address.scheme}://USER:PASSWORD@{address.host}…"
        case av.error.HTTPForbiddenError():
            return "the server refuses this user (403); check user and password"
        case av.error.HTTPNotFoundError():
            return "the server has no such stream (404); check the path"
        case av.error.HTTPClientError() | av.error.HTTPServerError():
            return f"the server refuses: {error.strerror}"
        case av.error.ProtocolNotFoundError():
            return f"the FFmpeg in this PyAV has no {address.scheme}; send the stream as rtsp or udp"
        case av.error.InvalidDataError():
            return "what the server sends is no video"
        case av.error.ExitError() | TimeoutError() if address.scheme != "udp":
            return f"no answer within {waited_s:g} s; check address and network"
        case ConnectionRefusedError():
            return "connection refused: nothing listens there; check host and port, or start the server"
    if address.scheme == "udp":
        return f"nothing arrived within {waited_s:g} s; check the port and that something is sent to it"
    if isinstance(error, OSError) and error.errno == 5 and not _resolves(address.host):
        return f"no machine is called {address.host}; check the name and the network"
    return f"the connection broke ({getattr(error, 'strerror', None) or type(error).__name__})"


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False
