"""Frames sent from the viewer as a data set: which to correct first, and what counts how much."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.jobs.labelled import save_labelled
from seg_viewer.media.rgb_picture import RgbPicture
from trainer.cli import main
from trainer.data.formats import find
from trainer.data.picture_files import read_raw_mask
from trainer.data.samples import Samples, find_all, passes
from trainer.data.scan import scan
from trainer.pairs import SPLITS, Pair, Split
from trainer.recipe import Recipe, Source

MARGINS = (200, 40, 120, 250)
"""Of frames 0 to 3: how sure the model was of all but the car, where it was half as sure."""

NAMES = [f"drive_abcdef01_{number}.png" for number in range(len(MARGINS))]


def _send(folder: Path, number: int, margin: int | None) -> None:
    picture = np.random.default_rng(number).integers(0, 255, (32, 64, 3), np.uint8)
    ids = np.zeros((16, 32), np.uint8)
    ids[8:], ids[4:8, 20:] = 1, 2
    sure = None if margin is None else np.where(ids == 2, margin // 2, margin).astype(np.uint8)
    frame = Frame(number, number / 10, RgbPicture(picture), pts=number, source="abcdef0123456789")
    save_labelled(Shot(frame, (ClassMap(ids, DRIVING, "hash", sure),)), folder, "drive")


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    for number, margin in enumerate(MARGINS):
        _send(tmp_path / "sent", number, margin)
    return tmp_path / "sent"


def _check(folder: Path, *more: object) -> Result:
    return CliRunner().invoke(main, ["check", str(folder), *map(str, more)])


def _pseudo(folder: Path) -> list[str]:
    data = find("folder", folder, labels="native")
    assert not any(pair.pseudo for pair in data.held_out)
    return [pair.picture.name for pair in data.train if pair.pseudo]


def _correct(mask: Path) -> None:
    ids = read_raw_mask(mask)
    ids[0, 0] = 3
    cv2.imwrite(str(mask), ids)


def test_check_orders_by_doubt_on_the_screen_and_in_a_list(sent: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _check(sent, "-o", out)
    assert result.exit_code == 0, result.output
    shown = [line.split() for line in result.output.splitlines() if line.endswith(".png") and " car " in line]
    assert [words[-1] for words in shown] == [NAMES[number] for number in (1, 2, 0, 3)]
    with (out / "folder_correct_first.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["picture"]).name for row in rows] == [words[-1] for words in shown]
    covered = 4 * 12 / (16 * 32)  # by the car
    for row, number in zip(rows, (1, 2, 0, 3), strict=True):
        margin = MARGINS[number]
        car = 1 - (margin // 2) / 255
        assert float(row["unsure"]) == pytest.approx(covered * car + (1 - covered) * (1 - margin / 255), abs=1e-4)
        assert row["least_sure_of"] == "car" and float(row["unsure_there"]) == pytest.approx(car, abs=1e-4)
        assert Path(row["mask"]).is_file()
    sheet = cv2.imread(str(out / "folder_correct_first.png"))
    assert sheet.shape[1] > 3 * 200 and sheet.shape[0] > 4 * 100


def test_what_was_corrected_or_reviewed_is_off_the_list_and_held_out_like_any_other(sent: Path) -> None:
    _correct(sent / "masks" / NAMES[1])
    (sent / "reviewed.txt").write_text(f"{NAMES[3]}\n\ngone\n", encoding="utf-8")
    assert _pseudo(sent) == [NAMES[0], NAMES[2]]
    assert [pair.picture.name for pair in find("folder", sent, labels="native").held_out] == [NAMES[3]]
    result = _check(sent)
    said = " ".join(result.output.split())
    assert result.exit_code == 0 and "correct first (2 to do)" in said
    assert "2 of 4 masks are a model's own answers" in said
    assert "reviewed.txt names 1 picture not there, e.g. gone" in said


def _as_rgb(mask: Path) -> None:
    Image.open(mask).convert("RGB").save(mask)


def _again(mask: Path) -> None:
    Image.open(mask).save(mask, optimize=True)


def _grey(mask: Path) -> None:
    cv2.imwrite(str(mask), read_raw_mask(mask))


@pytest.mark.parametrize("save", [_again, _as_rgb, _grey, lambda mask: None])
def test_a_mask_saved_in_another_way_is_not_corrected_by_that(sent: Path, save: object) -> None:
    save(sent / "masks" / NAMES[0])  # type: ignore[operator]
    assert _pseudo(sent) == NAMES
    data = find("folder", sent, labels="native")
    assert [np.unique(data.read(pair)[1]).tolist() for pair in data.train] == [[0, 1, 2]] * 4


def test_frames_of_older_versions_say_nothing_of_corrections(sent: Path) -> None:
    (sent / "answers" / NAMES[2]).unlink()
    assert _pseudo(sent) == NAMES
    assert "1 of them have no file in answers/" in " ".join(_check(sent).output.split())
    (sent / "reviewed.txt").write_text(Path(NAMES[2]).stem, encoding="utf-8")
    assert _pseudo(sent) == [NAMES[0], NAMES[1], NAMES[3]]


def test_own_pairs_among_them_and_frames_without_a_margin(sent: Path) -> None:
    _send(sent, 4, None)
    for part in ("images", "masks"):
        (sent / part / "mine.png").write_bytes((sent / part / NAMES[0]).read_bytes())
    assert _pseudo(sent) == [*NAMES, "drive_abcdef01_4.png"]
    last = [line for line in _check(sent).output.splitlines() if line.endswith(".png")][-1]
    assert last.split() == ["–", "–", "drive_abcdef01_4.png"]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no picture"),
                                    lambda path: cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))])  # fmt: skip
def test_a_margin_that_cannot_be_used_is_named(sent: Path, damage: object) -> None:
    path = sent / "margins" / NAMES[1]
    damage(path)  # type: ignore[operator]
    result = _check(sent)
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert f"{path}: " in result.output and result.output.splitlines()[-1].endswith(("remove this file", "mask back"))


def test_a_list_that_is_no_text_is_one_line(sent: Path) -> None:
    (sent / "reviewed.txt").write_bytes(b"\xff\xfe\x00")
    result = _check(sent)
    assert result.exit_code == 1 and len(result.output.strip().splitlines()) == 1
    assert "reviewed.txt: cannot be read as a list of names" in result.output


@given(
    by=st.sampled_from(SPLITS),
    share=st.floats(0, 0.9),
    kinds=st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.booleans()), max_size=20),
)
def test_pseudo_masks_are_never_held_out(by: str, share: float, kinds: list[tuple[bool, str, bool]]) -> None:
    pairs = [
        Pair(Path(f"{number}.png"), Path("m.png"), group, "held-out" if held else "train", pseudo=pseudo)
        for number, (pseudo, group, held) in enumerate(kinds)
    ]
    train, held_out = Split(by, share).divide(pairs)
    assert not any(pair.pseudo for pair in held_out) and {p for p in pairs if p.pseudo} <= set(train)
    others = Split(by, share).divide([pair for pair in pairs if not pair.pseudo])
    assert held_out == others[1] and {pair for pair in train if not pair.pseudo} == set(others[0])


@given(full=st.integers(0, 9), pseudo=st.integers(0, 9), worth=st.floats(0.05, 1), rounds=st.integers(1, 40))
def test_a_pass_holds_what_counts_fully_once_and_the_rest_by_its_worth(
    full: int, pseudo: int, worth: float, rounds: int
) -> None:
    if not full + pseudo:
        return
    values = np.array([1.0] * full + [worth] * pseudo)
    count = rounds * (full + pseudo)
    drawn = passes(np.random.default_rng(3), values, count)
    assert len(drawn) == count
    seen = Counter(drawn.tolist())
    some = [seen[index] for index in range(full)]
    assert not some or max(some) - min(some) <= 1  # the last pass may be cut off
    if worth == 1:
        assert max(seen.values()) - min(seen.values()) <= 1
    elif full and pseudo:
        of_pseudo = sum(seen[index] for index in range(full, full + pseudo))
        assert of_pseudo <= (max(some) + 1) * np.ceil(worth * pseudo)


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [0.5, 1.0]])
def test_many_passes_of_few_pairs_cost_no_more_than_they_are(values: list[float]) -> None:
    # minutes, were each pass to count those before it
    drawn = passes(np.random.default_rng(3), np.array(values), 100_000)
    assert len(drawn) == 100_000 and set(drawn.tolist()) == set(range(len(values)))


def _samples(folder: Path, pseudo: float, **more: object) -> Samples:
    recipe = Recipe((Source("folder", str(folder)),)).change(
        size=(64, 32), widths=(8,), batch_size=1, pseudo=pseudo, **more
    )
    found = find_all(recipe, [])
    return Samples(recipe, found, [scan(data) for _, data in found])


def _drawn(samples: Samples, epochs: int) -> Counter[str]:
    return Counter(
        samples.pair(which).picture.name for epoch in range(epochs) for which in samples.plan(epoch).reshape(-1, 2)
    )


@pytest.mark.parametrize("rare", [(), ("car",)])
def test_training_takes_what_nobody_corrected_less_often(sent: Path, rare: tuple[str, ...]) -> None:
    _correct(sent / "masks" / NAMES[0])
    _correct(sent / "masks" / NAMES[1])
    (sent / "masks" / NAMES[1]).rename(sent / "masks" / "x.png")  # held out is the last one of a person's
    (sent / "images" / NAMES[1]).rename(sent / "images" / "x.png")
    samples = _samples(sent, 0.5, rare=rare, rare_share=0.5 if rare else 0.0)
    assert len(samples) == 3 and samples.steps == 2  # one and two halves
    drawn = _drawn(samples, 200)
    assert sum(drawn.values()) == 400 and "x.png" not in drawn
    assert drawn[NAMES[0]] == 200 if not rare else 170 < drawn[NAMES[0]] < 230
    assert all(70 < drawn[NAMES[number]] < 130 for number in (2, 3))
    assert set(_drawn(_samples(sent, 0.0, rare=rare), 20)) == {NAMES[0]}
    fully = _drawn(_samples(sent, 1.0), 20)
    assert set(fully.values()) == {20} and len(fully) == 3


def test_left_out_altogether_is_told_when_nothing_else_is_there(sent: Path) -> None:
    with pytest.raises(SourceError, match="nobody has corrected a mask yet, and --pseudo 0 leaves"):
        _samples(sent, 0.0)
    result = CliRunner().invoke(main, ["train", "--data", str(sent), "--pseudo", "2"])
    assert result.exit_code == 2 and "pseudo is 2; it must be at least 0 and at most 1" in result.output
