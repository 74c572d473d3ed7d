"""What masks that nobody described are taken for: told, or asked for; never guessed in silence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from seg_viewer.core.errors import SourceError
from tests.trainer.conftest import write_rgb
from trainer.cli import main
from trainer.data import formats
from trainer.labels.meaning import LabelsNeeded, meaning, ranges
from trainer.labels.named import read_label_map, shipped_maps

SIZE = (48, 64)
Mask = np.ndarray


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def bands(*values: int) -> Mask:
    """Areas of each value, one below the other."""
    rows = np.array(values, np.uint8)[np.arange(SIZE[0]) * len(values) // SIZE[0]]
    return np.repeat(rows[:, None], SIZE[1], axis=1)


def disc(low: int, high: int, smooth: float = 0.0, number: int = 0) -> Mask:
    """A disc of one level on another."""
    mask = np.full(SIZE, low, np.uint8)
    cv2.circle(mask, (20 + 3 * number, 22), 14, high, -1)
    return cv2.GaussianBlur(mask, (0, 0), smooth) if smooth else mask


def put(root: Path, masks: list[Mask], suffix: str = ".png", **how: int) -> Path:
    for number, mask in enumerate(masks):
        write_rgb(root / "images" / f"{number:03}.png", np.full((*mask.shape[:2], 3), number % 250, np.uint8))
        (root / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(root / "masks" / f"{number:03}{suffix}", **how)
    return root


IDS: dict[str, list[Mask]] = {
    "1, 2, 3": [bands(1, 2, 3)] * 4,
    "0, 1, 2 and void": [bands(0, 1, 2, 255)] * 4,
    "0, 7, 10": [bands(0, 7, 10)] * 4,
    "0 to 40": [np.repeat(bands(*range(41)), 4, axis=0)] * 4,
    "one third id in one of 100 masks": [*[bands(0, 1)] * 77, bands(0, 1, 2), *[bands(0, 1)] * 22],
    "two ids and void together": [bands(0, 1, 255)] * 4,
}


@pytest.mark.parametrize("masks", IDS.values(), ids=IDS)
def test_small_ids_stay_what_they_are_and_it_is_said(tmp_path: Path, masks: list[Mask]) -> None:
    found = formats.find("auto", put(tmp_path, masks), labels="native")
    held = sorted({int(v) for mask in masks for v in np.unique(mask)} - {255})
    assert f"mask values {ranges(held)} taken for classes as they stand" in found.label_map.title
    assert ("255 ignored" in found.label_map.title) == any((mask == 255).any() for mask in masks)
    pairs = sorted((*found.train, *found.held_out), key=lambda pair: pair.picture)
    for pair, mask in zip(pairs, masks, strict=True):
        np.testing.assert_array_equal(found.read(pair)[1], mask)


TWO: dict[str, tuple[list[Mask], str]] = {
    "0 and 1": ([bands(0, 1)] * 4, ".png"),
    "0 and 255": ([bands(0, 255)] * 4, ".png"),
    "7 and 200": ([bands(7, 200)] * 4, ".png"),
    "smooth edges": ([disc(0, 255, 1.0, n) for n in range(4)], ".png"),
    "very smooth edges": ([disc(0, 255, 2.5, n) for n in range(4)], ".png"),
    "smooth, of two greys": ([disc(60, 190, 0.7, n) for n in range(4)], ".png"),
    "JPEG": ([disc(0, 255, 0, n) for n in range(4)], ".jpg"),
    "JPEG of two greys": ([disc(40, 200, 0, n) for n in range(4)], ".JPG"),
    "JPEG, one without object": ([disc(0, 255, 0, 0), np.zeros(SIZE, np.uint8), disc(0, 255, 0, 2)], ".jpeg"),
    "WebP": ([disc(0, 255, 0, n) for n in range(4)], ".webp"),
}


@pytest.mark.parametrize(("masks", "suffix"), TWO.values(), ids=TWO)
def test_two_levels_are_background_and_object(tmp_path: Path, masks: list[Mask], suffix: str) -> None:
    found = formats.find("auto", put(tmp_path, masks, suffix), labels="native")
    assert found.labels.names == ("background", "object")
    assert "two grey levels" in found.label_map.title
    low, high = int(min(m.min() for m in masks)), int(max(m.max() for m in masks))
    pairs = sorted((*found.train, *found.held_out), key=lambda pair: pair.picture)
    for pair, mask in zip(pairs, masks, strict=True):
        truth = mask > (low + high) / 2
        assert (found.read(pair)[1] == truth).mean() > 0.985
        if not truth.any():
            assert not found.read(pair)[1].any()  # Otsu's threshold would find an object in the noise of nothing


def test_a_jpeg_that_was_saved_again_as_png_is_two_levels_too(tmp_path: Path) -> None:
    put(tmp_path / "jpeg", [disc(0, 255, 0, n) for n in range(4)], ".jpg", quality=70)
    again = [np.array(Image.open(file)) for file in sorted((tmp_path / "jpeg" / "masks").iterdir())]
    found = formats.find("auto", put(tmp_path / "png", again), labels="native")
    assert found.labels.names == ("background", "object")


def _lane(width: int) -> Mask:
    """A thin third class along the border of two large ones, where smoothing would be."""
    mask = bands(0, 255)
    mask[24 : 24 + width] = 127
    return mask


def _smooth(*values: int) -> Mask:
    return cv2.GaussianBlur(bands(*values), (0, 0), 1.0)


def _near() -> Mask:
    """A third class whose value is near that of the background."""
    mask = disc(0, 255, 1.0)
    mask[40:46, 4:60] = 5
    return mask


STOPPED: dict[str, list[Mask]] = {
    "0, 127, 254": [bands(0, 127, 254)] * 4,
    "0, 128, 255": [bands(0, 128, 255)] * 4,
    "0, 60, 149": [bands(0, 60, 149)] * 4,
    "0, 20, 40": [bands(0, 20, 40)] * 4,
    "one third value in one of 100 masks": [*[bands(0, 255)] * 77, bands(0, 128, 255), *[bands(0, 255)] * 22],
    "a line of a third value, 1 wide": [_lane(1)] * 4,
    "a line of a third value, 3 wide": [_lane(3)] * 4,
    "three smooth levels": [_smooth(0, 127, 254)] * 4,
    "a small third area among smooth edges": [*[disc(0, 255, 1.0)] * 9, _smooth(0, 128, 255)],
    "0/1 here, 0/255 there": [bands(0, 1), bands(0, 255)] * 2,
    "near a level, in few pixels": [*[disc(0, 255, 1.0, 1)] * 5, _near()],
    "a photograph": [np.random.default_rng(n).integers(0, 256, SIZE).astype(np.uint8) for n in range(4)],
    "colours": [cv2.merge([bands(0, 200), bands(0, 90), bands(0, 9)])] * 4,
    "colours and grey": [cv2.merge([bands(0, 200), bands(0, 90), bands(0, 9)]), bands(0, 1)] * 2,
}


@pytest.mark.parametrize("masks", STOPPED.values(), ids=STOPPED)
def test_what_masks_do_not_say_is_asked_for_with_a_file_to_paste(tmp_path: Path, masks: list[Mask]) -> None:
    """One line on standard error; standard output is the file, as it is."""
    root = put(tmp_path / "data", masks)
    (root / "labels.toml").touch()  # as a shell does before it starts "check DATA > DATA/labels.toml"
    for command in (("train", "--data", root, "--show-augmentation", tmp_path / "a.png"), ("check", root)):
        stopped = run(*command)
        assert stopped.exit_code == 1
        assert len(stopped.stderr.splitlines()) == 1 and "labels.toml" in stopped.stderr
        assert not (tmp_path / "a.png").exists()
    (root / "labels.toml").write_text(stopped.stdout, encoding="utf-8")
    assert read_label_map(str(root / "labels.toml")).labels.names
    checked = run("check", root)
    if masks[-1].ndim == masks[0].ndim:  # colours and grey in one data set are beyond one map
        assert checked.exit_code == 0, checked.output
        assert "classes: " in checked.output


@pytest.mark.parametrize(("suffix", "quality"), [(".jpg", 100), (".JPG", 75), (".jpeg", 50), (".webp", 80)])
@pytest.mark.parametrize("values", [(0, 1, 2), (1, 2, 3), (0, 127, 254), (0, 60, 149), (0, 7, 10, 12), (0, 5, 255)])
def test_lossy_masks_of_more_than_two_classes_are_refused(
    tmp_path: Path, values: tuple[int, ...], suffix: str, quality: int
) -> None:
    root = put(tmp_path, [bands(*values)] * 4, suffix, quality=quality)
    stopped = run("check", root)
    assert stopped.exit_code == 1 and len(stopped.output.splitlines()) == 1
    assert "save masks as PNG" in stopped.output and f"000{suffix}" in stopped.output


@pytest.mark.parametrize("quality", [50, 80, 95])
@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize("side", [12, 20])
def test_small_objects_in_lossy_masks_are_objects(tmp_path: Path, side: int, suffix: str, quality: int) -> None:
    """There the second most frequent level may be a breath beside the background's."""
    masks = [np.zeros((48, 64), np.uint8) for _ in range(6)]
    for number, mask in enumerate(masks):
        mask[3 * number : 3 * number + side, 7 * number : 7 * number + side] = 255
    found = formats.find("auto", put(tmp_path, masks, suffix, quality=quality), labels="native")
    assert found.label_map.labels.names == ("background", "object")
    for pair, mask in zip(found.train, masks, strict=False):
        ids = found.read(pair)[1]
        assert ((ids == 1) == (mask == 255))[ids != 255].mean() > 0.99


