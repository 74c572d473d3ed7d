"""The page about a model, as `evaluate --report` writes it, and what its charts are made of."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clips import make_clip
from tests.html_page import HtmlPage, check_alone
from tests.models import color_model
from tests.trainer.conftest import blocks, evaluate, painted, write_rgb
from trainer.pages.chart import Curve, chart, round_marks, whole_marks
from trainer.pages.measured import history_of
from trainer.pages.parts import curves_part
from trainer.pages.pictures import link_to

NAMES = ["<b>bold</b>", "Straße & Söhne", "日本語 '\"#1%2F?", "عربي\u202egnp"]
"""Of pictures: markup, umlauts, other scripts, what means something in addresses, what turns text around."""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Pictures with names of all kinds; in half of each mask the truth is another class than its colour says."""
    rng = np.random.default_rng(6)
    folder = tmp_path / "own data"
    for name in NAMES:
        mask = blocks(rng)
        picture = painted(mask)
        mask[:, 48:] = (mask[:, 48:] + 1) % 4
        write_rgb(folder / "images" / f"{name.replace('/', '_')}.png", picture)
        write_rgb(folder / "masks" / f"{name.replace('/', '_')}.png", mask)
    (folder / "labels.toml").write_text(
        'target = "driving"\n[values]\nbackground = [0]\nroad = [1]\ncar = [2]\nperson = [3]\n'
    )
    return folder


def _blink(index: int, width: int, height: int) -> np.ndarray:
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[:, :, 0] = 118 + 2 * index
    return picture


def _page(model: Path, own: Path, tmp_path: Path, *more: object) -> tuple[HtmlPage, dict[str, object], Path]:
    made, told = tmp_path / "pages" / "r.html", tmp_path / "s.json"
    made.parent.mkdir()
    line = [model, "--data", own, "--validation-split", "0.9", "--report", made, "--json", told, "--heights", *more]
    result = evaluate(*line)
    assert result.exit_code == 0 and f"report: {made}" in result.output, result.output
    return check_alone(made.read_text(encoding="utf-8")), json.loads(told.read_text(encoding="utf-8")), made


def test_it_says_what_the_table_says(model: Path, own: Path, data: Path, tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "blink.mkv", frames=4, width=96, height=64, picture=_blink, codec="ffv1", pix_fmt="bgr0"
    )
    page, told, _ = _page(model, own, tmp_path, "--data", data / "camvid", "--clip", clip)
    for words in ("colors", "Scores", "By height of objects", "Confusion matrix", "Calm over clips", "Worst pictures"):
        assert words in page.text, words
    assert "mind that before you pass it on" in page.text and "CC BY-NC" in page.text  # of camvid alone
    assert page.text.count("Shows pictures of") == 1
    for name in ("folder", "camvid"):
        one = told[name]
        for label, iou in one["iou"].items():
            values = [iou, one["dice"][label], one["precision"][label], one["recall"][label]]
            rows = [row for row in page.rows if row[0] == label and len(row) == 6]
            assert any(
                all(abs(float(cell) - value * 100) < 0.011 for cell, value in zip(row[1:5], values, strict=True))
                for row in rows
            ), (name, label)
        for label, bins in one["heights"].items():
            shown = "; ".join(
                f"precision {100 * one['precision']:.1f}, recall {100 * one['recall']:.1f}"
                for one in bins
                if one["objects"] and None not in (one["precision"], one["recall"])
            ).split("; ")
            said = next(words for words in page.values("svg", "aria-label") if words.startswith(f"{label}, {name}"))
            assert all(words in said for words in shown), said
        matrix = np.array(one["matrix"])
        for row, label in enumerate(("background", "road", "car", "person")):
            wanted = [f"{value * 100:.1f}" for value in matrix[row] / matrix[row].sum()]
            assert [label, *wanted] in page.rows
    assert ["blink", "4", "100.0", "33.333", "background and person 33.333"] in page.rows
    flicker = next(words for words in page.values("svg", "aria-label") if words.startswith("blink"))
    assert "33.33 per cent on average, at most 100.00" in flicker
    assert told["calm"]["blink"]["over_time"] == [0.0, 1.0, 0.0]


def test_worst_pictures_are_shown_and_their_links_lead_there(model: Path, own: Path, tmp_path: Path) -> None:
    page, told, made = _page(model, own, tmp_path)
    worst = told["folder"]["worst"]
    assert len(worst) == len(NAMES) and len(page.pictures) == 4 * len(worst)
    assert all(picture.shape == (240, 360, 3) for picture in page.pictures)
    links = [link for link in page.values("a", "href") if not link.startswith("#")]
    assert len(links) == 2 * len(worst)
    for place, one in enumerate(worst):
        for link, part in zip(links[2 * place : 2 * place + 2], ("images", "masks"), strict=True):
            assert re.fullmatch(r"[\w./%~-]+", link), link
            there = made.parent / unquote(link)
            assert there.is_file() and there.resolve() == (own / part / Path(one["name"]).name).resolve()
    text = page.text
    assert "<b>bold<_b>" in text and all(name in text for name in NAMES[1:3])
    assert "عربي" in text and "\u202e" not in made.read_text(encoding="utf-8")
    grey = page.pictures[3]  # where it is wrong: the right half, for here the truth was moved on
    red = (grey[:, :, 2].astype(int) - grey[:, :, 1]) > 90
    assert red[:, 200:].mean() > 0.9 and red[:, :160].mean() < 0.02


