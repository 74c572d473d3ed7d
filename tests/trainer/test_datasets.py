from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seg_viewer.core.carla_tags import carla_palette
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.labels import DRIVING
from tests.trainer.conftest import CAMVID_IDS, write_rgb
from trainer.data import formats
from trainer.data.samples import Samples, find_all
from trainer.labels.named import read_label_map, shipped_maps
from trainer.pairs import Pair, Split
from trainer.recipe import Recipe, Source

GREY = np.full((20, 30, 3), 90, np.uint8)


def test_camvid(data: Path, tmp_path: Path) -> None:
    found = formats.find("camvid", data / "camvid")
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
    found = formats.find("carla", tmp_path)
    assert len(found.held_out) == 3 and len(found.train) == 20 - 3 - 12
    assert max(p.picture.name for p in found.train) < min(p.picture.name for p in found.held_out)
    _, ids = found.read(found.train[0])
    assert (ids[12, 30], ids[11, 30], ids[16, 2], ids[22, 3], ids[0, 0]) == (1, 1, 2, 3, 0)
    assert (ids[36:] == 255).all()


def test_a_recording_says_of_which_carla_its_tags_are(tmp_path: Path) -> None:
    """In 0.9.14 and later 1 is road, 7 a traffic light: by their numbers alone these masks look like a road of 0.8."""
    for number in range(20):
        mask = np.zeros((40, 60, 3), np.uint8)
        mask[5:15, :, 0], mask[20:, :, 0], mask[8, 3, 0] = 1, 7, 12
        write_rgb(tmp_path / "CameraRGB" / f"{number:02}.png", np.zeros((40, 60, 3), np.uint8))
        write_rgb(tmp_path / "CameraMask" / f"{number:02}.png", mask)
    found = formats.find("carla", tmp_path)
    assert found.read(found.train[0])[1][30, 30] == 1  # what it would be taken for
    (tmp_path / "carla.json").write_text('{"carla_version": "0.9.16", "drives": []}')
    found = formats.find("carla", tmp_path)
    _, ids = found.read(found.train[0])
    assert (ids[10, 30], ids[8, 3], ids[30, 30], ids[0, 0]) == (1, 3, 0, 0)
    (tmp_path / "carla.json").write_text("{}")
    with pytest.raises(SourceError, match=r"carla\.json: does not say of which version"):
        formats.find("carla", tmp_path)


def test_idd_keeps_every_fifth_drive_back(tmp_path: Path) -> None:
    values = np.array([0, 1, 2, 3, 4, 5, 6, 255], np.uint8)
    for drive in range(10):
        for number in range(2):
            write_rgb(tmp_path / "leftImg8bit/train" / str(drive) / f"{number}_image.jpg", GREY)
            write_rgb(tmp_path / "gtFine/train" / str(drive) / f"{number}_label.png", np.resize(values, (20, 30)))
    found = formats.find("idd", tmp_path)
    assert {p.picture.parent.name for p in found.held_out} == {"4", "9"}
    assert len(found.train) == 16
    assert found.read(found.train[0])[1].ravel()[:8].tolist() == [1, 0, 3, 2, 0, 0, 0, 255]


