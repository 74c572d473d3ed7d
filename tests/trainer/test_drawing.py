"""Grids of pictures: captions in any script, a legend on every one of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from seg_viewer.core.labels import IGNORE_ID, Label, LabelSet
from trainer.drawing import words
from trainer.drawing.legend import BACK, IGNORED, INK, WRONG, Legend
from trainer.drawing.pictures import beside, caption, sheet, tiles
from trainer.scoring.grids import Sample, predicted_grid, predicted_row, random_run, sample_grid, sequence_view

LABELS = LabelSet(
    [
        Label(0, "background", (0, 0, 0), painted=False),
        Label(1, "дорога", (0, 190, 90)),
        Label(2, "car", (30, 110, 255)),
    ]
)


@pytest.fixture
def own_fonts(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The fonts of a machine that has only those in the list; what was found before is forgotten, and afterwards."""
    fonts: list[Path] = []
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [str(path) for path in fonts])

    def forget() -> None:
        words._of_machine.cache_clear()
        words._font_with.cache_clear()
        words._letters.cache_clear()
        words._found.clear()
        words._missing.clear()

    forget()
    yield fonts
    forget()


def font_with(path: Path, letters: str) -> Path:
    """A font whose letters are squares."""
    pen = TTGlyphPen(None)
    for at, move in (((0, 0), pen.moveTo), ((0, 800), pen.lineTo), ((900, 800), pen.lineTo), ((900, 0), pen.lineTo)):
        move(at)
    pen.closePath()
    square, names = pen.glyph(), [f"g{ord(letter)}" for letter in letters]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names, strict=True)})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph()} | dict.fromkeys(names, square))
    builder.setupHorizontalMetrics({name: (1000, 0) for name in [".notdef", *names]})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


def ink(strip: np.ndarray) -> int:
    return int((strip.max(2) > 120).sum())


@pytest.mark.parametrize(
    "text", ["street.png", "Straße – Łódź", "улица", "οδός", "צילום", "شارع", "հրապարակ", "e\u0301te\u0301"], ids=ascii
)
def test_scripts_of_the_font_that_comes_along_are_written_as_letters(text: str, own_fonts: list[Path]) -> None:
    assert own_fonts == []  # nothing but what matplotlib brings
    assert "".join(part for _, part in words._pieces(text)) == text
    assert {font for font, _ in words._pieces(text)} == {words._first()}
    assert words._first().startswith(matplotlib.get_data_path())
    assert ink(caption(text, 200)) > 20


def test_arabic_is_joined_and_runs_to_the_left() -> None:
    pytest.importorskip("PIL.features").check("raqm") or pytest.skip("Pillow without its layout engine")
    joined, apart = (words.width_of(text) for text in ("بيت", "ب\u200cي\u200cت"))
    assert joined < sum(words.width_of(letter) for letter in "بيت") < apart
    # the dot of the last letter's twin stands at the left: the line is not the mirror of the order in memory
    strip = caption("باااا", 60)
    columns = np.flatnonzero((strip.max(2) > 120).any(0))
    below = strip[13:].max(2) > 120  # only ب has its dot below the line
    assert np.flatnonzero(below.any(0)).mean() > columns.mean()


