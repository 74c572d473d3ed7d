"""Files as cameras, phones and annotation tools write them: any suffix, any depth, turned, cut short."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageOps

from seg_viewer.core.errors import SourceError
from tests.models import color_model
from tests.trainer.conftest import write_rgb
from trainer.cli import main
from trainer.data import formats
from trainer.data.formats.base import pictures_in
from trainer.data.picture_files import MASK_SUFFIXES, PICTURE_SUFFIXES, orientation, read_picture, read_raw_mask

ANY_CASE = [s for suffix in PICTURE_SUFFIXES for s in (suffix, suffix.upper(), suffix.title())]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def scene(height: int = 40, width: int = 60, number: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A picture that shows which way up it is, and the mask of what is on it."""
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 3, : width // 2] = 1
    picture = np.full((height, width, 3), (30, 30 + 9 * number, 90), np.uint8)
    picture[mask > 0] = (220, 200, 40)
    return picture, mask


def save(array: np.ndarray, path: Path, turned: int = 1, **how: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = turned
    kind = Image.registered_extensions()[path.suffix.lower()]
    with path.open("wb") as file:
        Image.fromarray(array).save(file, kind, **({"exif": exif} if turned != 1 else {}), **how)


def plain(root: Path, count: int = 6, picture: str = ".png", mask: str = ".png") -> Path:
    for number in range(count):
        rgb, ids = scene(number=number)
        save(rgb, root / "images" / f"{number}{picture}")
        save(ids, root / "masks" / f"{number}{mask}", **({"lossless": True} if mask.lower().endswith(".webp") else {}))
    return root


@pytest.mark.parametrize("suffix", ANY_CASE)
def test_pictures_are_found_and_read_by_any_suffix(suffix: str, tmp_path: Path) -> None:
    found = formats.find("auto", plain(tmp_path, picture=suffix), labels="native")
    assert len(found.train) + len(found.held_out) == 6
    picture, ids = found.read(found.train[0])
    assert abs(picture[2, 2].astype(int) - (220, 200, 40)).max() < 40 and ids[2, 2] == 1


@pytest.mark.parametrize("end", ["", "_mask", "-mask", "_label", "-label"])
@pytest.mark.parametrize("suffix", [*(s for s in MASK_SUFFIXES if "jp" not in s), ".PNG", ".Tif"])
def test_masks_are_found_by_any_ending(end: str, suffix: str, tmp_path: Path) -> None:
    found = formats.find("auto", plain(tmp_path, mask=f"{end}{suffix}"), labels="native")
    assert found.label_map.labels.names == ("background", "object") and not found.notes
    np.testing.assert_array_equal(found.read(found.train[0])[1], scene()[1])


@pytest.mark.parametrize(("suffix", "there"), [(".PNG", "a_mask.PNG"), (".png", "a_mask.png"), (".bmp", "a_mask.bmp")])
def test_formats_take_masks_of_other_kinds_too(suffix: str, there: str, tmp_path: Path) -> None:
    """Carvana's masks are GIF where they come from, and PNG in many a copy."""
    rgb, ids = scene()
    save(rgb, tmp_path / "train" / f"a{suffix}")
    save(ids, tmp_path / "train_masks" / there)
    found = formats.find("auto", tmp_path, labels="native")
    assert found.name == "carvana" and found.read(found.train[0])[1][2, 2] == 1


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["images/a.heic", "images/b.heic", "masks/a.png"], "images: holds no pictures (.png .jpg .jpeg"),
        (["images/a.heic", "images/b.heic", "masks/a.png"], "2 files: .heic (2)"),
        (["images/train/a.jpg", "masks/train/a.png"], "the folders train"),
        (["images/a.jpg", "masks/b.png", "masks/c.png"], "masks/ holds 2 files: .png (2)"),
        (["images/a.jpg", "masks/a.json"], "masks/ holds 1 file: .json (1)"),
        (["imgs/a.jpg", "labels/a.png", "x.txt"], "it holds 1 file: .txt (1) and the folders imgs, labels"),
        (["images/.a.jpg", "masks/.a.png"], "holds no pictures (.png .jpg .jpeg .webp .bmp .tif .tiff), but nothing"),
        (["CameraRGB/a.jpg", "CameraMask/b.png"], "CameraMask holds 1 file: .png (1)"),
        (["train/a.jpg", "trainannot/b.png"], "trainannot holds 1 file: .png (1)"),
        (["PNGImages/a.txt", "PedMasks/b.png"], "PNGImages: holds no pictures"),
    ],
)
def test_who_finds_nothing_says_what_was_seen(files: list[str], says: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        save(scene()[1], tmp_path / "x.png")
        (tmp_path / "x.png").replace(tmp_path / "d" / name)
    shown = run("check", tmp_path / "d")
    assert shown.exit_code == 1 and len(shown.output.splitlines()) == 1
    assert says in shown.output, shown.output


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    write_rgb(tmp_path / "a.png", scene()[0])
    (tmp_path / "._a.png").write_bytes(b"what macOS leaves behind")
    assert [file.name for file in pictures_in(tmp_path)] == ["a.png"]


# --- depth


@pytest.mark.parametrize("values", [(0, 1), (0, 1, 2, 3), (0, 7, 255)])
@pytest.mark.parametrize("kind", ["png", "tiff", "png of three channels", "tiff of three channels", "float tiff"])
def test_deep_masks_of_small_ids_are_read(values: tuple[int, ...], kind: str, tmp_path: Path) -> None:
    ids = np.resize(np.array(values, np.uint16), (20, 30))
    path = tmp_path / f"m.{kind.split()[-1] if kind.startswith('float') else kind.split()[0]}"
    deep = ids.astype(np.float32) if kind.startswith("float") else ids
    cv2.imwrite(str(path), cv2.merge([deep] * 3) if "three" in kind else deep)
    raw = read_raw_mask(path)
    np.testing.assert_array_equal(raw if raw.ndim == 2 else raw[:, :, 0], ids)


@pytest.mark.parametrize("wrong", [256, 1000, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_deep_masks_of_large_ids_are_refused_by_value_and_place(wrong: int, channels: int, tmp_path: Path) -> None:
    ids = np.zeros((20, 30), np.uint16)
    ids[7, 9] = wrong
    cv2.imwrite(str(tmp_path / "m.png"), cv2.merge([ids] * channels))
    with pytest.raises(SourceError, match=rf"m\.png: holds the value {wrong} at x=9, y=7; class ids are whole numbers"):
        read_raw_mask(tmp_path / "m.png")


def test_a_mask_of_fractions_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "m.tiff"), np.full((8, 8), 0.5, np.float32))
    with pytest.raises(SourceError, match=r"m\.tiff: holds the value 0\.5 at x=0, y=0"):
        read_raw_mask(tmp_path / "m.tiff")


@pytest.mark.parametrize(("bits", "said"), [(8, "only the lower 8"), (10, "10 bits"), (12, "12 bits"), (16, "16 bits")])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_pictures_of_more_than_8_bits_are_scaled_and_it_is_said(
    bits: int, said: str, suffix: str, tmp_path: Path
) -> None:
    """All by the same measure: a dark picture of a 12-bit camera stays dark."""
    rng = np.random.default_rng(bits)
    truth = []
    for number in range(6):
        full = rng.integers(0, 1 << bits, (40, 60, 3)) // (1 if number else 4)
        truth.append((full >> (bits - 8)).astype(np.uint8))
        (tmp_path / "images").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / f"{number}{suffix}"), full[:, :, ::-1].astype(np.uint16))
        save(scene()[1], tmp_path / "masks" / f"{number}.png")
    found = formats.find("auto", tmp_path, labels="native")
    for pair in (*found.train, *found.held_out):
        np.testing.assert_array_equal(found.read(pair)[0], truth[int(pair.picture.stem)])
    shown = run("check", tmp_path)
    assert shown.exit_code == 0 and said in shown.output, shown.output


