"""What pages about models are made of: tables and charts of scores, heights, flicker, curves, recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seg_viewer.core.labels import LabelSet
from seg_viewer.core.page import chip, escaped, scrolling, table
from seg_viewer.core.scores import Scores
from trainer.pages.chart import Curve, chart, round_marks, share_marks, whole_marks
from trainer.scoring.heights import Bins, bin_name, percent

History = Sequence[Mapping[str, float]]
"""A row for each epoch, as in history.csv."""


def section(title: str, inside: str, anchor: str = "") -> str:
    """A heading and what stands below it; nothing where that is nothing."""
    return f'<h2 id="{anchor}">{escaped(title)}</h2>{inside}' if inside else ""


def class_name(labels: LabelSet, name: str) -> str:
    """A class with its colour, as HTML."""
    return f'<span class="named">{chip(labels.by_name(name))}{escaped(name)}</span>'


def score_table(name: str, scores: Scores) -> str:
    """All scores of one set."""
    shares = scores.matrix.sum(1) / max(1, scores.matrix.sum())
    rows = []
    for label, iou in scores.iou.items():
        values = [iou, scores.dice[label], scores.precision[label], scores.recall[label]]
        values.append(float(shares[scores.labels.by_name(label).id]))
        rows.append([class_name(scores.labels, label), *(f"{value * 100:.2f}" for value in values)])
    rows.append(["mean", f"{scores.miou * 100:.2f}", f"{scores.mdice * 100:.2f}", "", "", ""])
    caption = (
        f"{escaped(name)}: {_pictures(scores)}, pixel accuracy {scores.accuracy * 100:.2f} %,"
        f" {len(scores.iou)} of {len(scores.labels)} classes occur; in per cent"
    )
    heads = ("class", "IoU", "Dice", "precision", "recall", "share of the pixels")
    return scrolling(f"Scores of {name}", table(heads, rows, caption))


def _pictures(scores: Scores) -> str:
    return f"{scores.pictures:,} picture" + ("" if scores.pictures == 1 else "s")


def confusion_table(name: str, scores: Scores) -> str:
    """The confusion matrix, each row in per cent of the truth, the darker the more."""
    totals = scores.matrix.sum(1)
    head = "".join(f'<th scope="col">{escaped(label.name)}</th>' for label in scores.labels)
    body = ""
    for label in scores.labels:
        if not totals[label.id]:
            continue
        cells = "".join(
            f'<td style="--p:{share * 100:.1f}%">{share * 100:.1f}</td>'
            for share in scores.matrix[label.id] / totals[label.id]
        )
        body += f'<tr><th scope="row">{class_name(scores.labels, label.name)}</th>{cells}</tr>'
    inside = (
        f'<table class="heat"><caption><div>{escaped(name)}: of the pixels that are the class on the left, so many per'
        f' cent were taken for the class above</div></caption><thead><tr><th scope="col">truth</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    return scrolling(f"Confusion matrix of {name}", inside)


def heights_part(name: str, heights: Mapping[str, Bins], labels: LabelSet) -> str:
    """Precision and recall of each class by the height of its objects: a chart beside its table."""
    parts = []
    for label, bins in heights.items():
        curves = [Curve(key, [(place, one[key]) for place, one in enumerate(bins)]) for key in ("precision", "recall")]
        drawn = chart(f"{label}, {name}", curves, _bin_marks(bins), share_marks(), _heights_say(bins))
        rows = [
            [
                escaped(bin_name(one)),
                f"{one['objects']:,}",
                *(percent(one[key]) for key in ("precision", "recall", "iou")),
            ]
            for one in bins
        ]
        heads = ("height", "objects", "precision", "recall", "IoU")
        caption = f"{class_name(labels, label)}, by height as a share of the picture's; in per cent"
        parts.append(f'<div class="beside">{drawn}{scrolling(f"{label} by height", table(heads, rows, caption))}</div>')
    return "".join(parts)


def _bin_marks(bins: Bins) -> list[tuple[float, str]]:
    return [(float(place), bin_name(one)) for place, one in enumerate(bins)]


def _heights_say(bins: Bins) -> str:
    return "; ".join(
        f"{bin_name(one)}: precision {percent(one['precision'])}, recall {percent(one['recall'])}"
        for one in bins
        if one["objects"]
    )


def flicker_part(calm: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """How calm class maps are over clips: a table, and for each clip how it goes over its frames.

    Args:
        calm: clip → model → `Flicker.to_json`.
    """
    rows, drawn = [], []
    for clip, by_model in calm.items():
        for model, one in by_model.items():
            shares = {pair.replace("<->", " and "): share for pair, share in one["by_classes"].items()}
            pairs = ", ".join(f"{escaped(pair)} {share * 100:.3f}" for pair, share in shares.items())
            shown = [f"{escaped(clip)}{f' · {escaped(model)}' if len(by_model) > 1 else ''}", f"{one['frames']:,}"]
            rows.append([*shown, percent(one["still"]), _per_thousand(one["changed"]), pairs or "–"])
        curves = [Curve(model, list(enumerate(one["over_time"]))) for model, one in by_model.items()]
        values = [y for curve in curves for _, y in curve.points if y is not None]
        if values:
            last = max(len(curve.points) for curve in curves) - 1
            up = [(y / 100, f"{words} %") for y, words in round_marks([0.0, max(values) * 100 or 1.0])]
            says = f"{np.mean(values) * 100:.2f} per cent on average, at most {max(values) * 100:.2f}"
            title = f"{clip}: still pixels that change class, by pair of frames"
            drawn.append(chart(title, curves, whole_marks(0, max(1, last)), up, says))
    if not rows:
        return ""
    heads = ("clip", "frames", "still", "of these change class", "between")
    caption = (
        "Share of the pixels that stand still from one frame to the next, and of these, the share whose class changes;"
        " in per cent"
    )
    inside = scrolling("Flicker", table(heads, rows, caption))
    return inside + (f'<div class="charts">{"".join(drawn)}</div>' if drawn else "")


def _per_thousand(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.3f}"


_PLOTS = (
    ("Loss", (("loss", "training"), ("val_loss", "held out")), False),
    ("Pixel accuracy", (("accuracy", "training"), ("val_accuracy", "held out")), True),
    ("Mean IoU", (("val_miou", "held out"),), True),
    ("Learning rate", (("learning_rate", "learning rate"),), False),
)


def curves_part(runs: Mapping[str, History], same_loss: bool = True) -> str:
    """Loss, accuracy, mean IoU and learning rate over the epochs of one run; of two, what was held out of each.

    Losses of another kind do not compare: without `same_loss` they are left out.
    """
    drawn = []
    for title, columns, is_share in _PLOTS:
        if title == "Loss" and not same_loss:
            continue
        if len(runs) > 1:
            found = {name: (history, columns[-1][0]) for name, history in runs.items()}
        else:
            found = {name: (history, key) for history in runs.values() for key, name in columns}
        curves = [
            Curve(name, [(row["epoch"], row[key]) for row in history if key in row and np.isfinite(row[key])])
            for name, (history, key) in found.items()
        ]
        curves = [curve for curve in curves if curve.points]
        if not curves:
            continue
        epochs = [int(x) for curve in curves for x, _ in curve.points]
        values = [y for curve in curves for _, y in curve.points if y is not None]
        up = _percent_marks(values) if is_share else round_marks(values)
        ends = ", ".join(f"{curve.name} {_value(curve.points[-1][1], is_share)}" for curve in curves)
        last = _value(curves[0].points[-1][1], is_share)
        heading = f"{title}, {last} at the end" if len(curves) == 1 else f"{title}, by epoch"
        drawn.append(chart(heading, curves, whole_marks(min(epochs), max(epochs)), up, f"at the end {ends}"))
    return f'<div class="charts">{"".join(drawn)}</div>' if drawn else ""


def _percent_marks(values: Sequence[float]) -> list[tuple[float, str]]:
    marks = [(y / 100, f"{words} %") for y, words in round_marks([value * 100 for value in values]) if y <= 100]
    return marks if marks[-1][0] >= max(values) else [*marks, (1.0, "100 %")]


def _value(value: float | None, is_share: bool) -> str:
    return "–" if value is None else f"{value * 100:.1f} %" if is_share else f"{value:.4g}"


def recipe_part(text: str) -> str:
    """The whole recipe, folded away."""
    return f'<details class="card"><summary>recipe.toml</summary><pre>{_lines(text)}</pre></details>' if text else ""


def _lines(text: str) -> str:
    return "\n".join(escaped(line) for line in text.splitlines())


def contents(anchors: Mapping[str, str]) -> str:
    """Links to the sections: anchor → title."""
    links = "".join(f'<a href="#{anchor}">{escaped(title)}</a>' for anchor, title in anchors.items())
    return f'<nav aria-label="Sections">{links}</nav>'
