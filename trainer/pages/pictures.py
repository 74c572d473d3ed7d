"""Pictures in a page: what a model answered beside the truth, with links to the files they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import LabelSet
from seg_viewer.core.page import chip, escaped, jpeg
from seg_viewer.core.scores import Scores
from trainer.data.data_set import DataSet
from trainer.drawing.pictures import Rgb, errors, fit, overlay
from trainer.pairs import Pair
from trainer.scoring.evaluate import to_mask_size
from trainer.scoring.worst import Rated

VIEW_WIDTH = 360
DRAWING_WIDTH = 1400
QUALITY = 82


@dataclass(frozen=True)
class Shown:
    """A picture with what was made of it.

    Args:
        name: for people.
        words: its scores.
        pair: the files that are linked.
        views: title → (H, W, 3) uint8 RGB.
    """

    name: str
    words: str
    pair: Pair
    views: Mapping[str, Rgb]


def score_words(scores: Scores) -> str:
    """As "mIoU 45.1: road 90.2, car 0.0"."""
    classes = ", ".join(f"{name} {value * 100:.1f}" for name, value in scores.iou.items())
    return f"mIoU {scores.miou * 100:.1f}: {classes}"


def views(
    picture: Rgb, truth: NDArray[np.uint8], answers: Mapping[str, NDArray[np.uint8]], labels: LabelSet
) -> dict[str, Rgb]:
    """The picture, the truth and each answer laid over it; of a single answer also where it is wrong.

    Args:
        picture: (H, W, 3) uint8 RGB; stretched to the shape of the truth.
        truth: class ids, (h, w) uint8.
        answers: title → class ids, (h, w) uint8.
        labels: the classes.
    """
    size = (VIEW_WIDTH, max(1, round(VIEW_WIDTH * truth.shape[0] / truth.shape[1])))
    small, mask = fit(picture, size), fit(truth, size, nearest=True)
    found = {"picture": small, "truth": overlay(small, mask, labels)}
    for title, answer in answers.items():
        ids = fit(answer, size, nearest=True)
        found[title] = overlay(small, ids, labels)
        if len(answers) == 1:
            found["red: wrong, black: not labelled"] = errors(small, mask, ids)
    return found


def shown_rated(data: DataSet, answers: Mapping[str, Rated], words: str, labels: LabelSet) -> Shown:
    """A picture that was measured, read again. Raises: SourceError."""
    first = next(iter(answers.values()))
    picture, mask = data.read(first.pair)
    maps = {title: to_mask_size(rated.class_map, mask) for title, rated in answers.items()}
    return Shown(first.name, words, first.pair, views(picture, mask, maps, labels))


def figures(found: Sequence[Shown], page: Path, labels: LabelSet) -> str:
    """The legend, then each picture in a figure; links are relative to the page's file."""
    return legend(labels) + "".join(_figure(shown, page) for shown in found) if found else ""


def _figure(shown: Shown, page: Path) -> str:
    parts = "".join(
        f"<div><span>{escaped(title)}</span>{jpeg(encoded(view), f'{shown.name}: {title}')}</div>"
        for title, view in shown.views.items()
    )
    links = "".join(
        f'<a href="{link_to(file, page)}">{what}</a>'
        for what, file in (("open the picture", shown.pair.picture), ("open its mask", shown.pair.mask))
    )
    return (
        f'<figure class="shown"><div class="views">{parts}</div><figcaption><b>{escaped(shown.name)}</b>'
        f' {escaped(shown.words)}<br><span class="links">{links}</span></figcaption></figure>'
    )


def legend(labels: LabelSet) -> str:
    """The classes that are painted, with their colours."""
    names = "".join(f"<span>{chip(label)}{escaped(label.name)}</span>" for label in labels if label.painted)
    return f'<div class="legend">{names}</div>'


def link_to(file: Path, page: Path) -> str:
    """An address of a file for a page beside it, also on another disk; nothing in it means anything to HTML."""
    try:
        return quote(os.fsencode(os.path.relpath(file, page.resolve().parent).replace(os.sep, "/")))
    except ValueError:  # another disk of Windows
        return file.resolve().as_uri()


def encoded(picture: Rgb, most: int = VIEW_WIDTH) -> bytes:
    """As JPEG, at most so wide."""
    height, width = picture.shape[:2]
    if width > most:
        picture = fit(picture, (most, max(1, round(height * most / width))))
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def drawing(title: str, picture: Rgb) -> str:
    """A picture that was drawn of many, with a heading."""
    inside = jpeg(encoded(picture, DRAWING_WIDTH), title)
    return f'<h2>{escaped(title)}</h2><figure class="drawing">{inside}</figure>'
