"""MPEG transport streams with the clock that a test wants (ISO/IEC 13818-1: packets of 188 bytes, times in 90 kHz)."""

from __future__ import annotations

from collections.abc import Callable

WRAP = 1 << 33
VIDEO, AUDIO = 0xE0, 0xC0
_PACKET = 188


def with_times(data: bytes, times: Callable[[int, int], int]) -> bytes:
    """The stream with other presentation, decoding and reference times.

    Args:
        data: a whole stream.
        times: the time that stands in place of a time, from the kind of the stream (VIDEO, AUDIO; 0 for the reference
            clock) and that time, both in ticks of 1/90000 s.
    """
    out = bytearray(data)
    for start in range(0, len(out), _PACKET):
        packet = memoryview(out)[start : start + _PACKET]
        assert packet[0] == 0x47
        adaptation = packet[3] & 0x20
        if adaptation and packet[4] >= 7 and packet[5] & 0x10:
            base = int.from_bytes(packet[6:11], "big") >> 7
            low = int.from_bytes(packet[6:12], "big") & 0x7FFF
            packet[6:12] = (((times(0, base) % WRAP) << 15) | low).to_bytes(6, "big")
        payload = 4 + (packet[4] + 1 if adaptation else 0)
        if not packet[1] & 0x40 or not packet[3] & 0x10 or bytes(packet[payload : payload + 3]) != b"\0\0\1":
            continue
        kind = packet[payload + 3] & (0xF0 if packet[payload + 3] & 0xE0 == 0xE0 else 0xE0)
        for place in range(9, 9 + 5 * (packet[payload + 7] >> 7) + 5 * (packet[payload + 7] >> 6 & 1), 5):
            field = packet[payload + place : payload + place + 5]
            _write(field, times(kind, _read(field)) % WRAP)
    return bytes(out)


def _read(field: memoryview) -> int:
    return (field[0] >> 1 & 7) << 30 | field[1] << 22 | (field[2] >> 1) << 15 | field[3] << 7 | field[4] >> 1


def _write(field: memoryview, time: int) -> None:
    field[0] = field[0] & 0xF1 | (time >> 30) << 1
    field[1] = time >> 22 & 0xFF
    field[2] = (time >> 15 & 0x7F) << 1 | 1
    field[3] = time >> 7 & 0xFF
    field[4] = (time & 0x7F) << 1 | 1


def begun_at(data: bytes, start: int) -> bytes:
    """The stream with its earliest time at `start` ticks; times run over at 2³³ as a real clock does."""
    found: list[int] = []

    def note(kind: int, time: int) -> int:
        if kind:
            found.append(time)
        return time

    with_times(data, note)
    first = min(found)
    return with_times(data, lambda _kind, time: time + start - first)
