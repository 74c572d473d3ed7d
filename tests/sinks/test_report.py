"""The report: one file, valid, with all that was asked for and nothing from elsewhere."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.sinks.report_chart import MOST_BINS, binned, nice_times, nice_top, strip
from seg_viewer.sinks.thumbnails import TopMoments
from tests.html_page import HtmlPage, check_alone
from tests.sinks.shots import CAR, MAP, labels_of, shot, street, written


def _covered(share: float) -> np.ndarray:
    classes = np.zeros((MAP.height, MAP.width), np.uint8)
    classes.ravel()[: round(share * classes.size)] = CAR
    return classes


def _page(path: Path) -> HtmlPage:
    return HtmlPage(path.read_text(encoding="utf-8"))


def test_it_shows_timeline_peaks_numbers_and_how_it_was_made(tmp_path: Path) -> None:
    shots = [shot(index, street(cars=index % 4, people=index % 2), time_s=float(index)) for index in range(12)]
    page = _page(written(tmp_path, "t.html", shots, warnings=lambda: ("left out: GPS",), duration_s=12.0))
    for words in ("clip.mp4", "12 frames", "left out: GPS", "Timeline", "road", "car, how many", "128 × 64 pixels",
                  "Where a class covers most", "colors (64×32)", "OpenVINO", "inference", "37.5 %", "0:12.0",
                  "background (not painted)"):  # fmt: skip
        assert words in page.text, words
    assert len(page.pictures) == 9 and all(picture.shape == (240, 480, 3) for picture in page.pictures)
    drawn = [value for tag, key, value in page.attributes if (tag, key) == ("path", "d")]
    assert len(drawn) == 2 * (3 + 2)  # an area and a line for three shares and two counts


def test_nothing_comes_from_elsewhere_and_nothing_runs(tmp_path: Path) -> None:
    made = written(tmp_path, "t.html", [shot(index) for index in range(3)])
    page = check_alone(made.read_text(encoding="utf-8"))
    assert len(page.pictures) == len(page.values("img", "src")) > 0 and not page.values("a", "href")


EVIL = "<script>alert(1)</script>\"'&\n\x1b[31m"


def test_what_comes_from_outside_is_only_text(tmp_path: Path) -> None:
    labels = labels_of("background", "<b>car</b>", EVIL)
    shots = [shot(index, street() % 3, labels=labels) for index in range(3)]
    made = written(tmp_path, "t.html", shots, labels=labels, name=EVIL, about={EVIL: EVIL}, warnings=lambda: (EVIL,))
    page = _page(made)
    assert "<script>alert(1)</script>" in page.text and "<b>car</b>" in page.text
    text = made.read_text(encoding="utf-8")
    assert "<script" not in text and "<b>car" not in text and "\x1b" not in text


def test_the_pictures_are_those_of_the_peaks_painted(tmp_path: Path) -> None:
    shares = [0.05, 0.2, 0.9, 0.2, 0.05, 0.05, 0.1, 0.6, 0.1, 0.0]
    shots = [shot(index, _covered(share), time_s=4.0 * index) for index, share in enumerate(shares)]
    page = _page(written(tmp_path, "t.html", shots, style=OverlayStyle(1.0, frozenset({"road", "person"}))))
    peaks = re.findall(r"([\d.]+) % at (\d:\d\d\.\d)", page.text)
    assert peaks[:2] == [("90.0", "0:08.0"), ("60.0", "0:28.0")]
    first = cv2.cvtColor(page.pictures[0], cv2.COLOR_BGR2RGB)
    assert np.abs(first[40, 200].astype(int) - DRIVING[CAR].color).max() < 12
    assert np.abs(first[-4, 400].astype(int) - DRIVING[CAR].color).max() > 60


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 0.1, 0.2, 0.3, 0.5, 0.8]), min_size=1, max_size=60), st.integers(1, 4))
def test_moments_are_found_while_they_go_by(shares: list[float], most: int) -> None:
    drawn: list[int] = []

    def draw(one: object) -> bytes:
        drawn.append(1)
        return b"picture"

    top = TopMoments("car", most, 3.0, draw)
    held = 0
    for index, share in enumerate(shares):
        top.add(shot(index, _covered(share), time_s=float(index)))
        held = max(held, sum(moment.shot is not None for moment in top._found))
    found = top.finish()
    assert len(found) <= most and held <= 2 and all(moment.picture and moment.shot is None for moment in found)
    assert [moment.share for moment in found] == sorted((moment.share for moment in found), reverse=True)
    times = sorted(moment.time_s for moment in found)
    assert all(later - earlier >= 3 for earlier, later in pairwise(times))
    assert not found or found[0].share == max(round(share * MAP.width * MAP.height) for share in shares) / (
        MAP.width * MAP.height
    )
    assert bool(found) == any(shares)
    assert len(drawn) <= len(shares) // 3 + 2


def test_noise_gets_no_picture(tmp_path: Path) -> None:
    page = _page(written(tmp_path, "t.html", [shot(0, street(cars=0, people=0))]))
    assert len(page.pictures) == 1  # the road's; one pixel of car is no car


@pytest.mark.parametrize("count", [1, 2, MOST_BINS, MOST_BINS + 1, 108_000])
def test_an_hour_is_drawn_with_a_thousand_points(count: int) -> None:
    times = np.arange(count) / 30
    values = np.random.default_rng(0).random(count) * 0.4
    where, least, mean, most = binned(times, values, 0.0, count / 30)
    assert len(where) == min(count, MOST_BINS)
    assert least.min() == values.min() and most.max() == values.max()
    assert (least <= mean).all() and (mean <= most).all() and (np.diff(where) > 0).all()
    drawn = strip(times, values, 0.0, count / 30, 0.5, "#fff")
    assert len(drawn) < 100_000 and ('class="band"' in drawn) == (count > MOST_BINS)


def test_gaps_in_the_time_stay_empty() -> None:
    times = np.concatenate([np.arange(2000) / 100, 1000 + np.arange(10)])
    where, *_rest = binned(times, np.ones(2010), 0.0, 1010.0)
    assert len(where) < 40 and not ((where > 25) & (where < 995)).any()


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 1), (0.384, 0.5), (0.5, 0.5), (0.021, 0.025), (3, 5), (8, 10), (1, 1)]
)
def test_the_upper_edge_is_a_round_number(largest: float, top: float) -> None:
    assert nice_top(largest) == pytest.approx(top)


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 1e5), st.floats(0.2, 1e6))
def test_times_on_the_axis_are_round_and_few(start: float, length: float) -> None:
    marks = nice_times(start, start + length)
    slack = 1e-8 * length
    assert 1 <= len(marks) <= 8 and all(start - slack <= mark <= start + length + slack for mark in marks)


def test_one_frame_is_enough(tmp_path: Path) -> None:
    page = _page(written(tmp_path, "t.html", [shot(0)]))
    assert "1 frame, 0:00.0" in page.text and page.pictures
