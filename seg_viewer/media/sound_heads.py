"""What the headers of containers say of sound, where PyAV has no way to write it: read from bytes, or made of them."""

from __future__ import annotations

import io
import re

import av
import numpy as np


def adts_header(data: bytes) -> tuple[int, bytes] | None:
    """Length of the ADTS header that a packet begins with, and the AudioSpecificConfig that says the same.

    ISO/IEC 14496-3, 1.A.2.2 and 1.6.2.1. None where it has no such header, or one that cannot be said so.
    """
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return None
    rate_index, channels = data[2] >> 2 & 15, (data[2] & 1) << 2 | data[3] >> 6
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    header = 7 if data[1] & 1 else 9
    if length != len(data) or rate_index > 12 or not channels or data[6] & 3:
        return None
    config = ((data[2] >> 6) + 1) << 11 | rate_index << 7 | channels << 3
    return header, config.to_bytes(2, "big")


_AC3_KBIT_S = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_SYNC = b"\x0b\x77"


def is_ac3(data: bytes, enhanced: bool) -> bool:
    """Whether a packet is one frame of AC-3, or one or more of E-AC-3, as far as their headers say.

    ETSI TS 102 366, 4.3.1, table 4.13 and E.1.2: synchronization, sampling rate, frame size, version.
    """
    if data[:2] == _AC3_SYNC[::-1]:  # words of the other byte order
        data = bytes(data[place ^ 1] for place in range(len(data) & ~1))
    if not enhanced:
        return len(data) > 6 and data[:2] == _AC3_SYNC and data[5] >> 3 <= 10 and _ac3_size(data[4]) == len(data)
    while data:
        if len(data) < 7 or data[:2] != _AC3_SYNC or not 10 < data[5] >> 3 <= 16:
            return False
        if data[2] >> 6 == 3 or data[4] >> 4 == 15:
            return False
        size = 2 * (((data[2] & 7) << 8 | data[3]) + 1)
        if size < 7 or size > len(data):
            return False
        data = data[size:]
    return True


def _ac3_size(code: int) -> int:
    """Bytes of a frame, 0 for a code that is none."""
    rate, size = code >> 6, code & 63
    if rate == 3 or size >> 1 >= len(_AC3_KBIT_S):
        return 0
    kbit_s = _AC3_KBIT_S[size >> 1]
    if rate == 1:  # 44.1 kHz: a word more or less
        return 2 * (320 * kbit_s // 147 + (size & 1))
    return kbit_s * (4 if rate == 0 else 6)


_CODEC_DELAY = re.compile(rb"\x56\xaa([\x81-\x88])")
"""Matroska's CodecDelay and the length of its value (RFC 9559, 5.1.4.1.25)."""


def padded_stream(codec: str, rate: int, padding_s: float) -> av.AudioStream | None:
    """A stream whose parameters say how much of its beginning is skipped; None where none can be made.

    PyAV has no way to write that number, but reads it from a file: one that is made here, in memory.
    """
    encoder = {"aac": "aac", "mp3": "libmp3lame"}.get(codec)
    if encoder is None:
        return None
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="matroska") as out:
            stream = out.add_stream(encoder, rate=rate)
            assert isinstance(stream, av.AudioStream)
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), format="fltp", layout="stereo")
            frame.sample_rate = rate
            frame.pts = 0
            out.mux([*stream.encode(frame), *stream.encode(None)])
        data = bytearray(file.getvalue())
        found = _CODEC_DELAY.search(data)
        if found is None:
            return None
        size = found[1][0] & 0x7F
        data[found.end() : found.end() + size] = round(padding_s * 1e9).to_bytes(size, "big")
        return av.open(io.BytesIO(bytes(data))).streams.audio[0]
    except (av.FFmpegError, ValueError, OverflowError):
        return None
