"""`seg-trainer` as a person uses it: check, datasets, the first ten minutes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.trainer.conftest import write_rgb
from trainer.cli import Group, main
from trainer.data.chosen import parse_data
from trainer.labels.named import read_label_map
from trainer.recipe import SECTIONS, Recipe, Source, read_recipe

from ..models import color_model


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """20 tiny pictures of discs and their grey masks."""
    rng = np.random.default_rng(0)
    root = tmp_path / "discs"
    for number in range(20):
        mask = np.zeros((60, 80), np.uint8)
        x, y, radius = (int(v) for v in rng.integers(12, 40, 3))
        cv2.circle(mask, (x + 10, y), radius // 2, 255, -1)
        picture = np.where(mask[..., None] > 0, (200, 60, 40), (90, 110, 90)).astype(np.uint8)
        write_rgb(root / "images" / f"{number:02}.jpg", picture + rng.integers(0, 20, (60, 80, 3)).astype(np.uint8))
        write_rgb(root / "masks" / f"{number:02}.png", mask)
    return root


def test_the_first_ten_minutes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; that the command begins and trains in one of its own is seen where one is killed."""
    monkeypatch.chdir(tmp_path)
    done = run("train", "--data", folder, "--epochs", 1)
    assert done.exit_code == 0, done.output
    assert "run folder: runs/discs" in done.output and "report.html" in done.output
    made = tmp_path / "runs" / "discs"
    assert (made / "report.html").is_file() and (made / "check" / "folder_sheet.png").is_file()
    assert read_recipe(str(made / "recipe.toml")).run.epochs == 1