def test_predict_scales_deep_pictures_by_one_measure_and_says_so(tmp_path: Path) -> None:
    model = color_model(tmp_path / "model.onnx")
    red = np.zeros((16, 16, 3), np.uint16)
    for name, level in (("bright", 4000), ("dark", 1000)):
        red[:, :, 2] = level
        (tmp_path / "in").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "in" / f"{name}.png"), red)
    done = run("predict", model, tmp_path / "in", "-o", tmp_path / "out")
    assert done.exit_code == 0 and "pictures have 12 bits" in done.stderr, done.output
    shown = {
        name: cv2.imread(str(tmp_path / "out/side_by_side" / f"{name}.png"))[2, 2, 2] for name in ("bright", "dark")
    }
    assert shown == {"bright": 4000 >> 4, "dark": 1000 >> 4}


def test_8_bit_pictures_need_no_word(tmp_path: Path) -> None:
    assert "bits" not in run("check", plain(tmp_path)).output


# --- whole or cut short


def _coded(suffix: str, **how: object) -> bytes:
    rng = np.random.default_rng(5)
    smooth = cv2.GaussianBlur(rng.integers(0, 255, (96, 128, 3), np.uint8), (0, 0), 3)
    out = BytesIO()
    Image.fromarray(smooth).save(out, Image.registered_extensions()[suffix], **how)
    return out.getvalue()


