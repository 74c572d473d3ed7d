"""The user's own folders, found without a window."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_XDG_VIDEOS = re.compile(r'^\s*XDG_VIDEOS_DIR\s*=\s*"(?P<path>[^"]+)"\s*$', re.MULTILINE)


def videos_folder() -> Path:
    """Where the user keeps videos; it need not be there.

    Linux: what `user-dirs.dirs` says (xdg-user-dirs), as file managers and Qt read it. Elsewhere the usual name.
    """
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Movies"
    if sys.platform != "win32":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        try:
            found = _XDG_VIDEOS.findall((config / "user-dirs.dirs").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = []
        if found:
            path = Path(re.sub(r"^\$HOME(?=/|$)", lambda _match: str(home), found[-1]))
            if path.is_absolute():
                return path
    return home / "Videos"
