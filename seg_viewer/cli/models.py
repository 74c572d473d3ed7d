"""What `seg-viewer models` and `seg-viewer doctor` print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL, shipped_models
from seg_viewer.core.console import plain_console
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.measures import Measures
from seg_viewer.core.model_file import ModelSpec, read_model_file

_USES = {FAST_MODEL: "for processors", FINE_MODEL: "for GPUs and exports"}


@click.command()
def models() -> None:
    """List the models that ship: input, precision, classes, scores, also by height, flicker, where from."""
    console = plain_console()
    files = shipped_models()
    if not files:
        raise SegViewerError("no model came with this installation; install seg-viewer again")
    for number, file in enumerate(files):
        if number:
            console.print()
        print_model(console, read_model_file(file), file.stat().st_size)


def print_model(console: Console, spec: ModelSpec, size: int) -> None:
    """All that a model file says of itself.

    Args:
        console: where to.
        spec: of the file.
        size: of the file, bytes.
    """
    use = f"  {_USES[spec.name]}" if spec.name in _USES else ""
    about = f"  {spec.width}×{spec.height}  {spec.precision}  {size / 1e6:.1f} MB  {spec.producer}{use}"
    console.print(Text.assemble((spec.name, "bold"), about))
    for label in spec.labels:
        red, green, blue = label.color
        swatch = ("■", f"rgb({red},{green},{blue})") if label.painted else "·"
        console.print(Text.assemble("  ", swatch, f" {label.id} {label.name}"))
    console.print(_scores(spec) if spec.metrics else "  no held-out scores in the file")
    for table in (*_heights(spec.measures or {}), *_flicker(spec.measures or {})):
        console.print(table)
    for line in provenance_lines(spec):
        console.print(f"  {line}")


def _scores(spec: ModelSpec) -> Table:
    table = Table("held-out set", "pictures", "mIoU", *spec.labels.names, title="IoU, %", title_justify="left")
    for name, scores in spec.metrics.items():
        iou = scores.get("iou", {})
        shares = [scores.get("miou"), *(iou.get(label) for label in spec.labels.names)]
        table.add_row(name, str(scores.get("pictures", "–")), *(_percent(share) for share in shares))
    return table


def _heights(measures: Measures) -> list[Table]:
    """A table for each division into bands; one in most files."""
    tables: dict[tuple[str, ...], Table] = {}
    for name, classes in measures.get("heights", {}).items():
        for label, bands in classes.items():
            heads = tuple(_band(band) for band in bands)
            if heads not in tables:
                title = "IoU, % (objects), by the height of objects in % of the picture's"
                tables[heads] = Table("held-out set", "class", *heads, title=title, title_justify="left")
            cells = [f"{_percent(band['iou'])} ({band['objects']})" for band in bands]
            tables[heads].add_row(name, label, *cells)
    return list(tables.values())


def _band(band: Mapping[str, Any]) -> str:
    """ "2–5" of the height in percent, "< 2", "≥ 20"."""
    low = f"{100 * band['from']:.3g}"
    if band["to"] is None:
        return f"≥ {low}"
    high = f"{100 * band['to']:.3g}"
    return f"{low}–{high}" if band["from"] > 0 else f"< {high}"


def _flicker(measures: Measures) -> list[Table]:
    clips = measures.get("calm", {})
    if not clips:
        return []
    title = "Flicker: of the pixels that stand still, how many change their class from frame to frame"
    table = Table("clip", "frames", "still, %", "of these changed, %", title=title, title_justify="left")
    for name, values in clips.items():
        table.add_row(name, str(values["frames"]), _percent(values["still"]), _percent(values["changed"], digits=3))
    return [table]


def _percent(share: Any, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}" if isinstance(share, (int, float)) else "–"


def provenance_lines(spec: ModelSpec) -> list[str]:
    """Where the model is from, a line for each thing that the file says: recipe, steps, data, terms, checks."""
    lines = [f"trained on: {', '.join(spec.trained_on)}"] if spec.trained_on else []
    for key, value in spec.provenance.items():
        lines += _lines(key.replace("_", " "), value)
    return lines


def _lines(key: str, value: Any) -> list[str]:
    """One line for plain values; one for each entry where entries are texts, as terms are."""
    if isinstance(value, Mapping):
        if any(isinstance(part, (str, list, Mapping)) for part in value.values()):
            return [f"{key}:", *(f"  {line}" for name, part in value.items() for line in _lines(str(name), part))]
        return [f"{key}: " + ", ".join(f"{name} {part}" for name, part in value.items())] if value else []
    if isinstance(value, list):
        if any(isinstance(part, Mapping) for part in value):
            return [f"{key}:", *(f"  {line}" for part in value for line in _entry(part))]
        return [f"{key}: {', '.join(map(str, value))}"] if value else []
    return [f"{key}: {value}"]


def _entry(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [", ".join(f"{name} {part}" for name, part in value.items())]
    return [str(value)]
