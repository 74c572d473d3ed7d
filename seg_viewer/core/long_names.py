"""Names of files that are made from other names, and still may not be too long."""

from __future__ import annotations

import hashlib
import os

_MOST_BYTES = 255
"""Of a name, on every file system in common use."""
_MARK_BYTES = 7


def joined(start: str, end: str, more: int = 0) -> str:
    """`start` + `end`, with `start` cut where the name would be too long; a mark then tells it from others cut there.

    Args:
        start: what may be cut.
        end: what may not.
        more: bytes to leave free.
    """
    given = os.fsencode(start)
    room = _MOST_BYTES - len(os.fsencode(end)) - more
    if len(given) <= room:
        return start + end
    mark = hashlib.sha256(given).hexdigest()[: _MARK_BYTES - 1]
    return f"{given[: max(1, room - _MARK_BYTES)].decode('utf-8', 'ignore')}~{mark}{end}"