def test_two_models_make_a_comparison(model: Path, own: Path, tmp_path: Path) -> None:
    other = color_model(tmp_path / "halved.onnx", 20, 14)
    clip = make_clip(tmp_path / "cycle.mkv", frames=3, width=96, height=64)
    page, told, _ = _page(model, own, tmp_path, "--against", other, "--clip", clip)
    one, two = told["folder"], told["against"]["folder"]
    for label in one["iou"]:
        values = [one["iou"][label], two["iou"][label]]
        rows = [row for row in page.rows if row[0] == label and len(row) == 10]
        assert rows and abs(float(rows[0][3]) - (values[1] - values[0]) * 100) < 0.021
    shown = [float(value) for value in re.findall(r"mIoU [\d.]+ and [\d.]+ \(([+-][\d.]+)\)", page.text)]
    assert shown and [abs(value) for value in shown] == sorted(map(abs, shown), reverse=True)
    assert "Where the recipes differ" not in page.text and "Calm over clips" in page.text
    assert len(page.pictures) == 4 * len(shown)  # picture, truth, and what each says


def test_what_exists_stays_and_no_scores_are_no_page_without_words(model: Path, own: Path, tmp_path: Path) -> None:
    made = tmp_path / "r.html"
    made.write_text("mine")
    line = [model, "--data", own, "--validation-split", "0.5", "--report", made]
    again = evaluate(*line)
    assert again.exit_code == 2 and "exists already" in again.output and made.read_text() == "mine"
    assert evaluate(*line, "--overwrite").exit_code == 0 and made.read_text(encoding="utf-8") != "mine"
    gone = evaluate(*line[:-1], made / "r.html")
    assert gone.exit_code == 1 and "folder cannot be made" in gone.output
    clip = make_clip(tmp_path / "cycle.mkv", frames=2, width=96, height=64)
    alone = evaluate(model, "--clip", clip, "--report", tmp_path / "c.html")
    assert alone.exit_code == 0, alone.output
    page = check_alone((tmp_path / "c.html").read_text(encoding="utf-8"))
    assert "there are no scores" in page.text and "cycle" in page.text


def _places(drawn: str) -> list[tuple[float, float]]:
    paths = re.findall(r'class="curve s\d" d="(M[^"]+)"', drawn.partition("</figcaption>")[2])
    return [(float(x), float(y)) for path in paths for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(0, 1e4)), min_size=1, max_size=40).filter(
            lambda ys: any(y is not None for y in ys)
        ),
        min_size=1,
        max_size=2,
    )
)
def test_every_point_lies_within_the_scales(values: list[list[float | None]]) -> None:
    curves = [Curve(f"<{number}>", list(enumerate(ys))) for number, ys in enumerate(values)]
    known = [y for ys in values for y in ys if y is not None]
    up = round_marks(known)
    assert up[0][0] <= min(known) and up[-1][0] >= max(known) and up == sorted(up) and len(up) <= 7
    drawn = chart("<t>", curves, whole_marks(0, max(1, max(map(len, values)) - 1)), up, "says")
    HtmlPage(drawn)
    places = _places(drawn)
    assert len(places) == len(known) and "<t>" not in drawn and "<0>" not in drawn
    assert all(-0.06 <= x <= 1000.06 and -0.06 <= y <= 100.06 for x, y in places)


@given(st.integers(0, 2000), st.integers(1, 100_000))
def test_whole_marks_are_few_and_begin_and_end_where_the_curve_does(first: int, length: int) -> None:
    marks = [int(x) for x, _ in whole_marks(first, first + length)]
    assert marks[0] == first and marks[-1] == first + length and len(marks) <= 8
    assert marks == sorted(set(marks)) and all(words == str(int(x)) for x, words in whole_marks(first, first + length))


def test_curves_of_a_run_that_has_gaps(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss,val_miou\n1,2.5,,0.1\n2,nan,2,0.2\n3,1.5,1,0.25\n")
    rows = history_of(tmp_path)
    assert len(rows) == 3 and math.isnan(rows[1]["loss"]) and "val_loss" not in rows[0]
    page = HtmlPage(curves_part({"run": rows}))
    said = page.values("svg", "aria-label")
    assert said[0] == "Loss, by epoch: at the end training 1.5, held out 1" and len([s for s in said if s]) == 2
    assert "Mean IoU, 25.0 % at the end" in page.text
    two = HtmlPage(curves_part({"a": rows, "b": rows}, same_loss=False))
    assert "Loss" not in two.text and "Mean IoU" in two.text
    assert history_of(tmp_path / "gone") == [] and curves_part({"run": []}) == ""
    (tmp_path / "history.csv").write_bytes(b"\xff\xfe\x00")
    assert history_of(tmp_path) == []


def test_links_are_relative_and_stay_so_on_whatever_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "a" / "r.html"
    assert link_to(tmp_path / "b" / "x y.png", page) == "../b/x%20y.png"
    assert link_to(tmp_path / "a" / "javascript:x.png", page) == "javascript%3Ax.png"
