"""The page of scores."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.labels import DRIVING, IGNORE_ID
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sinks.truth_report import TruthReport

from .test_truth_csv import CAR, GOOD, ROAD, _shot


def _page(path: Path, *shots: tuple[list[int], list[int] | None], name: str = "Town03") -> str:
    with TruthReport(SinkRequest(path, DRIVING, name=name, about={"model": "fast"})) as report:
        for number, (classes, truth) in enumerate(shots):
            report.write(_shot(number, classes, truth))
        assert not path.exists()
    return path.read_text(encoding="utf-8")


def _cells(page: str, heading: str) -> dict[str, list[str]]:
    """Texts of the rows of the table below a heading, by the first cell."""
    inside = page.split(f"<h2>{heading}</h2>")[1].split("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", inside)]
    plain = [[re.sub(r"<[^>]*>", "", cell) for cell in row] for row in rows]
    return {first: rest for first, *rest in plain}


def test_the_page_holds_the_scores_of_all_frames_together(tmp_path: Path) -> None:
    """Twice the picture of which one pixel of five is wrong: a car that is taken for road."""
    page = _page(tmp_path / "t.html", GOOD, GOOD, ([ROAD], None), ([ROAD] * 5, [IGNORE_ID] * 5))
    rows = _cells(page, "Classes")
    assert rows["road"] == ["60.0 %", "75.0 %", "75.0 %", "100.0 %", "85.7 %"]
    assert rows["car"] == ["40.0 %", "50.0 %", "100.0 %", "50.0 %", "66.7 %"]
    assert rows["person"] == ["0.0 %", "–", "–", "–", "–"]
    taken = _cells(page, "What is taken for what")
    heads = taken["truth"]
    assert taken["car"][heads.index("road")] == "50.0 %" and taken["car"][heads.index("car")] == "50.0 %"
    assert "62.5 %" in page and "80.0 %" in page and "Town03" in page and "fast" in page
    assert page.count("<figure>") == 1 and "20.0 % wrong" in page  # both are within the same seconds
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


def test_without_truth_the_page_says_so(tmp_path: Path) -> None:
    assert "No frame brought its ground truth." in _page(tmp_path / "t.html", ([ROAD, CAR], None))


def test_the_worst_pictures_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = TruthReport(SinkRequest(tmp_path / "t.html", DRIVING))
    drawn: list[np.ndarray] = []
    monkeypatch.setattr("seg_viewer.sinks.truth_report.encoded", lambda rgb, _end: drawn.append(rgb) or b"")
    report.write(_shot(0, *GOOD))
    report.finish()
    (rgb,) = drawn
    wrong = (rgb != 0).any(axis=2).any(axis=0)
    assert not wrong[: len(wrong) * 3 // 4].any() and wrong[-len(wrong) // 6 :].all()  # the fifth pixel of five


def test_names_from_outside_are_escaped(tmp_path: Path) -> None:
    assert "<b>x" not in _page(tmp_path / "t.html", GOOD, name="<b>x")
