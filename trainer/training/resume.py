"""A run that goes on: what has changed since it began, whether there is anything left to do, what its recipe says."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import write_text
from trainer.data import formats
from trainer.recipe import SECTIONS, Recipe, Source, read_recipe
from trainer.run_folder.checkpoint import CHECKPOINT, RECIPE, Checkpoint, load_checkpoint

STEADY = 0.01
"""By how much two learning rates may differ without being told."""

_PLACES = ("start", "teacher")
"""Names that become folders, and that a run which has begun does not need again."""


def _known(run: Path) -> Recipe | None:
    """The recipe of a run folder that has begun."""
    begun = (run / RECIPE).is_file() and (run / CHECKPOINT).is_file()
    return read_recipe(str(run / RECIPE)) if begun else None


def changes(recipe: Recipe, run: Path) -> Iterator[tuple[str, Any, Any]]:
    """(option, value that the run folder's recipe has, value now) of what differs. Raises: UsageError."""
    before = _known(run)
    if before is None:
        return
    for section, kind in SECTIONS.items():
        one, other = getattr(before, section), getattr(recipe, section)
        for f in dataclasses.fields(kind):
            old, new = getattr(one, f.name), getattr(other, f.name)
            if old != new and not (f.name in _PLACES and new):
                yield f.name, old, new
    if not _same_data(before.data, recipe.data):
        yield "data", _said(before.data), _said(recipe.data)


def _same_data(before: tuple[Source, ...], now: tuple[Source, ...]) -> bool:
    """Whether two mixes are the same, wherever their folders lie now; a format may be recognised or written."""

    def bare(source: Source) -> Source:
        return dataclasses.replace(source, kind="", path=Path(source.path).name, optional=False)

    kinds = [({one.kind, other.kind} - {formats.AUTO}) for one, other in zip(before, now, strict=False)]
    return list(map(bare, before)) == list(map(bare, now)) and all(len(kind) < 2 for kind in kinds)


def _said(data: tuple[Source, ...]) -> str:
    return ", ".join(source.name or Path(source.path).name for source in data)


def goes_on(recipe: Recipe, run: Path, checkpoint: Checkpoint) -> bool:
    """Whether a run that has finished is to train on: there is more time or epochs, and what ended it has changed."""
    before = _known(run)
    if not checkpoint.finished or before is None or not _has_left(recipe, checkpoint):
        return False
    ended_early = _has_left(before, checkpoint)
    return not ended_early or not _ends_again(recipe, checkpoint)


def _has_left(recipe: Recipe, checkpoint: Checkpoint) -> bool:
    """Whether minutes, or epochs in a run without, are left."""
    if recipe.run.minutes:
        return checkpoint.seconds < recipe.run.minutes * 60
    return checkpoint.epoch < recipe.run.epochs


def _ends_again(recipe: Recipe, checkpoint: Checkpoint) -> bool:
    """Whether early stopping would end it after another epoch that is no better."""
    patience = recipe.run.early_stopping
    return 0 < patience <= checkpoint.waited


def refuse_in_vain(recipe: Recipe, run: Path) -> None:
    """Raises: UsageError when a run has finished, and what is asked for now would change nothing."""
    checkpoint = load_checkpoint(run)
    if checkpoint is None or not checkpoint.finished or goes_on(recipe, run, checkpoint):
        return
    changed = [name for name, _, _ in changes(recipe, run) if name != "precision"]  # what "auto" came to elsewhere
    if not changed:
        return
    epochs = len(checkpoint.history)
    if _has_left(recipe, checkpoint) and _ends_again(recipe, checkpoint):
        raise UsageError(
            f"{run}: stopped early at epoch {epochs}, {checkpoint.waited} epochs without a better one, and would again:"
            f" give --early-stopping 0, or more than {checkpoint.waited}, to go on"
        )
    more = f"--minutes above {checkpoint.seconds / 60:.3g}" if recipe.run.minutes else f"--epochs above {epochs}"
    raise UsageError(
        f"{run}: finished at epoch {epochs}, where another value of {', '.join(changed)} changes nothing: give"
        f" {more} to go on, or another --run folder to begin anew"
    )


def rate_jump(recipe: Recipe, checkpoint: Checkpoint, now: float) -> str:
    """What is said of a learning rate that is another than it was going to be; "" where it goes on steadily.

    Args:
        recipe: of the run from here on.
        checkpoint: where it goes on.
        now: learning rate of the next step.
    """
    was, steady = checkpoint.rate, STEADY
    if was is None and checkpoint.history:  # a checkpoint from before it was kept: that of the last epoch's end
        was, steady = checkpoint.history[-1]["learning_rate"], 0.5
    if not was or math.isclose(was, now, rel_tol=steady):
        return ""
    options = recipe.optimizer
    text = f"learning rate: {now:.3g} from here on, where it would have been {was:.3g}"
    same = (options.resume_rate or options.learning_rate) * was / now
    return f"{text}; --resume-rate {same:.2g} goes on without this jump" if 0 < same < 10 else text


def keep_recipe(recipe: Recipe, run: Path, checkpoint: Checkpoint) -> None:
    """Write the recipe of a run folder; what was otherwise in earlier steps stays in it, as comments.

    Args:
        recipe: of the steps to come.
        run: the folder.
        checkpoint: where it goes on.

    Raises:
        ExportError: the folder cannot be written to.
    """
    lines: list[str] = []
    if (run / RECIPE).is_file() and checkpoint.updates:
        old = (run / RECIPE).read_text(encoding="utf-8").splitlines()
        lines = [line for line in old if line.startswith("# until step ")]
        lines += [
            f"# until step {checkpoint.updates}: {name} was {_one_line(was)}" for name, was, _ in changes(recipe, run)
        ]
    write_text(run / RECIPE, "".join(f"{line}\n" for line in lines) + recipe.to_toml())


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())
