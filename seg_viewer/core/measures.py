"""What a model file says of itself beyond one score per set: how small things may be, and how much it flickers.

The metadata key `measures` holds JSON; either part may be missing:

    {"heights": {SET: {CLASS: [{"from": 0.0, "to": 0.05, "objects": 12, "iou": 0.31, "recall": 0.4}, …]}},
     "calm": {CLIP: {"frames": 143, "still": 0.81, "changed": 0.0021}}}

- `from`, `to`: heights of objects as shares of the picture's height, from ≤ height < to; `to` is null without a limit.
- `objects`: so many of that height were looked at; `iou`, `recall`: over them, shares of 1, null where there is none.
  Newer files also say `precision`.
- `frames`: of a real clip; `still`: the share of its pixels that do not move; `changed`: the share of those whose class
  is another one in the next frame. Less is better.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Measures = Mapping[str, Any]


def read_measures(text: str | None) -> Measures | None:
    """What the metadata text says, in the form above; None where it says nothing that can be read.

    These are for people to look at: what is damaged is left out, never a reason to refuse the file, and keys that this
    program does not know are ignored.
    """
    try:
        stored = json.loads(text) if text else None
    except ValueError:
        return None
    heights = {name: bands for name, classes in _items(stored, "heights") if (bands := _classes(classes))}
    flicker = {name: found for name, values in _items(stored, "calm") if (found := _flicker(values))}
    measures = {key: part for key, part in (("heights", heights), ("calm", flicker)) if part}
    return measures or None


def _items(value: Any, key: str) -> list[tuple[str, Any]]:
    part = value.get(key) if isinstance(value, dict) else None
    return list(part.items()) if isinstance(part, dict) else []


def _classes(value: Any) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for name, bands in value.items() if isinstance(value, dict) else ():
        rows = [row for band in bands if (row := _band(band))] if isinstance(bands, list) else []
        if rows:
            found[name] = rows
    return found


def _band(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not _is_share(value.get("from")) or not _is_count(value.get("objects")):
        return None
    if not (value.get("to") is None or _is_share(value["to"])):
        return None
    scores = {key: value[key] if _is_share(value.get(key)) else None for key in ("iou", "recall")}
    return {"from": value["from"], "to": value.get("to"), "objects": value["objects"], **scores}


def _flicker(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not _is_share(value.get("changed")) or not _is_count(value.get("frames")):
        return None
    still = value["still"] if _is_share(value.get("still")) else None
    return {"frames": value["frames"], "still": still, "changed": value["changed"]}


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
