"""`seg-trainer evaluate` as a person uses it, on a model that tells classes by colour; the card; speed."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.core.scores import Scores
from tests.clips import make_clip
from tests.models import color_model
from tests.trainer.conftest import blocks, evaluate, painted, write_rgb
from trainer.commands.evaluate import column_names
from trainer.export.card import card_path, card_text, read_known
from trainer.export.release import Report
from trainer.recipe import Recipe, Source, read_recipe, shipped_name
from trainer.scoring.flicker import short
from trainer.scoring.speed import Speed, in_turns, measure_speed


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of our own with four pictures, in the four classes."""
    rng = np.random.default_rng(6)
    for number in range(4):
        mask = blocks(rng)
        write_rgb(tmp_path / "own/images" / f"{number}.png", painted(mask))
        write_rgb(tmp_path / "own/masks" / f"{number}.png", mask)
    (tmp_path / "own/labels.toml").write_text(
        'target = "driving"\n[values]\nbackground = [0]\nroad = [1]\ncar = [2]\nperson = [3]\n'
    )
    return tmp_path / "own"


def _blink(index: int, width: int, height: int) -> np.ndarray:
    """Grey that grows a little lighter, still all over, and passes the model's threshold for red after two frames."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[:, :, 0] = 118 + 2 * index
    return picture


def test_everything_in_one_go(model: Path, data: Path, own: Path, tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "blink.mkv", frames=4, width=96, height=64, picture=_blink, codec="ffv1", pix_fmt="bgr0"
    )
    out, drawn = tmp_path / "s.json", tmp_path / "worst.png"
    line = [model, "--data", data / "camvid", "--data", own, "--validation-split", "0.5", "--heights", "--worst", "1"]
    line += ["--gallery", f"folder={drawn}", "--clip", clip, "--json", out]
    result = evaluate(*line)
    assert result.exit_code == 0, result.output
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["model"] == str(model) and told["folder"]["miou"] == 1.0
    person = told["camvid"]["heights"]["person"]
    assert sum(one["objects"] for one in person) > 0 and person[4]["to"] is None
    assert len(told["camvid"]["worst"]) == 1 and told["folder"]["worst"][0]["miou"] == 1.0
    assert told["calm"]["blink"]["frames"] == 4 and told["calm"]["blink"]["still"] == 1.0
    assert told["calm"]["blink"]["changed"] == pytest.approx(1 / 3, abs=1e-6)
    assert told["calm"]["blink"]["by_classes"] == {"background<->person": pytest.approx(1 / 3, abs=1e-6)}
    for word in ("by height", "worst pictures, mIoU", "images/", "blink: 4 frames", "33.333 %"):
        assert word in result.output
    assert cv2.imread(str(drawn)).shape[1] > 3 * 100
    before = drawn.read_bytes()
    again = evaluate(*line)
    assert again.exit_code == 2 and "exists already" in again.output and drawn.read_bytes() == before
    assert evaluate(*line, "--overwrite").exit_code == 0


def test_two_models_side_by_side(model: Path, data: Path, tmp_path: Path) -> None:
    other = color_model(tmp_path / "halved.onnx", 48, 32)
    out = tmp_path / "s.json"
    line = [model, "--against", other, "--data", data / "camvid", "--heights", "--worst", "1", "--clip", "demo"]
    result = evaluate(*line, "--json", out)
    assert result.exit_code == 0, result.output
    assert "colors   halved   change" in result.output and "worst pictures of halved, mIoU" in result.output
    told = json.loads(out.read_text(encoding="utf-8"))
    alone = tmp_path / "alone.json"
    assert evaluate(other, "--data", data / "camvid", "--json", alone).exit_code == 0
    assert told["against"]["camvid"]["matrix"] == json.loads(alone.read_text(encoding="utf-8"))["camvid"]["matrix"]
    assert told["camvid"]["miou"] == 1.0 and told["calm"]["demo"]["frames"] > 100
    assert told["calm"]["demo"]["frames"] == told["against"]["calm"]["demo"]["frames"]


def test_columns_have_the_shortest_names_that_differ() -> None:
    assert column_names([Path("runs/a/m.onnx"), Path("runs/b/f.onnx")]) == ["m", "f"]
    assert column_names([Path("runs/a/m.onnx"), Path("runs/a/m.keras")]) == ["m.onnx", "m.keras"]
    assert column_names([Path("runs/a/m.onnx"), Path("runs/b/m.onnx")]) == ["a/m.onnx", "b/m.onnx"]


def test_a_clip_needs_no_data(model: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "cycle.mkv", frames=4, width=96, height=64)
    result = evaluate(model, "--clip", clip)
    assert result.exit_code == 0, result.output
    assert "cycle: 4 frames, still 0.0 % of the pixels" in result.output and "nothing stands still" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--clip", "{tmp}/gone.mp4"), "no such file"),
        (("--clip", "rtsp://user:secret@host/path"), "is live"),
        (("--clip", "{tmp}/a/x.mkv", "--clip", "{tmp}/b/x.mkv"), "two clips are called 'x'"),
        (("--data", "{data}", "--gallery", "camvid={tmp}/g.png"), "pictures of camvid are not ours to pass on"),
        (("--data", "{data}", "--gallery", "idd={tmp}/g.png"), "no set is called 'idd'; there are camvid"),
        (("--data", "{data}", "--gallery", "camvid"), "write SET=FILE.png"),
        (("--data", "{own}", "--gallery", "folder={tmp}/there.json/g.png"), "folder cannot be made"),
        (("--data", "{own}", "--gallery", "folder={tmp}/g.png", "--worst", "0"), "--worst 0 asks for none"),
        (
            ("--data", "{own}", "--gallery", "folder={tmp}/g.png", "--validation-split", "0"),
            "nothing of folder is held",
        ),
        (("--data", "{data}", "--json", "{tmp}/there.json"), "exists already"),
        (("--data", "{data}", "--against", "{tmp}/gone.onnx"), "no such model file"),
        (("--data", "{data}", "--against", "{tmp}/colors.onnx"), "is the same model twice"),
        (("--data", "{data}", "--against", "{tmp}/two.onnx"), "has the classes nothing, thing"),
        ((), "no data set"),
    ],
)
def test_bad_input_is_one_clear_line(
    model: Path, data: Path, own: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        make_clip(tmp_path / part / "x.mkv", frames=2)
    two = LabelSet([Label(0, "nothing", (0, 0, 0)), Label(1, "thing", (9, 9, 9))])
    color_model(tmp_path / "two.onnx", 96, 64, labels=two)
    (tmp_path / "there.json").write_text("mine")
    result = evaluate(model, *(a.format(tmp=tmp_path, data=data / "camvid", own=own) for a in arguments))
    assert result.exit_code in (1, 2), result.output
    assert message in result.output and "Traceback" not in result.output and "secret" not in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert (tmp_path / "there.json").read_text(encoding="utf-8") == "mine" and not (tmp_path / "g.png").exists()


def test_runs_take_turns_and_leave_the_first_of_each_turn_out() -> None:
    now, calls = [0.0], []

    def takes(name: str, *spent: float) -> object:
        times = iter(spent)

        def run() -> None:
            calls.append(name)
            now[0] += next(times)

        return run

    fast, slow = takes("a", 9, 1, 2, 9, 3, 9), takes("b", 9, 5, 5, 9, 7, 6)
    # 1 2 3 9 and 5 5 6 7, sorted
    assert in_turns([fast, slow], 2, 2, lambda: now[0]) == [(1.75, 2.5, 4.5), (5.0, 5.5, 6.25)]
    assert "".join(calls) == "aaabbbaaabbb"


def test_speed_runs_both_and_names_the_processor(model: Path) -> None:
    graph = onnx.load(str(model))
    speed = measure_speed(graph, graph, np.zeros((64, 96, 3), np.uint8), 1, 2)
    assert min(speed.openvino_ms) > 0 and min(speed.onnxruntime_ms) > 0 and speed.processor
    assert "OpenVINO 20" in speed.versions and speed.to_json()["threads"] == 2


def _report(spec: object) -> Report:
    truth = np.array([0, 0, 1, 2, 3, 3], np.uint8)
    from seg_viewer.core.scores import confusion_matrix
    from trainer.scoring.heights import Heights

    scores = {"camvid": Scores(3, confusion_matrix(truth, np.array([0, 0, 1, 2, 3, 2]), 4), DRIVING)}
    heights = Heights(DRIVING)
    mask = np.zeros((100, 4), np.uint8)
    mask[0:7, 0] = 3
    heights.add(mask, mask)
    flicker = {
        "frames": 3,
        "pairs": 2,
        "repeated": 0,
        "still": 0.5,
        "changed": 0.00211,
        "by_classes": {"road<->car": 0.002},
    }
    return Report(
        600,
        spec,  # type: ignore[arg-type]
        {"ONNX Runtime": 0.9991},
        scores,
        scores,
        "openvino, int8",
        40,
        failures=["int8 loses 0.60 mIoU on camvid, more than 0.5"],
        heights={"camvid": heights.to_json()},
        flicker={"street": flicker},
        float_flicker={"street": flicker | {"changed": None}},
        speed=Speed((3.5, 4.0, 5.0), (11.0, 12.0, 14.0), "Some Processor", "OpenVINO 1, ONNX Runtime 2"),
    )


def test_the_card_tells_all_of_it(model: Path, tmp_path: Path) -> None:
    recipe = read_recipe("driving-base")
    known = tmp_path / "known.md"
    known.write_text("- Parked bicycles turn blue.\n\n  *Often.*\n")
    text = card_text(_report(read_model_file(model)), recipe, [], tmp_path / "runs" / "mine", read_known(known))
    for words in (
        "No safety function",
        "`driving-base` (`trainer/recipes/driving-base.toml`): 600 steps of 8",
        "seg-trainer train driving-base --root DATA --run runs/mine\nseg-trainer export runs/mine -o colors.onnx"
        " --precision",
        "| camvid | 3 | 75.0 | 100.0 | 100.0 | 50.0 | 50.0 |",
        "| camvid | person | – / – (0) | 100.0 / 100.0 (1) |",
        "| street | 3 | 50.0 | 0.211 | – | road and car 0.200 |",
        "- ONNX Runtime: 99.910% of the pixels",
        "4.0 ms (half of them 3.5 to 5.0) in OpenVINO, its float32 graph 12.0 ms (half of them 11.0 to 14.0) in ONNX"
        " Runtime: 3.0 times as fast (2 threads, Some Processor",
        "## What it is not for",
        "## Where it fails\n\n- falls short: int8 loses",
        "- Parked bicycles turn blue.\n\n  *Often.*\n",
    ):
        assert words in text, words
    assert str(tmp_path) not in text
    assert card_path(Path("a/driving-fast.onnx")) == Path("a/driving-fast.MODEL_CARD.md")


@pytest.mark.parametrize(
    ("labels", "says", "never"),
    [
        ("carvana", "It misses cars, most of all", "people|pedestrian|steer|brak"),
        ("oxford-pets", "takes pixels for what they are not", "people|pedestrian|steer|brak|cars|weather"),
        ("binary", "takes pixels for what they are not", "people|pedestrian|steer|brak|cars|weather"),
        ("camvid", "It misses people and cars, most of all", "nothing of it"),
        ("penn-fudan", "It misses people, most of all", "cars|steer|brak"),
    ],
)
def test_a_card_speaks_of_what_its_model_looks_for(labels: str, says: str, never: str, tmp_path: Path) -> None:
    from trainer.labels.named import read_label_map

    made = read_label_map(labels).labels
    spec = ModelSpec(tmp_path / "m.onnx", "m", made, 32, 64, "float32", producer="tests")
    report = Report(3, spec, {}, {}, {})
    text = card_text(report, Recipe((Source("folder", "x"),)), [], tmp_path)
    assert says in text and "What it is not for" in text
    assert not re.search(never, text), re.findall(f".*(?:{never}).*", text)


def test_known_failures_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("\n")
    (tmp_path / "odd.md").write_bytes(b"\xff\xfe\x00")
    for name, message in (("gone.md", "No such file"), ("empty.md", "says nothing"), ("odd.md", "no UTF-8 text")):
        with pytest.raises(UsageError, match=message):
            read_known(tmp_path / name)


def test_a_recipe_is_named_wherever_its_data_lies() -> None:
    first = read_recipe("driving-base")
    moved = first.change(data=tuple(dataclasses.replace(source, path="/else/x") for source in first.data))
    assert shipped_name(first) == shipped_name(moved) == "driving-base"
    there = first.change(data=tuple(source for source in moved.data if not source.optional))
    assert len(there.data) < len(first.data) and shipped_name(there) == "driving-base"
    assert shipped_name(first.change(seed=8)) == "" == shipped_name(Recipe(()))


def test_what_a_model_file_holds_of_flicker() -> None:
    assert short({"frames": 3, "pairs": 2, "still": 0.5, "changed": 0.1, "by_classes": {}}) == {
        "frames": 3,
        "still": 0.5,
        "changed": 0.1,
    }


def test_the_shipped_model_has_its_card() -> None:
    for file in (Path(__file__).parents[2] / "assets" / "models").glob("*.onnx"):
        assert "No safety function" in card_path(file).read_text(encoding="utf-8")


def test_a_model_that_answers_a_class_that_there_is_not_is_named(own: Path, tmp_path: Path) -> None:
    two = LabelSet([DRIVING[0], DRIVING[1]])
    model = color_model(tmp_path / "two.onnx", 96, 64, labels=two)  # it tells four colours apart
    (own / "labels.toml").write_text(
        'rest = "background"\n[values]\nroad = [1]\n[classes]\nbackground = [0, 0, 0]\nroad = [0, 190, 90]\n'
    )
    result = evaluate(model, "--data", own, "--validation-split", "0.5")
    assert result.exit_code == 2, result.output
    assert "the model answers class" in result.output and "only background, road: give the label map" in result.output


def _plain(folder: Path, values: tuple[int, int], toml: str = "") -> Path:
    mask = np.full((64, 96), values[0], np.uint8)
    mask[10:40, 10:40] = values[1]
    for number in range(4):
        write_rgb(folder / "images" / f"{number}.png", painted(np.uint8(mask == values[1])))
        write_rgb(folder / "masks" / f"{number}.png", mask)
    if toml:
        (folder / "labels.toml").write_text(toml)
    return folder


def test_what_masks_are_taken_for_on_a_guess_is_shown(model: Path, tmp_path: Path) -> None:
    """A model with our classes takes 255 for "ignored": whoever meant an object there must see that."""
    result = evaluate(model, "--data", _plain(tmp_path / "d", (0, 255)))
    assert result.exit_code == 0
    assert "mask values taken for 0 background, 1 road, 2 car, 3 person, 255 ignored (--labels" in result.output
    asked = evaluate(model, "--data", tmp_path / "d", "--labels", "driving")
    assert asked.exit_code == 0 and "taken for" not in asked.output


@pytest.mark.parametrize("labels", [(), ("--labels", "driving")])
def test_a_folder_whose_labels_are_written_down_is_never_guessed(
    labels: tuple[str, ...], model: Path, tmp_path: Path
) -> None:
    toml = "[values]\nsky = [0]\ntree = [255]\n[classes]\nsky = [0, 0, 9]\ntree = [0, 9, 0]\n"
    result = evaluate(model, "--data", _plain(tmp_path / "d", (0, 255), toml), *labels)
    assert result.exit_code == 2 and "labels.toml says that the classes are sky, tree" in result.output, result.output


@pytest.mark.parametrize("labels", [(), ("--labels", "driving")])
def test_other_values_for_our_classes_are_those_of_the_file(
    labels: tuple[str, ...], model: Path, tmp_path: Path
) -> None:
    toml = 'target = "driving"\n[values]\nbackground = [7]\nroad = [200]\n'
    result = evaluate(model, "--data", _plain(tmp_path / "d", (7, 200), toml), "--json", tmp_path / "s.json", *labels)
    assert result.exit_code == 0, result.output
    shares = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["folder"]
    assert shares["miou"] == 1.0, shares