@pytest.mark.parametrize(("suffix", "how"), [(".webp", {"lossless": True}), (".tif", {}), (".bmp", {}), (".gif", {})])
def test_lossless_masks_of_any_kind_keep_their_ids(tmp_path: Path, suffix: str, how: dict[str, int]) -> None:
    found = formats.find("auto", put(tmp_path, [bands(0, 1, 2)] * 4, suffix, **how), labels="native")
    np.testing.assert_array_equal(found.read(found.train[0])[1], bands(0, 1, 2))


def test_jpeg_masks_whose_values_lie_far_apart_can_be_described(tmp_path: Path) -> None:
    """Even areas are believed, whatever JPEG shifts them by; what lies between is ignored."""
    root = put(tmp_path, [bands(0, 127, 254)] * 4, ".jpg", quality=50)
    (root / "labels.toml").write_text(
        "[values]\nsky = [254]\nroad = [127]\ncar = [0]\n"
        "[classes]\nsky = [0, 0, 9]\nroad = [0, 9, 0]\ncar = [9, 0, 0]\n"
    )
    found = formats.find("auto", root, labels="native")
    ids = found.read(found.train[0])[1]
    for row, class_id in ((4, 2), (24, 1), (44, 0)):
        assert (ids[row] == class_id).all()
    assert set(np.unique(ids)) <= {0, 1, 2, 255}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.sets(st.integers(0, 255), min_size=3, max_size=6), where=st.integers(0, 11))
