from __future__ import annotations

import json

import pytest

from seg_viewer.core.labels import DRIVING, Label, LabelSet


def test_driving_is_what_the_user_asked_for() -> None:
    assert DRIVING.names == ("background", "road", "car", "person")
    palette = DRIVING.palette()
    assert palette[DRIVING.by_name("car").id].argmax() == 2  # blue
    assert palette[DRIVING.by_name("person").id].argmax() == 0  # red
    assert palette[DRIVING.by_name("road").id].argmax() == 1  # green
    assert not DRIVING.by_name("background").painted


def test_json_round_trip() -> None:
    assert LabelSet.from_json(json.loads(json.dumps(DRIVING.to_json()))) == DRIVING


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "at least one"),
        ([Label(0, "a", (0, 0, 0)), Label(2, "b", (0, 0, 0))], "without a gap"),
        ([Label(0, "a", (0, 0, 0)), Label(1, "a", (0, 0, 0))], "'a' is given twice"),
    ],
)
def test_broken_sets_are_refused(labels: list[Label], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelSet(labels)


@pytest.mark.parametrize(
    "item", [{"id": 0, "name": "a"}, "car", {"id": "x", "name": "a", "color": [1, 2, 3]}, {"id": 0, "color": [1, 2, 3]}]
)
def test_broken_json_is_refused(item: object) -> None:
    with pytest.raises(ValueError, match=r"label 0 needs 'id', 'name' and 'color'|invalid literal"):
        LabelSet.from_json([item])


def test_three_hundred_classes_do_not_fit() -> None:
    with pytest.raises(ValueError, match="300 classes; at most 255"):
        LabelSet.from_json([{"id": i, "name": str(i), "color": [0, 0, 0]} for i in range(300)])


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(KeyError, match="background, road, car, person"):
        DRIVING.by_name("tram")
