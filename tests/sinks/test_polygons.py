"""Polygons as COCO's own reader and as a YOLO trainer read them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from seg_viewer.core.frame import Size
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.scaling import nearest
from tests.sinks.shots import CAR, PERSON, ROAD, labels_of, shot, street, written


def _blobs(seed: int) -> np.ndarray:
    """Four classes in smooth blobs, at the size of a network."""
    rng = np.random.default_rng(seed)
    fields = [cv2.GaussianBlur(rng.random((72, 128)), (0, 0), 6) for _ in range(4)]
    return np.argmax(fields, axis=0).astype(np.uint8)


def test_coco_says_what_is_where(tmp_path: Path) -> None:
    found = json.loads(
        written(tmp_path, "t.coco.json", [shot(0, street(cars=2, people=1)), shot(4)]).read_text(encoding="utf-8")
    )
    assert [(each["id"], each["name"], each["supercategory"]) for each in found["categories"]] == [
        (ROAD + 1, "road", "stuff"), (CAR + 1, "car", "thing"), (PERSON + 1, "person", "thing")
    ]  # fmt: skip
    assert [image["file_name"] for image in found["images"]] == ["frame_000000.jpg", "frame_000004.jpg"]
    assert found["images"][1] | {"file_name": ""} == {
        "id": 2, "file_name": "", "width": 128, "height": 64, "frame": 4, "pts": 1160, "time_s": 0.16
    }  # fmt: skip
    first = [each for each in found["annotations"] if each["image_id"] == 1]
    assert [each["category_id"] for each in first] == [ROAD + 1, CAR + 1, CAR + 1, PERSON + 1]
    assert [each["bbox"] for each in first] == [[0, 40, 128, 24], [4, 28, 12, 8], [20, 28, 12, 8], [80, 28, 4, 8]]
    assert [each["area"] for each in first] == [128 * 24, 96, 96, 32]
    assert all(each["iscrowd"] == 0 for each in first)
    assert len({each["id"] for each in found["annotations"]}) == len(found["annotations"])
    assert found["info"]["about"]["engine"] == "OpenVINO"


@pytest.mark.parametrize("seed", range(4))
def test_cocos_own_reader_draws_the_same_masks(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classes, size = _blobs(seed), Size(256, 144)
    coco = COCO(str(written(tmp_path, "t.coco.json", [shot(0, classes)], size=size)))
    capsys.readouterr()
    truth = nearest(classes, *size)
    for class_id in (ROAD, CAR, PERSON):
        drawn = np.zeros(truth.shape, bool)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=1, catIds=class_id + 1)):
            drawn |= coco.annToMask(annotation).astype(bool)
        both, either = (drawn & (truth == class_id)).sum(), (drawn | (truth == class_id)).sum()
        assert both / either > 0.95


def test_only_shown_classes_have_polygons(tmp_path: Path) -> None:
    style = OverlayStyle(hidden=frozenset({"road"}))
    found = json.loads(written(tmp_path, "t.coco.json", [shot(0)], style=style).read_text(encoding="utf-8"))
    assert {each["category_id"] for each in found["annotations"]} == {CAR + 1, PERSON + 1}
    assert [each["name"] for each in found["categories"]] == ["car", "person"]
    folder = written(tmp_path, "t.yolo/", [shot(0)], style=style)
    assert (folder / "classes.txt").read_text(encoding="utf-8") == "car\nperson\n"
    lines = (folder / "labels" / "frame_000000.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in lines] == ["0", "0", "1"]


def test_without_a_frame_coco_is_whole(tmp_path: Path) -> None:
    found = json.loads(written(tmp_path, "t.coco.json", []).read_text(encoding="utf-8"))
    assert found["images"] == found["annotations"] == [] and len(found["categories"]) == 3


@pytest.mark.parametrize("seed", range(3))
def test_yolo_lines_draw_the_same_masks(seed: int, tmp_path: Path) -> None:
    classes = _blobs(seed)
    folder = written(tmp_path, "t.yolo/", [shot(0, classes), shot(1, np.zeros_like(classes))])
    assert (folder / "labels" / "frame_000001.txt").read_text(encoding="utf-8") == ""
    scale = 8  # drawn large: what draws polygons draws their edge, too
    drawn = {number: np.zeros((72 * scale, 128 * scale), np.uint8) for number in range(3)}
    for line in (folder / "labels" / "frame_000000.txt").read_text(encoding="utf-8").splitlines():
        number, *values = line.split()
        shares = np.array(values, float).reshape(-1, 2)
        assert len(shares) >= 3 and shares.min() >= 0 and shares.max() <= 1
        corners = np.rint(shares * (128 * scale, 72 * scale)).astype(np.int32)
        cv2.fillPoly(drawn[int(number)], [corners], 1)
    for number, class_id in enumerate((ROAD, CAR, PERSON)):
        truth = np.kron(classes == class_id, np.ones((scale, scale), bool))
        got = drawn[number].astype(bool)
        assert (got & truth).sum() / (got | truth).sum() > 0.93


def test_yolo_says_what_is_missing_and_names_are_quoted(tmp_path: Path) -> None:
    labels = labels_of("background", "traffic light: red", '"x"')
    folder = written(tmp_path, "t.yolo/", [shot(0, street() % 3, labels=labels)], labels=labels)
    data = (folder / "data.yaml").read_text(encoding="utf-8")
    assert '  1: "traffic light: red"' in data and r'  2: "\"x\""' in data and "train: images" in data
    from seg_viewer.sinks import sink_for
    from tests.sinks.shots import request

    with sink_for(f"{tmp_path}/u.yolo/").make(request(tmp_path / "u.yolo")) as sink:
        sink.write(shot(0))
    assert any("put the pictures beside them" in note for note in sink.notes)
