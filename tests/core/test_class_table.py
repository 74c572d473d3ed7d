"""How much each class covers over time: what is known, guessed and unknown, and where a class is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.class_table import COARSE, KNOWN, NEAR, UNKNOWN, ClassTable, Stretch


def _table(length_s: float = 100.0, interval_s: float = 0.1) -> ClassTable:
    return ClassTable(("road", "person"), length_s, interval_s)


def test_a_moment_is_known_guessed_around_it_and_unknown_elsewhere() -> None:
    table = _table()
    table.add(1, 50.0, [0.5, 0.25])
    columns = table.columns(1000, 100.0)
    assert columns.values.shape == (1000, 2) and columns.states[500] == NEAR
    assert columns.values[500].tolist() == [0.5, 0.25]
    reach = round(0.75 * 1000 / COARSE)
    assert columns.states[500 + reach - 2] == NEAR and columns.values[500 + reach - 2].tolist() == [0.5, 0.25]
    assert columns.states[500 + reach + 3] == UNKNOWN and np.isnan(columns.values[500 + reach + 3]).all()
    assert columns.states[0] == columns.states[-1] == UNKNOWN
    assert 0 < table.known_share() < 0.05 and table.known_share(49.5, 50.5) == 1.0


def test_between_moments_that_are_close_all_is_known() -> None:
    table = _table()
    for number, time_s in enumerate((20.0, 20.2, 20.4, 20.6, 60.0, 61.0)):
        table.add(number, time_s, [0.5, 0.0])
    states = table.columns(1000, 100.0).states
    assert (states[200:207] == KNOWN).all() and set(states[595:620]) == {NEAR} and states[400] == UNKNOWN


def test_every_frame_of_a_short_clip_fills_every_column() -> None:
    table = _table(2.0, 0.05)
    for index in range(40):
        table.add(index, index * 0.05, [index / 40, 0.0])
    columns = table.columns(300, 2.0)
    assert (columns.states == KNOWN).all() and table.known_share() == 1.0
    # a frame is on the screen until the next one comes
    assert np.allclose(columns.values[:, 0], np.floor(np.arange(300) / 7.5 + 0.2) / 40, atol=1.1 / 40)


def test_the_largest_value_of_a_column_is_shown() -> None:
    table = _table(1000.0, 0.04)
    times = np.arange(0, 1000, 0.04)
    values = np.zeros((len(times), 2))
    values[12_345, 1] = 0.3
    table.add_all(np.arange(len(times)), times, values)
    columns = table.columns(500, 1000.0)
    assert columns.values[:, 1].max() == 0.3 and np.flatnonzero(columns.values[:, 1]).size <= 3


def test_a_bar_that_is_longer_than_the_video_has_nothing_behind_it() -> None:
    table = _table(10.0, 0.1)
    for index in range(100):
        table.add(index, index * 0.1, [1.0, 0.0])
    states = table.columns(200, 20.0).states
    assert (states[:100] == KNOWN).all() and (states[115:] == UNKNOWN).all()


def test_what_is_not_known_of_a_frame_leaves_what_was() -> None:
    table = _table()
    table.add(3, 1.0, [0.5, np.nan])
    table.add(3, 1.0, [np.nan, 0.25])
    assert len(table) == 1 and table.at(1.0).tolist() == [0.5, 0.25]  # type: ignore[union-attr]
    assert table.at(90.0) is None


def test_gaps_are_found_in_order() -> None:
    table = _table(10.0, 0.1)
    assert table.next_gap(0.0, 0.15) == 0.0
    for index in [*range(30), *range(50, 100)]:
        table.add(index, index * 0.1, [0.0, 0.0])
    assert table.next_gap(0.0, 0.15) == pytest.approx(2.9)
    assert table.next_gap(4.0, 0.15) == 4.0
    assert table.next_gap(5.0, 0.15) is None
    assert table.is_known(2.95, 0.06) and not table.is_known(4.0, 0.5)


def test_stretches_are_where_a_value_is_above() -> None:
    table = _table()
    for index in range(100):
        above = index in (10, 11, 12, 14, 40, 41, 99)  # 13 is but a moment
        table.add(index, index * 0.1, [0.0, 0.02 if above else 0.01])
    assert table.stretches("person", 0.01) == [
        Stretch(pytest.approx(1.0), pytest.approx(1.4)),
        Stretch(pytest.approx(4.0), pytest.approx(4.1)),
        Stretch(pytest.approx(9.9), pytest.approx(9.9)),
    ]
    assert table.stretches("person", 0.02) == [] and table.stretches("road", 0.0) == []


def test_moments_far_apart_are_stretches_of_their_own_until_what_lies_between_is_known() -> None:
    table = _table()
    for number, time_s in enumerate((10.0, 40.0, 41.0)):
        table.add(number, time_s, [0.0, 0.5])
    assert [stretch.start_s for stretch in table.stretches("person", 0.01)] == [10.0, 40.0]
    for number in range(30):
        table.add(100 + number, 10.5 + number, [0.0, 0.5])
    assert table.stretches("person", 0.01) == [Stretch(10.0, 41.0)]


@given(st.lists(st.tuples(st.integers(0, 99), st.floats(0, 1)), min_size=1, max_size=60), st.integers(1, 300))
def test_nothing_that_is_known_is_hidden_and_nothing_is_made_up(frames: list[tuple[int, float]], width: int) -> None:
    table = _table(10.0, 0.1)
    latest = dict(frames)
    for pts, value in latest.items():
        table.add(pts, pts * 0.1, [value, 0.0])
    columns = table.columns(width, 10.0)
    shown = columns.values[columns.states > UNKNOWN, 0]
    assert shown.max() == pytest.approx(max(latest.values()))
    assert set(np.round(shown, 6)) <= set(np.round(list(latest.values()), 6))
