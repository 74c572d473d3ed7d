"""`seg-trainer compare`: two runs side by side."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import DRIVING
from tests.html_page import check_alone
from tests.trainer.conftest import LIGHT, blocks, painted, write_rgb
from trainer.cli import main
from trainer.data.data_set import DataSet
from trainer.labels.named import read_label_map
from trainer.network.keras_file import load_keras, save_keras
from trainer.pairs import Pair
from trainer.recipe import SECTIONS, Recipe, Source, read_recipe
from trainer.scoring.compare import common_sets, difference_text, differences
from trainer.training.run import run_training

FIELDS = [(section, f.name) for section, kind in SECTIONS.items() for f in dataclasses.fields(kind)]


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["compare", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of two steps, and one of another learning rate whose last layer says "road" more often."""
    base = tmp_path_factory.mktemp("compare")
    rng = np.random.default_rng(2)
    for number in range(8):
        mask = blocks(rng, 32, 32)
        write_rgb(base / "own" / "images" / f"{number}.png", painted(mask))
        write_rgb(base / "own" / "masks" / f"{number}.png", mask)
    recipe = Recipe((Source("folder", str(base / "own"), split={"by": "blocks", "held_out": 0.5}),)).change(
        **LIGHT, labels="driving", batch_size=2, epochs=1, steps_per_epoch=2, precision="float32"
    )
    one, other = base / "runs" / "<one>", base / "runs" / "other"
    run_training(recipe, [], one, Console(quiet=True))
    shutil.copytree(one, other)
    (other / "recipe.toml").write_text(
        read_recipe(str(one / "recipe.toml")).change(learning_rate=0.25).to_toml(), encoding="utf-8"
    )
    model, labels = load_keras(other / "model.keras")
    weights = model.get_weights()
    weights[-1] = weights[-1] + np.array([0, 5, 0, 0], np.float32)
    model.set_weights(weights)
    save_keras(other / "model.keras", model, labels)
    return one, other


def test_the_report_of_a_run_is_one_file(runs: tuple[Path, Path], tmp_path: Path) -> None:
    made = runs[0] / "report.html"
    page = check_alone(made.read_text(encoding="utf-8"))
    for words in ("<one>", "Scores", "Confusion matrix", "Training", "Worst pictures", "Best pictures", "The network",
                  "What augmentation does", "held-out pictures in sequence", "1 of 1", "recipe.toml"):  # fmt: skip
        assert words in page.text, words
    assert len(page.pictures) == 2 * 4 * 4 + 4  # the worst and the best of four, and four drawings
    assert (runs[0] / "report" / "worst.png").is_file()  # TensorBoard has it too


def test_two_runs_side_by_side(runs: tuple[Path, Path], tmp_path: Path) -> None:
    made = tmp_path / "both.html"
    result = compare(*runs, "-o", made)
    assert result.exit_code == 0, result.output
    assert re.search(r"^  recipe +<one> +other\n  learning_rate +0\.001 +0\.25\nfolder: 4 pictures", result.output)
    told = {}
    for name, run in zip(("one", "other"), runs, strict=True):
        file = tmp_path / f"{name}.json"
        line = ["evaluate", str(run), "--recipe", str(run / "recipe.toml"), "--json", str(file)]
        assert CliRunner().invoke(main, line).exit_code == 0
        told[name] = json.loads(file.read_text(encoding="utf-8"))["folder"]
    page = check_alone(made.read_text(encoding="utf-8"))
    assert ["learning_rate", "0.001", "0.25"] in page.rows
    for label, iou in told["one"]["iou"].items():
        values = [f"{iou * 100:.2f}", f"{told['other']['iou'][label] * 100:.2f}"]
        row = next(row for row in page.rows if row[0] == label and len(row) == 10)
        assert [abs(float(cell) - float(value)) < 0.011 for cell, value in zip(row[1:3], values, strict=True)]
        assert re.search(rf"{label} +{row[1]} +{row[2]} ", result.output)
    assert told["one"]["matrix"] != told["other"]["matrix"]
    apart = re.findall(r"^ +([\d.]+) +([\d.]+) +([+-][\d.]+)  folder: (images/\d\.png)$", result.output, re.MULTILINE)
    assert apart and len(page.pictures) == 4 * len(apart)
    changes = [abs(float(change)) for *_, change, _ in apart]
    assert changes == sorted(changes, reverse=True)
    assert [float(one[2]) for one in apart] == pytest.approx([float(b) - float(a) for a, b, *_ in apart], abs=0.11)
    assert f"{apart[0][0]} and {apart[0][1]} ({apart[0][2]})" in page.text


