"""Shares, and what is counted as a car."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.frame_stats import countable_names, frame_stats, is_countable, smallest_piece
from seg_viewer.core.labels import DRIVING
from tests.sinks.shots import CAR, MAP, labels_of, shot, street


def test_a_street_in_numbers() -> None:
    stats = frame_stats(street(cars=3, people=2), DRIVING)
    assert stats.counts == {"car": 3, "person": 2}  # the single pixel of car is noise
    assert stats.pixels["road"] == 12 * 64 and stats.pixels["car"] == 3 * 24 + 1 and stats.pixels["person"] == 2 * 8
    assert sum(stats.pixels.values()) == MAP.width * MAP.height
    assert stats.shares["road"] == 12 * 64 / (64 * 32)


def test_pieces_that_touch_at_a_corner_are_one() -> None:
    classes = np.zeros((32, 64), np.uint8)
    classes[4:8, 4:8] = classes[8:12, 8:12] = CAR
    assert frame_stats(classes, DRIVING).counts["car"] == 1
    classes[8, 8] = 0
    assert frame_stats(classes, DRIVING).counts["car"] == 2


@pytest.mark.parametrize(("size", "least"), [((4, 4), 4), ((288, 512), 15), ((1080, 1920), 207)])
def test_how_small_a_car_may_be(size: tuple[int, int], least: int) -> None:
    assert smallest_piece(size[0] * size[1]) == least
    if least < 16:
        classes = np.zeros(size, np.uint8)
        classes.ravel()[:least] = CAR
        if size[1] > least:
            assert frame_stats(classes, DRIVING).counts["car"] == 1
            classes[0, 0] = 0
            assert frame_stats(classes, DRIVING).counts["car"] == 0


def test_a_map_with_very_many_pieces_is_counted_whole() -> None:
    classes = np.zeros((3 * 300, 3 * 300), np.uint8)  # 90,000 pieces of 2×2: more than 16 bits hold
    classes[0::3, 0::3] = classes[1::3, 0::3] = classes[0::3, 1::3] = classes[1::3, 1::3] = CAR
    assert smallest_piece(classes.size) > 4
    assert frame_stats(classes, DRIVING).counts["car"] == 0
    classes[:30, :30] = CAR
    assert frame_stats(classes, DRIVING).counts["car"] == 1


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_every_pixel_is_counted_once(seed: int, size: tuple[int, int]) -> None:
    classes = np.random.default_rng(seed).integers(0, 4, size, dtype=np.uint8)
    classes.ravel()[0] = 255
    stats = frame_stats(classes, DRIVING)
    assert stats.pixels == {label.name: int((classes == label.id).sum()) for label in DRIVING}
    assert sum(stats.pixels.values()) == classes.size - 1


@pytest.mark.parametrize("name", ["Car", "person", "traffic_light", "traffic-sign", "Bus"])
def test_things_are_countable(name: str) -> None:
    assert is_countable(name)


@pytest.mark.parametrize("name", ["road", "background", "sky", "building", "tree", "carpet", "pavement", ""])
def test_stuff_is_not(name: str) -> None:
    assert not is_countable(name)


def test_classes_are_counted_in_the_order_of_their_ids() -> None:
    assert countable_names(labels_of("sky", "truck", "road", "car")) == ("truck", "car")


def test_a_shot_is_counted_once() -> None:
    one = shot(0)
    assert one.stats is one.stats
