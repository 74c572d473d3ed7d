"""Masks: every pixel is its class; other programs and the trainer read them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_viewer.core.frame import Size
from seg_viewer.core.labels import DRIVING, LabelSet
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.media.palette_png import PalettePng
from tests.sinks.shots import PICTURE, labels_of, shot, street, written


def _ids(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "P"
        return np.array(picture)


def test_values_are_ids_and_the_palette_is_the_colours(tmp_path: Path) -> None:
    folder = written(tmp_path, "masks/", [shot(0), shot(12, street(cars=0))])
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["frame_000000.png", "frame_000012.png", "frames.csv", "labels.json", "labels.toml"]
    expected = np.repeat(np.repeat(street(), 2, 0), 2, 1)
    np.testing.assert_array_equal(_ids(folder / names[0]), expected)
    colours = cv2.cvtColor(cv2.imread(str(folder / names[0])), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(colours, DRIVING.palette()[expected])
    assert LabelSet.from_json(json.loads((folder / "labels.json").read_text(encoding="utf-8"))) == DRIVING


def test_hidden_classes_are_in_it(tmp_path: Path) -> None:
    style = OverlayStyle(hidden=frozenset({"car", "person"}))
    folder = written(tmp_path, "masks/", [shot(0)], style=style)
    assert set(np.unique(_ids(folder / "frame_000000.png"))) == {0, 1, 2, 3}


def test_the_table_says_when_each_is(tmp_path: Path) -> None:
    folder = written(tmp_path, "masks/", [shot(3), shot(5)])
    with (folder / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"file": "frame_000003.png", "frame": "3", "pts": "1120", "time_s": "0.120000"},
        {"file": "frame_000005.png", "frame": "5", "pts": "1200", "time_s": "0.200000"},
    ]


@pytest.mark.parametrize("name", ["masks/", "t.yolo/"])
def test_numbers_that_repeat_cost_no_frame(name: str, tmp_path: Path) -> None:
    """Where numbers are worked out from a rate that varies."""
    folder = written(tmp_path, name, [shot(index, time_s=number / 25) for number, index in enumerate((4, 4, 5, 4, 9))])
    with (folder / "frames.csv").open() as file:
        files = [row["file"] for row in csv.DictReader(file)]
    assert len(set(files)) == 5 and files == sorted(files) and all((folder / each).is_file() for each in files)


def test_names_sort_in_the_longest_of_films(tmp_path: Path) -> None:
    folder = written(tmp_path, "masks/", [shot(9), shot(2_345_678)], frame_count=3_000_000)
    assert sorted(path.name for path in folder.glob("*.png")) == ["frame_0000009.png", "frame_2345678.png"]


@pytest.mark.parametrize("size", [Size(1, 1), Size(7, 5), Size(333, 77), Size(1920, 1080)])
def test_any_size_comes_back(size: Size, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    png = PalettePng(palette)
    for number in range(2):
        ids = rng.integers(0, 256, (size.height, size.width), dtype=np.uint8)
        (tmp_path / f"{number}.png").write_bytes(png.encode(ids))
        np.testing.assert_array_equal(_ids(tmp_path / f"{number}.png"), ids)
    other = np.zeros((size.height + 2, size.width + 1), np.uint8)
    (tmp_path / "other.png").write_bytes(png.encode(other))
    assert _ids(tmp_path / "other.png").shape == other.shape


@pytest.mark.parametrize("labels", [DRIVING, labels_of("background", 'a "b" \\ c', "Fußgänger", "traffic light")])
def test_the_trainer_reads_them_back(labels: LabelSet, tmp_path: Path) -> None:
    from trainer.data.formats.base import chosen_map
    from trainer.data.formats.folder import FORMAT
    from trainer.data.picture_files import read_raw_mask
    from trainer.labels.named import read_label_map

    shots = [shot(index, street(cars=index), labels=labels) for index in range(3)]
    folder = written(tmp_path, "masks/", shots, labels=labels)
    (tmp_path / "images").mkdir()
    picture = np.zeros((PICTURE.height, PICTURE.width, 3), np.uint8)
    for path in folder.glob("*.png"):
        cv2.imwrite(str(tmp_path / "images" / f"{path.stem}.jpg"), picture)
    assert FORMAT.fits(tmp_path)
    layout = FORMAT.find(tmp_path)
    made = read_label_map(str(folder / "labels.toml"))
    assert made.labels.names == labels.names and [x.color for x in made.labels] == [x.color for x in labels]
    for number, pair in enumerate(layout.pairs):
        ids = made.decode(read_raw_mask(pair.mask), pair.mask)
        np.testing.assert_array_equal(ids, np.repeat(np.repeat(street(cars=number), 2, 0), 2, 1))
        if labels == DRIVING:
            driving = chosen_map(layout.maps, "driving", "masks")
            assert driving is not None
            np.testing.assert_array_equal(driving.decode(read_raw_mask(pair.mask), pair.mask), ids)
    assert len(layout.pairs) == 3
