"""What is read by HTTP in Python, and handed to FFmpeg: https, whose servers are checked, and HLS.

FFmpeg checks no server of what an HLS playlist names, and waits long for a playlist that begins anew or grows no more.
"""

from __future__ import annotations

import http.client
import io
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from seg_viewer.sources.address import Address
from seg_viewer.sources.hls import Watched
from seg_viewer.sources.secure import tls_context

_MOST_AT_ONCE = 1 << 16
_MOST_OF_A_LIST = 4 << 20
_LIST = ".m3u8"


def is_for_web(address: Address) -> bool:
    """Whether an address is read here."""
    return address.scheme == "https" or (address.scheme == "http" and is_list(address.url))


def is_list(url: str) -> bool:
    """Whether an address is one of an HLS playlist."""
    return _LIST in url.lower()


class Web:
    """Everything that belongs to one address: itself, and what it names.

    PyAV reads `url`, with `open` as its `io_open`. Nothing is raised into FFmpeg, which would print it, password and
    all: what fails reads as empty, and `failure` says why.

    Args:
        address: of it.
        watched: its playlist, over all connections.

    Raises:
        OSError: it does not answer, is not trusted, or refuses (`urllib.error.HTTPError`).
        UsageError: its file of authorities is none.
    """

    def __init__(self, address: Address, watched: Watched) -> None:
        self.failure: OSError | None = None
        self.watched = watched
        self._timeout_s, self._secure = address.timeout_s, address.scheme == "https"
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        parts = urlsplit(address.url)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        if parts.username is not None:  # sent to this host only, and only when it asks
            root = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/", "", ""))
            passwords.add_password(None, root, unquote(parts.username), unquote(parts.password or ""))
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls_context(address)),
            urllib.request.HTTPBasicAuthHandler(passwords),
            urllib.request.HTTPDigestAuthHandler(passwords),
            _StaySecure(),
        )
        self._opener.addheaders = [("User-Agent", "seg-viewer")]
        self._first: WebFile | io.BytesIO | None = self._get(bare)
        self.size = self._first.size if isinstance(self._first, WebFile) and self._first.size else 0
        """Bytes, 0 where the server does not say, as of what has no end."""

    def _get(self, url: str, start: int = 0, end: int = 0) -> WebFile | io.BytesIO:
        """Raises: OSError."""
        file = WebFile(self, url, start, end)
        self.url = file.url
        """After having been sent on."""
        if not is_list(url) and not is_list(file.url):
            return file
        try:
            text = b"".join(iter(lambda: file.read(_MOST_AT_ONCE), b""))[:_MOST_OF_A_LIST]
        finally:
            file.close()
        if self.failure is not None:
            raise self.failure
        self.watched.look(url, text.decode("utf-8", "replace"), file.age_s)
        return io.BytesIO(text)

    def open(self, url: str, _flags: int, options: Mapping[str, str]) -> WebFile | io.BytesIO:
        """A file that FFmpeg asks for."""
        first, self._first = self._first, None
        if first is not None and url == self.url:
            return first
        if first is not None:
            first.close()
        self.failure = None
        try:
            scheme = url.partition(":")[0].lower()
            if scheme != "https" and (self._secure or scheme != "http"):
                raise OSError(f"names something that is not read over https ({scheme})")
            return self._get(url, int(options.get("offset", 0)), int(options.get("end_offset", 0)))
        except OSError as error:
            self.failure = error
            return io.BytesIO()

    def ask(self, url: str, start: int, end: int = 0) -> http.client.HTTPResponse:
        """Raises: OSError."""
        request = urllib.request.Request(url)  # noqa: S310 - http or https, as whoever calls has seen to
        if start or end:
            request.add_header("Range", f"bytes={start}-{end - 1 if end else ''}")
        try:
            answer: http.client.HTTPResponse = self._opener.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError as error:
            raise error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason)) from None
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP was spoken ({type(error).__name__})") from None
        if start and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            answer.close()
            raise OSError("does not send a part of a file")
        return answer

    def close(self) -> None:
        """What FFmpeg did not come to ask for."""
        if self._first is not None:
            self._first.close()


class WebFile:
    """One file behind an address, as PyAV reads it; one without a length cannot be sought in."""

    def __init__(self, web: Web, url: str, start: int, end: int = 0) -> None:
        self._web, self._end = web, end
        self._answer: http.client.HTTPResponse | None = web.ask(url, start, end)
        self.url = self._answer.geturl()
        length = self._answer.length
        self.size = None if length is None else start + length
        self._ranges = self._answer.headers.get("Accept-Ranges") == "bytes"
        self._position = start
        self.age_s = _age_s(self._answer)
        """How long ago it was written; 0 where the server does not say."""

    def seekable(self) -> bool:
        return self._ranges and self.size is not None and not self._end

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of a file; asks anew with the next read."""
        assert self.size is not None
        place = offset + (0, self._position, self.size)[whence]
        if place != self._position:
            self.close()
            self._position = place
        return place

    def read(self, size: int) -> bytes:
        """What has come, `size` bytes at most; nothing at the end, and where it failed."""
        try:
            if self._answer is None:
                if self.size is not None and self._position >= self.size:
                    return b""
                self._answer = self._web.ask(self.url, self._position, self._end)
            data = self._answer.read1(min(size, _MOST_AT_ONCE))
        except (OSError, http.client.HTTPException) as error:
            self._web.failure = error if isinstance(error, OSError) else ConnectionError(type(error).__name__)
            return b""
        self._position += len(data)
        return data

    def close(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()


def _age_s(answer: http.client.HTTPResponse) -> float:
    try:
        now, written = (parsedate_to_datetime(answer.headers[name]) for name in ("Date", "Last-Modified"))
        return max(0.0, (now - written).total_seconds())
    except (TypeError, ValueError):
        return 0.0


class _StaySecure(urllib.request.HTTPRedirectHandler):
    """Whoever asked securely is not sent on to where anybody can listen."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.lower().startswith("https://") and not newurl.lower().startswith("https://"):
            raise OSError("sends one on to an address that is not secure; open that one if you trust it")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
