"""What `evaluate` measures beyond one score: by object height, flicker on clips, the worst pictures. All by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.labels import DRIVING
from seg_viewer.core.scores import Scores, confusion_matrix
from seg_viewer.media.rgb_picture import RgbPicture
from trainer.data.formats import find
from trainer.pairs import Pair
from trainer.scoring.evaluate import MeasuredModel, measure
from trainer.scoring.flicker import Flicker, flicker_text, measure_flicker
from trainer.scoring.heights import EDGES, Heights, heights_text
from trainer.scoring.tables import side_by_side
from trainer.scoring.worst import MOST_BYTES, Rated, Worst, worst_text, write_gallery

ROAD, CAR, PERSON, IGNORE = 1, 2, 3, 255


def empty() -> np.ndarray:
    """100 rows, so that one row is 1 % of the picture's height."""
    return np.zeros((100, 60), np.uint8)


def bins(
    truth: np.ndarray, predicted: np.ndarray, name: str = "person"
) -> list[tuple[int, float | None, float | None]]:
    """(objects, IoU, recall) of each bin."""
    heights = Heights(DRIVING)
    heights.add(truth, predicted)
    return [(one["objects"], one["iou"], one["recall"]) for one in heights.to_json().get(name, [])]


NOTHING = (0, None, None)


def test_objects_are_counted_by_their_height() -> None:
    truth, predicted = empty(), empty()
    for left, rows in enumerate((4, 5, 10, 20, 40)):  # just below 5 %, and each lower end
        truth[50 : 50 + rows, left * 10] = PERSON
    predicted[50:52, 0] = PERSON  # half of the first
    predicted[50:60, 20] = PERSON  # all of the third
    assert bins(truth, predicted) == [(1, 0.5, 0.5), (1, 0.0, 0.0), (1, 1.0, 1.0), (1, 0.0, 0.0), (1, 0.0, 0.0)]
    assert bins(truth, predicted, "car") == []


def test_objects_are_joined_across_corners() -> None:
    truth = empty()
    truth[0:4, 0], truth[4:8, 1] = PERSON, PERSON
    assert [found[0] for found in bins(truth, truth)] == [0, 1, 0, 0, 0]


def test_wrong_pixels_go_to_the_object_they_hang_on_most() -> None:
    truth, predicted = empty(), empty()
    truth[0:4, 0:4] = PERSON  # 16 pixels, 4 rows
    truth[0:12, 10:12] = PERSON  # 24 pixels, 12 rows
    predicted[0:4, 0:12] = PERSON  # one component over both: 16 of the first, 8 of the second, 24 of none
    small, tall = bins(truth, predicted)[0], bins(truth, predicted)[2]
    assert small == (1, round(16 / (16 + 24), 4), 1.0)
    assert tall == (1, round(8 / 24, 4), round(8 / 24, 4))
    predicted[0:12, 10:12] = PERSON  # now 24 of the second
    assert bins(truth, predicted)[0] == (1, 1.0, 1.0)
    assert bins(truth, predicted)[2] == (1, 0.5, 1.0)


def test_of_objects_that_share_as_much_the_higher_one_takes_the_wrong_pixels() -> None:
    truth, predicted = empty(), empty()
    truth[10:14, 20:22] = PERSON  # begins further down, 4 rows
    truth[9:19, 30] = PERSON  # 10 rows
    predicted[11, 20:31] = PERSON  # 2 of the first, 1 of the second, 8 of none
    assert bins(truth, predicted)[0] == (1, 0.125, 0.25)
    predicted[12, 30] = PERSON  # now 2 of each
    assert bins(truth, predicted)[0] == (1, 0.25, 0.25)
    assert bins(truth, predicted)[2] == (1, round(2 / 18, 4), 0.2)


def test_a_component_that_meets_no_object_goes_by_its_own_height() -> None:
    truth, predicted = empty(), empty()
    truth[0:30, 0] = PERSON
    predicted[0:30, 0] = PERSON
    predicted[60:67, 30:33] = PERSON  # 7 rows beside everything
    predicted[60:67, 20:23] = CAR
    assert bins(truth, predicted) == [NOTHING, (0, 0.0, None), NOTHING, (1, 1.0, 1.0), NOTHING]
    # an object of another class is no object of this one
    truth[60:67, 30:33] = CAR
    assert bins(truth, predicted)[1] == (0, 0.0, None)
    assert bins(truth, predicted, "car")[1] == (1, 0.0, 0.0)


def test_ignored_pixels_count_nowhere_but_cut_nothing_in_two() -> None:
    truth, predicted = empty(), empty()
    truth[0:8, 0:2], truth[0:8, 2:4] = PERSON, IGNORE
    predicted[0:8, 0:6] = PERSON  # 16 right, 16 ignored, 16 wrong behind them
    assert bins(truth, predicted)[1] == (1, 0.5, 1.0)
    truth[50:100], predicted[50:100, 20:30] = IGNORE, PERSON
    assert [found[0] for found in bins(truth, predicted)] == [0, 1, 0, 0, 0]
    assert bins(truth, predicted)[1] == (1, 0.5, 1.0)
    predicted[47:50, 20:30] = PERSON  # what is known of that component is 3 rows high
    assert bins(truth, predicted)[0] == (0, 0.0, None)
    truth[:] = IGNORE
    assert bins(truth, predicted) == []


