"""What libx265 needs to be told in tests, which encode few and small pictures."""

from __future__ import annotations

from collections.abc import Mapping

_HELD_BACK = 2
_WRITES_BEYOND = 128


def within_its_means(codec: str, options: Mapping[str, str] | None, *, frames: int, shortest: int) -> dict[str, str]:
    """`options`, and for libx265 (4.1) what keeps it from random results.

    Of one or two pictures that could have B frames it gives random decoding times, which a muxer refuses; the vectors
    of its "cutree" write beyond the end of an array of a small picture.

    Args:
        frames: how many will be encoded.
        shortest: the shorter side, in pixels.
    """
    given = dict(options or {})
    if codec == "libx265":
        more = [
            "bframes=0" if frames <= _HELD_BACK else "",
            "cutree=0" if shortest < _WRITES_BEYOND else "",
        ]
        given["x265-params"] = ":".join(filter(None, [given.get("x265-params", ""), *more]))
    return given
