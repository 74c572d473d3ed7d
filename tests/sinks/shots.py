"""Shots whose class maps are known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import ByteArray, Frame, Shot, Size, YuvPlanes
from seg_viewer.core.labels import DRIVING, LabelSet
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks import sink_for
from seg_viewer.sinks.base import Sink, SinkRequest

ROAD, CAR, PERSON = (DRIVING.names.index(name) for name in ("road", "car", "person"))
MAP = Size(64, 32)
PICTURE = Size(128, 64)
RATE = 25

OUTPUTS = ("masks/", "t.coco.json", "t.yolo/", "t.csv", "t.parquet", "t.json", "t.html", "t.sheet.jpg", "t.sheet.png")
"""A name for each kind of output that is no video."""


class NoPicture:
    """A picture that is not there: whoever looks at it fails."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of a picture was asked for, which would decode it")


class CountedPicture(RgbPicture):
    """Counts how often it is converted."""

    looks = 0

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        CountedPicture.looks += 1
        return super().scaled_rgb(width, height)

    def yuv420(self) -> YuvPlanes:
        CountedPicture.looks += 1
        return super().yuv420()


def street(cars: int = 2, people: int = 1) -> ByteArray:
    """Road below, cars of 6×4 beside each other, people of 2×4, one pixel of car as noise; shape (32, 64)."""
    classes = np.zeros((MAP.height, MAP.width), np.uint8)
    classes[20:] = ROAD
    for number in range(cars):
        classes[14:18, 2 + 8 * number : 8 + 8 * number] = CAR
    for number in range(people):
        classes[14:18, 40 + 4 * number : 42 + 4 * number] = PERSON
    classes[2, 60] = CAR
    return classes


def shot(index: int, classes: ByteArray | None = None, *, time_s: float | None = None, **more: Any) -> Shot:
    """A shot; `more` goes to the frame."""
    rgb = np.full((PICTURE.height, PICTURE.width, 3), (40 + index % 200, 90, 120), np.uint8)
    frame = {"picture": CountedPicture(rgb), "pts": 1000 + 40 * index, "duration_s": 1 / RATE} | more
    times = {"decode": 0.001, "convert": 0.002, "inference": 0.01, "latency": 0.013}
    classes = street() if classes is None else classes
    labels = frame.pop("labels", DRIVING)
    made = Frame(index, index / RATE if time_s is None else time_s, **frame)
    return Shot(made, (ClassMap(classes, labels),), times)


def request(path: Path | str, **more: Any) -> SinkRequest:
    """What an export would ask for."""
    facts: dict[str, Any] = {
        "labels": DRIVING,
        "name": "clip.mp4",
        "size": PICTURE,
        "rate": float(RATE),
        "time_base": Fraction(1, 1000),
        "about": {"model": "colors (64×32)", "engine": "OpenVINO"},
    }
    return SinkRequest(Path(path), **(facts | more))


def make(folder: Path, output: str, **more: Any) -> Sink[Shot]:
    """The sink that a name chooses."""
    return sink_for(f"{folder}/{output}").make(request(folder / output, **more))


def written(folder: Path, output: str, shots: Sequence[Shot], **more: Any) -> Path:
    """Write shots; what was made."""
    with make(folder, output, **more) as sink:
        for each in shots:
            sink.write(each)
    return sink.files[0]


def labels_of(*names: str) -> LabelSet:
    """Classes of these names."""
    return LabelSet.from_json(
        [{"id": number, "name": name, "color": [20 * number, 90, 255 - number]} for number, name in enumerate(names)]
    )
