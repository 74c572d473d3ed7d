"""Room for the clips of the zone: above a size, the oldest of them go."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

_CLIP = re.compile(r".+_zone_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d+)?\.mkv")


def is_clip(path: Path) -> bool:
    """Whether it has the name of a clip of the zone."""
    return _CLIP.fullmatch(path.name) is not None


def make_room(folder: Path, most_bytes: int, kept: Collection[Path] = ()) -> list[Path]:
    """Remove the oldest clips of a folder until all of them together are no larger than that.

    Args:
        folder: that holds them; what has another name is never touched, nor counted.
        most_bytes: of all clips together.
        kept: these stay in any case: the newest.

    Returns: what was removed, the oldest first.
    """
    clips = []
    try:
        for path in folder.iterdir():
            if is_clip(path) and path.is_file() and not path.is_symlink():
                state = path.stat()
                clips.append((state.st_mtime, state.st_size, path))
    except OSError:
        return []  # the folder is gone, or may not be read: there is nothing to be removed
    clips.sort()
    left = sum(size for _time, size, _path in clips)
    removed = []
    for _time, size, path in clips:
        if left <= most_bytes:
            break
        if path in kept:
            continue
        try:
            path.unlink()
        except OSError:
            continue  # somebody else's by now; the next one goes instead
        left -= size
        removed.append(path)
    return removed
