from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seg_viewer.core.frame import Frame
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.zone import MOST_CORNERS, NOTHING_INSIDE, Crossing, Zone, ZoneWatch
from seg_viewer.media.rgb_picture import RgbPicture

PERSON, CAR = DRIVING.by_name("person").id, DRIVING.by_name("car").id
LEFT_HALF = Zone(((0.0, 0.0), (0.499, 0.0), (0.499, 1.0), (0.0, 1.0)))
_PICTURE = RgbPicture(np.zeros((20, 100, 3), np.uint8))
_shares = st.floats(0, 1)


def _classes(share: float, *, inside: bool = True, car: float = 0.0) -> np.ndarray:
    """Class map of 100×20 with persons on the upper share of the left or the right half, cars on its lower share."""
    classes = np.zeros((20, 100), np.uint8)
    half = classes[:, :50] if inside else classes[:, 50:]
    half[: round(20 * share)] = PERSON
    half[20 - round(20 * car) :] = CAR
    return classes


def _seen(watch: ZoneWatch, shares: Iterable[float], *, first: int = 0, step_s: float = 1.0) -> list[Crossing]:
    """What comes of persons on these shares of the zone, one map after the other."""
    found = []
    for number, share in enumerate(shares, start=first):
        found += watch.look(_classes(share), Frame(number, number * step_s, _PICTURE))
    return found


def test_the_mask_of_a_zone_covers_what_it_says() -> None:
    mask = LEFT_HALF.mask(100, 20)
    assert mask.shape == (20, 100) and mask[:, :49].all() and not mask[:, 51:].any()
    assert Zone().mask(64, 32).any()
    triangle = Zone(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))).mask(101, 101)
    assert triangle[10, 10] and triangle[0, 99] and not triangle[90, 90]


def test_corners_are_moved_added_and_taken_out() -> None:
    zone = Zone()
    assert zone.with_corner(1, (1.7, -0.2)).corners[1] == (1.0, 0.0)
    assert zone.with_corner(1, (0.7, 0.2)).corners[0] == zone.corners[0]
    more = zone.with_more(2, zone.middles()[2])
    assert len(more.corners) == 5 and more.corners[2] == pytest.approx((0.725, 0.79))
    assert np.count_nonzero(more.mask(64, 36) != zone.mask(64, 36)) < 9 and more.without(2) == zone
    with pytest.raises(ValueError, match="2 corners: a zone has 3 to 100"):
        zone.without(0).without(0)
    with pytest.raises(ValueError, match="101 corners"):
        Zone(((0.2, 0.2), (0.8, 0.2), *((0.5, 0.5),) * (MOST_CORNERS - 2))).with_more(0, (0.5, 0.5))


@given(st.lists(st.tuples(_shares, _shares), min_size=3, max_size=MOST_CORNERS))
def test_any_zone_is_read_as_it_was_written(corners: list[tuple[float, float]]) -> None:
    try:
        zone = Zone(tuple(corners))
    except ValueError:
        assume(False)  # nothing is inside
    again = Zone.read(str(zone))
    assert np.allclose(again.corners, zone.corners, atol=1e-3) and Zone.read(str(again)) == again
    assert zone.mask(32, 18).any()


@pytest.mark.parametrize(
    "corners",
    [
        "0.1,0.1 0.2,0.2 0.3,0.3",
        "0.1,0.1 0.3,0.3 0.2,0.2",
        "0.1,0.1 0.9,0.1 0.5,0.1",
        "0.5,0.1 0.5,0.9 0.5,0.4 0.5,0.6",
        "0.5,0.5 0.5,0.5 0.5,0.5",
        "0.5,0.5 0.5,0.5 0.5,0.50001",
        "0.1,0.1 0.2,0.1 0.1,0.1",
        "0.1,0.1 0.5,0.9 0.9,0.1 0.5,0.9",  # there and back
        "0.1,0.1 0.5,0.9 0.9,0.1 0.1,0.1 0.5,0.9 0.9,0.1",  # twice around: an even number of times
    ],
)
def test_a_zone_with_nothing_inside_is_none(corners: str) -> None:
    with pytest.raises(ValueError, match=NOTHING_INSIDE):
        Zone.read(corners)


@pytest.mark.parametrize(
    "corners",
    [
        "0.1,0.1 0.9,0.9 0.9,0.1 0.1,0.9",  # crosses itself; both halves count
        "0.1,0.1 0.5,0.5 0.9,0.9 0.9,0.1",
        "0.5,0.5 0.502,0.5 0.502,0.502 0.5,0.502",
        "0,0 1,0 1,0.001 0,0.001",
        "0.1,0.1 0.5,0.1 0.5,0.5 0.5,0.1 0.9,0.1 0.5,0.05",  # a line that leads nowhere, and something beside it
    ],
)
def test_a_zone_may_be_small_or_cross_itself(corners: str) -> None:
    assert Zone.read(corners).mask(1280, 720).any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 corners"),
        ("0.1,0.1 0.2,0.2", "2 corners"),
        ("0.1,0.1 0.2;0.2 0.3,0.3", "'0.2;0.2': write corners as x,y"),
        ("0.1,0.1 0.2,0.2 nan,1", "'nan,1': write corners"),
        ("-0.1,0.1 0.2,0.2 0.3,0.3", "'-0.1,0.1': write corners"),
        ("10,20 30,40 50,60", "corner 10,20: give shares"),
    ],
)
def test_what_is_no_zone_is_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Zone.read(text)


