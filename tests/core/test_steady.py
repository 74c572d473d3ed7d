"""Calm class maps: what moves is as the model says at once, what stands still changes once that has lasted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seg_viewer.core.steady import CONFIRMED, CONFIRMED_S, LONGEST_GAP_S, STILL, Steadied, blurred_luma, steadied

SHAPE = (6, 9)
GREY = np.full((*SHAPE, 3), 90, np.uint8)
maps = arrays.arrays(np.uint8, SHAPE, elements=st.sampled_from((0, 1, 2, 7)))
pictures = st.one_of(st.just(GREY), arrays.arrays(np.uint8, (*SHAPE, 3), elements=st.sampled_from((85, 90, 95, 200))))
steps_s = st.sampled_from((1 / 60, 1 / 25, 0.1, 0.2, LONGEST_GAP_S + 0.05, -0.04, 0.0))
clips = st.lists(st.tuples(maps, pictures, steps_s), min_size=1, max_size=14)


def _all(answers: list[np.ndarray], picture: np.ndarray = GREY, step_s: float = 0.04) -> list[np.ndarray]:
    """What is made of answers to a picture that stands still."""
    before, made = None, []
    for number, ids in enumerate(answers):
        before = steadied(before, ids, picture, number * step_s)
        made.append(before.ids)
    return made


def _full(value: int) -> np.ndarray:
    return np.full(SHAPE, value, np.uint8)


@given(clips)
def test_what_is_promised_of_any_clip(clip: list[tuple[np.ndarray, np.ndarray, float]]) -> None:
    """Against a look at each pixel by itself, as far as that goes: noise, cuts, gaps, jumps back."""
    before: Steadied | None = None
    answers: list[np.ndarray] = []
    wrong_since_s = np.full(SHAPE, np.inf)
    time_s, last_luma = 0.0, None
    for ids, picture, step_s in clip:
        time_s += step_s
        given_ids = ids.copy()
        follows = before is not None and 0 < step_s <= LONGEST_GAP_S + 1e-9
        before = steadied(before, ids, picture, time_s)
        made, luma = before.ids, blurred_luma(picture)
        assert made.dtype == np.uint8 and (ids == given_ids).all()
        if not follows:
            assert (made == ids).all()  # it begins with what the model says
            answers = []
        answers = [*answers, ids][-CONFIRMED:]
        assert np.any([made == answer for answer in answers], axis=0).all()
        if follows:
            moves = cv2.dilate(cv2.absdiff(luma, last_luma), np.ones((3, 3), np.uint8)) > STILL
            assert (made == ids)[moves].all()
        differs = made != ids
        wrong_since_s = np.where(differs, np.minimum(wrong_since_s, time_s), np.inf)
        assert (time_s - wrong_since_s[differs] < CONFIRMED_S).all()
        last_luma = luma


@given(maps, st.integers(2, 12))
def test_what_does_not_change_stays(ids: np.ndarray, frames: int) -> None:
    assert all((made == ids).all() for made in _all([ids] * frames))


@pytest.mark.parametrize(
    ("rate", "frames"),
    [(60, CONFIRMED), (30, CONFIRMED), (25, CONFIRMED), (16, CONFIRMED), (10, 5), (7, 4), (5, 3), (4, 3)],
)
def test_a_class_that_lasts_is_taken_within_frames_and_seconds(rate: int, frames: int) -> None:
    made = _all([_full(0)] * 3 + [_full(2)] * 8, step_s=1 / rate)
    first = next(number for number, ids in enumerate(made) if (ids == 2).all())
    assert first - 3 == frames - 1
    assert (frames - 1) / rate < CONFIRMED_S + 1 / rate
    assert all((ids == 2).all() for ids in made[first:])


def test_what_flickers_stays_as_it_was() -> None:
    flickers = [_full(value) for value in (1, 0, 1, 0, 0, 1, 0, 2, 0, 1, 1, 0, 0, 0, 0, 1, 2, 0, 0)]
    assert all((ids == 1).all() for ids in _all(flickers)[:16])


def test_what_is_contradicted_by_ever_other_classes_goes_too() -> None:
    """No class lasts, and yet the first one does not stay for ever."""
    made = _all([_full(1)] + [_full(value) for value in (2, 3, 2, 3, 2)])
    assert (made[-2] == 1).all() and (made[-1] == 2).all()


def test_the_flat_inside_of_what_moves_comes_along() -> None:
    """A flat block goes to the right: its inside stands still to a look at single pixels, its edges do not."""
    shape, before = (60, 120), None
    for number in range(8):
        picture, ids = np.full((*shape, 3), 60, np.uint8), np.zeros(shape, np.uint8)
        left = 10 + 6 * number
        picture[20:40, left : left + 30], ids[20:40, left : left + 30] = 160, 2
        before = steadied(before, ids, picture, number * 0.04)
        assert (before.ids == ids).all()


def test_it_begins_anew_with_another_size_and_refuses_a_wrong_picture() -> None:
    before = steadied(None, _full(0), GREY, 0.0)
    small = np.ones((3, 4), np.uint8)
    assert (steadied(before, small, np.full((3, 4, 3), 90, np.uint8), 0.04).ids == 1).all()
    with pytest.raises(ValueError, match="picture is"):
        steadied(before, _full(0), np.zeros((3, 4, 3), np.uint8), 0.04)
