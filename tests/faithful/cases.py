"""An input, its export and what came of it: one case of the table, of the tests and of the fuzzer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faithful.compare import Fault, faults
from tests.faithful.exports import Outcome, export_here
from tests.faithful.inputs import make
from tests.faithful.measure import Measure, Unmeasurable, measure
from tests.faithful.recipe import Recipe
from tests.faithful.troubles import Trouble

Export = Callable[[Path, Path, Path], Outcome]


@dataclass(frozen=True)
class Report:
    """What one export came to.

    Args:
        name: of the case.
        outcome: of the export.
        source, result: what both hold, or None where there is nothing.
        faults: what is wrong; empty where all is right.
    """

    name: str
    outcome: Outcome
    source: Measure | None
    result: Measure | None
    faults: tuple[Fault, ...]


def case_of(recipe: Recipe) -> Trouble:
    """A sound input is a case without trouble."""
    return Trouble(recipe.name, lambda folder: make(recipe, folder / "in"))


def run_case(case: Trouble, folder: Path, model: Path, *, export: Export = export_here, suffix: str = ".mp4") -> Report:
    """Make the input in `folder`, export it there, compare.

    Args:
        case: what is made.
        folder: empty; the caller removes it.
        model: the model file.
        export: how.
        suffix: of the result.
    """
    return judge(case, case.make(folder), folder, model, export=export, suffix=suffix)


def judge(case: Trouble, source: Path, folder: Path, model: Path, *, export: Export = export_here,
          suffix: str = ".mp4") -> Report:  # fmt: skip
    """As `run_case`, with a source that exists; nothing else may be in `folder` afterwards but the result."""
    before = {path.name for path in folder.iterdir()}
    out = folder / f"result{suffix}"
    outcome = export(source, out, model)
    left = left_behind(folder, before, outcome)
    found = [Fault("left behind", ", ".join(left))] if left else []
    if outcome.unexpected:
        found.append(Fault("unexpected", outcome.error))
    if outcome.path is None:
        return Report(case.name, outcome, None, None, (*found, *_refused(case, outcome)))
    if case.refuse:
        return Report(case.name, outcome, None, None, (*found, Fault("not refused", "; ".join(outcome.told))))
    return _measured(case, source, outcome, found)


def left_behind(folder: Path, before: set[str], outcome: Outcome) -> list[str]:
    """Names in `folder` that an export may not leave: anything but results, manifests, and parts that it told of."""
    names = {path.name for path in folder.iterdir()} - before
    if outcome.path is not None:
        names -= {name for name in names if name.startswith(f"{outcome.path.stem}.")}
    elif "--resume" in outcome.error:
        names -= {name for name in names if name.endswith(".parts")}
    return sorted(names)


def _refused(case: Trouble, outcome: Outcome) -> list[Fault]:
    if outcome.unexpected:
        return []
    if not case.refuse and not case.may_refuse:
        return [Fault("failed", outcome.error)]
    if not re.search(case.refuse, outcome.error, re.IGNORECASE):
        return [Fault("refused in other words", outcome.error)]
    return [] if outcome.code in (1, 2) else [Fault("exit code", str(outcome.code))]


def _measured(case: Trouble, source: Path, outcome: Outcome, found: Sequence[Fault]) -> Report:
    assert outcome.path is not None
    try:
        result = measure(outcome.path)
    except Unmeasurable as error:
        return Report(case.name, outcome, None, None, (*found, Fault("unplayable", str(error))))
    truth = case.truth(source)
    compared = [] if truth.container == "broken" else faults(truth, result, outcome.told, ours=case.ours)
    words = "\n".join(outcome.told)
    untold = [Fault("not told", what) for what in case.tell if not re.search(what, words, re.IGNORECASE)]
    return Report(case.name, outcome, truth, result, (*found, *compared, *untold))