def test_what_stays_outside_does_not_count() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING)
    assert not any(watch.look(_classes(1.0, inside=False), Frame(n, float(n), _PICTURE)) for n in range(10))
    assert watch.shares["person"] < 0.05


def test_one_noisy_map_changes_nothing() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, maps=3)
    assert not _seen(watch, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    assert _seen(watch, [1.0], first=7) and watch.occupied
    assert not _seen(watch, [0.0, 0.0, 1.0, 0.0, 0.0], first=8)
    assert _seen(watch, [0.0], first=13) and not watch.occupied


def test_a_flicker_at_full_rate_makes_one_event() -> None:
    """At 30 maps a second four without it are a moment, not an absence."""
    watch = ZoneWatch(LEFT_HALF, DRIVING)
    found = _seen(watch, ([1.0] * 5 + [0.0] * 4) * 30, step_s=1 / 30)
    assert [crossing.event for crossing in found] == ["enter"]
    assert [crossing.event for crossing in watch.end()] == ["end"] and not watch.occupied and not watch.end()


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=120), st.sampled_from([0.04, 0.3]))
def test_events_take_turns_and_are_apart(shares: list[float], step_s: float) -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, maps=3, calm_s=0.5)
    found = [*_seen(watch, shares, step_s=step_s), *watch.end()]
    assert [crossing.event == "enter" for crossing in found] == [n % 2 == 0 for n in range(len(found))]
    assert len(found) <= 2 * (len(shares) // 6) + 2
    for entered, gone in zip(found[::2], found[1::2], strict=True):
        assert gone.duration_s == pytest.approx(gone.time_s - entered.time_s) and gone.time_s >= entered.time_s


def test_an_event_says_when_what_and_for_how_long() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, maps=2)
    found = _seen(watch, [0.0, 0.25, 0.5, 1.0, 0.5, 0.0, 0.0])
    entered, left = found
    assert (entered.event, entered.name, entered.time_s, entered.frame) == ("enter", "person", 1.0, 1)
    assert entered.share == pytest.approx(0.25) and entered.pixels == 250 and entered.duration_s is None
    assert (left.event, left.time_s, left.duration_s, left.pixels) == ("leave", 5.0, 4.0, 0)
    assert left.most_share == 1.0 and left.taken is None and left.clock == ""


def test_each_class_comes_and_goes_by_itself() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, maps=1, calm_s=0)
    found = []
    for number, (person, car) in enumerate([(0, 0.2), (0.3, 0.2), (0.3, 0), (0, 0)]):
        found += watch.look(_classes(person, car=car), Frame(number, float(number), _PICTURE))
    assert [(each.event, each.name, each.time_s) for each in found] == [
        ("enter", "car", 0.0), ("enter", "person", 1.0), ("leave", "car", 2.0), ("leave", "person", 3.0),
    ]  # fmt: skip


@pytest.mark.parametrize("to_s", [0.5, 60.0], ids=["back", "far ahead"])
def test_a_jump_ends_what_was_there(to_s: float) -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, maps=2)
    assert [each.event for each in _seen(watch, [1.0] * 4)] == ["enter"]
    (ended,) = watch.look(_classes(1.0), Frame(9, to_s, _PICTURE))
    assert (ended.event, ended.time_s, ended.duration_s) == ("end", 3.0, 3.0)
    assert not watch.look(_classes(1.0), Frame(9, to_s, _PICTURE))  # the same picture, shown again
    assert [each.event for each in watch.look(_classes(1.0), Frame(10, to_s + 1, _PICTURE))] == ["enter"]


def test_of_what_is_live_an_event_has_the_time_it_was_taken() -> None:
    watch, now_s = ZoneWatch(LEFT_HALF, DRIVING, maps=1, live=True), time.perf_counter()
    early = Frame(0, 0.0, _PICTURE, arrived_s=now_s - 10, captured_s=now_s - 3600)
    (entered,) = watch.look(_classes(1.0), early)
    assert entered.clock == "capture" and entered.taken is not None and entered.taken.tzinfo is not None
    assert datetime.now().astimezone() - entered.taken >= timedelta(minutes=59)
    assert ZoneWatch(LEFT_HALF, DRIVING, maps=1, live=True).look(
        _classes(1.0), Frame(0, 0.0, _PICTURE, arrived_s=now_s)
    )[0].clock == "arrival"  # fmt: skip


def test_between_the_two_shares_it_stays_as_it_is() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, enter=0.5, leave=0.2, maps=1)
    assert not _seen(watch, [0.3])
    assert _seen(watch, [0.6], first=1)
    assert not _seen(watch, [0.3], first=2) and watch.occupied
    assert not _seen(watch, [0.1], first=3) and _seen(watch, [0.1], first=4) and not watch.occupied
    assert "person 1" in watch.line() and "car 0.0 %" in watch.line()


def test_shares_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="leave"):
        ZoneWatch(Zone(), DRIVING, enter=0.1, leave=0.2)
