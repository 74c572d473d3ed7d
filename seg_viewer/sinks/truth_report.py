"""Scores against the ground truth as one HTML page."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import cv2
import numpy as np

from seg_viewer.core.counted import counted
from seg_viewer.core.frame import ByteArray, Shot, Size
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.overlay import ERROR_COLOR
from seg_viewer.core.page import chip, escaped, facts, jpeg, numbers, scrolling, table, warnings, whole_page
from seg_viewer.core.palette import color_text
from seg_viewer.core.scores import Scores, confusion_matrix, truth_for, wrong_pixels
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sinks.report_chart import strip
from seg_viewer.sinks.thumbnail import encoded, fitted, time_text
from seg_viewer.sinks.thumbnails import Moment, TopMoments
from seg_viewer.sinks.whole import FileSink

_MOST_PICTURES = 6
_APART_S = 5.0
_THUMBNAIL = Size(480, 360)
_LINE = "#3a7bd5"


class TruthReport(FileSink):
    """IoU, precision and recall of each class, what is taken for what, mIoU over the time, the worst pictures.

    Shots without their truth are not counted; without a single one that has it the page says so.

    Args:
        request: of which `path`, `labels`, `name` and `about` count.

    Raises:
        ExportError: it cannot be made.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        self._labels = request.labels
        self._matrix = np.zeros((len(request.labels), len(request.labels)), np.int64)
        self._times, self._miou, self._scored_at = array("d"), array("f"), array("d")
        self._worst = self._no_moments()

    def _no_moments(self) -> TopMoments:
        return TopMoments("wrong", _MOST_PICTURES, _APART_S, self._draw, self._share_wrong)

    def _add(self, shot: Shot) -> None:
        if shot.frame.truth is None:
            return
        height, width = shot.classes.shape
        truth = truth_for(shot.frame.truth, self._labels, width, height)
        matrix = confusion_matrix(truth, shot.classes, len(self._labels))
        self._matrix += matrix
        self._times.append(shot.frame.time_s)
        of_this = Scores(1, matrix, self._labels)
        if of_this.iou:
            self._scored_at.append(shot.frame.time_s)
            self._miou.append(of_this.miou)
        self._worst.add(shot)

    def _share_wrong(self, shot: Shot) -> tuple[float, None]:
        return float(np.mean(self._wrong_of(shot))), None

    def _wrong_of(self, shot: Shot) -> ByteArray:
        height, width = shot.classes.shape
        assert shot.frame.truth is not None
        return wrong_pixels(shot.classes, truth_for(shot.frame.truth, self._labels, width, height)).view(np.uint8)

    def _draw(self, shot: Shot) -> bytes:
        picture = shot.frame.picture
        size = fitted(Size(picture.width, picture.height), self.request.sample_aspect, _THUMBNAIL)
        rgb = picture.scaled_rgb(size.width, size.height)
        wrong = cv2.resize(self._wrong_of(shot), (size.width, size.height), interpolation=cv2.INTER_NEAREST)
        rgb[wrong != 0] = ERROR_COLOR
        return encoded(rgb, ".jpg")

    def _complete(self) -> None:
        scores = Scores(len(self._times), self._matrix, self._labels)
        frames = counted(len(self._times), "frame", form=",")
        parts = [
            f"<h1>{escaped(self.request.name or self.path.stem)}</h1>",
            f'<p class="soft">Class maps against their ground truth, {frames}</p>',
            warnings([*self.request.warnings(), *([] if self._times else ["No frame brought its ground truth."])]),
            _numbers(scores, self._times),
            self._timeline(),
            _classes(scores, self._labels),
            _taken_for(scores, self._labels),
            _figures(self._worst.finish()),
            f'<h2>How it was made</h2><div class="card">{facts(self._facts())}</div>',
        ]
        self.part.write_text(whole_page(self.request.name or self.path.stem, parts), encoding="utf-8")

    def _facts(self) -> list[tuple[str, str]]:
        counted = "the frames that were shown; of a live source that is not every one"
        return [("source", self.request.name), *self.request.about.items(), ("counted", counted)]

    def _timeline(self) -> str:
        if len(self._miou) < 2:
            return ""
        times, values = np.array(self._scored_at, np.float64), np.array(self._miou, np.float64)
        start_s, end_s = float(times.min()), float(times.max())
        if end_s <= start_s:
            return ""
        picture = strip(times, values, start_s, end_s, 1.0, _LINE)
        scale = "".join(f"<span>{mark}</span>" for mark in ("100 %", "50 %", "0 %"))
        ends = f'<span class="first" style="left:0">{time_text(start_s)}</span>'
        ends += f'<span class="last" style="left:100%">{time_text(end_s)}</span>'
        return (
            '<h2>Mean IoU over the time</h2><div class="card"><div class="row"><div class="name">mean IoU</div>'
            f'<div>{picture}</div><div class="scale">{scale}</div></div>'
            f'<div class="row"><div class="blank"></div><div class="axis">{ends}</div></div></div>'
        )

    def _drop(self) -> None:
        self._worst = self._no_moments()


def _numbers(scores: Scores, times: Sequence[float]) -> str:
    if not scores.pictures:
        return ""
    cards = [(_percent(scores.miou), "mean IoU"), (_percent(scores.accuracy), "pixels right")]
    cards += [(_percent(value), f"IoU: {name}") for name, value in scores.iou.items()]
    return numbers([*cards, (f"{scores.pictures:,}", "frames"), (time_text(times[-1] - times[0]), "length")])


def _classes(scores: Scores, labels: LabelSet) -> str:
    if not scores.iou:
        return ""
    share = scores.matrix.sum(1) / max(1, scores.matrix.sum())
    rows = []
    for label in labels:
        cells = [_percent(float(share[label.id]))]
        for values in (scores.iou, scores.precision, scores.recall, scores.dice):
            cells.append(_percent(values[label.name]) if label.name in values else "–")
        rows.append([f"{chip(label)}{escaped(label.name)}", *cells])
    heads = ("class", "share of the truth", "IoU", "precision", "recall", "Dice")
    return f"<h2>Classes</h2>{scrolling('Classes', table(heads, rows))}"


def _taken_for(scores: Scores, labels: LabelSet) -> str:
    if not scores.iou:
        return ""
    totals = scores.matrix.sum(1)
    rows = [
        [f"{chip(label)}{escaped(label.name)}"]
        + [_percent(scores.matrix[label.id, other.id] / totals[label.id]) for other in labels]
        for label in labels
        if totals[label.id]
    ]
    heads = ["truth", *(escaped(label.name) for label in labels)]
    note = "Of the pixels that are of a class in truth: how many the model takes for which"
    return f"<h2>What is taken for what</h2>{scrolling('Confusion matrix', table(heads, rows, note))}"


def _figures(moments: Sequence[Moment]) -> str:
    inside = ""
    for moment in moments:
        what = f"{_percent(moment.share)} wrong at {time_text(moment.time_s)}"
        inside += (
            f"<figure>{jpeg(moment.picture, what)}<figcaption>{what}<br>"
            f'<span class="soft">frame {moment.frame:,}</span></figcaption></figure>'
        )
    color = f'<span class="chip" style="background:{color_text(ERROR_COLOR)}"></span>'
    note = f'<p class="soft">{color} What differs from the truth.</p>'
    return f'<h2>The worst pictures</h2>{note}<div class="figures">{inside}</div>' if inside else ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
