from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.ledger import Ledger


def test_percentiles_totals_and_drops() -> None:
    ledger = Ledger()
    for milliseconds in range(1, 101):
        ledger.record("inference", milliseconds / 1000)
    ledger.drop("late")
    ledger.drop("late")
    snapshot = ledger.snapshot()
    stage = snapshot.stages["inference"]
    assert (stage.count, stage.total_s) == (100, pytest.approx(5.05))
    assert stage.p50_s == pytest.approx(0.0505)
    assert stage.p95_s == pytest.approx(0.09505)
    assert stage.p99_s == pytest.approx(0.09901)
    assert snapshot.drops == {"late": 2}


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=40))
def test_percentiles_are_those_of_numpy(seconds: list[float]) -> None:
    ledger = Ledger()
    for each in seconds:
        ledger.record("inference", each)
    stage = ledger.snapshot().stages["inference"]
    assert [stage.p50_s, stage.p95_s, stage.p99_s] == pytest.approx(np.percentile(seconds, [50, 95, 99]).tolist())


def test_a_rate_counts_intervals_not_events() -> None:
    ledger = Ledger()
    for number in range(11):
        ledger.tick("engine", 100 + number * 0.1)
    assert ledger.snapshot(101.0).rates["engine"] == pytest.approx(10)


def test_a_rate_falls_when_events_stop() -> None:
    ledger = Ledger()
    for number in range(11):
        ledger.tick("engine", 100 + number * 0.1)
    assert ledger.snapshot(102.0).rates["engine"] < 6
    assert ledger.snapshot(110.0).rates["engine"] == 0
    assert ledger.snapshot(110.0).counts["engine"] == 11


def test_memory_is_bounded() -> None:
    ledger = Ledger()
    for _ in range(5000):
        ledger.record("decode", 0.001)
        ledger.tick("source")
    assert ledger.snapshot().stages["decode"].count == 5000
    assert len(ledger._times["decode"]) == len(ledger._ticks["source"]) == 512
