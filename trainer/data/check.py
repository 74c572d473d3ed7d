"""`check`: scans of data sets, shown to people: lines, contact sheet, class shares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path
from rich.console import Console

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError
from seg_viewer.core.part_file import write_text
from trainer.console import progress_bar
from trainer.data.data_set import DataSet
from trainer.data.scan import Scan, scan
from trainer.data.sent import Doubt, doubts_csv, doubts_text, read_doubt
from trainer.drawing import charts
from trainer.drawing.legend import Legend
from trainer.drawing.pictures import Rgb, fit, overlay, sheet, tiles, write_png
from trainer.labels.meaning import meaning

SHOWN_PROBLEMS = 10
SHOWN_DOUBTS = 10
SHEET = 24
CELL_WIDTH = 240


def cache_folder() -> Path:
    """Where scans are kept."""
    return user_cache_path("seg-viewer") / "scans"


def scan_all(sets: Sequence[DataSet], console: Console) -> list[Scan]:
    """Scan every data set, with a progress bar in a terminal; unchanged ones come from the cache."""
    found = []
    with progress_bar(console) as bar:
        for data in sets:
            task = bar.add_task(data.name, total=len(data.train) + len(data.held_out))
            advance = lambda done, all_, task=task: bar.update(task, completed=done, total=all_)  # noqa: E731
            found.append(scan(data, advance, cache_folder()))
    return found


def describe(data: DataSet, found: Scan) -> list[str]:
    """What a scan found, as lines."""
    held = len(data.held_out)
    sizes, counts = np.unique(found.sizes[found.sizes[:, 0] > 0], axis=0, return_counts=True)
    shown = [
        f"{w}x{h} ({n})" for (w, h), n in sorted(zip(sizes.tolist(), counts.tolist(), strict=True), key=lambda x: -x[1])
    ]
    more = f" and {len(shown) - 4} other sizes" if len(shown) > 4 else ""
    lines = [
        f"{data.name}: {found.train} training and {counted(held, 'held-out picture')}; "
        + "\n  ".join(describe_labels(data)),
        f"  sizes: {', '.join(shown[:4])}{more}",
        "  shares of the training pixels: "
        + ", ".join(f"{label.name} {found.shares[label.id] * 100:.2f} %" for label in data.labels),
    ]
    train = found.counts[: found.train]
    ignored = train[:, -1].sum() / max(1, train.sum())
    if ignored:
        lines.append(f"  ignored: {ignored * 100:.1f} % of the pixels")
    lines += [f"  note: {line}" for line in found.warnings()]
    lines += [f"  damaged: {line}" for line in found.problems[:SHOWN_PROBLEMS]]
    if len(found.problems) > SHOWN_PROBLEMS:
        lines.append(f"  damaged: {len(found.problems) - SHOWN_PROBLEMS} more")
    return lines


def describe_labels(data: DataSet) -> list[str]:
    """What the masks of a data set are taken for: its label map, and each class with the values it comes of."""
    lines = [f"labels '{data.label_map.name}': {data.label_map.title}", f"classes: {meaning(data.label_map)}"]
    if data.details:
        lines.append(f"learned underneath ('{data.details.name}'): {meaning(data.details)}")
    return lines


def describe_doubts(found: Sequence[Doubt]) -> list[str]:
    """What to correct first, as lines."""
    damaged = [doubt.problem for doubt in found if doubt.problem]
    lines = doubts_text(found, SHOWN_DOUBTS) + [f"  damaged: {line}" for line in damaged[:SHOWN_PROBLEMS]]
    return lines + ([f"  damaged: {len(damaged) - SHOWN_PROBLEMS} more"] if len(damaged) > SHOWN_PROBLEMS else [])


def write_doubts(data: DataSet, found: Sequence[Doubt], folder: Path) -> list[Path]:
    """What to correct first: the whole list, and a sheet of the first ones. Raises: ExportError, SourceError."""
    if not found:
        return []
    listed = folder / f"{data.name}_correct_first.csv"
    write_text(listed, doubts_csv(found))
    rows: list[list[Rgb]] = []
    captions: list[str] = []
    for doubt in [doubt for doubt in found if doubt.unsure is not None][:SHOWN_DOUBTS]:
        picture, mask = data.read(doubt.pair)
        size = (CELL_WIDTH, max(1, round(CELL_WIDTH * mask.shape[0] / mask.shape[1])))
        light = np.asarray(read_doubt(doubt.margin) * 255, np.uint8)
        small = fit(picture, rows[0][0].shape[1::-1] if rows else size)
        size = small.shape[1::-1]
        answer = overlay(small, fit(mask, size, nearest=True), data.labels, 0.55)
        rows.append([small, answer, np.repeat(fit(light, size)[:, :, None], 3, axis=2)])
        captions.append(f"unsure {(doubt.unsure or 0) * 100:.1f} %   {doubt.pair.picture.name}")
    legend = Legend(data.labels, painted=True)
    heads = ("picture", "the model's answer", "light: unsure")
    return [listed, *([write_png(listed.with_suffix(".png"), tiles(rows, captions, legend, heads))] if rows else [])]


def refuse_damaged(scans: Sequence[Scan], doubts: Sequence[Doubt] = ()) -> None:
    """Raises: SourceError when a pair of any data set is damaged; the text names the first and says how many."""
    problems = [line for found in scans for line in found.problems]
    problems += [doubt.problem for doubt in doubts if doubt.problem]
    if problems:
        more = f" (and {len(problems) - 1} more: 'seg-trainer check' lists them)" if len(problems) > 1 else ""
        raise SourceError(problems[0] + more)


def write_pictures(data: DataSet, found: Scan, folder: Path) -> list[Path]:
    """Contact sheet and chart of class shares of one data set. Raises: ExportError, SourceError."""
    held = found.counts[found.train :, :-1].sum(0)
    parts = {"training": found.shares}
    if held.sum():
        parts["held out"] = held / held.sum()
    written = [charts.shares(data.labels, parts, folder / f"{data.name}_shares.png")]
    pairs = [*data.train, *data.held_out]
    good = [index for index in range(len(pairs)) if found.sizes[index, 0] > 0]
    if good:
        written.append(write_png(folder / f"{data.name}_sheet.png", contact_sheet(data, good)))
    return written


def contact_sheet(data: DataSet, numbers: Sequence[int], most: int = SHEET) -> Rgb:
    """Pictures, evenly spread, with their masks laid over them, under a legend; a caption under each.

    Args:
        data: training pairs are counted first, then held-out ones.
        numbers: of the pairs to choose from; at least one.
        most: how many are shown.

    Raises:
        SourceError: a file is damaged.
    """
    pairs = [*data.train, *data.held_out]
    cells, names = [], []
    for index in numbers[:: max(1, len(numbers) // most)][:most]:
        picture, mask = data.read(pairs[index])
        height = round(CELL_WIDTH * 0.75)
        small = fit(picture, (CELL_WIDTH, height))
        cells.append(overlay(small, fit(mask, (CELL_WIDTH, height), nearest=True), data.labels, 0.55))
        names.append(("" if index < len(data.train) else "held out: ") + pairs[index].picture.name)
    return sheet(cells, names, 6, Legend(data.labels, painted=True))
