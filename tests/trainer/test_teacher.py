"""Learning a larger network's answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from seg_viewer.core.errors import UsageError
from tests.trainer.conftest import blocks, painted
from tests.trainer.test_details import FINE
from trainer.recipe import Recipe, read_recipe, shipped_name

pytestmark = pytest.mark.usefixtures("undrawn")

BOTH = dataclasses.replace(FINE, subpixel=True)


def test_soft_cross_entropy_by_hand() -> None:
    from trainer.training.teacher import soft_cross_entropy

    truth, logits = np.log([[[[1.0, 3.0]]]]), np.log([[[[2.0, 2.0]]]])
    assert float(soft_cross_entropy(truth, logits)) == pytest.approx(-(0.25 + 0.75) * np.log(0.5), rel=1e-5)
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert float(soft_cross_entropy(truth, truth)) == pytest.approx(entropy, rel=1e-5), "least where they agree"


@pytest.mark.parametrize("subpixel", [False, True])
def test_a_network_that_answers_as_its_teacher_has_the_least_loss(
    street_recipe: Recipe, street_run: Path, subpixel: bool
) -> None:
    """The teacher itself, as a student, loses no more than the entropy of its answers; another one more."""
    from trainer.network.build import make_model
    from trainer.training import start
    from trainer.training.teacher import Teacher, soft_cross_entropy

    details = BOTH if subpixel else FINE
    recipe = street_recipe.change(teacher=str(street_run), start=str(street_run), subpixel=subpixel)
    teacher = Teacher(recipe, details)
    same, other = make_model(recipe, details, (96, 64)), make_model(recipe, details, (96, 64))
    start.begin_with(same, recipe, details)
    frames = np.stack([painted(blocks(np.random.default_rng(n))) for n in range(2)]).astype(np.float32)
    near = float(teacher.loss(frames, same(frames, training=False)))
    assert near < float(teacher.loss(frames, other(frames, training=False)))
    if not subpixel:
        answers = same(frames, training=False)
        assert near == pytest.approx(float(soft_cross_entropy(answers, answers)), rel=1e-3)


def test_a_run_learns_from_a_teacher_alone(street_recipe: Recipe, street_run: Path, tmp_path: Path) -> None:
    """Masks hardly count here: what it learns comes from the teacher, whose own weights stay as they were."""
    from trainer.training.run import run_training

    before = (street_run / "weights.npz").read_bytes()
    recipe = street_recipe.change(teacher=str(street_run), teacher_share=1000.0, clip_norm=1.0, epochs=4, seed=3)
    state = run_training(recipe, [], tmp_path / "student", Console(quiet=True))
    assert state.history[-1]["val_miou"] > 0.5
    assert (street_run / "weights.npz").read_bytes() == before
    assert read_recipe(str(tmp_path / "student" / "recipe.toml")).loss.teacher == str(street_run)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"details": "", "teacher": "RUN"}, "must be the same"),
        ({"teacher": "EMPTY"}, r"holds no recipe\.toml"),
        ({"teacher": "no-such-recipe"}, "recipe cannot be read"),
        ({"teacher": "RUN", "teacher_share": -1.0}, "at least 0"),
    ],
)
def test_a_teacher_that_cannot_be_is_one_line(
    street_recipe: Recipe, street_run: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    from trainer.training.run import run_training

    (tmp_path / "empty").mkdir()
    names = {"RUN": str(street_run), "EMPTY": str(tmp_path / "empty")}
    changes = {key: names.get(str(value), value) for key, value in changes.items()}
    with pytest.raises(UsageError, match=message):
        run_training(street_recipe.change(**changes), [], tmp_path / "student", Console(quiet=True))


def test_a_teacher_that_is_a_recipe_is_trained_first(
    street_recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.training.run import run_training

    first = tmp_path / "first.toml"
    quick = {"epochs": 1, "steps_per_epoch": 3, "warmup": 1}
    first.write_text(street_recipe.change(widths=(12, 20), **quick).to_toml())
    recipe = street_recipe.change(teacher=str(first), **quick)
    state = run_training(recipe, [], tmp_path / "student", Console())
    assert state.finished and (tmp_path / "student-teacher" / "weights.npz").is_file()
    assert "its teacher" in capsys.readouterr().out
    again = run_training(recipe, [], tmp_path / "student", Console())
    assert again.updates == state.updates and "its teacher" not in capsys.readouterr().out


def test_recipes_that_differ_in_the_place_of_the_teacher_are_the_same() -> None:
    recipe = read_recipe("driving-fast")
    assert shipped_name(recipe.change(teacher="elsewhere")) == "driving-fast"
