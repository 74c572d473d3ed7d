"""Every export is true to its source, and tells what it leaves out: 60 chosen inputs, troubles of the field, chance."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.faithful.cases import case_of, run_case
from tests.faithful.covering import VALUES, pairs_of, possible
from tests.faithful.exports import Outcome, export_by_command, export_here
from tests.faithful.matrix import recipes
from tests.faithful.recipe import AUDIO, CONTAINERS, Recipe
from tests.faithful.troubles import TROUBLES, Trouble

RECIPES = recipes()


def _check(case: Trouble, folder: Path, model: Path, **how: object) -> None:
    report = run_case(case, folder, model, **how)  # type: ignore[arg-type]
    assert not report.faults, "\n".join(
        (case.name, *map(str, report.faults), f"told: {report.outcome.told} {report.outcome.error}")
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_chosen_input(recipe: Recipe, tmp_path: Path, model: Path) -> None:
    _check(case_of(recipe), tmp_path, model)


@pytest.mark.parametrize("case", TROUBLES, ids=lambda case: case.name)
def test_a_trouble_of_the_field(case: Trouble, tmp_path: Path, model: Path) -> None:
    _check(case, tmp_path, model)


@pytest.mark.parametrize("number", [3, 17, 41])
def test_as_typed(number: int, tmp_path: Path, model: Path) -> None:
    _check(case_of(RECIPES[number]), tmp_path, model, export=export_by_command)


@pytest.mark.parametrize("name", ["12:30:00.mp4", "~x.mp4", "udp:x.mp4", "-x.mp4", "a b%03d.mp4", "é" * 125 + "z.mp4"])
def test_any_name(name: str, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In and out have it, as somebody types it who stands in that folder."""
    assert len(name.encode()) <= 255
    monkeypatch.chdir(tmp_path)
    case = case_of(Recipe())

    (tmp_path / "out").mkdir()

    def make(folder: Path) -> Path:
        return case.make(folder).rename(name)

    def export(source: Path, _out: Path, model: Path) -> Outcome:
        return export_here(source, Path("out") / name, model)

    _check(replace(case, make=make), tmp_path, model, export=export)
    assert [path.name for path in (tmp_path / "out").glob("*.mp4")] == [name]


@st.composite
def _recipes(draw: st.DrawFn) -> Recipe:
    container = draw(st.sampled_from(VALUES["container"]))
    _suffix, _muxer, video, audio = CONTAINERS[container]
    sound = draw(st.sampled_from(sorted(audio)))
    rest = {
        name: draw(st.sampled_from(VALUES[name]))
        for name in VALUES
        if name not in ("container", "video", "audio", "layout")
    }
    layout = draw(st.sampled_from(AUDIO[sound][2]))
    return Recipe(container, draw(st.sampled_from(sorted(video))), sound, layout=layout, **rest)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(recipe=_recipes().filter(lambda recipe: not recipe.why_not()))
def test_any_input(recipe: Recipe, model: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _check(case_of(recipe), Path(folder), model)


def test_the_chosen_inputs_cover_what_matters() -> None:
    covered = set().union(*map(pairs_of, RECIPES))
    every = possible()
    assert {(pair,) for pair in ((n, v) for n, values in VALUES.items() for v in values)} <= covered
    assert len(covered & every) >= 0.93 * len(every)
