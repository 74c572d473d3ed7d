"""The notebooks of docs/notebooks, run cell by cell on small drawn data, and what the page about them says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL.Image import Image

from seg_viewer.core.scores import Scores
from tests.house import ROOT
from trainer.recipe import SHIPPED, Recipe, read_recipe

from .seeds import SEEDS

NOTEBOOKS = ROOT / "docs" / "notebooks"
PAGE = ROOT / "docs" / "from-notebooks.md"
RECIPES = {
    "carla": "carla-notebook", "course": "course-notebook", "carvana": "carvana-script", "pets": "pets-notebook",
    "otsu": "otsu-128",
}  # fmt: skip


def cells(name: str) -> list[dict[str, Any]]:
    found = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    return found["cells"]


def code(name: str) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "code"]


def run_cells(name: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Names and what each cell ends with; the parameters replace those of the cell that is tagged so.

    In this process: a kernel for each notebook would have to import TensorFlow anew.
    """
    names: dict[str, Any] = {}
    shown = []
    for cell in cells(name):
        if cell["cell_type"] != "code":
            continue
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), name, "exec"), names)  # noqa: S102 - our own notebook
        if "parameters" in cell["metadata"].get("tags", []):
            assert set(parameters) <= set(names)
            names |= parameters
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names))  # noqa: S307
    return names, shown


@pytest.mark.parametrize("name", SEEDS)
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    folder = SEEDS[name](tmp_path / "data")
    parameters = {"DATA": str(folder), "SIZE": (32, 32), "EPOCHS": 2, "WIDTH": 4, "DEPTH": 2}
    names, shown = run_cells(name, parameters)
    run, scores, data = names["run"], names["scores"], names["data"]
    assert run.finished and len(run.history) == 2 and run.best_epoch in (1, 2)
    assert run.folder.parent.resolve() == (tmp_path / "runs").resolve() and (run.folder / "report.html").is_file()
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(run.history[-1])
    assert isinstance(scores, Scores) and scores.pictures == len(data.pairs("held-out")) > 0
    pictures = [one for one in shown if isinstance(one, Image)]
    assert len(pictures) == 3  # preview, curves, predictions
    assert all(np.asarray(one).std() > 5 for one in pictures)
    best = max if read_recipe(RECIPES[name]).run.monitor == "miou" else min
    values = [row["val_miou" if best is max else "val_loss"] for row in run.history]
    assert values[run.best_epoch - 1] == best(values)
    if name == "course":
        assert list(names["history"].columns[:2]) == ["step", "learning_rate"] and names["predicted"].shape[1:] == (
            32,
            32,
        )


@pytest.mark.parametrize("name", SEEDS)
def test_the_page_shows_the_lines_of_the_notebook_and_its_command(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index(f"notebooks/{name}.ipynb") :].split("\n## ")[0]
    block = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0]
    lines = [line for line in block.splitlines() if line.strip()]
    assert 5 <= len(lines) <= 12
    known = "\n".join(code(name)).splitlines()
    assert [line for line in lines if line not in known] == []
    assert f"seg-trainer train {RECIPES[name]} " in section
    assert any(f"seg-trainer train {RECIPES[name]} " in "".join(cell["source"]) for cell in cells(name))


def test_notebooks_are_all_here_and_hold_no_outputs() -> None:
    assert {path.stem for path in NOTEBOOKS.iterdir()} == set(SEEDS) == set(RECIPES)
    for name in SEEDS:
        assert all(cell["outputs"] == [] for cell in cells(name) if cell["cell_type"] == "code")


def test_recipes_of_notebooks_are_what_the_page_promises() -> None:
    read: dict[str, Recipe] = {name: read_recipe(recipe) for name, recipe in RECIPES.items()}
    assert all(
        one.data == () and one.model.arch == "unet" and one.optimizer.optimizer == "adam" for one in read.values()
    )
    assert (read["carla"].run.epochs, read["carla"].loss.loss) == (40, "ce")
    assert (read["carvana"].run.epochs, read["carvana"].run.batch_size, read["carvana"].loss.loss) == (50, 16, "bce")
    assert (read["pets"].run.epochs, read["pets"].run.size) == (20, (128, 128))
    otsu = read["otsu"]
    assert (otsu.run.size, otsu.run.early_stopping, otsu.run.monitor, otsu.loss.loss) == ((128, 128), 2, "loss", "bce")
    assert all((SHIPPED / f"{recipe}.toml").is_file() for recipe in RECIPES.values())
