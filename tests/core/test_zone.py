from __future__ import annotations

import numpy as np
import pytest

from seg_viewer.core.labels import DRIVING
from seg_viewer.core.zone import Zone, ZoneWatch

PERSON = DRIVING.by_name("person").id
LEFT_HALF = Zone(((0.0, 0.0), (0.499, 0.0), (0.499, 1.0), (0.0, 1.0)))


def _classes(share: float, *, inside: bool = True) -> np.ndarray:
    """Class map of 100×20 with persons on a share of the left or the right half."""
    classes = np.zeros((20, 100), np.uint8)
    half = classes[:, :50] if inside else classes[:, 50:]
    half[: round(20 * share)] = PERSON
    return classes


def test_the_mask_of_a_zone_covers_what_it_says() -> None:
    mask = LEFT_HALF.mask(100, 20)
    assert mask.shape == (20, 100) and mask[:, :49].all() and not mask[:, 51:].any()
    assert Zone().mask(64, 32).any()


def test_a_corner_stays_inside_the_picture() -> None:
    assert Zone().with_corner(1, (1.7, -0.2)).corners[1] == (1.0, 0.0)
    assert Zone().with_corner(1, (0.7, 0.2)).corners[0] == Zone().corners[0]


def test_what_stays_outside_does_not_count() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING)
    assert not any(watch.look(_classes(1.0, inside=False)) for _ in range(10))
    assert watch.shares["person"] < 0.05


def test_one_noisy_map_changes_nothing() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, maps=3)
    shares = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    assert not any(watch.look(_classes(share)) for share in shares)
    assert watch.look(_classes(1.0)) and watch.occupied
    assert not any(watch.look(_classes(share)) for share in (0.0, 0.0, 1.0, 0.0, 0.0))
    assert watch.look(_classes(0.0)) and not watch.occupied


def test_between_the_two_shares_it_stays_as_it_is() -> None:
    watch = ZoneWatch(LEFT_HALF, DRIVING, enter=0.5, leave=0.2, maps=1)
    assert not watch.look(_classes(0.3))
    assert watch.look(_classes(0.6))
    assert not watch.look(_classes(0.3)) and watch.occupied
    assert watch.look(_classes(0.1)) and not watch.occupied
    assert "person 1" in watch.line() and "car 0.0 %" in watch.line()


def test_shares_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="leave"):
        ZoneWatch(Zone(), DRIVING, enter=0.1, leave=0.2)