def test_penn_fudan_knows_nothing_but_people(tmp_path: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[:5], mask[5:8] = 1, 2
    write_rgb(tmp_path / "PNGImages/a.png", GREY)
    write_rgb(tmp_path / "PedMasks/a_mask.png", mask)
    found = formats.find("penn_fudan", tmp_path)
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
    found = formats.find("carvana", tmp_path)
    cars = {p.picture.stem[:5] for p in found.held_out}
    assert len(cars) == 2 and not cars & {p.picture.stem[:5] for p in found.train}
    assert np.unique(found.read(found.train[0])[1]).tolist() == [0, 2]


def test_a_folder_takes_the_pairs_that_are_complete(tmp_path: Path) -> None:
    for number in range(10):
        write_rgb(tmp_path / "images" / f"{number}.jpg", GREY)
        if number != 4:
            write_rgb(tmp_path / "masks" / f"{number}.png", np.full((20, 30), number % 4, np.uint8))
    found = formats.find("folder", tmp_path, "rendered")
    assert found.name == "rendered"
    assert len(found.train) + len(found.held_out) == 9


def test_a_stray_value_names_file_pixel_and_value(tmp_path: Path) -> None:
    mask = np.full((20, 30), 3, np.uint8)
    mask[7, 9] = 192
    for part in ("train", "val"):
        write_rgb(tmp_path / part / "a.png", GREY)
        write_rgb(tmp_path / f"{part}annot" / "a.png", mask)
    found = formats.find("camvid", tmp_path)
    with pytest.raises(SourceError, match=r"a\.png: value 192 at x=9, y=7 .*\(1 such pixel\)"):
        found.read(found.train[0])


def test_a_lossy_mask_is_recognised(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_rgb(tmp_path / part / "a.png", GREY)
        write_rgb(tmp_path / f"{part}annot" / "a.png", np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(20, 30))
    found = formats.find("camvid", tmp_path)
    with pytest.raises(SourceError, match="256 different values, the mark of JPEG damage or smoothing"):
        found.read(found.train[0])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write_rgb(tmp_path / "train" / "a.png", GREY)
    with pytest.raises(SourceError, match=r"a\.png: has no mask"):
        formats.find("camvid", tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        formats.find("camvid", tmp_path / "gone")
    with pytest.raises(UsageError, match="no data set format 'kitti'"):
        formats.find("kitti", tmp_path)


def test_sizes_must_agree(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_rgb(tmp_path / part / "a.png", GREY)
        write_rgb(tmp_path / f"{part}annot" / "a.png", np.zeros((10, 30), np.uint8))
    found = formats.find("camvid", tmp_path)
    with pytest.raises(SourceError, match=r"mask is 30x10, its picture a\.png 30x20"):
        found.read(found.train[0])


def _carla(root: Path, paint: object, count: int = 4, ending: str = "png", folder: str = "CameraSeg") -> None:
    """Drives whose road fills the lower half; `paint` makes the mask file of a picture of tags."""
    for number in range(count):
        write_rgb(root / "CameraRGB" / f"{number:02}.jpg", np.zeros((40, 60, 3), np.uint8))
        write_rgb(root / folder / f"{number:02}.{ending}", paint(number))  # type: ignore[operator]


def test_carla_recognises_the_tags_of_its_version(tmp_path: Path) -> None:
    def tags(road: int, line: int, car: int, extra: int) -> np.ndarray:
        mask = np.zeros((40, 60, 3), np.uint8)
        mask[20:, :, 0], mask[30, :, 0], mask[22:28, 5:15, 0], mask[0, 0, 0] = road, line, car, extra
        return mask

    for version, made in (("0.8", tags(7, 6, 10, 12)), ("0.9.0", tags(7, 6, 10, 22)), ("0.9.14", tags(1, 24, 14, 22))):
        root = tmp_path / version
        _carla(root, lambda _, made=made: made)
        found = formats.find("carla", root, labels="driving")
        assert found.label_map.name == f"carla-{version}-driving"
        _, ids = found.read(found.held_out[0])
        assert (ids[38, 30], ids[30, 30], ids[25, 7], ids[10, 30]) == (1, 1, 2, 0)
        native = formats.find("carla", root, labels="native")
        assert native.labels.names[made[38, 30, 0]] in ("road", "roads")


def test_carla_reads_city_palette_colours_also_from_jpeg(tmp_path: Path) -> None:
    tags = np.zeros((40, 60), np.uint8)
    tags[20:], tags[24:36, 16:32] = 7, 10
    for ending in ("png", "jpg"):
        root = tmp_path / ending
        _carla(root, lambda _: carla_palette("0.9.0")[tags], ending=ending)
        _, ids = formats.find("carla", root, labels="driving").read(formats.find("carla", root).held_out[0])
        inner = np.s_[26:34, 18:30]
        assert (ids[inner] == 2).all() and (ids[38:, 40:] == 1).all() and (ids[:18] == 0).all()


def _with_bonnet(number: int) -> np.ndarray:
    mask = np.zeros((40, 60, 3), np.uint8)
    mask[10:30, :, 0], mask[35:, :, 0] = 7, 10
    return mask


def test_the_own_bonnet_can_be_kept(tmp_path: Path) -> None:
    _carla(tmp_path, _with_bonnet)
    for choice, value in (("ignore", 255), ("background", 255), ("keep", 2)):
        found = formats.find("carla", tmp_path, own_bonnet=choice)
        assert found.read(found.held_out[0])[1][38, 30] == value


@pytest.mark.parametrize(
    ("labels", "details", "answer"),
    [("driving", "", 0), ("driving", "streets", 0), ("native", "", 0), ("{map}", "", 1), ("{silent map}", "", 255)],
)
def test_the_own_bonnet_is_background_in_training_and_not_scored(
    tmp_path: Path, labels: str, details: str, answer: int
) -> None:
    """Without being asked for, whatever the classes are called: what the value 0 means, where it means anything."""
    _carla(tmp_path, _with_bonnet)
    for name, rest in (("map", "other"), ("silent map", "ignore")):
        (tmp_path / f"{name}.toml").write_text(
            f'rest = "{rest}"\n[values]\nroad = [7]\ncar = [10]\n[classes]\n'
            "road = [0, 9, 0]\nother = [0, 0, 0]\ncar = [0, 0, 9]\n"
        )
    labels = labels.replace("{", f"{tmp_path}/").replace("}", ".toml")
    source = Source("carla", str(tmp_path), split={"by": "blocks", "held_out": 0.2})
    recipe = Recipe((source,)).change(
        labels=labels, details=details, size=(64, 32), depth=3, augment=False, arch="unet"
    )
    found = find_all(recipe, [])
    samples = Samples(recipe, found)
    _, mask = samples.sample(0, 0, (0, 0))
    assert samples.details.folded_ids()[mask][-1, 32] == answer
    data = found[0][1]
    assert data.read(data.held_out[0])[1][38, 30] == 255
    said = [line for line in data.notes if "own bonnet" in line]
    assert len(said) == 1 and ("has no class for value 0" in said[0]) == (answer == 255)


def test_several_drives_each_keep_their_end_back(tmp_path: Path) -> None:
    for drive in ("dataA", "dataB"):
        _carla(tmp_path / drive, lambda n: np.full((40, 60, 3), (7, 0, 0), np.uint8), count=20, folder="CameraMask")
    found = formats.find("auto", tmp_path)
    held = {(p.group, p.picture.stem) for p in found.held_out}
    assert held == {(drive, n) for drive in ("dataA", "dataB") for n in ("17", "18", "19")}


def test_cityscapes(tmp_path: Path) -> None:
    for part, city in (("train", "aachen"), ("val", "ulm")):
        write_rgb(tmp_path / f"leftImg8bit/{part}/{city}/{city}_0_0_leftImg8bit.png", GREY)
        values = np.resize(np.array([7, 26, 24, 23, 0, 33], np.uint8), (20, 30))
        write_rgb(tmp_path / f"gtFine/{part}/{city}/{city}_0_0_gtFine_labelIds.png", values)
    found = formats.find("auto", tmp_path)
    assert (found.name, len(found.train), len(found.held_out)) == ("cityscapes", 1, 1)
    assert found.read(found.train[0])[1].ravel()[:6].tolist() == [1, 2, 3, 0, 255, 0]
    native = formats.find("cityscapes", tmp_path, labels="native")
    assert len(native.labels) == 19 and native.read(native.train[0])[1].ravel()[:6].tolist() == [0, 13, 11, 10, 255, 18]


def test_oxford_pets_turns_trimaps_1_2_3_into_0_1_2(tmp_path: Path) -> None:
    for stem in ("Abyssinian_1", "beagle_7", "beagle_8"):
        write_rgb(tmp_path / "images" / f"{stem}.jpg", GREY)
        trimap = np.resize(np.array([1, 2, 3], np.uint8), (20, 30))
        write_rgb(tmp_path / "annotations/trimaps" / f"{stem}.png", trimap)
    (tmp_path / "annotations/test.txt").write_text("beagle_8 59 2 1\n")
    found = formats.find("auto", tmp_path, labels="native")
    assert found.name == "oxford_pets" and [p.picture.stem for p in found.held_out] == ["beagle_8"]
    assert found.read(found.train[0])[1].ravel()[:3].tolist() == [0, 1, 2]
    with pytest.raises(UsageError, match="no driving classes"):
        formats.find("oxford_pets", tmp_path, labels="driving")


def test_oxford_pets_through_tfds(tmp_path: Path) -> None:
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
    from trainer.data.formats import oxford_pets

    notes: list[str] = []
    with tfds.testing.mock_data(num_examples=6):
        folder = oxford_pets.unpack_tfds(tmp_path / "pets", notes.append)
    assert notes
    found = formats.find("auto", folder, labels="native")
    assert (found.name, len(found.train), len(found.held_out)) == ("oxford_pets", 6, 6)
    assert oxford_pets.unpack_tfds(folder, notes.append) == folder and len(notes) == 1  # not fetched again


def test_tfds_comes_as_far_as_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that tensorflow_datasets imports on the way there is installed; only the network is missing here."""
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
    asked: list[object] = []

    def no_network(_self: object, urls: object) -> None:
        asked.append(urls)
        raise ConnectionError("no network\nhere")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", no_network)
    with pytest.raises(SourceError, match=r"oxford_iiit_pet:4\.0\.0: tensorflow_datasets cannot load it: no network$"):
        formats.fetch("oxford_iiit_pet:4.0.0")
    assert "images.tar.gz" in str(asked)


def test_a_package_that_tfds_lacks_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")

    def load(*_args: object, **_options: object) -> None:
        raise ModuleNotFoundError("No module named 'importlib_resources'", name="importlib_resources")

    monkeypatch.setattr(tfds, "load", load)
    with pytest.raises(UsageError, match=r"importlib_resources, which is not installed: .*seg-viewer\[tfds\]"):
        formats.fetch("oxford_iiit_pet")


def test_palette_and_one_bit_masks_give_their_indices(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    write_rgb(tmp_path / "images/a.png", GREY)
    write_rgb(tmp_path / "images/b.png", GREY)
    values = np.resize(np.array([0, 1, 2], np.uint8), (20, 30))
    picture = Image.fromarray(values, "P")
    picture.putpalette([10, 20, 30, 200, 100, 0, 0, 0, 255])
    picture.save(tmp_path / "masks/a.png")
    Image.fromarray(values > 0).save(tmp_path / "masks/b.png")
    found = formats.find("folder", tmp_path, labels="native", split=Split("random", 0))
    assert found.labels.names == ("class 0", "class 1", "class 2")
    assert found.read(found.train[0])[1].ravel()[:3].tolist() == [0, 1, 2]


def test_grey_masks_are_split_by_otsu_at_any_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(4):
        grey = np.where(np.arange(64)[:, None] < 32, 60, 190) + rng.integers(-25, 25, (64, 64))
        write_rgb(tmp_path / f"images/{number}.png", np.zeros((128, 128, 3), np.uint8))
        write_rgb(tmp_path / f"masks/{number}.png", grey.astype(np.uint8))
    found = formats.find("auto", tmp_path, labels="native")
    assert found.labels.names == ("background", "object")
    picture, ids = found.read(found.train[0])
    assert picture.shape[:2] == ids.shape == (128, 128)
    assert (ids[:60] == 0).all() and (ids[68:] == 1).all()


def test_a_label_map_file_is_all_that_a_new_data_set_needs(tmp_path: Path) -> None:
    write_rgb(tmp_path / "images/a.png", GREY)
    write_rgb(
        tmp_path / "masks/a.png", np.resize(np.array([[9, 9, 9], [255, 0, 0], [0, 0, 255]], np.uint8), (20, 30, 3))
    )
    with pytest.raises(SourceError, match=r"colour mask; say what its colours mean in .*labels\.toml"):
        formats.find("folder", tmp_path, labels="native")
    (tmp_path / "labels.toml").write_text(
        'rest = "ignore"\n[colors]\nlane = [[255, 0, 0]]\nother = [[9, 9, 9]]\n'
        "[classes]\nother = [0, 0, 0]\nlane = [255, 0, 0]\n"
    )
    found = formats.find("folder", tmp_path, labels="native", split=Split("random", 0))
    assert found.labels.names == ("other", "lane")
    assert found.read(found.train[0])[1].ravel()[:6].tolist() in ([0, 1, 255, 0, 1, 255], [0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("values = ", "not a label map"),
        ("[values]\nroad = [1]\n", "give either target"),
        ('target = "driving"\n[values]\nlorry = [1]\n', "no class 'lorry'"),
        ('target = "driving"\n[values]\nroad = [1]\ncar = [1]\n', "given to two classes"),
        ('target = "driving"\n[values]\nroad = [300]\n', "300 is outside"),
        ('target = "driving"\nspeed = 3\n', "'speed' means nothing"),
    ],
)
def test_broken_label_maps_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "l.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_label_map(str(tmp_path / "l.toml"))


def test_every_label_map_that_ships_reads() -> None:
    for name in shipped_maps():
        made = read_label_map(name)
        assert made.title and (made.labels == DRIVING) == (name == "driving" or name.endswith("-driving"))
        known = {*range(len(made.labels) + len(made.unions)), 255}
        assert set(made.values.values()) | set(made.colors.values()) <= known


@pytest.mark.parametrize("by", ["random", "blocks", "groups"])
def test_a_split_shares_no_pair_and_repeats(tmp_path: Path, by: str) -> None:
    pairs = [Pair(Path(f"{n}.png"), Path(f"{n}_m.png"), group=str(n // 10)) for n in range(50)]
    split = Split(by, 0.2, seed=4, gap=2)
    train, held_out = split.divide(pairs)
    assert 8 <= len(held_out) <= 12 and not set(train) & set(held_out)
    assert split.divide(pairs) == (train, held_out)
    if by == "groups":
        assert not {p.group for p in train} & {p.group for p in held_out}
    if by == "blocks":
        assert len(train) + len(held_out) == 40  # two fall into the gap of each of five drives


def test_folders_are_recognised_or_refused(data: Path, tmp_path: Path) -> None:
    assert formats.recognise(data / "camvid") == "camvid"
    with pytest.raises(SourceError, match="no known data set"):
        formats.recognise(tmp_path)


def test_ids_in_a_jpeg_mask_are_refused_at_any_quality(tmp_path: Path) -> None:
    """Colour JPEG makes a 4, pedestrian, of a 5, pole, even at quality 100, also where the mask is even."""
    tags = np.zeros((48, 64, 3), np.uint8)
    tags[24:, :, 0], tags[28:44, 16:40, 0] = 7, 5
    (tmp_path / "CameraSeg").mkdir()
    for number, quality in enumerate((100, 95, 75, 50)):
        write_rgb(tmp_path / "CameraRGB" / f"{number:02}.jpg", np.zeros((48, 64, 3), np.uint8))
        Image.fromarray(tags).save(tmp_path / "CameraSeg" / f"{number:02}.jpg", quality=quality)
    found = formats.find("carla", tmp_path, own_bonnet="keep")
    for pair in (*found.train, *found.held_out):
        with pytest.raises(SourceError, match=r"\.jpg: JPEG or lossy WebP of this quality may turn the value"):
            found.read(pair)


def test_the_course_data_holds_the_id_in_channel_0_of_rgba(tmp_path: Path) -> None:
    mask = np.zeros((40, 60, 4), np.uint8)
    mask[..., 3], mask[20:, :, 0], mask[0, 0, 0] = 255, 7, 22
    (tmp_path / "CameraMask").mkdir()
    for number in range(3):
        write_rgb(tmp_path / f"CameraRGB/{number}.png", np.zeros((40, 60, 3), np.uint8))
        Image.fromarray(mask, "RGBA").save(tmp_path / f"CameraMask/{number}.png")
    found = formats.find("carla", tmp_path, labels="native")
    assert len(found.labels) == 23
    _, ids = found.read(found.train[0] if found.train else found.held_out[0])
    assert (ids[30, 5], ids[0, 0], ids[10, 10]) == (7, 22, 0)


def test_names_in_a_label_map_are_fit_for_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text(
        'title = "a\\nb"\n[values]\n"r\\u001bd" = [1]\n[classes]\n"r\\u001bd" = [0, 0, 1]\n', encoding="utf-8"
    )
    made = read_label_map(str(file))
    assert made.title.isprintable() and all(name.isprintable() for name in made.labels.names)
