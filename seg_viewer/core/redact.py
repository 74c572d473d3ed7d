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
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host, colon, _ = authority.rpartition(":")
    if "@" in authority:
        rest = authority.rpartition("@")[2] + rest[len(authority) :]
    elif "@" in rest and colon and not host.startswith("["):
        # "/", "?" or "#" in a password, which should have been percent-encoded. HOST:PORT/@name looks the same as
        # USER:DIGITS/…@host: then rather too little is shown than a password
        rest = rest.rpartition("@")[2]
    return scheme + re.sub(r"([?&;])([^=&;#]*)=([^&;#]*)", _hide_secret, rest)


def redact_text(text: str) -> str:
    """A text as it may be shown: every address in it as `redact` shows it."""
    return re.sub(r"[a-z][a-z0-9+.-]*://[^\s'\"]+", lambda match: redact(match.group()), text, flags=re.IGNORECASE)


def _hide_secret(match: re.Match[str]) -> str:
    mark, key, value = match.groups()
    return f"{mark}{key}={_HIDDEN if _SECRET_KEY.search(key) else value}"
