"""The governor over load curves: it comes down quickly, goes up only into room, and no load makes it swing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seg_viewer.pipeline.governor import (
    FAR,
    FAR_TOO_LATE,
    LATE_AT_ONCE,
    ROOM_FOR_S,
    SETTLING,
    TRY_AGAIN_S,
    WINDOW,
    Governor,
    Rung,
    ladder,
    p95,
)

RATE = 30.0
COSTS_S = (0.040, 0.014, 0.007)
"""Of the fine, the fast and the smaller network on a quiet machine."""
PAINT_S = 0.004
DEADLINE_S = 0.080

Load = Callable[[float], float]
"""How many times longer everything takes at a time, seconds."""


@dataclass(frozen=True)
class Painted:
    """One picture, and what the governor made of it."""

    at_s: float
    age_s: float
    rung: Rung
    changed: bool


def run(load: Load, governor: Governor | None = None, *, seed: int = 0) -> Iterator[Painted]:
    """A camera, an engine that takes the newest picture once it is free, and a governor; one item a painted picture."""
    governor = governor or Governor(DEADLINE_S, len(COSTS_S))
    noise = random.Random(seed)
    free_s, waiting, index = 0.0, -1.0, 0
    while True:
        arrived_s = index / RATE
        if waiting >= 0 and free_s <= arrived_s:  # the engine is free before the next picture
            rung = governor.rung
            begun_s = max(free_s, waiting)
            factor = load(begun_s) * noise.uniform(0.9, 1.15)
            work_s = COSTS_S[rung.network] * factor
            free_s = begun_s + work_s
            age_s = free_s - waiting + PAINT_S * factor
            waiting, shown_s = -1.0, free_s
            yield Painted(shown_s, age_s, rung, governor.look(age_s, work_s, shown_s))
            continue
        if index % governor.rung.every == 0:
            waiting = arrived_s
        index += 1


def until(items: Iterator[Painted], end_s: float) -> list[Painted]:
    found = []
    for item in items:
        if item.at_s > end_s:
            break
        found.append(item)
    return found


def rises(items: list[Painted]) -> int:
    return sum(ladder(3).index(after.rung) < ladder(3).index(before.rung) for before, after in pairwise(items))


def late(items: list[Painted]) -> float:
    return sum(item.age_s > DEADLINE_S for item in items) / len(items)


def test_the_ladder_leaves_out_pictures_before_it_takes_a_smaller_network() -> None:
    assert ladder(2) == (Rung(0, 1), Rung(0, 2), Rung(1, 1), Rung(1, 2), Rung(1, 3))
    assert ladder(1) == (Rung(0, 1), Rung(0, 2), Rung(0, 3))


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (20, 19), (48, 46), (100, 95)])
def test_the_percentile_is_the_nearest_rank(count: int, rank: int) -> None:
    assert p95([float(number) for number in range(count, 0, -1)]) == rank


@given(st.floats(0.2, 12.0), st.integers(0, 999))
@example(2.0, 0)
@settings(max_examples=4, deadline=None)
def test_a_constant_load_is_settled_for_good(factor: float, seed: int) -> None:
    items = until(run(lambda _s: factor, seed=seed), 660)
    settled = [item for item in items if item.at_s > 60]
    assert rises(items) <= 2 + 660 / TRY_AGAIN_S * 2
    if 1.15 * factor * (COSTS_S[-1] + PAINT_S) < 0.9 * DEADLINE_S:  # the last rung, at least, holds it
        assert late(settled) <= 0.05
    else:
        assert settled[-1].rung.network == len(COSTS_S) - 1


@given(st.floats(3.0, 30.0), st.integers(0, 999))
@settings(max_examples=10, deadline=None)
def test_a_load_that_comes_is_answered_within_so_many_pictures(factor: float, seed: int) -> None:
    """At 3 times its cost the fine network is always late: 8 late pictures are enough, whatever came before."""
    items = until(run(lambda s: factor if s > 20 else 0.5, seed=seed), 60)
    loaded = [item for item in items if item.at_s - item.age_s > 20]
    first = next(number for number, item in enumerate(loaded) if item.changed)
    assert first < LATE_AT_ONCE
    each = SETTLING + LATE_AT_ONCE
    assert loaded[min(len(loaded) - 1, len(ladder(3)) * each)].rung.network > 0


@given(st.floats(2.5, 9.0), st.floats(5.0, 120.0), st.integers(0, 999))
@settings(max_examples=3, deadline=None)
def test_when_the_load_goes_it_comes_back_to_all_there_is(factor: float, length_s: float, seed: int) -> None:
    ended_s = 20 + length_s
    back_s = ended_s + TRY_AGAIN_S + len(ladder(3)) * (ROOM_FOR_S + 10)
    items = until(run(lambda s: factor if 20 < s < ended_s else 0.5, seed=seed), back_s)
    assert any(item.rung.network for item in items if 20 < item.at_s < ended_s)
    assert items[-1].rung == Rung(0, 1)


@given(st.floats(1.0, 90.0), st.floats(0.2, 3.0), st.floats(1.0, 10.0), st.floats(0.1, 0.9), st.integers(0, 999))
@example(12.0, 0.3, 2.0, 0.1, 0)
@settings(max_examples=4, deadline=None)
def test_no_load_that_comes_and_goes_makes_it_swing(
    period_s: float, low: float, high: float, share: float, seed: int
) -> None:
    items = until(run(lambda s: high if s % period_s < share * period_s else low, seed=seed), 600)
    changes = sum(item.changed for item in items)
    assert changes <= 60, "that is one in ten seconds"
    if period_s < 20:
        assert rises(items[len(items) // 2 :]) <= 6


@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 1.0), st.floats(0.001, 2.0)), max_size=400),
    st.integers(1, 3),
    st.floats(0.01, 2.0),
)
@settings(max_examples=40, deadline=None)
def test_whatever_comes_it_goes_up_one_step_at_a_time_and_only_after_room(
    pictures: list[tuple[float, float, float]], networks: int, deadline_s: float
) -> None:
    governor = Governor(deadline_s, networks)
    steps, now_s, changed_s = ladder(networks), 0.0, 0.0
    for age_s, work_s, interval_s in pictures:
        before, now_s = steps.index(governor.rung), now_s + interval_s
        changed = governor.look(age_s, work_s, now_s)
        after = steps.index(governor.rung)
        assert changed is (before != after)
        if after < before:
            assert after == before - 1 and now_s - changed_s >= ROOM_FOR_S
        changed_s = now_s if changed else changed_s


def test_a_network_that_alone_is_too_slow_is_left_at_once() -> None:
    """Leaving out pictures makes none of them younger."""
    items = list(islice(run(lambda _s: 2.5), 60))
    assert next(after.rung for before, after in pairwise(items) if before.changed) == Rung(1, 1)


def test_where_few_pictures_come_three_that_are_far_too_old_are_enough() -> None:
    governor = Governor(DEADLINE_S, 3)
    looks = [governor.look(1.01 * FAR * DEADLINE_S, 0.01, float(number)) for number in range(SETTLING + FAR_TOO_LATE)]
    assert looks == [False] * (len(looks) - 1) + [True]
    assert governor.rung == ladder(3)[2], "two steps at once"
    looks = [governor.look(0.99 * FAR * DEADLINE_S, 0.01, float(number)) for number in range(SETTLING + LATE_AT_ONCE)]
    assert looks == [False] * (len(looks) - 1) + [True] and governor.rung == ladder(3)[3]


def test_one_slow_picture_in_twenty_changes_nothing() -> None:
    governor = Governor(DEADLINE_S, 3)
    for number in range(1000):
        assert not governor.look(0.5 if number % 24 == 0 else 0.06, 0.03, number / RATE)
    assert governor.holds


def test_where_nothing_helps_it_stays_at_the_least_and_says_so() -> None:
    governor = Governor(DEADLINE_S, 2)
    for number in range(5 * (WINDOW + SETTLING)):
        governor.look(0.3, 0.2, number / RATE)
    assert governor.rung == Rung(1, 3) and not governor.holds and governor.p95_s == 0.3


@pytest.mark.parametrize("network", [1, 2])
def test_a_network_that_cannot_run_is_passed_over(network: int) -> None:
    governor = Governor(DEADLINE_S, 3)
    while governor.rung.network != network:
        governor.look(0.3, 0.2, 0.0)
    assert governor.without(network)
    assert governor.rung == (Rung(0, 2) if network == 1 else Rung(1, 3))
    for number in range(5 * (WINDOW + SETTLING)):
        governor.look(0.3, 0.2, number / RATE)
    assert governor.rung == Rung(2 if network == 1 else 1, 3)
    assert not governor.without(0)
