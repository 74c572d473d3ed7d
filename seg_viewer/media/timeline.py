"""When things happen in a file, in seconds from its start: the same for pictures, sound and all else in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av


class Timeline:
    """Times of a file's packets, without the gaps and jumps that its clock makes.

    Args:
        path: of a file that FFmpeg reads.

    Attributes:
        origin_s: what the container calls the time that is our 0, seconds.
        notes: what was repaired, a line each.
    """

    def __init__(self, path: Path) -> None:
        self.notes: tuple[str, ...] = ()
        with av.open(f"file:{path}", metadata_errors="replace") as container:
            self.origin_s = max(0.0, (container.start_time or 0) / av.time_base)

    def shift_s(self, packet: av.Packet[Any]) -> float:
        """What to add to the times of a packet (pts × time base, and dts) so that they count from the start, seconds.

        Args:
            packet: of any stream of this file, as its demuxer delivers it.
        """
        return -self.origin_s
