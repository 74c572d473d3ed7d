"""Augmentation, losses, metrics, recipe."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from tests.trainer.conftest import COLORS, blocks, painted
from trainer.augment import Augment, crop_pair
from trainer.losses import cross_entropy, dice_loss, make_loss
from trainer.metrics import Scores, confusion_matrix
from trainer.recipe import read_recipe


def test_a_crop_keeps_picture_and_mask_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.augment.change_look", lambda _rng, picture: picture)
    augment = Augment(crop=(128, 96), frame=(256, 160), focus=0.5)
    colors = np.array([COLORS[i] for i in range(4)])
    rng = np.random.default_rng(5)
    for _ in range(25):
        mask = blocks(rng, 160, 240)
        picture, cropped = crop_pair(rng, augment, painted(mask), mask)
        assert picture.shape == (96, 128, 3) and cropped.shape == (48, 64)
        assert set(np.unique(cropped)) <= {0, 1, 2, 3, 255}
        inner = picture[::2, ::2].astype(int)
        nearest = np.abs(inner[:, :, None] - colors).sum(-1).argmin(-1)
        kept = cropped != 255
        # pixels on a border between two blocks mix colours; everything else must agree
        assert (nearest == cropped)[kept].mean() > 0.9


def test_the_look_changes_but_never_the_shape() -> None:
    rng = np.random.default_rng(0)
    mask = blocks(rng, 64, 96)
    pictures = [crop_pair(rng, Augment((64, 32), (96, 64)), painted(mask), mask)[0] for _ in range(20)]
    assert all(p.shape == (32, 64, 3) and p.dtype == np.uint8 for p in pictures)
    assert len({p.tobytes() for p in pictures}) == 20


def test_cross_entropy_by_hand() -> None:
    # two pixels, two classes: p = (1/2, 1/2) and (3/4, 1/4); a third is ignored and would cost a lot
    logits = np.log(np.array([[[[0.5, 0.5], [0.75, 0.25], [1e-9, 1.0]]]], np.float32))
    target = np.array([[[0, 1, 255]]])
    weights = (1.0, 3.0)
    expected = (1 * math.log(2) + 3 * math.log(4)) / (1 + 3)
    assert float(cross_entropy(target, logits, weights)) == pytest.approx(expected, rel=1e-5)


def test_dice_by_hand() -> None:
    logits = np.log(np.array([[[[0.5, 0.5, 1e-9], [0.75, 0.25, 1e-9], [1e-9, 1.0, 1e-9]]]], np.float32))
    target = np.array([[[0, 1, 255]]])
    # class 0: p·t = 0.5, Σp = 1.25, Σt = 1; class 1: 0.25, 0.75, 1; class 2 is absent and left out; s = 1
    class_0 = (2 * 0.5 + 1) / (1.25 + 1 + 1)
    class_1 = (2 * 0.25 + 1) / (0.75 + 1 + 1)
    expected = 1 - (class_0 + class_1) / 2
    assert float(dice_loss(target, logits, 3)) == pytest.approx(expected, rel=1e-5)


def test_all_ignored_costs_nothing_and_stays_finite() -> None:
    logits = np.random.default_rng(0).normal(size=(1, 4, 4, 4)).astype(np.float32)
    assert float(make_loss((1.0,) * 4, 0.5)(np.full((1, 4, 4), 255), logits)) == pytest.approx(0, abs=1e-6)


def test_metrics_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 5000).astype(np.uint8)
    predicted = np.where(rng.random(5000) < 0.6, truth, rng.integers(0, 4, 5000)).astype(np.uint8)
    truth[::7] = 255
    kept = truth != 255
    matrix = confusion_matrix(truth, predicted, 4)
    np.testing.assert_array_equal(
        matrix, sklearn_metrics.confusion_matrix(truth[kept], predicted[kept], labels=range(4))
    )
    scores = Scores(1, matrix, DRIVING)
    expected = sklearn_metrics.jaccard_score(truth[kept], predicted[kept], average=None, labels=range(4))
    assert list(scores.iou.values()) == pytest.approx(expected)
    assert scores.miou == pytest.approx(expected.mean())
    assert scores.accuracy == pytest.approx((truth[kept] == predicted[kept]).mean())


def test_classes_that_do_not_occur_have_no_score() -> None:
    truth = np.array([0, 0, 1, 1], np.uint8)
    scores = Scores(1, confusion_matrix(truth, np.array([0, 3, 1, 1], np.uint8), 4), DRIVING)
    assert scores.iou == {"background": 0.5, "road": 1.0}
    assert scores.miou == 0.75


def test_the_shipped_recipe_reads() -> None:
    recipe = read_recipe("first")
    assert recipe.augment.frame == (512, 288)
    assert {source.kind for source in recipe.data} >= {"camvid", "idd", "carla", "penn_fudan"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("steps = ", "not a recipe"), ("steps = 3\ncrop = [1, 1]\nframe = [1, 1]\nspeed = 9\ndata = []", "speed")],
)
def test_broken_recipes_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_recipe(str(tmp_path / "r.toml"))
    with pytest.raises(UsageError, match="there ship: first"):
        read_recipe("gone")