def test_what_one_of_them_trained_on_is_left_out(runs: tuple[Path, Path], tmp_path: Path) -> None:
    one, other = runs
    moved = tmp_path / "moved"
    shutil.copytree(other, moved)
    recipe = read_recipe(str(other / "recipe.toml"))
    split = {"by": "blocks", "held_out": 0.25}
    source = dataclasses.replace(recipe.data[0], split=split)
    (moved / "recipe.toml").write_text(recipe.change(data=(source,)).to_toml(), encoding="utf-8")
    result = compare(one, moved)
    assert result.exit_code == 0, result.output
    assert "folder: 2 of 4 held-out pictures left out, moved trained on them" in result.output
    assert "folder: 2 pictures, IoU" in result.output and "data own: split" in result.output
    (moved / "recipe.toml").write_text(
        recipe.change(data=(dataclasses.replace(source, path=str(tmp_path / "gone")),)).to_toml(), encoding="utf-8"
    )
    result = compare(one, moved)
    assert result.exit_code == 0 and "moved: what it trained on is not there to compare with" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{one}", "{one}"), "is the same model twice"),
        (("{one}", "{tmp}/gone"), "is no run folder; files are compared by: seg-trainer evaluate MODEL --against"),
        (("{one}", "{tmp}"), "holds no recipe.toml"),
        (("{one}", "{other}", "-o", "{tmp}/there.html"), "exists already"),
        (("{one}", "{other}", "--split", "random"), "a split is said of --data"),
        (("{one}", "{other}", "--clip", "{tmp}/gone.mp4"), "no such file"),
    ],
)
def test_bad_input_is_one_clear_line(
    runs: tuple[Path, Path], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "there.html").write_text("mine")
    places = {"one": runs[0], "other": runs[1], "tmp": tmp_path}
    result = compare(*(text.format(**places) for text in arguments))
    assert result.exit_code == 2 and message in result.output and len(result.output.strip().splitlines()) == 1
    assert (tmp_path / "there.html").read_text() == "mine"


def _other(value: object) -> object:
    """Another value of the same kind, whatever it means."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, value[-1] if value else 3)
    return f"{value}x" if isinstance(value, str) else value + 1  # type: ignore[operator]


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_every_value_of_a_recipe_is_compared(section: str, name: str) -> None:
    one = Recipe((Source("auto", "d"),))
    part = getattr(one, section)
    other = dataclasses.replace(one, **{section: dataclasses.replace(part, **{name: _other(getattr(part, name))})})
    found = differences(one, other)
    assert [each[0] for each in found] == [name] and found[0][1] != found[0][2] and all(found[0])
    assert differences(other, other) == [] and difference_text([], "ab") == ["the recipes are the same"]


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Source) if f.name not in ("name", "path")])
def test_everything_said_of_a_data_set_is_compared(name: str) -> None:
    source = Source("auto", "data/x")
    value = {"by": "random", "seed": 4} if name == "split" else _other(getattr(source, name))
    changed = dataclasses.replace(source, **{name: value})
    assert [each[0] for each in differences(Recipe((source,)), Recipe((changed,)))] == [f"data x: {name}"]
    more = differences(Recipe((source,)), Recipe((source, Source("auto", "y", 0.5), source)))
    assert more == [("data y", "–", "y, weight 0.5"), ("data x 2", "–", "data/x")]


def _set(name: str, train: str, held_out: str) -> tuple[Source, DataSet]:
    pairs = [tuple(Pair(Path(f"{c}.png"), Path(f"{c}m.png")) for c in part) for part in (train, held_out)]
    return Source("folder", name), DataSet(name, *pairs, read_label_map("driving"))


def test_pictures_are_scored_once_and_only_where_nobody_learned_them() -> None:
    one, other = [_set("a", "12", "345")], [_set("a", "3", "45"), _set("b", "", "67")]
    common = common_sets([one, other], None, ("x", "y"), DRIVING)
    assert [(data.name, "".join(p.picture.stem for p in data.held_out)) for data in common.sets] == [
        ("a", "45"), ("b", "67"),
    ]  # fmt: skip
    assert common.notes == ["a: 1 of 3 held-out pictures left out, y trained on them"]
    assert [source.path for source in common.sources] == ["a", "b"]
    again = common_sets([one, [_set("a", "", "9")]], None, ("x", "y"))
    assert [data.name for data in again.sets] == ["a", "a 2"]
    with pytest.raises(SourceError, match=r"no held-out picture .* 3 of 3 held-out .* give others with --data"):
        common_sets([one, [_set("c", "345", "")]], None, ("x", "y"))
