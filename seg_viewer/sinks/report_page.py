"""The page of a report. All that comes from outside is escaped; a policy in its head forbids whatever is not in it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from seg_viewer.core.labels import Label
from seg_viewer.core.palette import color_text
from seg_viewer.core.printable import printable
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sinks.report_chart import nice_times, nice_top, strip
from seg_viewer.sinks.report_style import CSS
from seg_viewer.sinks.series import Series, spread
from seg_viewer.sinks.thumbnail import time_text
from seg_viewer.sinks.thumbnails import Moment

_MOST_CLASSES = 5  # whose numbers stand on top
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(request: SinkRequest, series: Series, moments: Mapping[str, Sequence[Moment]]) -> str:
    """The whole page.

    Args:
        request: what was asked for.
        series: the numbers of all frames.
        moments: class name → moments with their pictures as JPEG, the largest share first.
    """
    name = _text(request.name or request.path.stem)
    shown = request.style.shown(request.labels)
    frames = "frame" if len(series) == 1 else "frames"
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="soft">What the network sees, {len(series):,} {frames}, {time_text(series.length_s)}</p>',
        _warnings(request.warnings()),
        _numbers(series, shown),
        _timeline(series, shown),
        _peaks(shown, moments),
        _classes(request, series),
        _stages(series),
        _facts(request, series),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{CSS}</style></head>\n'
        f"<body><main>\n{chr(10).join(filter(None, parts))}\n</main></body></html>\n"
    )


def _text(text: str) -> str:
    return escape(printable(text))


def _warnings(warnings: Sequence[str]) -> str:
    lines = "".join(f"<li>{_text(line)}</li>" for line in warnings)
    return f'<div class="warnings"><b>To know</b><ul>{lines}</ul></div>' if lines else ""


def _numbers(series: Series, shown: Sequence[Label]) -> str:
    if not len(series):
        return ""
    cards = [(f"{len(series):,}", "frames"), (time_text(series.length_s), "length")]
    counts, shares = series.counts, series.shares
    for label in sorted(shown, key=lambda label: label.name not in counts)[:_MOST_CLASSES]:
        if label.name in counts:
            cards.append((f"{counts[label.name].max():.0f}", f"most at once: {label.name}"))
        cards.append((_percent(float(shares[label.name].mean())), f"mean share: {label.name}"))
    inside = "".join(f'<div class="number"><b>{value}</b><span>{_text(what)}</span></div>' for value, what in cards)
    return f'<div class="numbers">{inside}</div>'


def _timeline(series: Series, shown: Sequence[Label]) -> str:
    if not len(series) or not shown:
        return ""
    times = series.times_s
    start_s, end_s = float(times[0]), float(times[0]) + max(series.length_s, 1e-3)
    shares, counts = series.shares, series.counts
    rows = []
    seen = [label for label in shown if shares[label.name].any()]
    for label in seen:
        top = nice_top(float(shares[label.name].max()))
        marks = [f"{100 * top:g} %", f"{50 * top:g} %", "0 %"]
        rows.append(_row(label, "", strip(times, shares[label.name], start_s, end_s, top, _css(label)), marks))
    for label in (label for label in seen if label.name in counts):
        top = max(2.0, nice_top(float(counts[label.name].max())))
        picture = strip(times, counts[label.name], start_s, end_s, top, _css(label))
        rows.append(_row(label, ", how many", picture, [f"{top:g}", "0"], low=True))
    axis = f'<div class="row"><div class="blank"></div><div class="axis">{_axis(start_s, end_s)}</div></div>'
    never = ", ".join(label.name for label in shown if label not in seen)
    never = f" Never seen: {_text(never)}." if never else ""
    note = "Share of the picture, then pieces that do not touch. Line: mean; lighter band: least and most, where"
    return (
        f'<h2>Timeline</h2><div class="card">{"".join(rows)}{axis}'
        f'<p class="soft">{note} one point stands for several frames.{never}</p></div>'
    )


def _row(label: Label, more: str, picture: str, marks: Iterable[str], *, low: bool = False) -> str:
    name = f'<div class="name">{_chip(label)}<span>{_text(label.name + more)}</span></div>'
    scale = "".join(f"<span>{mark}</span>" for mark in marks)
    height = " low" if low else ""
    return f'<div class="row{height}">{name}<div>{picture}</div><div class="scale">{scale}</div></div>'


def _axis(start_s: float, end_s: float) -> str:
    marks = []
    times = nice_times(start_s, end_s)
    texts = [time_text(time_s) for time_s in times]
    if all(text.endswith(".0") for text in texts):
        texts = [text.removesuffix(".0") for text in texts]
    for time_s, text in zip(times, texts, strict=True):
        share = (time_s - start_s) / (end_s - start_s)
        place = ' class="first"' if share < 0.04 else ' class="last"' if share > 0.96 else ""
        marks.append(f'<span{place} style="left:{100 * share:.2f}%">{text}</span>')
    return "".join(marks)


def _peaks(shown: Sequence[Label], moments: Mapping[str, Sequence[Moment]]) -> str:
    figures = [_figure(label, moment) for label in shown for moment in moments.get(label.name, ())]
    return f'<h2>Where a class covers most</h2><div class="figures">{"".join(figures)}</div>' if figures else ""


def _figure(label: Label, moment: Moment) -> str:
    data = base64.b64encode(moment.picture).decode("ascii")
    what = f"{_percent(moment.share)} at {time_text(moment.time_s)}"
    count = f", {moment.count} at once" if moment.count else ""
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="{_text(f"{label.name}: {what}")}"><figcaption>'
        f"<b>{_chip(label)}{_text(label.name)}</b> {what}{count}<br>"
        f'<span class="soft">frame {moment.frame:,}</span></figcaption></figure>'
    )


def _classes(request: SinkRequest, series: Series) -> str:
    if not len(series):
        return ""
    heads = ("class", "frames with it", "mean", "least", "median", "95 %", "most", "count")
    counts, shares = series.counts, series.shares
    hidden = {label.name for label in request.labels} - {label.name for label in request.style.shown(request.labels)}
    rows = []
    for label in request.style.colored(request.labels):
        values = spread(shares[label.name], (50, 95))
        cells = [f"{np.count_nonzero(shares[label.name]):,}"]
        cells += [_percent(values[key]) for key in ("mean", "min", "p50", "p95", "max")]
        cells.append(f"{counts[label.name].max():.0f}" if label.name in counts else "–")
        name = _text(label.name) + (' <span class="soft">(not painted)</span>' if label.name in hidden else "")
        rows.append([f"{_chip(label)}{name}", *cells])
    return f'<h2>Classes, share of the picture</h2><div class="card scroll">{_table(heads, rows)}</div>'


def _stages(series: Series) -> str:
    stages = series.stages_ms
    if not stages:
        return ""
    heads = ("stage", "mean", "median", "95 %", "99 %", "most")
    rows = []
    for stage, values in stages.items():
        found = spread(values, (50, 95, 99))
        rows.append([stage, *(f"{found[key]:.2f} ms" for key in ("mean", "p50", "p95", "p99", "max"))])
    return f'<h2>How long a frame took</h2><div class="card scroll">{_table(heads, rows)}</div>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _facts(request: SinkRequest, series: Series) -> str:
    size = f"{request.size.width} × {request.size.height} pixels" if request.size else ""
    rate = f"{request.rate:.4g} frames/s" if request.rate else ""
    length = time_text(request.duration_s) if request.duration_s is not None else time_text(series.length_s)
    facts = {"source": request.name, "picture": size, "rate": rate, "length": length, **request.about}
    inside = "".join(f"<dt>{_text(key)}</dt><dd>{_text(text)}</dd>" for key, text in facts.items() if text)
    return f'<h2>How it was made</h2><div class="card"><dl>{inside}</dl></div>'


def _chip(label: Label) -> str:
    return f'<span class="chip" style="background:{_css(label)}"></span>'


def _css(label: Label) -> str:
    return color_text(label.color)


def _percent(share: float) -> str:
    percent = 100 * share
    if 0 < percent < 0.095:
        return f"{percent:.2g} %"
    return f"{percent:.0f} %" if percent >= 99.95 or percent == 0 else f"{percent:.1f} %"
