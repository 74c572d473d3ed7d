"""Addresses as they may be shown: without what opens doors."""

from __future__ import annotations

import re

_SECRET_KEY = re.compile(r"pass|pwd|token|key|secret|sig|auth|user|login|credential|streamid|session", re.IGNORECASE)
_HIDDEN = "***"


def redact(text: str) -> str:
    """A source as it may be shown and stored: user, password and secret-looking query values taken out.

    Anything that is no address comes back as it is. Works on addresses that are not well-formed, too.
    """
    match = re.match(r"^[a-z][a-z0-9+.-]*://", text, re.IGNORECASE)
    if not match:
        return text
    scheme, rest = match.group(), text[match.end() :]
    _, rest = split_credentials(rest)
    return scheme + re.sub(r"([?&;])([^=&;#]*)=([^&;#]*)", _hide_secret, rest)


def split_credentials(rest: str, *, showing: bool = True) -> tuple[str | None, str]:
    """User and password, None without, and what comes after their "@"; of an address without its SCHEME://.

    They ought to be percent-encoded. Where a "/", "?", "#", "@" or ":" of theirs is not, what they are is guessed.

    Args:
        rest: HOST/PATH or USER:PASSWORD@HOST/PATH.
        showing: rather too much is taken for a password than shown; otherwise, an address that can be read as it stands
            is read as it stands.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    before, mark, host = authority.rpartition("@")
    behind = rest[len(authority) :]
    port = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(:\d*)?", host)  # HOST, HOST:PORT, [::1]:PORT
    in_doubt = "@" in behind and ((showing and port is not None and not port[2]) or "@" in behind.partition("#")[2])
    if mark and port is not None and not in_doubt:
        return before, host + behind
    # HOST:PORT/@name looks the same as USER:DIGITS/…@host
    is_host = (port is not None and (not port[2] or (not showing and port[2] != ":"))) or authority.startswith("[")
    if "@" in rest and (mark or not is_host):
        before, _, behind = rest.rpartition("@")
        return before, behind
    return None, rest


def redact_text(text: str) -> str:
    """A text as it may be shown: every address in it as `redact` shows it."""
    return re.sub(r"[a-z][a-z0-9+.-]*://[^\s'\"]+", lambda match: redact(match.group()), text, flags=re.IGNORECASE)


def _hide_secret(match: re.Match[str]) -> str:
    mark, key, value = match.groups()
    return f"{mark}{key}={_HIDDEN if _SECRET_KEY.search(key) else value}"
