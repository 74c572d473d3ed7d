"""A stand-in for an ONVIF camera: answers WS-Discovery on a UDP port of loopback, and SOAP over HTTP.

The messages are written after those of the ONVIF Core and Media specifications, with other prefixes than ours has.
"""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_SOAP = 'xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:sch="http://www.onvif.org/ver10/schema"'
_MATCH = """<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"
 xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery"><SOAP-ENV:Header>
<wsa:MessageID>urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a</wsa:MessageID>
<wsa:RelatesTo>{asked}</wsa:RelatesTo>
<wsa:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>
<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action>
</SOAP-ENV:Header><SOAP-ENV:Body><wsd:ProbeMatches><wsd:ProbeMatch>
<wsa:EndpointReference><wsa:Address>urn:uuid:a9e3d3a2-0f8c-4a3e-8f0f-3f3f3f3f3f3f</wsa:Address></wsa:EndpointReference>
<wsd:Types>dn:NetworkVideoTransmitter</wsd:Types>
<wsd:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/D-1
 onvif://www.onvif.org/name/{name}</wsd:Scopes>
<wsd:XAddrs>{services}</wsd:XAddrs><wsd:MetadataVersion>1</wsd:MetadataVersion>
</wsd:ProbeMatch></wsd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"""
_CAPABILITIES = """<m:GetCapabilitiesResponse xmlns:m="http://www.onvif.org/ver10/device/wsdl"><m:Capabilities><sch:Media>
<sch:XAddr>{media}</sch:XAddr></sch:Media></m:Capabilities></m:GetCapabilitiesResponse>"""
_PROFILES = """<m:GetProfilesResponse xmlns:m="http://www.onvif.org/ver10/media/wsdl">
<m:Profiles token="main&amp;1" fixed="true"><sch:Name>main</sch:Name><sch:VideoEncoderConfiguration token="v">
<sch:Encoding>H264</sch:Encoding><sch:Resolution><sch:Width>1920</sch:Width><sch:Height>1080</sch:Height></sch:Resolution>
<sch:RateControl><sch:FrameRateLimit>25</sch:FrameRateLimit></sch:RateControl></sch:VideoEncoderConfiguration></m:Profiles>
<m:Profiles token="sub"><sch:Name>sub</sch:Name></m:Profiles></m:GetProfilesResponse>"""
_STREAM = """<m:GetStreamUriResponse xmlns:m="http://www.onvif.org/ver10/media/wsdl"><m:MediaUri><sch:Uri>{stream}</sch:Uri>
</m:MediaUri></m:GetStreamUriResponse>"""
_FAULT = """<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode>
<SOAP-ENV:Value xmlns:ter="http://www.onvif.org/ver10/error">ter:NotAuthorized</SOAP-ENV:Value></SOAP-ENV:Subcode>
</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>Sender not authorized</SOAP-ENV:Text></SOAP-ENV:Reason>
</SOAP-ENV:Fault>"""


class OnvifCamera:
    """Answers while the `with` block runs; what it says may be changed.

    Args:
        name: percent-encoded, as in a scope.
        guarded: its streams are told to those only who say who they are.
    """

    def __init__(self, name: str = "Front%20door", *, guarded: bool = False) -> None:
        self.name, self.guarded = name, guarded
        self.heard: list[str] = []
        """All that came in, by UDP and HTTP."""
        self.match = _MATCH
        """Template of the answer to a probe."""
        self.stream = "rtsp://127.0.0.1:554/{token}"
        self.media = ""
        self.answer: bytes | None = None
        """Said to every SOAP message in place of what it asks for."""
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))

    @property
    def group(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", int(self._udp.getsockname()[1])

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/onvif/device_service"

    def __enter__(self) -> OnvifCamera:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None: ...

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.heard.append(f"{self.headers}{text}")
                body = outer.answer if outer.answer is not None else outer._said(text)
                self.send_response(200)
                self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(body)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True, name="onvif").start()
        threading.Thread(target=self._listen, daemon=True, name="onvif").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._udp.shutdown(socket.SHUT_RDWR)
        self._udp.close()
        self._http.shutdown()
        self._http.server_close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                data, sender = self._udp.recvfrom(1 << 16)
                if not data:
                    return
                self.heard.append(data.decode())
                asked = re.search(r"MessageID>([^<]+)<", data.decode())
                if asked is None or "NetworkVideoTransmitter" not in data.decode():
                    continue
                services = f"http://[fe80::1]/onvif/device_service {self.service}"
                answer = self.match.format(asked=asked[1], name=self.name, services=services)
                self._udp.sendto(answer.encode(), sender)

    def _said(self, text: str) -> bytes:
        token = re.search(r"ProfileToken>([^<]*)<", text)
        if "GetCapabilities" in text:
            body = _CAPABILITIES.format(media=self.media or self.service.replace("device", "media"))
        elif self.guarded:
            body = _FAULT
        elif "GetProfiles" in text:
            body = _PROFILES
        else:
            body = _STREAM.format(stream=self.stream.format(token=token[1].replace("&amp;", "_") if token else ""))
        return f"<SOAP-ENV:Envelope {_SOAP}><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>".encode()
