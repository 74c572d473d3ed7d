"""The playlist of a live HLS stream (RFC 8216): whether it still grows, and whether it began anew."""

from __future__ import annotations

import re
import time

_SEQUENCE = re.compile(r"^#EXT-X-MEDIA-SEQUENCE:[ ]*(\d{1,18})", re.MULTILINE)
_TARGET = re.compile(r"^#EXT-X-TARGETDURATION:[ ]*(\d{1,4})", re.MULTILINE)
_END = re.compile(r"^#EXT-X-(ENDLIST|PLAYLIST-TYPE:[ ]*VOD)", re.MULTILINE)
_TARGETS = 3.0
_LEAST_S = 4.0


class PlaylistStoppedError(OSError):
    """A playlist that grows no more, or begins anew; its text says which."""


class Watched:
    """The playlists of one stream, over all connections to it: what is in them may be shown once only.

    A sender that died leaves its last playlist behind; whoever opens that is shown seconds that have passed.
    """

    def __init__(self) -> None:
        self._lists: dict[str, tuple[str, float]] = {}
        self._passed: dict[str, str] = {}
        self.is_shown = False
        """Something came of this connection."""
        self.given_up_s: float | None = None
        """`time.perf_counter()` when the playlist is given up unless it grows; None where that is not known."""

    def connect(self) -> None:
        """A new connection: what was shown of the one before is known, and not shown again."""
        if self.is_shown:
            self._passed = {url: text for url, (text, _since_s) in self._lists.items()}
        self._lists.clear()
        self.is_shown, self.given_up_s = False, None

    def look(self, url: str, text: str, age_s: float = 0.0) -> None:
        """Take note of a playlist that was just read.

        Args:
            url: of it.
            text: what is in it.
            age_s: how long ago it was written, by its server's clock.

        Raises:
            PlaylistStoppedError: nothing new comes of it.
        """
        target = _TARGET.search(text)
        if target is None or _END.search(text):  # names other playlists, or has an end
            return
        if self._passed.get(url) == text:
            raise PlaylistStoppedError("the playlist is the one of before: nobody adds to it; start the sender")
        self._passed.pop(url, None)
        now_s = time.perf_counter()
        before, since_s = self._lists.get(url, (text, now_s - age_s))
        if any(new < old for new, old in zip(_ends(text), _ends(before), strict=True)):
            del self._lists[url]
            raise PlaylistStoppedError("the playlist begins anew")
        if before != text:
            since_s = now_s
        self._lists[url] = text, since_s
        self.given_up_s = since_s + max(_LEAST_S, _TARGETS * int(target[1]))
        if now_s > self.given_up_s:
            raise PlaylistStoppedError("nobody adds to the playlist any more; start the sender")


def _ends(text: str) -> tuple[int, int]:
    """Number of the first segment in a playlist, and of what comes after the last."""
    found = _SEQUENCE.search(text)
    first = int(found[1]) if found else 0
    return first, first + text.count("#EXTINF:")
