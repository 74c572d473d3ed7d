"""Pictures of two cameras, put together by tick."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from seg_viewer.sources.carla.pairing import CAMERAS, OVERTAKEN, UNPAIRED, Pairs

RGB, SEMANTIC = CAMERAS


@dataclass
class Picture:
    """All that pairing looks at of a `carla.Image`; `test_carla.py` uses real ones."""

    frame: int
    camera: str


def put(pairs: Pairs, camera: str, *ticks: int) -> None:
    for tick in ticks:
        pairs.put(camera, Picture(tick, camera))


def test_pictures_of_one_tick_belong_together_in_whatever_order_they_come() -> None:
    pairs = Pairs()
    put(pairs, SEMANTIC, 7)
    put(pairs, RGB, 7)
    pair = pairs.take(7, 1.0)
    assert {camera: picture.frame for camera, picture in pair.items()} == {RGB: 7, SEMANTIC: 7}
    assert not pairs.drops


def test_a_wait_ends_with_the_second_picture() -> None:
    pairs = Pairs()
    put(pairs, RGB, 3)
    late = threading.Timer(0.05, put, (pairs, SEMANTIC, 3))
    late.start()
    assert set(pairs.take(3, 10.0)) == {RGB, SEMANTIC}
    late.join()


def test_what_is_missing_when_time_runs_out_is_missing_in_the_answer() -> None:
    pairs = Pairs()
    put(pairs, RGB, 3)
    assert set(pairs.take(3, 0.01)) == {RGB}
    assert pairs.take(4, 0.01) == {}


def test_a_picture_of_a_tick_that_is_over_is_not_kept() -> None:
    pairs = Pairs()
    put(pairs, RGB, 3)
    pairs.take(3, 0.01)
    put(pairs, SEMANTIC, 3)
    put(pairs, RGB, 4)
    assert set(pairs.take(4, 0.01)) == {RGB}


def test_pictures_without_their_counterpart_are_counted_once_the_drive_is_under_way() -> None:
    pairs = Pairs()
    put(pairs, RGB, 1, 2, 3)  # while warming up
    put(pairs, SEMANTIC, 3)
    pairs.take(3, 1.0)
    assert not pairs.drops
    put(pairs, RGB, 4, 5)
    put(pairs, SEMANTIC, 5)
    pairs.take(5, 1.0)
    assert pairs.drops == {UNPAIRED: 1}


def test_without_a_tick_the_newest_pair_wins_and_the_others_are_counted() -> None:
    pairs = Pairs()
    put(pairs, RGB, 1)
    put(pairs, SEMANTIC, 1)
    pairs.take(None, 1.0)
    put(pairs, RGB, 2, 3, 4)
    put(pairs, SEMANTIC, 2, 3)
    assert pairs.take(None, 1.0)[RGB].frame == 3
    put(pairs, SEMANTIC, 4)
    assert pairs.take(None, 1.0)[SEMANTIC].frame == 4
    assert pairs.drops == {OVERTAKEN: 1}


def test_no_more_than_a_few_wait() -> None:
    pairs = Pairs()
    put(pairs, RGB, 1)
    put(pairs, SEMANTIC, 1)
    pairs.take(1, 1.0)
    put(pairs, RGB, *range(2, 102))
    assert pairs.drops[UNPAIRED] >= 90
    put(pairs, SEMANTIC, 101)
    assert pairs.take(101, 1.0)[RGB].frame == 101
