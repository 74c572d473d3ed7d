"""Steps of a tiny network, the same under every backend: `python -m tests.trainer.steps FILE [TEACHER]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from seg_viewer.core.labels import DRIVING
from tests.trainer.without import leave_out
from trainer.labels.details import Details, details_of, plain
from trainer.labels.named import read_label_map
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import save_weights

BAD = 77
"""A mask with this id makes a loss that is no number."""

STEPS, BROKEN = 9, 5
RECIPE = Recipe(()).change(
    labels="driving", size=(32, 32), batch_size=2, widths=(4, 8), precision="float32", seed=5, zoom=(0.9, 1.1),
    noise=1.0, ema=0.9, learning_rate=1e-2,
)  # fmt: skip


def batch(number: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(number)
    masks = rng.integers(0, 4, (2, 16, 16), np.uint8)
    return rng.integers(0, 256, (2, 32, 32, 3), np.uint8), np.where(rng.random(masks.shape) < 0.1, 255, masks)


def drawn_weights(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.abs(rng.normal(0.0, 0.2, shape)).astype(np.float32) + 0.05 for shape in shapes]


def taken() -> dict[str, Any]:
    """What comes of it, by name."""
    from keras import ops

    from trainer.network.losses import cross_entropy
    from trainer.run_folder.checkpoint import Checkpoint
    from trainer.training.echo import Echo
    from trainer.training.step import make_stepper

    def loss(target: Any, logits: Any) -> Any:
        broken = ops.equal(ops.cast(target, "int32"), BAD)
        known = ops.where(broken, 255, ops.cast(target, "int32"))
        return ops.where(ops.any(broken), np.nan, 1.0) * cross_entropy(known, logits)

    stepper = make_stepper(RECIPE, plain(DRIVING), loss)
    begun = drawn_weights([weight.shape for weight in stepper.weights()])
    stepper.load(Checkpoint(begun, [np.zeros_like(value) for value in begun]))
    out: dict[str, Any] = {}
    average = [np.zeros_like(value) for value in begun]
    for step in range(STEPS):
        pictures, masks = batch(step)
        if step == BROKEN:
            masks[0, 0, 0] = BAD
            before = [*stepper.weights(), *stepper.moved()[0]]
        put = stepper.put(pictures, masks)
        pictures[:], masks[:] = 0, 0  # the feed writes over what it gave
        stepper.step(put, 1e-2)
        if step == BROKEN:
            after = [*stepper.weights(), *stepper.moved()[0]]
            out["kept"] = [np.array_equal(one, two) for one, two in zip(before, after, strict=True)]
        if step % 3 == 2:
            stepper.average_in(0.5)
            average = [0.5 * old + 0.5 * new for old, new in zip(average, stepper.weights(), strict=True)]
    out["rows"] = stepper.read()
    out |= {f"weight{index:03}": value for index, value in enumerate(stepper.weights())}
    out |= {f"average{index:03}": value for index, value in enumerate(stepper.average())}
    out |= {f"by hand{index:03}": value for index, value in enumerate(average)}
    echo = Echo(RECIPE)
    changed = echo(stepper.put(*batch(0)), 1, 3)
    out["echo pictures"], out["echo masks"] = (ops.convert_to_numpy(part) for part in changed)
    return out


TEACHING = RECIPE.change(details="streets", subpixel=True)


def fine(subpixel: bool = False) -> Details:
    """The finer classes of streets, folded into ours."""
    return details_of(DRIVING, read_label_map("streets"), subpixel)


def make_teacher(run: Path) -> Path:
    """A run folder that holds what a teacher needs."""
    from trainer.network.build import make_model

    details = fine(subpixel=True)
    shapes = [weight.shape for weight in make_model(TEACHING, details, TEACHING.crop).weights]
    (run / "recipe.toml").write_text(TEACHING.to_toml(), encoding="utf-8")
    save_weights(run, drawn_weights(shapes), 1)
    return run


def teacher_loss(run: Path) -> float:
    """Of a learner that gives the same logits under every backend."""
    from keras import ops

    from trainer.training.teacher import Teacher

    teacher = Teacher(TEACHING.change(subpixel=False, teacher=str(run)), fine())
    rng = np.random.default_rng(2)
    pictures = rng.integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    logits = rng.normal(0, 1, (2, 16, 16, len(fine()))).astype(np.float32)
    import keras

    if keras.backend.backend() != "jax":
        return float(teacher.loss(pictures, logits))
    import jax

    compiled = jax.jit(lambda values, one, two: teacher.loss(one, ops.convert_to_tensor(two), values))
    return float(compiled(teacher.values(), pictures, logits))


if __name__ == "__main__":
    leave_out("tensorflow")  # Keras would import it, and this process is JAX's
    found = taken()
    if len(sys.argv) > 2:
        found["teacher"] = teacher_loss(Path(sys.argv[2]))
    np.savez(sys.argv[1], **found)
