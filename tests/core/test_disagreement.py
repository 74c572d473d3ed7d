"""Where two models differ: by the names of their classes, whatever their ids and sizes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.disagreement import disagreement
from seg_viewer.core.labels import DRIVING, Label, LabelSet

NAMES = ("background", "road", "car", "person", "sky")


@st.composite
def class_maps(draw: st.DrawFn) -> ClassMap:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    labels = LabelSet([Label(index, name, (0, 0, index)) for index, name in enumerate(names)])
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    values = draw(st.lists(st.integers(0, len(names) - 1), min_size=height * width, max_size=height * width))
    return ClassMap(np.array(values, np.uint8).reshape(height, width), labels)


def _plainly(first: ClassMap, second: ClassMap) -> np.ndarray:
    """Pixel by pixel, in words."""
    height, width = first.ids.shape
    rows, columns = second.ids.shape
    where = np.zeros((height, width), bool)
    for y in range(height):
        for x in range(width):
            there = second.ids[int((y + 0.5) * rows / height), int((x + 0.5) * columns / width)]
            where[y, x] = first.labels[int(first.ids[y, x])].name != second.labels[int(there)].name
    return where


@given(class_maps(), class_maps())
def test_it_is_what_a_person_would_find_pixel_by_pixel(first: ClassMap, second: ClassMap) -> None:
    found, expected = disagreement(first, second), _plainly(first, second)
    np.testing.assert_array_equal(found.where, expected)
    assert found.where.dtype == np.bool_ and found.share == expected.mean()


@given(class_maps())
def test_a_map_agrees_with_itself_also_under_other_ids_and_at_twice_the_size(map_: ClassMap) -> None:
    assert disagreement(map_, map_).share == 0
    names = list(reversed(map_.labels.names))
    turned = LabelSet([Label(index, name, (1, 1, index)) for index, name in enumerate(names)])
    ids = (len(names) - 1 - map_.ids).astype(np.uint8)
    assert disagreement(map_, ClassMap(ids, turned)).share == 0
    large = ClassMap(np.kron(map_.ids, np.ones((2, 2), np.uint8)), map_.labels)
    assert disagreement(map_, large).share == disagreement(large, map_).share == 0


def test_what_one_model_cannot_say_differs() -> None:
    road = LabelSet([Label(0, "background", (0, 0, 0)), Label(1, "road", (0, 0, 1))])
    first = ClassMap(np.array([[0, 1], [2, 3]], np.uint8), DRIVING)
    second = ClassMap(np.array([[0, 1], [0, 1]], np.uint8), road)
    np.testing.assert_array_equal(disagreement(first, second).where, [[False, False], [True, True]])
    assert disagreement(first, second).share == 0.5


def test_ids_without_a_class_do_not_stop_it() -> None:
    """A model file may give ids that it has no label for."""
    other = LabelSet([Label(0, "road", (0, 0, 0))])
    first, second = (ClassMap(np.array([[200, 0]], np.uint8), labels) for labels in (DRIVING, other))
    np.testing.assert_array_equal(disagreement(first, second).where, [[False, True]])