def test_all_bins_together_are_the_confusion_matrix() -> None:
    rng = np.random.default_rng(4)
    heights, matrix = Heights(DRIVING), np.zeros((4, 4), np.int64)
    for _ in range(3):
        truth = np.kron(rng.integers(0, 4, (30, 12)), np.ones((3, 5))).astype(np.uint8)
        predicted = np.where(rng.random(truth.shape) < 0.8, truth, rng.integers(0, 4, truth.shape)).astype(np.uint8)
        truth[rng.random(truth.shape) < 0.1] = IGNORE
        heights.add(truth, predicted)
        matrix += confusion_matrix(truth, predicted, 4)
    for name, class_id in (("car", CAR), ("person", PERSON)):
        right, wrong, missed, objects = heights.counts[name].sum(1)
        assert right == matrix[class_id, class_id] and right > 0
        assert wrong == matrix[:, class_id].sum() - right and wrong > 0
        assert missed == matrix[class_id].sum() - right and missed > 0
        bins_of = heights.to_json()[name]
        assert objects == sum(one["objects"] for one in bins_of)
        for one, (hit, false) in zip(bins_of, heights.counts[name][:2].T.tolist(), strict=True):
            assert one["precision"] == (round(hit / (hit + false), 4) if hit + false else None)


def test_heights_of_other_classes_and_as_a_table() -> None:
    from trainer.labels.label_map import plain_map

    other = Heights(plain_map(2).labels)
    other.add(empty(), empty())
    assert other.to_json() == {} and heights_text({"m": other.to_json()}) == []
    truth = empty()
    truth[0:50, 0] = 1  # neither class comes in pieces by its name: what is painted counts
    other.add(truth, truth)
    assert list(other.to_json()) == ["class 1"]
    heights = Heights(DRIVING)
    truth = empty()
    truth[0:50, 0] = CAR
    heights.add(truth, truth)
    made = heights.to_json()
    assert [one["from"] for one in made["car"]] == list(EDGES) and made["car"][-1]["to"] is None
    text = "\n".join(heights_text({"m": made}))
    assert "40 % up        1   100.0   100.0" in text and "0-5 %        0       –       –" in text
    both = heights_text({"one": made, "other": made})
    assert "one" in both[0] and "other" in both[0] and any(line.count("100.0") == 4 for line in both)
    with pytest.raises(ValueError, match="truth is"):
        heights.add(truth, truth[:10])


def flicker_of(frames: Sequence[np.ndarray], maps: Sequence[np.ndarray]) -> dict[str, object]:
    flicker = Flicker(DRIVING)
    for frame, class_map in zip(frames, maps, strict=True):
        flicker.add(frame, class_map)
    return flicker.to_json()


def grey(level: int) -> np.ndarray:
    return np.full((20, 30, 3), level, np.uint8)


def class_map(**changes: tuple[slice, slice]) -> np.ndarray:
    made = np.zeros((20, 30), np.uint8)
    for name, place in changes.items():
        made[place] = DRIVING.by_name(name).id
    return made


def test_what_changes_while_the_picture_stands_still() -> None:
    one = class_map()
    two = class_map(car=(slice(0, 2), slice(0, 30)), person=(slice(2, 3), slice(0, 6)))
    found = flicker_of([grey(100), grey(102), grey(101)], [one, two, one])  # 2 grey levels are still
    assert (found["frames"], found["pairs"], found["repeated"], found["still"]) == (3, 2, 0, 1.0)
    assert found["changed"] == pytest.approx(66 / 600)
    assert found["by_classes"] == {"background<->car": 0.1, "background<->person": 0.01}
    assert len(found["over_time"]) == 2 and np.mean(found["over_time"]) == pytest.approx(66 / 600)
    found = flicker_of([grey(100), grey(103)], [one, two])
    assert (found["still"], found["changed"], found["by_classes"]) == (0.0, None, {})


def test_what_moves_does_not_count_as_flicker() -> None:
    before, after = grey(100), grey(100)
    after[:, 15:17] = 200  # a bar comes; 5×5 blur and 3×3 neighbourhood reach 3 columns to each side
    found = flicker_of([before, after], [class_map(), class_map(car=(slice(0, 20), slice(12, 20)))])
    assert found["still"] == pytest.approx(22 / 30) and found["changed"] == 0.0
    found = flicker_of([before, after], [class_map(), class_map(car=(slice(0, 20), slice(11, 20)))])
    assert found["changed"] == pytest.approx(1 / 22, abs=1e-6)