def test_other_letters_come_from_a_font_of_the_machine_or_are_written_as_numbers(
    own_fonts: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    own_fonts += [tmp_path / "broken.ttf", font_with(tmp_path / "some-cjk.ttf", "道路")]
    pieces = words._pieces("a道路b車.png")
    assert [part for _, part in pieces] == ["a", "道路", "b<8ECA>.png"]
    assert [Path(font).name for font, _ in pieces] == ["DejaVuSans.ttf", "some-cjk.ttf", "DejaVuSans.ttf"]
    strip = caption("道路", 60)
    assert ink(strip) > 2 * 60  # two squares, about 9 × 9 each


@pytest.mark.parametrize(
    "text", ["long " * 100, "道" * 100, "e\u0301" * 300, "x"], ids=["words", "cjk", "accents", "x"]
)
@pytest.mark.parametrize("width", [1, 9, 40, 333])
def test_captions_stay_in_their_strip_and_say_when_they_are_cut(text: str, width: int, own_fonts: list[Path]) -> None:
    strip = caption(text, width)
    assert strip.shape == (18, width, 3)
    pieces = words._fitted(text, width - 8)
    shown = "".join(part for _, part in pieces)
    assert shown == text or shown.endswith("…")
    assert words._width(pieces) <= width - 8 or shown == "…"


def test_control_characters_do_not_reach_a_picture() -> None:
    assert np.array_equal(caption("a\nb\x1bc", 90), caption("a b�c", 90))
    assert ink(caption("bad\udcff.png", 90)) > 20  # a name that is no Unicode


def has(grid: np.ndarray, color: tuple[int, int, int], rows: int) -> bool:
    return bool((grid[:rows] == color).all(2).any())


def samples(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        height = 40 + 20 * (number % 2)
        truth = np.ones((height, 60), np.uint8)
        truth[:5] = IGNORE_ID
        picture = rng.integers(0, 90, (height, 60, 3), dtype=np.uint8)
        made.append(Sample(f"{number}.png", picture, truth, np.full_like(truth, 2), 0.5))
    return made


def test_every_grid_has_its_legend() -> None:
    picture, ids = np.full((30, 80, 3), 77, np.uint8), np.ones((30, 80), np.uint8)
    legend = Legend(LABELS, painted=True)
    painted, every = [LABELS[1].color, LABELS[2].color], [label.color for label in LABELS]
    grids = [
        (sheet([picture] * 7, ["a"] * 7, 6, legend), painted),
        (sheet([picture], ["a"], 6, legend), painted),
        (tiles([[picture] * 3], ["a"], legend), painted),
        (beside([picture] * 3, legend)[30:], painted),
        (predicted_grid([predicted_row(picture, ids, LABELS)], ["a"], LABELS), every),
        (sample_grid(samples(2), LABELS), [*every, WRONG, IGNORED]),
        (sequence_view(samples(3), LABELS), [*every, WRONG, IGNORED]),
    ]
    for grid, colors in grids:
        assert all(has(grid, color, 36) for color in colors)
        assert ink(grid[:18]) > 60
    assert not has(grids[0][0], (0, 0, 0), 18)  # what is not painted has no colour to explain


@pytest.mark.parametrize("width", [30, 100, 500, 3000])
def test_a_legend_has_all_classes_in_any_width(width: int) -> None:
    labels = LabelSet([Label(i, f"class number {i}", (i, 255 - i, 128)) for i in range(40)])
    strip = Legend(labels, more={"wrong": WRONG}).strip(width)
    assert strip.shape[1:] == (width, 3) and strip.shape[0] % 18 == 0
    assert all(has(strip, color, len(strip)) for color in Legend(labels, more={"wrong": WRONG}).colors().values())
    assert (strip[0] == BACK).all() and INK[0] > 200


def test_pictures_of_other_shapes_have_their_room() -> None:
    grid = sample_grid(samples(2), LABELS)  # 40 and 60 pixels high, 60 wide, drawn 240 wide
    assert grid.shape[1] == 4 * 240 + 3 * 4
    assert 160 + 240 < grid.shape[0] < 160 + 240 + 120


@pytest.mark.parametrize(("count", "most"), [(0, 50), (1, 50), (7, 50), (200, 50), (50, 50)])
def test_a_random_run_follows_on_and_begins_anywhere(count: int, most: int) -> None:
    runs = [random_run(count, np.random.default_rng(seed), most) for seed in range(40)]
    assert all(len(run) == min(count, most) == len(set(run)) for run in runs)
    assert all((after - before) % count == 1 % count for run in runs for before, after in itertools.pairwise(run))
    assert len({tuple(run) for run in runs}) > (10 if count > 50 else 0)
