"""The page of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from seg_viewer.core.counted import counted
from seg_viewer.core.labels import Label
from seg_viewer.core.page import chip, escaped, facts, jpeg, numbers, scrolling, table, warnings, whole_page
from seg_viewer.core.palette import color_text
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sinks.report_chart import nice_times, nice_top, strip
from seg_viewer.sinks.series import Series, spread
from seg_viewer.sinks.thumbnail import time_text
from seg_viewer.sinks.thumbnails import Moment

_MOST_CLASSES = 5  # whose numbers stand on top


def page(request: SinkRequest, series: Series, moments: Mapping[str, Sequence[Moment]]) -> str:
    """The whole page.

    Args:
        request: what was asked for.
        series: the numbers of all frames.
        moments: class name → moments with their pictures as JPEG, the largest share first.
    """
    name = request.name or request.path.stem
    shown = request.style.shown(request.labels)
    frames = counted(len(series), "frame", form=",")
    parts = [
        f"<h1>{escaped(name)}</h1>",
        f'<p class="soft">What the network sees, {frames}, {time_text(series.length_s)}</p>',
        warnings(request.warnings()),
        _numbers(series, shown),
        _timeline(series, shown),
        _peaks(shown, moments),
        _classes(request, series),
        _stages(series),
        _facts(request, series),
    ]
    return whole_page(name, parts)


def _numbers(series: Series, shown: Sequence[Label]) -> str:
    if not len(series):
        return ""
    cards = [(f"{len(series):,}", "frames"), (time_text(series.length_s), "length")]
    counts, shares = series.counts, series.shares
    for label in sorted(shown, key=lambda label: label.name not in counts)[:_MOST_CLASSES]:
        if label.name in counts:
            cards.append((f"{counts[label.name].max():.0f}", f"most at once: {label.name}"))
        cards.append((_percent(float(shares[label.name].mean())), f"mean share: {label.name}"))
    return numbers(cards)


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
    never = f" Never seen: {escaped(never)}." if never else ""
    note = "Share of the picture, then pieces that do not touch. Line: mean; lighter band: least and most, where"
    return (
        f'<h2>Timeline</h2><div class="card">{"".join(rows)}{axis}'
        f'<p class="soft">{note} one point stands for several frames.{never}</p></div>'
    )


def _row(label: Label, more: str, picture: str, marks: Iterable[str], *, low: bool = False) -> str:
    name = f'<div class="name">{chip(label)}<span>{escaped(label.name + more)}</span></div>'
    scale = "".join(f"<span>{mark}</span>" for mark in marks)
    height = " low" if low else ""
    return f'<div class="row{height}">{name}<div>{picture}</div><div class="scale">{scale}</div></div>'


def _axis(start_s: float, end_s: float) -> str:
    marks = []
    times = nice_times(start_s, end_s)
    texts = [time_text(time_s) for time_s in times]
    if all(text.endswith(".0") for text in texts):
        texts = [text.removesuffix(".0") for text in texts]
    for time_s, shown in zip(times, texts, strict=True):
        share = (time_s - start_s) / (end_s - start_s)
        place = ' class="first"' if share < 0.04 else ' class="last"' if share > 0.96 else ""
        marks.append(f'<span{place} style="left:{100 * share:.2f}%">{shown}</span>')
    return "".join(marks)


def _peaks(shown: Sequence[Label], moments: Mapping[str, Sequence[Moment]]) -> str:
    figures = [_figure(label, moment) for label in shown for moment in moments.get(label.name, ())]
    return f'<h2>Where a class covers most</h2><div class="figures">{"".join(figures)}</div>' if figures else ""


def _figure(label: Label, moment: Moment) -> str:
    what = f"{_percent(moment.share)} at {time_text(moment.time_s)}"
    count = f", {moment.count} at once" if moment.count else ""
    return (
        f"<figure>{jpeg(moment.picture, f'{label.name}: {what}')}<figcaption>"
        f"<b>{chip(label)}{escaped(label.name)}</b> {what}{count}<br>"
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
        name = escaped(label.name) + (' <span class="soft">(not painted)</span>' if label.name in hidden else "")
        rows.append([f"{chip(label)}{name}", *cells])
    return f"<h2>Classes, share of the picture</h2>{scrolling('Classes', table(heads, rows))}"


def _stages(series: Series) -> str:
    stages = series.stages_ms
    if not stages:
        return ""
    heads = ("stage", "mean", "median", "95 %", "99 %", "most")
    rows = []
    for stage, values in stages.items():
        found = spread(values, (50, 95, 99))
        rows.append([stage, *(f"{found[key]:.2f} ms" for key in ("mean", "p50", "p95", "p99", "max"))])
    return f"<h2>How long a frame took</h2>{scrolling('Times', table(heads, rows))}"


def _facts(request: SinkRequest, series: Series) -> str:
    size = f"{request.size.width} × {request.size.height} pixels" if request.size else ""
    rate = f"{request.rate:.4g} frames/s" if request.rate else ""
    length = time_text(request.duration_s) if request.duration_s is not None else time_text(series.length_s)
    about = {"source": request.name, "picture": size, "rate": rate, "length": length, **request.about}
    return f'<h2>How it was made</h2><div class="card">{facts(about.items())}</div>'


def _css(label: Label) -> str:
    return color_text(label.color)


def _percent(share: float) -> str:
    percent = 100 * share
    if 0 < percent < 0.095:
        return f"{percent:.2g} %"
    return f"{percent:.0f} %" if percent >= 99.95 or percent == 0 else f"{percent:.1f} %"
