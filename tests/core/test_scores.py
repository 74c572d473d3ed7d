"""Scores against ground truth, worked by hand."""

import numpy as np
import pytest

from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.core.scores import LiveScore, Scores, truth_for, wrong_pixels

BACKGROUND, ROAD, CAR, PERSON, IGNORED = 0, 1, 2, 3, 255


def maps(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint8)


def test_one_frame_by_hand() -> None:
    """Road: 3 right, 1 missed, 0 false: 3/4. Car: 1 right, 0 missed, 1 false: 1/2. Background: right 2 of 2."""
    truth = maps([ROAD, ROAD, ROAD, ROAD], [CAR, BACKGROUND, BACKGROUND, IGNORED])
    found = maps([ROAD, ROAD, ROAD, CAR], [CAR, BACKGROUND, BACKGROUND, ROAD])
    score = LiveScore(DRIVING).add(found, truth)
    assert score.iou == pytest.approx({"background": 1.0, "road": 3 / 4, "car": 1 / 2})
    assert score.miou == pytest.approx((1 + 3 / 4 + 1 / 2) / 3)
    assert score.accuracy == pytest.approx(6 / 7)  # the ignored pixel is not counted


def test_a_class_that_is_only_predicted_is_wrong_but_not_in_the_mean() -> None:
    score = LiveScore(DRIVING).add(maps([PERSON, ROAD]), maps([ROAD, ROAD]))
    assert score.iou == pytest.approx({"road": 1 / 2, "person": 0.0})
    assert score.miou == pytest.approx(1 / 2)


def test_frames_are_counted_together_in_pixels() -> None:
    """One frame all right, one all wrong: 2 right of 4, union 4."""
    scores = LiveScore(DRIVING)
    scores.add(maps([ROAD, ROAD]), maps([ROAD, ROAD]))
    alone = scores.add(maps([BACKGROUND, BACKGROUND]), maps([ROAD, ROAD]))
    assert alone.iou["road"] == 0.0 and alone.frames == 1
    assert scores.score().iou["road"] == pytest.approx(1 / 2)
    assert scores.score().frames == 2


def test_only_the_latest_frames_count() -> None:
    scores = LiveScore(DRIVING, window=2)
    scores.add(maps([BACKGROUND]), maps([CAR]))
    for _ in range(2):
        scores.add(maps([CAR]), maps([CAR]))
    assert scores.score().frames == 2
    assert scores.score().iou == {"car": 1.0}


def test_nothing_labelled_gives_no_score() -> None:
    score = LiveScore(DRIVING).add(maps([ROAD]), maps([IGNORED]))
    assert (score.iou, score.miou, score.accuracy) == ({}, None, None)
    empty = LiveScore(DRIVING).score()
    assert (empty.frames, empty.miou) == (0, None)


def test_shapes_and_ids_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="truth"):
        LiveScore(DRIVING).add(maps([ROAD]), maps([ROAD, ROAD]))
    with pytest.raises(ValueError, match="class id 7"):
        LiveScore(DRIVING).add(maps([7]), maps([ROAD]))


def test_truth_is_taken_from_under_the_middle_of_each_pixel() -> None:
    truth = np.repeat(np.repeat(maps([ROAD, CAR], [PERSON, IGNORED]), 4, axis=0), 4, axis=1)
    assert np.array_equal(truth_for(truth, DRIVING, 2, 2), maps([ROAD, CAR], [PERSON, IGNORED]))
    # three columns over eight: middles at 1.33, 4, 6.67
    assert np.array_equal(truth_for(truth, DRIVING, 3, 1), maps([PERSON, IGNORED, IGNORED]))


def test_truth_follows_the_names_of_the_models_classes() -> None:
    labels = LabelSet([Label(0, "car", (1, 1, 1)), Label(1, "road", (2, 2, 2))])
    assert np.array_equal(
        truth_for(maps([BACKGROUND, ROAD, CAR, IGNORED]), labels, 4, 1), maps([IGNORED, 1, 0, IGNORED])
    )


def test_wrong_pixels() -> None:
    wrong = wrong_pixels(maps([ROAD, CAR, CAR]), maps([ROAD, ROAD, IGNORED]))
    assert wrong.tolist() == [[False, True, False]]


def test_what_a_file_stores_is_the_percentage_that_was_measured() -> None:
    """Four places were rounded twice: 73.946 % is 73.9 on the card, and 0.7395 was 74.0 in `seg-viewer models`."""
    scores = Scores(1, np.array([[50_000, 0, 0, 0], [26_054, 73_946, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), DRIVING)
    stored = scores.to_full_json()
    for name in ("iou", "dice", "precision", "recall"):
        exact = getattr(scores, name)
        assert {key: f"{value:.1%}" for key, value in stored[name].items()} == {k: f"{v:.1%}" for k, v in exact.items()}
    assert scores.iou["road"] == 0.73946 and f"{stored['iou']['road']:.1%}" == "73.9%"
