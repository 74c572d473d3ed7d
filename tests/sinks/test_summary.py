"""The whole in numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seg_viewer.sinks.series import Series, apart_s
from tests.house import ROOT
from tests.sinks.shots import CAR, DRIVING, MAP, shot, street, written

SHARES = [0.1, 0.5, 0.3, 0.2, 0.0, 0.0, 0.45, 0.4]


def _covered(share: float) -> np.ndarray:
    classes = np.zeros((MAP.height, MAP.width), np.uint8)
    classes.ravel()[: round(share * classes.size)] = CAR
    return classes


def _summary(tmp_path: Path, **more: Any) -> dict[str, Any]:
    shots = [shot(index, _covered(share), time_s=float(index)) for index, share in enumerate(SHARES)]
    return json.loads(written(tmp_path, "t.json", shots, **more).read_text(encoding="utf-8"))


def test_shares_peaks_and_counts(tmp_path: Path) -> None:
    found = _summary(tmp_path, warnings=lambda: ("left out: GPS",), duration_s=8.0)
    car = next(each for each in found["classes"] if each["name"] == "car")
    size = MAP.width * MAP.height
    exact = [round(share * size) / size for share in SHARES]
    assert car["share"]["mean"] == pytest.approx(np.mean(exact), abs=1e-6)
    assert (car["share"]["min"], car["share"]["max"], car["frames_with"]) == (0, 0.5, 6)
    assert car["share"]["p50"] == pytest.approx(np.median(exact), abs=1e-6)
    assert [(peak["frame"], peak["time_s"]) for peak in car["peaks"]] == [(1, 1.0), (6, 6.0), (7, 7.0)]
    assert car["count"] == {"mean": 0.75, "max": 1, "max_frame": 0, "max_time_s": 0.0}
    assert "count" not in found["classes"][DRIVING.names.index("road")]
    assert (found["frames"], found["first_time_s"], found["last_time_s"]) == (8, 0, 7)
    assert found["length_s"] == pytest.approx(7.04)
    assert found["warnings"] == ["left out: GPS"] and found["about"]["engine"] == "OpenVINO"
    assert found["source"]["name"] == "clip.mp4" and found["source"]["width"] == 128
    assert sorted(found["stages_ms"]["inference"]) == ["max", "mean", "min", "p50", "p95", "p99"]
    assert found["stages_ms"]["inference"]["p99"] == pytest.approx(10)


def _paths(value: Any, at: str = "") -> set[str]:
    """`classes[].share.mean` for each key."""
    if isinstance(value, dict):
        return {path for key, part in value.items() for path in _paths(part, f"{at}.{key}" if at else key)}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {path for part in value for path in _paths(part, f"{at}[]")}
    return {at}


def test_every_key_stands_in_the_docs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_0-9]+)(?:\[\])?`", page))
    for path in _paths(_summary(tmp_path)):
        words = path.replace("[]", "").split(".")
        if words[0] == "about":  # what is below is up to whoever exports
            words = words[:1]
        if words[0] == "stages_ms":
            del words[1]
        assert set(words) <= told, path


def test_without_a_frame_there_are_no_numbers(tmp_path: Path) -> None:
    found = json.loads(written(tmp_path, "t.json", []).read_text(encoding="utf-8"))
    assert (found["frames"], found["length_s"], found["first_time_s"], found["stages_ms"]) == (0, 0, None, {})
    assert all(each["share"] == {} and each["peaks"] == [] for each in found["classes"])


def test_the_last_frame_counts_for_the_usual_step_where_nobody_says_how_long() -> None:
    series = Series(DRIVING)
    for index in range(5):
        series.add(shot(index, street(), time_s=10 + index / 10, duration_s=None))
    assert series.length_s == pytest.approx(0.5)


@pytest.mark.parametrize(("length", "apart"), [(None, 5), (4.0, 1), (60.0, 3), (3600.0, 180)])
def test_how_far_peaks_are_apart(length: float | None, apart: float) -> None:
    assert apart_s(length) == apart


def test_a_class_that_never_occurs_has_no_peak() -> None:
    series = Series(DRIVING)
    series.add(shot(0, _covered(0)))
    assert series.peaks("car", 3, 1.0) == []
