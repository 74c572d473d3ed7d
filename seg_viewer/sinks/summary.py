"""The whole in numbers, as one JSON file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from seg_viewer.core.frame import Shot
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sinks.series import Series, apart_s, spread
from seg_viewer.sinks.whole import FileSink, expected_s, source_facts

VERSION = 1
"""Of the file's layout; goes up when a key changes its meaning or goes."""

_PEAKS = 3
_DIGITS = 6


class Summary(FileSink):
    """Writes the keys that `docs/outputs.md` lists.

    Args:
        request: what is asked for.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        self._series = Series(request.labels)

    def _add(self, shot: Shot) -> None:
        self._series.add(shot)

    def _complete(self) -> None:
        text = json.dumps(self._keys(), indent=2, ensure_ascii=False, allow_nan=False)
        self.part.write_text(text + "\n", encoding="utf-8")

    def _keys(self) -> dict[str, Any]:
        series = self._series
        times = series.times_s
        return {
            "format": "seg-viewer summary",
            "version": VERSION,
            "source": source_facts(self.request),
            "about": dict(self.request.about),
            "warnings": list(self.request.warnings()),
            "frames": len(series),
            "first_time_s": _round(times[0]) if len(series) else None,
            "last_time_s": _round(times[-1]) if len(series) else None,
            "length_s": _round(series.length_s),
            "classes": self._classes(),
            "stages_ms": {stage: _rounded(spread(values, (50, 95, 99))) for stage, values in series.stages_ms.items()},
        }

    def _classes(self) -> list[dict[str, Any]]:
        series, counts, times = self._series, self._series.counts, self._series.times_s
        apart = apart_s(expected_s(self.request) or series.length_s)
        shares = series.shares
        found = []
        for label in self.request.labels:
            keys: dict[str, Any] = {
                "id": label.id,
                "name": label.name,
                "color": list(self.request.style.color_of(label)),
                "frames_with": int(np.count_nonzero(shares[label.name])),
                "share": _rounded(spread(shares[label.name], (5, 50, 95))),
                "peaks": [
                    {"frame": peak.frame, "time_s": _round(peak.time_s), "share": _round(peak.share)}
                    for peak in series.peaks(label.name, _PEAKS, apart)
                ],
            }
            if label.name in counts and len(series):
                numbers = counts[label.name]
                most = int(np.argmax(numbers))
                keys["count"] = {
                    "mean": _round(numbers.mean()),
                    "max": int(numbers[most]),
                    "max_frame": int(series.frames[most]),
                    "max_time_s": _round(times[most]),
                }
            found.append(keys)
        return found


def _round(value: float) -> float:
    return round(float(value), _DIGITS)


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: _round(value) for key, value in values.items()}


SINK = SinkKind("summary", (".json",), "the whole in numbers: shares, peaks, cars and people, stage times", Summary)
