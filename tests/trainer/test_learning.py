"""Augmentation, losses, metrics, recipe."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.scores import Scores, confusion_matrix
from tests.trainer.conftest import COLORS, blocks, painted
from trainer.data import looks
from trainer.data.augment import Donor, View, crop_pair
from trainer.data.own_car import draw_own_car
from trainer.limits import parse_loss
from trainer.network.losses import (
    binary_cross_entropy,
    cross_entropy,
    dice_loss,
    focal_loss,
    lovasz_softmax,
    make_loss,
)
from trainer.recipe import SECTIONS, Augment, read_recipe
from trainer.scoring.tables import full_table

STILL = Augment(color=0, blur=0, noise=0, jpeg=0)
ALL = ["ce", "bce", "dice", "focal", "lovasz", "ce+dice", "bce+dice", "0.5*ce+2*lovasz"]


def test_a_crop_keeps_picture_and_mask_together() -> None:
    view = View(crop=(128, 96), frame=(256, 160), mask_stride=2)
    colors = np.array([COLORS[i] for i in range(4)])
    rng = np.random.default_rng(5)
    for _ in range(25):
        mask = blocks(rng, 160, 240)
        picture, cropped = crop_pair(rng, view, STILL, painted(mask), mask)
        assert picture.shape == (96, 128, 3) and cropped.shape == (48, 64)
        assert set(np.unique(cropped)) <= {0, 1, 2, 3, 255}
        inner = picture[::2, ::2].astype(int)
        nearest = np.abs(inner[:, :, None] - colors).sum(-1).argmin(-1)
        kept = cropped != 255
        # pixels on a border between two blocks mix colours; everything else must agree
        assert (nearest == cropped)[kept].mean() > 0.9


def test_a_drawn_own_car_is_background_and_leaves_the_street_as_it_is() -> None:
    """What it covers changes its class, no more; the rest may be lightened by glare and glass."""
    drawn, kept = Augment(color=0, blur=0, noise=0, jpeg=0, bonnet=1.0), []
    mask, picture = np.full((96, 128), 1, np.uint8), np.full((96, 128, 3), 200, np.uint8)
    view = View((128, 96), (128, 96), mask_stride=2, background=7)
    for seed in range(40):
        out, out_mask = crop_pair(np.random.default_rng(seed), view, drawn, picture, mask)
        covered = out_mask == 7
        assert {7} <= set(np.unique(out_mask)) <= {1, 7, 255}
        around = cv2.dilate(np.repeat(np.repeat(covered, 2, 0), 2, 1).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
        kept.append(float((out[around] == 200).all(axis=-1).mean()))
    assert (picture == 200).all() and np.median(kept) > 0.95 and np.mean(kept) > 0.7
    _, unknown = crop_pair(np.random.default_rng(0), View((128, 96), (128, 96)), drawn, picture, mask)
    assert set(np.unique(unknown)) == {1, 255} and (unknown[:40] == 1).mean() > 0.8


def test_drawn_own_cars_are_of_every_kind_that_dashcams_see() -> None:
    """Low and high, flat and curved, over the whole width and part of it, dark and lit grey like the asphalt."""
    street = np.random.default_rng(3).integers(90, 120, (90, 160, 3), np.uint8)
    heights, bends, widths, tones, shows_through = [], [], [], [], []
    for seed in range(120):
        out, covered = draw_own_car(np.random.default_rng(seed), street)
        again, _ = draw_own_car(np.random.default_rng(seed), street)
        assert out.shape == street.shape and set(np.unique(covered)) <= {0, 1} and (out == again).all()
        assert covered.mean() < 0.65
        heights.append(float(covered[:, 70:90].mean()))
        bends.append(abs(float(covered[:, 8:28].mean() - covered[:, 70:90].mean())))
        widths.append(float(covered[-4:].max(axis=0).mean()))
        inside = cv2.erode(covered, np.ones((5, 5), np.uint8)) > 0
        if inside.any():
            tones.append(float(np.median(out[inside])))
            shows_through.append(float((out[inside] == street[inside]).all(axis=-1).mean()))
    assert min(heights) < 0.06 and np.percentile(heights, 90) > 0.25
    assert min(bends) < 0.01 and max(bends) > 0.15
    assert np.mean(np.array(widths) == 1) > 0.5 and np.mean(np.array(widths) < 0.9) > 0.03
    likeness = np.abs(np.array(tones) - 105)
    assert (likeness < 35).mean() > 0.15 and (np.array(tones) < 40).mean() > 0.15 and (np.array(tones) > 170).any()
    assert np.mean(shows_through) < 0.02, "the street shows through"


def test_blank_pictures_are_background() -> None:
    blank = Augment(color=0, blur=0, noise=0, jpeg=0, blank=1.0)
    mask = blocks(np.random.default_rng(0), 64, 96)
    view = View((96, 64), (96, 64), mask_stride=2, background=0)
    for seed in range(8):
        out, out_mask = crop_pair(np.random.default_rng(seed), view, blank, painted(mask), mask)
        assert (out_mask == 0).all() and out.shape == (64, 96, 3) and out.std(axis=(0, 1)).max() < 10


def test_objects_of_another_picture_are_laid_over_with_their_mask() -> None:
    """A red square on black over a grey picture: where the mask tells 2 there is red, elsewhere nothing changed."""
    pasted = Augment(color=0, blur=0, noise=0, jpeg=0, flip=0, rotate=0, zoom=(1, 1), aspect=(1, 1))
    square = np.zeros((64, 96), np.uint8)
    square[20:40, 30:60] = 2
    red = np.zeros((64, 96, 3), np.uint8)
    red[20:40, 30:60] = (250, 0, 0)
    view = View((96, 64), (96, 64), mask_stride=2)
    grey, street = np.full((64, 96, 3), 100, np.uint8), np.full((64, 96), 1, np.uint8)
    donor = Donor(red, square, np.array([[45, 30]], np.uint16), np.arange(256) == 2)
    out, out_mask = crop_pair(np.random.default_rng(0), view, pasted, grey, street, donor=donor)
    assert set(np.unique(out_mask)) == {1, 2} and (out_mask == 2).sum() == 10 * 15
    inside = np.repeat(np.repeat(out_mask == 2, 2, 0), 2, 1).astype(np.uint8)
    core, around = cv2.erode(inside, np.ones((5, 5))) > 0, cv2.dilate(inside, np.ones((5, 5))) == 0
    assert (out[core] == (250, 0, 0)).all() and (out[around] == 100).all()
    too_large = Donor(red, np.full_like(square, 2), donor.points, donor.ids)
    same, same_mask = crop_pair(np.random.default_rng(0), view, pasted, grey, street, donor=too_large)
    assert (same == 100).all() and (same_mask == 1).all()


def test_paint_lies_on_the_road_only_and_stays_road() -> None:
    painted_on = Augment(color=0, blur=0, noise=0, jpeg=0, flip=0, rotate=0, zoom=(1, 1), aspect=(1, 1), paint=1.0)
    mask = np.zeros((96, 128), np.uint8)
    mask[48:] = 5
    grey = np.full((96, 128, 3), 100, np.uint8)
    changed = 0
    for seed in range(12):
        view = View((128, 96), (128, 96), mask_stride=1 + seed % 2, road=(5, 7))
        out, out_mask = crop_pair(np.random.default_rng(seed), view, painted_on, grey, mask)
        assert (out[:47] == 100).all() and set(np.unique(out_mask)) == {0, 5}
        changed += int((np.abs(out[48:].astype(int) - 100).max(-1) > 20).sum())
    assert 1000 < changed < 12 * 48 * 128 / 2
    bare, _ = crop_pair(np.random.default_rng(0), View((128, 96), (128, 96)), painted_on, grey, mask)
    assert (bare == 100).all(), "no class is road"


def test_shade_darkens_things_or_patches_and_leaves_the_mask() -> None:
    shaded = Augment(color=0, blur=0, noise=0, jpeg=0, flip=0, rotate=0, zoom=(1, 1), aspect=(1, 1), shade=1.0)
    mask = np.ones((96, 128), np.uint8)
    mask[20:70, 30:60] = 4
    grey = np.full((96, 128, 3), 100, np.uint8)
    exact = patches = 0
    for seed in range(40):
        view = View((128, 96), (128, 96), mask_stride=1 + seed % 2, things=(4, 9))
        out, out_mask = crop_pair(np.random.default_rng(seed), view, shaded, grey, mask)
        assert (out_mask == mask[:: view.mask_stride, :: view.mask_stride]).all()
        dark = out.max(axis=-1) < 90
        assert out.max() <= 100
        things = mask == 4
        exact += bool(
            dark.any() and (dark & ~cv2.dilate(things.astype(np.uint8), np.ones((5, 5))).astype(bool)).sum() == 0
        )
        patches += bool((dark & ~things).sum() > 100)
    assert exact >= 5 and patches >= 10
    nothing, _ = crop_pair(np.random.default_rng(1), View((128, 96), (128, 96)), shaded, grey, mask)
    assert nothing.shape == grey.shape


NUMBERS = [f for kind in SECTIONS.values() for f in dataclasses.fields(kind) if re.search("int|float", str(f.type))]


@pytest.mark.parametrize("one", NUMBERS, ids=lambda one: one.name)
def test_every_number_has_a_range_and_is_held_to_it(one: dataclasses.Field[Any]) -> None:
    limits = one.metadata
    assert {"least", "above"} & set(limits), "a number without a lower end"
    recipe = read_recipe("driving-fast")
    whole = "int" in str(one.type)
    outside = [limits["least"] - 1 if "least" in limits else limits["above"]]
    outside += [limits[key] + more for key, more in (("most", 1), ("below", 0)) if key in limits]
    outside += [] if whole else [math.nan, math.inf]
    for value in outside:
        given = (value, value) if str(one.type).startswith("tuple") else value
        with pytest.raises(
            UsageError, match=rf"^{one.name} is {re.escape(f'{value:g}')}; it must be (at least|above) "
        ):
            recipe.change(**{one.name: given})


def test_without_augmentation_the_picture_is_only_stretched() -> None:
    mask = blocks(np.random.default_rng(0), 64, 96)
    view = View(crop=(192, 128), frame=(192, 128))
    picture, stretched = crop_pair(np.random.default_rng(0), view, Augment(augment=False), painted(mask), mask)
    np.testing.assert_array_equal(stretched, np.repeat(np.repeat(mask, 2, 0), 2, 1))
    assert picture.shape == (128, 192, 3)


def test_the_look_changes_but_never_the_shape() -> None:
    rng = np.random.default_rng(0)
    mask = blocks(rng, 64, 96)
    view, strong = View((64, 32), (96, 64)), Augment(fog=0.3, rain=0.3, night=0.3)
    pictures = [crop_pair(rng, view, strong, painted(mask), mask)[0] for _ in range(20)]
    assert all(p.shape == (32, 64, 3) and p.dtype == np.uint8 for p in pictures)
    assert len({p.tobytes() for p in pictures}) == 20


def test_weather_does_what_its_name_says() -> None:
    picture = np.full((60, 80, 3), 120, np.uint8)
    rng = np.random.default_rng(1)
    foggy, dark, wet = looks.fog(rng, picture), looks.night(rng, picture), looks.rain(rng, picture)
    assert foggy[5].mean() > foggy[-1].mean() > 120  # thicker far away
    assert dark.mean() < 90 and dark[50:, 30:50].mean() > dark[:20].mean()
    assert wet.max() > 140 and np.median(wet) < 120  # bright streaks on a duller picture
    assert (picture == 120).all()


def test_cross_entropy_by_hand() -> None:
    # two pixels, two classes: p = (1/2, 1/2) and (3/4, 1/4); a third is ignored and would cost a lot
    logits = np.log(np.array([[[[0.5, 0.5], [0.75, 0.25], [1e-9, 1.0]]]], np.float32))
    target = np.array([[[0, 1, 255]]])
    expected = (1 * math.log(2) + 3 * math.log(4)) / (1 + 3)
    assert float(cross_entropy(target, logits, (1.0, 3.0))) == pytest.approx(expected, rel=1e-5)
    assert float(cross_entropy(target, logits)) == pytest.approx((math.log(2) + math.log(4)) / 2, rel=1e-5)


def test_binary_cross_entropy_by_hand() -> None:
    # one sigmoid of the difference of two logits: σ(log 3) = 3/4
    logits = np.array([[[[0.0, math.log(3)], [0.0, math.log(3)], [0.0, 90.0]]]], np.float32)
    target = np.array([[[1, 0, 255]]])
    expected = (-math.log(0.75) - math.log(0.25)) / 2
    assert float(binary_cross_entropy(target, logits)) == pytest.approx(expected, rel=1e-5)
    assert float(binary_cross_entropy(target, logits)) == pytest.approx(float(cross_entropy(target, logits)), rel=1e-5)
    # three classes: each channel on its own, σ(0) = 1/2 everywhere
    three = np.zeros((1, 1, 2, 3), np.float32)
    assert float(binary_cross_entropy(np.array([[[2, 255]]]), three)) == pytest.approx(math.log(2), rel=1e-5)


def test_dice_by_hand() -> None:
    logits = np.log(np.array([[[[0.5, 0.5, 1e-9], [0.75, 0.25, 1e-9], [1e-9, 1.0, 1e-9]]]], np.float32))
    target = np.array([[[0, 1, 255]]])
    # class 0: p·t = 0.5, Σp = 1.25, Σt = 1; class 1: 0.25, 0.75, 1; class 2 is absent and left out; s = 1
    class_0 = (2 * 0.5 + 1) / (1.25 + 1 + 1)
    class_1 = (2 * 0.25 + 1) / (0.75 + 1 + 1)
    expected = 1 - (class_0 + class_1) / 2
    assert float(dice_loss(target, logits)) == pytest.approx(expected, rel=1e-5)


def test_focal_by_hand() -> None:
    logits = np.log(np.array([[[[0.5, 0.5], [0.9, 0.1]]]], np.float32))
    target = np.array([[[0, 0]]])
    expected = (0.25 * math.log(2) + 0.01 * -math.log(0.9)) / 2
    assert float(focal_loss(target, logits, gamma=2.0)) == pytest.approx(expected, rel=1e-4)
    assert float(focal_loss(target, logits, gamma=0.0)) == pytest.approx(float(cross_entropy(target, logits)), rel=1e-5)


def test_lovasz_by_hand() -> None:
    # two pixels of classes 0 and 1 with p[0] = 0.6 and 0.3. Class 0: errors 0.4 (its own pixel) and 0.3 (the other).
    # Sorted 0.4, 0.3; Jaccard loss after one: 1 − 0/1 = 1; after both: 1 − 0/2 = 1 → weights 1, 0 → 0.4.
    # Class 1: p = 0.4, 0.7; errors 0.4 (false), 0.3 (own); after one: 1 − 1/2; after both: 1 → 0.5·0.4 + 0.5·0.3
    logits = np.log(np.array([[[[0.6, 0.4], [0.3, 0.7], [0.01, 0.99]]]], np.float32))
    target = np.array([[[0, 1, 255]]])
    assert float(lovasz_softmax(target, logits)) == pytest.approx((0.4 + 0.35) / 2, rel=1e-4)


def test_lovasz_is_one_minus_iou_on_hard_answers() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, (2, 8, 8)).astype(np.uint8)
    predicted = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 3, truth.shape)).astype(np.uint8)
    truth[0, :2] = 255
    logits = (np.eye(3)[predicted] * 60).astype(np.float32)
    miou = Scores(2, confusion_matrix(truth, predicted, 3), DRIVING).matrix
    hit = np.diag(miou)
    iou = hit / (miou.sum(0) + miou.sum(1) - hit)
    assert float(lovasz_softmax(truth, logits)) == pytest.approx(1 - iou.mean(), abs=1e-4)


@pytest.mark.parametrize("text", ALL)
def test_ignored_pixels_never_count_and_never_break(text: str) -> None:
    loss = make_loss(text, (1.0, 2.0, 3.0, 4.0) if "ce" in text else ())
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(1, 6, 6, 4)).astype(np.float32)
    assert float(loss(np.full((1, 6, 6), 255), logits)) == pytest.approx(0, abs=1e-6)
    target = rng.integers(0, 4, (1, 6, 6))
    target[:, :2] = 255
    other = logits.copy()
    other[:, :2] += rng.normal(size=(1, 2, 6, 4)) * 50
    assert float(loss(target, other)) == pytest.approx(float(loss(target, logits)), rel=1e-5)
    assert np.isfinite(float(loss(target, logits * 1e4)))


@pytest.mark.parametrize("text", ALL)
def test_every_loss_falls_when_the_answer_is_right(text: str) -> None:
    loss = make_loss(text)
    target = np.random.default_rng(1).integers(0, 4, (1, 8, 8))
    right = (np.eye(4)[target] * 24 - 12).astype(np.float32)
    assert float(loss(target, right)) < 0.05 < float(loss(target, np.zeros_like(right)))


def test_losses_are_parsed_or_named() -> None:
    assert parse_loss("CE + 0.5*dice") == [(1.0, "ce"), (0.5, "dice")]
    with pytest.raises(UsageError, match="'jaccard' is none of ce, bce"):
        parse_loss("ce+jaccard")


def test_metrics_agree_with_scikit_learn() -> None:
    from sklearn import metrics as sklearn_metrics  # only here: it takes as long as Keras

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
    same = {"average": None, "labels": range(4)}
    for ours, theirs in (
        (scores.iou, sklearn_metrics.jaccard_score),
        (scores.dice, sklearn_metrics.f1_score),
        (scores.precision, sklearn_metrics.precision_score),
        (scores.recall, sklearn_metrics.recall_score),
    ):
        assert list(ours.values()) == pytest.approx(theirs(truth[kept], predicted[kept], **same))
    assert scores.miou == pytest.approx(np.mean(list(scores.iou.values())))
    assert scores.accuracy == pytest.approx((truth[kept] == predicted[kept]).mean())


def test_classes_that_do_not_occur_have_no_score_and_are_told() -> None:
    truth = np.array([0, 0, 1, 1], np.uint8)
    scores = Scores(1, confusion_matrix(truth, np.array([0, 3, 1, 1], np.uint8), 4), DRIVING)
    assert scores.iou == {"background": 0.5, "road": 1.0}
    assert scores.miou == 0.75
    assert "2 of 4 classes occur" in full_table("set", scores)


def test_the_shipped_recipe_reads_and_repeats(tmp_path: Path) -> None:
    recipe = read_recipe("driving-base")
    assert recipe.run.size == (512, 288)
    assert {source.kind for source in recipe.data} >= {"camvid", "idd", "carla", "penn_fudan"}
    (tmp_path / "r.toml").write_text(recipe.to_toml())
    assert read_recipe(str(tmp_path / "r.toml")) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = ", "not a recipe"),
        ("speed = 9", "'speed' means nothing in the top level"),
        ("[model]\nstages = 3", "'stages' means nothing in model"),
        ("epochs = 'many'", "epochs = 'many' is no int"),
        ("size = [96]", "size must be a list of 2 values"),
        ("size = [100, 64]", "100x64: unet-fast with 5 stages needs multiples of 32, such as 96x64"),
        ("monitor = 'luck'", "monitor = 'luck'; choose miou, loss"),
        ("[[data]]\npath = 'x'", r"\[\[data\]\] without 'kind'"),
        ("[[data]]\nkind = 'camvid'", r"\[\[data\]\] without 'path'"),
        ("[[data]]\nkind = 'camvid'\npath = 'x'\nsplit = {by = 'luck'}", "split 'luck': choose given"),
    ],
)
def test_broken_recipes_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_recipe(str(tmp_path / "r.toml"))
    with pytest.raises(
        UsageError,
        match=r"ship: .*driving-base, .*driving-sharp, driving-streets, driving-wide, .*protocol",
    ):
        read_recipe("gone")