def _with_thumbnail() -> bytes:
    """As cameras write them: a small JPEG, with an end of its own, within the head of the large one."""
    exif = Image.Exif()
    exif[0x010E] = "x"
    whole = _coded(".jpg", exif=exif)
    small = _coded(".jpg")[:2000] + b"\xff\xd9"
    return whole[:2] + b"\xff\xe2" + (len(small) + 2).to_bytes(2, "big") + small + whole[2:]


WHOLE = {
    "baseline": _coded(".jpg"),
    "progressive": _coded(".jpg", progressive=True),
    "with a thumbnail": _with_thumbnail(),
    "restart markers": _coded(".jpg", restart_marker_blocks=4),
    "trailing bytes": _coded(".jpg") + b"\0" * 300,
    "png": _coded(".png"),
    "webp": _coded(".webp"),
    "bmp": _coded(".bmp"),
    "tiff": _coded(".tif"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_pictures_are_read_and_cut_ones_named(name: str, tmp_path: Path) -> None:
    data = WHOLE[name]
    suffix = {"png": ".png", "webp": ".webp", "bmp": ".bmp", "tiff": ".tif"}.get(name, ".jpg")
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    assert read_picture(path).shape == (96, 128, 3)
    end = len(data) - (302 if name == "trailing bytes" else 2)
    for length in sorted({int(v) for v in np.linspace(3, end, 23)}):
        if suffix == ".png" and length > len(data) - 20:
            continue  # all rows are there; only the end mark is missing
        path.write_bytes(data[:length])
        with pytest.raises(SourceError, match=rf"a\{suffix}: (is cut short|cannot be read as a picture)"):
            read_picture(path)


@pytest.mark.parametrize("part", ["images", "masks"])
def test_check_names_each_file_that_is_cut_short(part: str, tmp_path: Path) -> None:
    root = plain(tmp_path, picture=".jpg")
    cut = sorted((root / part).iterdir())[2]
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    shown = run("check", root)
    assert shown.exit_code == 1 and f"{cut.name}: " in shown.output and "cut short" in shown.output
    stopped = run("train", "--data", root, "--show-augmentation", tmp_path / "a.png")
    assert stopped.exit_code == 1 and "cut short" in stopped.stderr


# --- which way up


def _turned(root: Path, picture_turned: int, mask_turned: int, size: tuple[int, int], suffix: str = ".jpg") -> Path:
    """Pictures and masks stored as a camera that lay otherwise would: upright once EXIF is followed."""
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    for number in range(6):
        rgb, ids = scene(*size, number)
        for array, turned, folder, end in (
            (rgb, picture_turned, "images", suffix),
            (ids, mask_turned, "masks", ".png"),
        ):
            stored = Image.fromarray(array)
            stored.getexif()[0x0112] = back[turned]
            stored = ImageOps.exif_transpose(stored)
            save(np.array(stored), root / folder / f"{number}{end}", turned)
    return root


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_exif_turns_pictures_and_masks_that_say_so_alike(turned: int, suffix: str, tmp_path: Path) -> None:
    found = formats.find("auto", _turned(tmp_path, turned, turned, (40, 60), suffix), labels="native")
    assert orientation(found.train[0].picture) == turned
    picture, ids = found.read(found.train[0])
    np.testing.assert_array_equal(ids, scene()[1])
    assert abs(picture[2, 2].astype(int) - (220, 200, 40)).max() < 60
    assert "EXIF" not in run("check", tmp_path).output


@pytest.mark.parametrize("turned", range(2, 9))
@pytest.mark.parametrize("size", [(40, 40), (40, 60)])
def test_a_picture_that_is_turned_and_its_mask_not_is_told(turned: int, size: tuple[int, int], tmp_path: Path) -> None:
    """Only where a quarter turn makes upright what lies does the shape show that the mask was drawn upright."""
    root = _turned(tmp_path, turned, 1, size)
    shown = run("check", root)
    shape_shows = turned >= 5 and size[0] != size[1]
    assert shown.exit_code == 0, shown.output
    assert ("6 pictures turned by EXIF, without the mask" in shown.output) == (not shape_shows)
    again = run("check", root)  # from the cache
    assert again.output == shown.output


@pytest.mark.parametrize("turned", [5, 6, 7, 8])
def test_a_mask_drawn_on_the_picture_as_it_is_stored_names_the_cause(turned: int, tmp_path: Path) -> None:
    for number in range(6):
        rgb, ids = scene(40, 60, number)
        save(rgb, tmp_path / "images" / f"{number}.jpg", turned)
        save(ids, tmp_path / "masks" / f"{number}.png")
    shown = run("check", tmp_path)
    assert shown.exit_code == 1
    assert "mask is 60x40, its picture 0.jpg 40x60; their shapes must agree (EXIF turns the picture" in shown.output


@pytest.mark.parametrize("gone", ["images/0.png", "masks/0.png"])
@pytest.mark.parametrize("carla", [False, True])
def test_a_link_that_leads_nowhere_is_named(gone: str, carla: bool, tmp_path: Path) -> None:
    """A disk that is not there today must not make the data set smaller."""
    plain(tmp_path)
    if carla:
        (tmp_path / "images").rename(tmp_path / "CameraRGB")
        (tmp_path / "masks").rename(tmp_path / "CameraMask")
        gone = gone.replace("images", "CameraRGB").replace("masks", "CameraMask")
    (tmp_path / gone).unlink()
    (tmp_path / gone).symlink_to(tmp_path / "other disk" / "0.png")
    shown = run("check", tmp_path)
    assert shown.exit_code == 1 and f"{gone}: " in shown.output.splitlines()[-1], shown.output
    assert "Traceback" not in shown.output and "unexpected" not in shown.output


def test_masks_without_a_picture_are_told(tmp_path: Path) -> None:
    plain(tmp_path, mask="_mask.png")
    for number in (1, 4):
        (tmp_path / "images" / f"{number}.png").unlink()
    (tmp_path / "images" / "new.png").write_bytes((tmp_path / "images" / "0.png").read_bytes())
    shown = run("check", tmp_path)
    assert shown.exit_code == 0 and "2 masks without a picture, e.g. 1_mask.png: left out" in shown.output
    assert "1 picture without a mask, e.g. new.png: left out" in shown.output
