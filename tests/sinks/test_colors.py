"""Every output that shows the colour of a class shows that of the style; ids stay what they are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import color_text
from seg_viewer.sinks import sink_kinds
from tests.sinks.shots import CAR, PERSON, PICTURE, ROAD, shot, written

STYLE = OverlayStyle(1.0, palette="okabe-ito", colors={"car": (250, 10, 200)})
COLORS = {ROAD: (240, 228, 66), CAR: (250, 10, 200), PERSON: (213, 94, 0)}
MASKS = {class_id: np.full((32, 64), class_id, np.uint8) for class_id in COLORS}


def _decoded(path: Path, format: str = "rgb24") -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=format) for frame in container.decode(video=0)]


def _of_video(path: Path) -> dict[int, tuple[int, ...]]:
    return dict(zip(COLORS, (tuple(picture[32, -10][:3]) for picture in _decoded(path)), strict=True))


def _of_overlay(path: Path) -> dict[int, tuple[int, ...]]:
    return dict(zip(COLORS, (tuple(picture[32, 60][:3]) for picture in _decoded(path, "rgba")), strict=True))


def _of_masks(path: Path) -> dict[int, tuple[int, ...]]:
    with (path / "frames.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    pictures = [cv2.imread(str(path / name))[5, 5, ::-1] for name in names]
    labels = json.loads((path / "labels.json").read_text(encoding="utf-8"))
    assert {item["id"]: tuple(item["color"]) for item in labels if item["painted"]} == COLORS
    toml = (path / "labels.toml").read_text(encoding="utf-8")
    assert f"car = {list(COLORS[CAR])}" in toml.replace('"', "")
    return {class_id: tuple(map(int, color)) for class_id, color in zip(COLORS, pictures, strict=True)}


def _of_coco(path: Path) -> dict[int, tuple[int, ...]]:
    categories = json.loads(path.read_text(encoding="utf-8"))["categories"]
    return {item["id"] - 1: tuple(item["color"]) for item in categories}


def _of_summary(path: Path) -> dict[int, tuple[int, ...]]:
    classes = json.loads(path.read_text(encoding="utf-8"))["classes"]
    return {item["id"]: tuple(item["color"]) for item in classes if item["id"] in COLORS}


def _of_report(path: Path) -> dict[int, tuple[int, ...]]:
    text = path.read_text(encoding="utf-8")
    for label in DRIVING:
        assert not label.painted or color_text(label.color) not in text  # nowhere the model's own
    return {class_id: color for class_id, color in COLORS.items() if f"background:{color_text(color)}" in text}


def _of_sheet(path: Path) -> dict[int, tuple[int, ...]]:
    sheet = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    found = {tuple(color) for color in np.unique(sheet.reshape(-1, 3), axis=0).tolist()}
    return {class_id: color for class_id, color in COLORS.items() if color in found}


SHOWS: dict[str, tuple[str, Callable[[Path], dict[int, tuple[int, ...]]]]] = {
    "video": ("t.mp4", _of_video),
    "side by side": ("t.side.mp4", _of_video),
    "mask video": ("t.mask.mp4", _of_video),
    "overlay video": ("t.overlay.mov", _of_overlay),
    "masks": ("masks/", _of_masks),
    "COCO": ("t.coco.json", _of_coco),
    "summary": ("t.json", _of_summary),
    "report": ("t.html", _of_report),
    "contact sheet": ("t.sheet.png", _of_sheet),
}
WITHOUT = {"id video", "YOLO", "table", "zone"}  # ids and names only


def test_each_kind_of_output_is_thought_of() -> None:
    assert SHOWS.keys() | WITHOUT == sink_kinds().keys()


@pytest.mark.parametrize("kind", SHOWS)
def test_an_output_shows_the_colours_of_the_style(tmp_path: Path, kind: str) -> None:
    name, read = SHOWS[kind]
    shots = [shot(index, classes) for index, classes in enumerate(MASKS.values())]
    found = read(written(tmp_path, name, shots, style=STYLE))
    assert found.keys() == COLORS.keys()
    for class_id, color in COLORS.items():
        assert np.abs(np.subtract(found[class_id], color).astype(int)).max() <= 14, (class_id, found)


def test_the_numbers_in_masks_stay_what_they_are(tmp_path: Path) -> None:
    plain, styled = (
        written(tmp_path, f"{name}/", [shot(0)], style=style)
        for name, style in (("plain", OverlayStyle()), ("styled", STYLE))
    )
    ids = [_decoded(next(folder.glob("*.png")), "pal8")[0] for folder in (plain, styled)]
    np.testing.assert_array_equal(ids[0][0], ids[1][0])
    assert ids[0][0].shape == (PICTURE.height, PICTURE.width)
