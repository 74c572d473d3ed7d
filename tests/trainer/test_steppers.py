"""What a step does, under TensorFlow and under JAX: the same."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.trainer import steps
from trainer.training.echo import IGNORE_ID, draw

BACKENDS = ("tensorflow", pytest.param("jax", marks=pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed")))  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By backend, what `tests.trainer.steps` gives."""
    teacher = steps.make_teacher(tmp_path_factory.mktemp("teacher"))
    out: dict[str, Any] = {"tensorflow": {**steps.taken(), "teacher": steps.teacher_loss(teacher)}}
    if importlib.util.find_spec("jax") is not None:
        file = tmp_path_factory.mktemp("jax") / "found.npz"
        line = [sys.executable, "-m", "tests.trainer.steps", str(file), str(teacher)]
        done = subprocess.run(
            line, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, encoding="utf-8", timeout=300
        )
        assert done.returncode == 0, done.stderr
        with np.load(file) as kept:
            out["jax"] = {name: kept[name] for name in kept.files}
    return out


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_that_is_not_finite_changes_nothing(found: dict[str, Any], backend: str) -> None:
    got = found[backend]
    assert len(got["kept"]) > 10 and all(got["kept"])
    fine = got["rows"][:, 3]
    assert list(np.flatnonzero(fine == 0)) == [steps.BROKEN] and np.isnan(got["rows"][steps.BROKEN, 0])
    assert np.isfinite(got["rows"][steps.BROKEN + 1 :, 0]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_average_on_the_device_is_that_of_the_host(found: dict[str, Any], backend: str) -> None:
    got = found[backend]
    names = [name for name in got if name.startswith("average")]
    assert len(names) > 10
    for name in names:
        np.testing.assert_allclose(got[name], got[name.replace("average", "by hand")], rtol=1e-5, atol=1e-6)


def test_backends_take_the_same_steps(found: dict[str, Any]) -> None:
    if "jax" not in found:
        pytest.skip("JAX is not installed")
    one, two = found["tensorflow"], found["jax"]
    sound = np.flatnonzero(one["rows"][:, 3])
    np.testing.assert_allclose(one["rows"][sound, 0], two["rows"][sound, 0], rtol=1e-3)
    assert np.array_equal(one["rows"][:, 2], two["rows"][:, 2]), "counted pixels"
    names = [name for name in one if name.startswith(("weight", "average"))]
    for name in names:
        np.testing.assert_allclose(one[name], two[name], rtol=2e-2, atol=2e-3, err_msg=name)
    assert one["teacher"] == pytest.approx(float(two["teacher"]), rel=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_echo_is_what_was_drawn(found: dict[str, Any], backend: str) -> None:
    """Against the same arithmetic in NumPy, pixel by pixel."""
    got = found[backend]
    pictures, masks = steps.batch(0)
    draws = draw(np.random.default_rng((steps.RECIPE.run.seed, 1, 3, 0)), steps.RECIPE, 2)
    strip = np.random.default_rng(0).standard_normal((32 * 32, 3)).reshape(32, 32, 3)
    for n in range(2):
        y = pictures[n][draws.rows[n]][:, draws.columns[n]] / 255.0
        gamma, contrast, brightness = draws.tone[n]
        y = ((np.maximum(y, 1e-6) ** gamma - 0.5) * contrast + 0.5 + brightness) * draws.cast[n] * 255.0
        y = y + draws.sigma[n] * strip[draws.noise_rows[n]][:, draws.noise_columns[n]]
        far = np.abs(got["echo pictures"][n] - np.clip(y, 0, 255))
        assert far.max() < 0.51
        inside = (draws.mask_rows[n] >= 0)[:, None] & (draws.mask_columns[n] >= 0)
        expected = np.where(inside, masks[n][draws.mask_rows[n]][:, draws.mask_columns[n]], IGNORE_ID)
        assert np.array_equal(got["echo masks"][n], expected)