def test_frames_that_came_twice_are_left_out() -> None:
    one, two = class_map(), class_map(road=(slice(0, 10), slice(0, 30)))
    found = flicker_of([grey(100), grey(100), grey(101)], [one, two, two])
    assert (found["frames"], found["pairs"], found["repeated"], found["changed"]) == (3, 1, 1, 0.0)
    other_hue = grey(100)
    other_hue[0, 0] = (100, 100, 101)  # no luma in it after blurring, but not the same frame
    found = flicker_of([grey(100), other_hue], [one, two])
    assert (found["repeated"], found["still"], found["changed"]) == (0, 1.0, 0.5)
    alone = flicker_of([grey(100)], [one])
    assert (alone["still"], alone["changed"]) == (None, None)
    assert "nothing stands still" in "\n".join(flicker_text("clip", {"m": alone}))
    with pytest.raises(ValueError, match="the one before"):
        flicker_of([grey(1), np.zeros((4, 4, 3), np.uint8)], [one, np.zeros((4, 4), np.uint8)])


def test_two_models_see_the_same_clip_each_at_its_size() -> None:
    pictures = [RgbPicture(np.full((32, 64, 3), level, np.uint8)) for level in (100, 101, 102)]
    seen: list[tuple[int, ...]] = []

    def steady(picture: np.ndarray) -> np.ndarray:
        seen.append(picture.shape)
        return np.zeros(picture.shape[:2], np.uint8)

    def nervous(picture: np.ndarray) -> np.ndarray:
        return np.full(picture.shape[:2], picture[0, 0, 0] % 2, np.uint8)

    found = measure_flicker(
        [MeasuredModel(steady, (16, 8), DRIVING), MeasuredModel(nervous, (64, 32), DRIVING)], pictures
    )
    assert seen == [(8, 16, 3)] * 3
    assert [one["changed"] for one in found] == [0.0, 1.0]
    assert found[1]["by_classes"] == {"background<->road": 1.0}


def test_worst_pictures_are_the_worst_and_empty_ones_have_no_score() -> None:
    worst = Worst(2)
    for number, wrong in enumerate((0, 60, 30, 100)):
        truth = np.ones((10, 10), np.uint8)
        predicted = np.where(np.arange(100).reshape(10, 10) < wrong, 0, 1).astype(np.uint8)
        worst.add(Rated(_pair(number), Scores(1, confusion_matrix(truth, predicted, 4), DRIVING), predicted))
    unknown = np.full((10, 10), IGNORE, np.uint8)
    worst.add(Rated(_pair(9), Scores(1, confusion_matrix(unknown, unknown * 0, 4), DRIVING), unknown))
    assert [rated.to_json() for rated in worst.found] == [
        {"name": "images/3.png", "miou": 0.0, "iou": {"road": 0.0}},
        {"name": "images/1.png", "miou": 0.4, "iou": {"road": 0.4}},
    ]
    assert worst_text(worst.found)[2].split() == ["40.0", "images/1.png", "road", "40.0"]
    assert worst_text([]) == []


def _pair(number: int) -> Pair:
    return Pair(Path(f"a/images/{number}.png"), Path(f"a/masks/{number}.png"))


def test_one_pass_measures_two_models(data: Path) -> None:
    camvid = find("camvid", data / "camvid")
    calls = []

    def by_color(picture: np.ndarray) -> np.ndarray:
        calls.append(picture.shape)
        table = {(90, 90, 90): 0, (0, 190, 0): 1, (0, 0, 200): 2, (200, 0, 0): 3}
        out = np.zeros(picture.shape[:2], np.uint8)
        for color, class_id in table.items():
            out[(picture == color).all(2)] = class_id
        return out

    def none(picture: np.ndarray) -> np.ndarray:
        return np.zeros(picture.shape[:2], np.uint8)

    right, empty_one = measure(
        [MeasuredModel(by_color, (96, 64), DRIVING), MeasuredModel(none, (48, 32), DRIVING)], camvid, 2
    )
    assert len(calls) == len(camvid.held_out) == 3
    assert right.scores.miou == 1.0 and empty_one.scores.iou["person"] == 0.0
    assert len(right.worst) == 2 and right.worst[0].scores.miou == 1.0
    seen = [one for one in right.heights["person"] if one["objects"]]
    assert seen and all(one["iou"] == 1.0 for one in seen)
    table = side_by_side("camvid", {"file": right.scores, "nothing": empty_one.scores})
    assert "3 pictures" in table and "-100.00" in table and "mIoU" in table


def test_a_gallery_stays_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    root = tmp_path / "noisy"
    for number in range(30):
        for part, picture in (
            ("images", rng.integers(0, 255, (270, 480, 3), dtype=np.uint8)),
            ("masks", np.full((270, 480), number % 4, np.uint8)),
        ):
            (root / part).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / part / f"{number:02}.png"), picture)
    folder = find("folder", root, labels=str(_four(tmp_path)))
    model = MeasuredModel(lambda picture: np.zeros(picture.shape[:2], np.uint8), (64, 32), folder.labels)
    found = measure([model], folder, 20)[0].worst
    path = write_gallery(tmp_path / "worst.png", folder, found)
    assert path.stat().st_size < MOST_BYTES
    drawn = cv2.imread(str(path))
    assert drawn.shape[1] > 3 * 100 and drawn.shape[0] > len(found) * 50


def _four(folder: Path) -> Path:
    path = folder / "four.toml"
    path.write_text('target = "driving"\n[values]\nbackground = [0]\nroad = [1]\ncar = [2]\nperson = [3]\n')
    return path
