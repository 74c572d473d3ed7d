"""What a value of a recipe may be: ranges of numbers, sums of losses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from seg_viewer.core.errors import UsageError

LOSSES = ("ce", "bce", "dice", "focal", "lovasz")


def parse_loss(text: str) -> list[tuple[float, str]]:
    """The sum "ce+0.5*dice" → [(1.0, "ce"), (0.5, "dice")]. Raises: UsageError naming the part that is none."""
    parts = []
    for part in text.replace(" ", "").lower().split("+"):
        match = re.fullmatch(r"(?:(\d*\.?\d+)\*)?([a-z]+)", part)
        if not match or match[2] not in LOSSES:
            raise UsageError(f"loss '{text}': '{part}' is none of {', '.join(LOSSES)} (a sum looks like ce+0.5*dice)")
        weight = float(match[1] or 1.0)
        if not 0 < weight < math.inf:
            raise UsageError(
                f"loss '{text}': nothing is learned from {weight:g} times {match[2]}; give a weight above 0"
            )
        parts.append((weight, match[2]))
    return parts


def check_range(name: str, value: Any, limits: Mapping[str, Any]) -> None:
    """Look whether a number, or each of several, is in its range.

    Args:
        name: of the option.
        value: of any type; only numbers have ranges.
        limits: may hold `least`, `most`, `above` and `below`.

    Raises:
        UsageError: it is not.
    """
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        at_ends = limits.get("least", -math.inf) <= number <= limits.get("most", math.inf)
        between = limits.get("above", -math.inf) < number < limits.get("below", math.inf)
        if not (math.isfinite(number) and at_ends and between):
            raise UsageError(f"{name} is {number:g}; it must be {_range_text(limits)}")


def _range_text(limits: Mapping[str, Any]) -> str:
    words = {"least": "at least", "above": "above", "most": "at most", "below": "below"}
    return " and ".join(f"{text} {limits[key]}" for key, text in words.items() if key in limits) or "a number"
