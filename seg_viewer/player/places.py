"""Where long videos were left, so that they can be gone on with."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from seg_viewer.core.part_file import make_folder, write_text

LONG_S = 120.0
"""Shorter videos are not worth the question, seconds."""
MOST_PLACES = 200
_HEAD_S = 10.0
_TAIL_S = 10.0
_TAIL_SHARE = 0.03


@dataclass(frozen=True)
class Place:
    """Where a video was left.

    Args:
        time_s: media time, seconds.
        left_at: when, seconds since 1970.
    """

    time_s: float
    left_at: float


def is_middle(time_s: float, length_s: float | None) -> bool:
    """Whether a place is worth going back to: in a long video, not in its first seconds nor at its end."""
    if length_s is None or length_s <= LONG_S:
        return False
    return _HEAD_S <= time_s <= length_s - max(_TAIL_S, _TAIL_SHARE * length_s)


class Places:
    """A small file of the newest `MOST_PLACES`, by the fingerprint of the video.

    Every method reads or writes it, from any thread.

    Args:
        path: of the file; by default the user's own. It need not exist.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_data_path("seg-viewer") / "places.json"
        self._lock = threading.Lock()

    def all(self) -> dict[str, Place]:
        """Fingerprint → place, newest first; empty where the file is missing or damaged."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        found: dict[str, Place] = {}
        for key, value in stored.items() if isinstance(stored, dict) else ():
            with suppress(TypeError, ValueError, KeyError):
                found[str(key)] = Place(float(value["time_s"]), float(value["left_at"]))
        return dict(sorted(found.items(), key=lambda item: -item[1].left_at)[:MOST_PLACES])

    def get(self, fingerprint: str) -> float | None:
        """Where a video was left, seconds; None where nobody knows."""
        place = self.all().get(fingerprint)
        return place.time_s if place else None

    def leave(self, fingerprint: str, time_s: float, length_s: float | None) -> None:
        """A video is at a place: kept in its middle, forgotten at its end; in its first seconds the old one stays.

        Raises:
            ExportError: the file cannot be written.
        """
        with self._lock:
            places = self.all()
            before = places.pop(fingerprint, None)
            if is_middle(time_s, length_s):
                places[fingerprint] = Place(time_s, time.time())
            elif before is None or time_s < _HEAD_S:
                return
            self._write(places)

    def forget(self) -> None:
        """All of them. Raises: ExportError."""
        with self._lock:
            if self.path.exists():
                self._write({})

    def _write(self, places: dict[str, Place]) -> None:
        kept = sorted(places.items(), key=lambda item: -item[1].left_at)[:MOST_PLACES]
        text = json.dumps({key: {"time_s": p.time_s, "left_at": p.left_at} for key, p in kept}, indent=0)
        make_folder(self.path.parent)
        write_text(self.path, text)
