from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seg_viewer.core.errors import SourceError, UsageError
from tests.trainer.conftest import CAMVID_IDS, write_rgb
from trainer import datasets

GREY = np.full((20, 30, 3), 90, np.uint8)


def test_camvid(data: Path, tmp_path: Path) -> None:
    found = datasets.find("camvid", data / "camvid")
    assert (len(found.train), len(found.held_out)) == (8, 3)
    mask = np.zeros((20, 30), np.uint8)
    for column, value in enumerate(CAMVID_IDS.values()):
        mask[:, column] = value
    write_rgb(tmp_path / "m.png", mask)
    assert found.read_mask(tmp_path / "m.png")[0, :7].tolist() == [0, 0, 1, 2, 3, 3, 255]


def test_carla_reads_the_red_channel_and_ignores_its_own_bonnet(tmp_path: Path) -> None:
    for number in range(20):
        mask = np.zeros((40, 60, 3), np.uint8)
        mask[..., 1:] = 77  # green and blue mean nothing
        mask[10:30, :, 0] = 7
        mask[12, :, 0] = 6
        mask[15:20, number : number + 5, 0] = 10  # another car, driving
        mask[22, 3, 0] = 4
        mask[35:, :, 0] = 10  # the bonnet
        write_rgb(tmp_path / "CameraRGB" / f"{number:02}.png", np.zeros((40, 60, 3), np.uint8))
        write_rgb(tmp_path / "CameraMask" / f"{number:02}.png", mask)
    found = datasets.find("carla", tmp_path)
    assert len(found.held_out) == 3 and len(found.train) == 20 - 3 - 12
    assert max(p.picture.name for p in found.train) < min(p.picture.name for p in found.held_out)
    _, ids = found.read(found.train[0])
    assert (ids[12, 30], ids[11, 30], ids[16, 2], ids[22, 3], ids[0, 0]) == (1, 1, 2, 3, 0)
    assert (ids[36:] == 255).all()


def test_a_recording_says_of_which_carla_its_tags_are(tmp_path: Path) -> None:
    """In 0.9.14 and later road is 1, road line 24, car 14, pedestrian 12; 10 is terrain, no longer a vehicle."""
    for number in range(20):
        mask = np.zeros((40, 60, 3), np.uint8)
        mask[10:30, :, 0] = 1
        mask[12, :, 0] = 24
        mask[15:20, number : number + 5, 0] = 14
        mask[22, 3, 0] = 12
        mask[35:, :, 0] = 10
        write_rgb(tmp_path / "CameraRGB" / f"{number:02}.png", np.zeros((40, 60, 3), np.uint8))
        write_rgb(tmp_path / "CameraMask" / f"{number:02}.png", mask)
    (tmp_path / "carla.json").write_text('{"carla_version": "0.9.16", "drives": []}')
    found = datasets.find("carla", tmp_path)
    _, ids = found.read(found.train[0])
    assert (ids[12, 30], ids[11, 30], ids[16, 2], ids[22, 3], ids[0, 0]) == (1, 1, 2, 3, 0)
    assert (ids[36:] == 0).all()  # terrain, and no bonnet to leave out
    (tmp_path / "carla.json").write_text("{}")
    with pytest.raises(SourceError, match=r"carla\.json: does not say of which version"):
        datasets.find("carla", tmp_path)


def test_idd_keeps_every_fifth_drive_back(tmp_path: Path) -> None:
    values = np.array([0, 1, 2, 3, 4, 5, 6, 255], np.uint8)
    for drive in range(10):
        for number in range(2):
            write_rgb(tmp_path / "leftImg8bit/train" / str(drive) / f"{number}_image.jpg", GREY)
            write_rgb(tmp_path / "gtFine/train" / str(drive) / f"{number}_label.png", np.resize(values, (20, 30)))
    found = datasets.find("idd", tmp_path)
    assert {p.picture.parent.name for p in found.held_out} == {"4", "9"}
    assert len(found.train) == 16
    assert found.read(found.train[0])[1].ravel()[:8].tolist() == [1, 0, 3, 2, 0, 0, 0, 255]


def test_penn_fudan_knows_nothing_but_people(tmp_path: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[:5], mask[5:8] = 1, 2
    write_rgb(tmp_path / "PNGImages/a.png", GREY)
    write_rgb(tmp_path / "PedMasks/a_mask.png", mask)
    found = datasets.find("penn_fudan", tmp_path)
    assert np.unique(found.read(found.train[0])[1]).tolist() == [3, 255]
    assert found.held_out == ()


def test_carvana_reads_gif_and_splits_by_car(tmp_path: Path) -> None:
    for car in range(20):
        for view in range(2):
            write_rgb(tmp_path / "train" / f"car{car:02}_{view}.jpg", GREY)
            (tmp_path / "train_masks").mkdir(exist_ok=True)
            mask = np.zeros((20, 30), np.uint8)
            mask[5:] = 1
            Image.fromarray(mask).save(tmp_path / "train_masks" / f"car{car:02}_{view}_mask.gif")
    found = datasets.find("carvana", tmp_path)
    cars = {p.picture.stem[:5] for p in found.held_out}
    assert len(cars) == 2 and not cars & {p.picture.stem[:5] for p in found.train}
    assert np.unique(found.read(found.train[0])[1]).tolist() == [0, 2]


def test_a_folder_takes_the_pairs_that_are_complete(tmp_path: Path) -> None:
    for number in range(10):
        write_rgb(tmp_path / "images" / f"{number}.jpg", GREY)
        if number != 4:
            write_rgb(tmp_path / "masks" / f"{number}.png", np.full((20, 30), number % 4, np.uint8))
    found = datasets.find("folder", tmp_path, "rendered")
    assert found.name == "rendered"
    assert len(found.train) + len(found.held_out) == 9


def test_a_stray_value_names_file_pixel_and_value(tmp_path: Path) -> None:
    mask = np.full((20, 30), 3, np.uint8)
    mask[7, 9] = 192
    for part in ("train", "val"):
        write_rgb(tmp_path / part / "a.png", GREY)
        write_rgb(tmp_path / f"{part}annot" / "a.png", mask)
    found = datasets.find("camvid", tmp_path)
    with pytest.raises(SourceError, match=r"a\.png: value 192 at x=9, y=7 .*\(1 such pixels\)"):
        found.read(found.train[0])


def test_a_lossy_mask_is_recognised(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_rgb(tmp_path / part / "a.png", GREY)
        write_rgb(tmp_path / f"{part}annot" / "a.png", np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(20, 30))
    found = datasets.find("camvid", tmp_path)
    with pytest.raises(SourceError, match="lossy or smoothed mask"):
        found.read(found.train[0])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write_rgb(tmp_path / "train" / "a.png", GREY)
    with pytest.raises(SourceError, match=r"a\.png: has no mask"):
        datasets.find("camvid", tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        datasets.find("camvid", tmp_path / "gone")
    with pytest.raises(UsageError, match="no data set format 'kitti'"):
        datasets.find("kitti", tmp_path)


def test_sizes_must_agree(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_rgb(tmp_path / part / "a.png", GREY)
        write_rgb(tmp_path / f"{part}annot" / "a.png", np.zeros((10, 30), np.uint8))
    found = datasets.find("camvid", tmp_path)
    with pytest.raises(SourceError, match=r"mask is 30x10, its picture a\.png 30x20"):
        found.read(found.train[0])
