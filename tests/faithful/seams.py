"""Where a transport stream's clock starts anew: spliced files, a wrapped or restarted camera."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av

BACK_S, AHEAD_S = 0.5, 10.0
"""A clock that goes so far back, or ahead, starts anew."""


class _Seen(NamedTuple):
    """A packet: its stream, place in the file, and times in seconds."""

    stream: int
    kind: str
    place: int
    dts: Fraction
    begin: Fraction
    end: Fraction


def packets(container: Any) -> Iterator[Any]:
    """All packets until the end, or until the file cannot be read on."""
    every = container.demux()
    while True:
        try:
            packet = next(every)
        except (StopIteration, av.FFmpegError, IndexError):  # IndexError: PyAV has no stream for one that came later
            return
        yield packet


def shifts(path: Path) -> tuple[list[Fraction], int]:
    """Seconds to add to the times of each packet, in the order of `packets`, so that each stretch of the file begins
    where the one before ends; and how many seams there are."""
    with av.open(f"file:{path}", metadata_errors="replace") as container:
        if container.format.name != "mpegts":
            return [], 0
        seen = [_seen(packet) for packet in packets(container)]
    stretches = _stretches([packet for packet in seen if packet is not None])
    count = max(stretches, default=0)
    begin: dict[int, Fraction] = {}
    end: dict[int, Fraction] = {}
    known = iter(stretches)
    number = [None if packet is None else next(known) for packet in seen]
    for packet, stretch in zip(seen, number, strict=True):
        if packet is not None and stretch is not None and packet.kind in ("video", "audio"):
            begin[stretch] = min(begin.get(stretch, packet.begin), packet.begin)
            end[stretch] = max(end.get(stretch, packet.end), packet.end)
    added = [Fraction(0)]
    for stretch in range(1, count + 1):
        added.append(end[stretch - 1] + added[-1] - begin[stretch])
    return [Fraction(0) if stretch is None else added[stretch] for stretch in number], count


def _seen(packet: Any) -> _Seen | None:
    if packet.pts is None or packet.dts is None or packet.time_base is None:
        return None
    begin = packet.pts * packet.time_base
    end = begin + (packet.duration or 0) * packet.time_base
    return _Seen(packet.stream_index, packet.stream.type, packet.pos or 0, packet.dts * packet.time_base, begin, end)


def _stretches(seen: list[_Seen]) -> list[int]:
    """Of each packet: by the jumps of its own clock, or, where its stream is not in all stretches, by its place."""
    last: dict[int, Fraction] = {}
    own: list[int] = []
    jumps: dict[int, list[int]] = defaultdict(list)
    for packet in seen:
        before = last.get(packet.stream, packet.dts)
        if packet.kind in ("video", "audio") and not before - BACK_S <= packet.dts <= before + AHEAD_S:
            jumps[packet.stream].append(packet.place)
        last[packet.stream] = packet.dts
        own.append(len(jumps[packet.stream]))
    places = max(jumps.values(), key=len, default=[])
    return [
        number if len(jumps[packet.stream]) == len(places) else bisect_right(places, packet.place)
        for packet, number in zip(seen, own, strict=True)
    ]