def test_check_tells_sizes_shares_and_writes_pictures(folder: Path, tmp_path: Path) -> None:
    result = run("check", folder, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "17 training and 3 held-out" in result.output and "80x60 (20)" in result.output
    assert "object" in result.output and " %" in result.output
    for name in ("folder_sheet.png", "folder_shares.png"):
        assert cv2.imread(str(tmp_path / "out" / name)) is not None
    again = run("check", folder)  # from the cache
    assert again.exit_code == 0 and "80x60 (20)" in again.output


def test_check_names_what_is_damaged_also_after_it_was_cached(data: Path, tmp_path: Path) -> None:
    root = tmp_path / "camvid"
    shutil.copytree(data / "camvid", root)
    assert run("check", root).exit_code == 0
    mask = cv2.imread(str(root / "trainannot/03.png"), cv2.IMREAD_UNCHANGED)
    mask[5, 7] = 192
    cv2.imwrite(str(root / "trainannot/03.png"), mask)
    (root / "val/01.png").write_bytes(b"")
    result = run("check", root)
    assert result.exit_code == 1
    assert "03.png: value 192 at x=7, y=5 is no class of 'camvid'" in result.output
    assert "add it to a label map" in result.output
    assert "01.png: cannot be read as a picture" in result.output
    stopped = run("train", "--data", root, "--run", tmp_path / "run")
    assert stopped.exit_code == 1 and "value 192" in stopped.output and "and 1 more" in stopped.output
    assert not (tmp_path / "run").exists()


def test_check_finds_the_same_picture_on_both_sides(folder: Path) -> None:
    shutil.copy(folder / "images/00.jpg", folder / "images/19.jpg")
    result = run("check", folder)
    assert "1 held-out picture found among the training pictures" in result.output
    faint = cv2.imread(str(folder / "images/01.jpg"))
    cv2.imwrite(str(folder / "images/18.png"), cv2.add(faint, (1, 1, 1, 0)))
    (folder / "images/18.jpg").unlink()
    assert "much like a training picture" in run("check", folder).output


def test_datasets_lists_formats_and_maps() -> None:
    result = run("datasets")
    for word in ("camvid", "carla", "oxford_pets", "cityscapes-driving", "carla-0.9.14", "[values]"):
        assert word in result.output


def test_options_and_file_say_the_same_things() -> None:
    offered = {name for option in main.commands["train"].params for name in [option.name]}
    for kind in SECTIONS.values():
        assert set(kind.__dataclass_fields__) <= offered


def test_options_change_what_the_file_says(data: Path, tmp_path: Path) -> None:
    from trainer.data.chosen import make_recipe

    (tmp_path / "r.toml").write_text(Recipe((Source("camvid", "x"),)).change(epochs=7, batch_size=2).to_toml())
    made = make_recipe(str(tmp_path / "r.toml"), [], {"epochs": 3, "size": (128, 64), "loss": None})
    assert (made.run.epochs, made.run.batch_size, made.run.size) == (3, 2, (128, 64))
    made = make_recipe(None, [str(data / "camvid")], {"validation_split": 0.25, "split_by": "random", "seed": 5})
    assert made.data[0].split == {"by": "random", "held_out": 0.25, "seed": 5}


def test_data_is_written_with_format_and_weight(tmp_path: Path) -> None:
    assert parse_data("camvid=some/where@0.4") == Source("camvid", "some/where", 0.4)
    assert parse_data("some/where") == Source("auto", "some/where")
    assert parse_data("tfds=oxford_iiit_pet:4.0.0") == Source("tfds", "oxford_iiit_pet:4.0.0")
    strange = tmp_path / "a=b@2"
    strange.mkdir()
    assert parse_data(str(strange)) == Source("auto", str(strange))


def test_show_augmentation(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    result = run("train", "--data", data / "camvid", "--size", "96x64", "--show-augmentation", out)
    assert result.exit_code == 0, result.output
    assert cv2.imread(str(out)).shape[0] > 128
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train",), "no data set: give --data"),
        (("train", "--data", "{tmp}/gone"), "gone: no such folder"),
        (("train", "--data", "{tmp}"), "no known data set"),
        (("train", "--data", "kitti={tmp}"), "no format 'kitti'"),
        (("train", "--data", "{data}", "--size", "100x64"), "needs multiples of 32"),
        (("train", "--data", "{data}", "--size", "big"), "is not a size such as 512x288"),
        (("train", "--data", "{data}", "--size", "256"), "'256' is not a size such as 512x288"),
        (("train", "--data", "{data}", "--loss", "0*ce"), "nothing is learned from 0 times ce"),
        (("train", "--data", "{data}", "--loss", "ce+0.0*dice"), "nothing is learned from 0 times dice"),
        (("train", "--data", "{data}", "--network", "{tmp}/file.keras"), "file.keras: is no Keras model"),
        (("train", "--data", "{data}", "--network", "{tmp}/file.keras", "--width", "8"), "width: describes a network"),
        (("train", "--data", "{data}@0"), "a data set of weight 0 is never drawn"),
        (("check", "{tmp}/file"), "file: is no pack of seg-trainer pack, nor the folder of a data set"),
        (("train", "--data", "{data}", "--loss", "luck", "--run", "{tmp}/r"), "'luck' is none of ce"),
        (("train", "--data", "{data}", "--labels", "gone"), "no such label map"),
        (("train", "--data", "{data}", "--run", "{tmp}/file"), "is a file"),
        (("check", "{tmp}/gone"), "no such folder"),
        (("train", "gone"), "driving-base"),
    ],
)
def test_bad_input_is_one_clear_line(
    data: Path, tmp_path: Path, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file.keras").write_text("")
    monkeypatch.chdir(tmp_path)
    result = run(*(a.format(tmp=tmp_path, data=data / "camvid") for a in arguments))
    assert result.exit_code in (1, 2)
    assert message in result.output and "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("read", "name"), [(read_recipe, "driving-fast"), (read_label_map, "camvid")])
def test_what_ships_is_found_beside_a_folder_of_its_name(
    read: Callable[[str], object], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = read(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert read(name) == shipped


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (PermissionError(13, "Permission denied", "a/b"), "seg-trainer: a/b: Permission denied", 1),
        (RuntimeError("two\nlines"), "seg-trainer: unexpected RuntimeError: two lines (run 'seg-trainer --debug", 1),
        (KeyboardInterrupt(), "seg-trainer: stopped", 130),
    ],
)
def test_what_nobody_thought_of_is_one_line_too(error: BaseException, line: str, code: int) -> None:
    @click.group(cls=Group)
    @click.option("--debug", is_flag=True)
    def program(debug: bool) -> None: ...

    @program.command()
    def fail() -> None:
        raise error

    done = CliRunner().invoke(program, ["fail"])
    assert done.exit_code == code
    assert done.output.startswith(line) and len(done.output.strip().splitlines()) == 1
    assert "Traceback" in CliRunner().invoke(program, ["--debug", "fail"]).output


@pytest.mark.parametrize(
    "option",
    [
        "--widths=0,8",
        "--widths=8,-1",
        "--width=-4",
        "--depth=0",
        "--context=0",
        "--dropout=1",
        "--dropout=-0.1",
        "--checkpoint-every=0",
        "--plateau-patience=0",
        "--steps-per-epoch=-1",
    ],
)
def test_a_number_that_cannot_be_is_named_before_anything_is_made(option: str, data: Path, tmp_path: Path) -> None:
    result = run("train", "--data", data / "camvid", "--size", "64,32", option, "--run", tmp_path / "run")
    name = option[2:].partition("=")[0].replace("-", "_")
    assert result.exit_code == 2, result.output
    assert len(result.output.splitlines()) == 1 and f"{name} is " in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_predict_names_the_input_that_cannot_be_read_in_one_line(
    content: bytes | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    if content is not None:
        picture.write_bytes(content)
    model = color_model(tmp_path / "model.onnx")
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(model), str(picture), "-o", str(tmp_path / "out")], standalone_mode=True)
    assert ended.value.code != 0
    output, errors = capfd.readouterr()
    assert len((output + errors).splitlines()) == 1 and "picture.png: " in errors, errors
    if content is None:
        assert "no such picture" in errors and not (tmp_path / "out").exists()


@pytest.mark.parametrize("damaged", [b"", b"no picture", None])
def test_predict_goes_on_after_what_it_cannot_read(damaged: bytes | None, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        write_rgb(tmp_path / "in" / f"{name}.png", np.full((40, 50, 3), (0, 0, 200), np.uint8))
    whole = (tmp_path / "in" / "b.png").read_bytes()
    for name in ("b", "d"):
        (tmp_path / "in" / f"{name}.png").write_bytes(whole[:40] if damaged is None else damaged)
    model = color_model(tmp_path / "model.onnx")
    result = run("predict", model, tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 1
    lines = result.output.strip().splitlines()
    assert lines[0].startswith("2 pictures: ") and "onnxruntime" in lines[0]
    for line, name in zip(lines[1:3], ("b", "d"), strict=True):
        assert line.startswith("left out: ") and f"{name}.png: cannot be read as a picture" in line
    assert lines[3:] == ["seg-trainer: 2 of 4 pictures could not be read and were left out"]
    for part in ("masks", "overlays", "side_by_side"):
        assert sorted(file.name for file in (tmp_path / "out" / part).iterdir()) == ["a.png", "c.png"]


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("somebody's")
    result = run("check", folder, "-o", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "out: folder cannot be made (" in result.output and result.output.strip().endswith("choose another")