def test_whatever_ids_there_are_none_becomes_another(
    tmp_path_factory: pytest.TempPathFactory, values: set[int], where: int
) -> None:
    """Either the classes are the values themselves (255 ignored), or it stops: also when one mask of 12 has them."""
    masks = [bands(*sorted(values)[:2])] * 12
    masks[where] = bands(*sorted(values))
    root = put(tmp_path_factory.mktemp("ids"), masks)
    try:
        found = formats.find("auto", root, labels="native")
    except LabelsNeeded:
        return
    for pair in (*found.train, *found.held_out):
        np.testing.assert_array_equal(found.read(pair)[1], masks[int(pair.picture.stem)])


def test_train_says_what_it_takes_for_what_before_it_starts(tmp_path: Path) -> None:
    root = put(tmp_path / "data", [bands(0, 1, 2, 255)] * 8)
    shown = run("train", "--data", root, "--size", "64x32", "--show-augmentation", tmp_path / "a.png")
    assert shown.exit_code == 0, shown.output
    assert "labels 'ids': mask values 0…2 taken for classes as they stand, 255 ignored" in shown.output
    assert "classes: class 0 ← 0; class 1 ← 1; class 2 ← 2; ignored ← 255" in shown.output


@pytest.mark.parametrize("name", shipped_maps())
def test_the_meaning_names_every_class_and_value(name: str) -> None:
    made = read_label_map(name)
    text = meaning(made)
    for label in made.labels if made.read == "ids" else ():
        values = [value for value, class_id in made.values.items() if class_id == label.id]
        assert f"{label.name} ← {ranges(values)}" in text or not values
    assert len(text.splitlines()) == 1 and (made.read == "ids" or "Otsu" in text)


@pytest.mark.parametrize(
    ("values", "text"), [((), ""), ((3,), "3"), ((1, 2), "1, 2"), ((5, 0, 2, 3, 4), "0, 2…5"), ((1, 2, 9), "1, 2, 9")]
)
def test_ranges(values: tuple[int, ...], text: str) -> None:
    assert ranges(values) == text


def test_other_labels_do_not_need_to_know_what_the_masks_mean(tmp_path: Path) -> None:
    """A colour mask stopped everybody, also who said what its colours mean."""
    root = put(tmp_path / "data", [cv2.merge([bands(0, 200), bands(0, 90), bands(0, 9)])] * 4)
    (tmp_path / "mine.toml").write_text(
        "[colors]\na = [[0, 0, 0]]\nb = [[200, 90, 9]]\n[classes]\na = [0, 0, 0]\nb = [9, 9, 9]\n"
    )
    found = formats.find("auto", root, labels=str(tmp_path / "mine.toml"))
    assert found.labels.names == ("a", "b")


def test_what_one_folder_was_taken_for_is_not_kept_for_another_day(tmp_path: Path) -> None:
    root = put(tmp_path, [bands(0, 255)] * 4)
    assert formats.find("auto", root, labels="native").labels.names == ("background", "object")
    Image.fromarray(bands(0, 128, 255)).save(root / "masks" / "002.png")
    with pytest.raises(LabelsNeeded, match="masks hold the values 0, 128, 255"):
        formats.find("auto", root, labels="native")


def test_masks_of_which_none_can_be_read(tmp_path: Path) -> None:
    root = put(tmp_path, [bands(0, 1)] * 2)
    for mask in (root / "masks").iterdir():
        mask.write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"000\.png: cannot be read as a mask"):
        formats.find("auto", root, labels="native")
