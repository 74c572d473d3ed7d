"""Names in a terminal: shown as they are, whatever rich would make of them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from seg_viewer.core import console as core_console
from tests.trainer.conftest import LIGHT, write_rgb
from trainer.cli import main
from trainer.console import progress_bar
from trainer.recipe import Recipe

from ..models import color_model

NAMES = ("[/x]", "[red]x", ":car:", "<b>x")


class Terminal(Console):
    """A console on a terminal, whose text can be read afterwards."""

    def __init__(self, **options: object) -> None:
        options.pop("stderr", None)
        super().__init__(file=io.StringIO(), force_terminal=True, width=200, **options)  # type: ignore[arg-type]
        opened.append(self)


opened: list[Terminal] = []


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the commands wrote to terminals so far."""
    opened.clear()
    monkeypatch.setattr(core_console, "Console", Terminal)
    return lambda: "".join(one.file.getvalue() for one in opened)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_a_bar_shows_its_name_as_it_is(name: str, shown: Callable[[], str]) -> None:
    with progress_bar(core_console.plain_console(stderr=True)) as bar:
        bar.add_task(name, total=2)
        bar.refresh()
    assert name in shown()


def test_data_sets_are_scanned_trained_on_and_scored_under_their_names(
    data: Path, recipe: Recipe, tmp_path: Path, shown: Callable[[], str]
) -> None:
    names = [name.replace("/", "") for name in NAMES]
    sources = tuple(dataclasses.replace(recipe.data[0], name=name) for name in names)
    file = tmp_path / "recipe.toml"
    file.write_text(recipe.change(**LIGHT, data=sources, epochs=1).to_toml(), encoding="utf-8")
    run = tmp_path / "run :car: [b]"
    result = CliRunner().invoke(main, ["train", str(file), "--run", str(run)])
    assert result.exit_code == 0, result.output
    assert f"run folder: {run}\n" in shown() and f"model: {run / 'model.keras'}" in shown()
    assert [name for name in names if shown().count(f"{name}: 8 training") != 1] == []
    trained = len(shown())
    result = CliRunner().invoke(main, ["evaluate", str(run), "--recipe", str(file)])
    assert result.exit_code == 0, result.output
    assert [name for name in names if name not in shown()[trained:]] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_model_predicts_under_its_name(name: str, tmp_path: Path, shown: Callable[[], str]) -> None:
    model = color_model(tmp_path / "model.onnx", name=name)
    picture = tmp_path / "in" / "a.png"
    write_rgb(picture, np.zeros((48, 64, 3), np.uint8))
    result = CliRunner().invoke(main, ["predict", str(model), str(picture), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert name in shown()


def test_the_recipe_of_a_start_is_told_by_its_name(
    recipe: Recipe, tmp_path: Path, shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tmp_path / "[red] :car:.toml"
    before.write_text(recipe.change(**LIGHT, epochs=1).to_toml(), encoding="utf-8")
    file = tmp_path / "recipe.toml"
    file.write_text(recipe.change(**LIGHT, epochs=1, start=before.name).to_toml(), encoding="utf-8")
    result = CliRunner().invoke(main, ["train", str(file), "--run", "run", "--stop-at", "1"])
    assert "first the recipe of its start, [red] :car:.toml: run-start" in shown(), result.output


def test_a_table_is_not_written_into_the_line_of_the_bar(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output and standard error are the same terminal: the bar is gone when the table comes."""
    import trainer.commands.evaluate as command

    model = color_model(tmp_path / "model.onnx")
    screen: list[str] = []
    stop, echo = command.progress_bar, command.click.echo
    live: list[object] = []

    def watched(console: Console) -> object:
        bar = stop(console)
        live.append(bar)
        return bar

    def watched_echo(text: str, **more: object) -> None:
        screen.append(text)
        assert not any(bar.live.is_started for bar in live), f"written while a bar is drawn: {text[:40]}"  # type: ignore[attr-defined]
        echo(text, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(core_console, "Console", Terminal)
    monkeypatch.setattr(command, "progress_bar", watched)
    monkeypatch.setattr(command.click, "echo", watched_echo)
    result = CliRunner().invoke(main, ["evaluate", str(model), "--data", str(data / "camvid")])
    assert result.exit_code == 0, result.output
    assert any("3 pictures" in text for text in screen)
