"""What `seg-viewer record-carla` writes is a data set as it stands; of several towns whole ones are held out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from seg_viewer.core.errors import SourceError
from seg_viewer.sinks.carla_pairs import CarlaPairs, TaggedPicture
from trainer.cli import main
from trainer.data import formats
from trainer.data.samples import find_all
from trainer.recipe import Recipe, Source

ROAD, CAR, PEDESTRIAN = 1, 14, 12
"""Tags of CARLA 0.9.14 and later."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def record(folder: Path, towns: list[tuple[str, int]], version: str = "0.9.16") -> Path:
    """Drives of (town, pairs), written as `record-carla` does; the lowest rows are the own bonnet."""
    pairs, drives = CarlaPairs(folder), []
    rng = np.random.default_rng(len(towns))
    for town, count in towns:
        drives.append({"town": town, "weather": "ClearNoon", "first": pairs.count, "pairs": 0})
        pairs.describe(version, drives)
        for _ in range(count):
            tags = np.zeros((40, 64), np.uint8)
            tags[16:34], tags[36:] = ROAD, CAR
            x = int(rng.integers(2, 44))
            tags[18:26, x : x + 16], tags[14:22, 60 - x // 2 : 63 - x // 2] = CAR, PEDESTRIAN
            rgb = np.stack([tags * 15, 255 - tags * 9, rng.integers(0, 200, tags.shape)], axis=2).astype(np.uint8)
            pairs.write(TaggedPicture(rgb, tags))
        drives[-1]["pairs"] = count
        pairs.describe(version, drives)
    return folder


def towns_of(pairs: tuple[formats.base.Pair, ...]) -> set[str]:
    return {pair.group for pair in pairs}


@pytest.mark.parametrize(
    ("towns", "held"),
    [
        ([("Town01", 6), ("Town03", 6)], {"Town03"}),
        ([("Town01", 6), ("Town03", 4), ("Town01", 5), ("Town05", 3)], {"Town05"}),
        ([("Carla/Maps/Town01", 5), ("Town01_Opt", 5), ("Town02", 5)], {"Town02"}),
        ([(f"Town{n:02}", 2) for n in range(14)], {"Town06", "Town13"}),
    ],
)
def test_mixed_towns_are_held_out_by_town(towns: list[tuple[str, int]], held: set[str], tmp_path: Path) -> None:
    found = formats.find("auto", record(tmp_path / "rec", towns))
    assert found.name == "carla"
    assert towns_of(found.held_out) == held and not towns_of(found.train) & held
    assert len(found.train) + len(found.held_out) == sum(count for _, count in towns)
    if len(towns) <= formats.MOST_NAMED:
        assert any(f"held out as a whole: {', '.join(sorted(held))}" in note for note in found.notes)


def test_a_share_that_is_asked_for_is_of_towns_too(tmp_path: Path) -> None:
    root = record(tmp_path / "rec", [(f"Town{n:02}", 4) for n in range(4)])
    shown = run("check", root, "--validation-split", "0.5")
    assert "held out as a whole: Town01, Town03" in shown.output, shown.output
    blocks = run("check", root, "--split", "blocks", "--validation-split", "0.25")
    assert "12 training and 4 held-out" in blocks.output


def test_one_town_keeps_the_end_of_each_drive_back(tmp_path: Path) -> None:
    found = formats.find("auto", record(tmp_path / "rec", [("Town01", 20), ("Town01", 40)]))
    assert sorted(int(p.picture.stem) for p in found.held_out) == [17, 18, 19, *range(54, 60)]
    assert len(found.train) == (17 - 12) + (34 - 12)


def test_short_drives_still_have_something_to_train_on(tmp_path: Path) -> None:
    found = formats.find("auto", record(tmp_path / "rec", [("Town01", 8)]))
    assert found.train and found.held_out


def test_recordings_side_by_side_are_one_data_set(tmp_path: Path) -> None:
    for town in ("Town01", "Town02", "Town04"):
        record(tmp_path / "all" / town.lower(), [(town, 5)])
    found = formats.find("auto", tmp_path / "all")
    assert towns_of(found.held_out) == {"Town04"} and towns_of(found.train) == {"Town01", "Town02"}


def test_recordings_given_one_by_one_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    sources = tuple(Source("auto", str(record(tmp_path / n, [("Town01", 20)]))) for n in ("monday", "tuesday"))
    assert [data.name for _, data in find_all(Recipe(sources), [])] == ["monday", "tuesday"]


def test_a_record_that_names_no_drives_rightly_is_named(tmp_path: Path) -> None:
    root = record(tmp_path / "rec", [("Town01", 4)])
    (root / "carla.json").write_text(json.dumps({"carla_version": "0.9.16", "drives": [{"town": "Town01"}]}))
    with pytest.raises(SourceError, match=r"carla\.json: does not say which drives there are"):
        formats.find("auto", root)


@pytest.mark.timeout(400)
def test_a_recording_trains_at_once(tmp_path: Path) -> None:
    root, made = record(tmp_path / "rec", [("Town01", 8), ("Town03", 3)]), tmp_path / "run"
    small = ["--size", "32x32", "--widths", "4,8", "--convolutions", "1,1", "--decoder-convolutions", 1]
    small += ["--batch-size", 4, "--no-augment", "--precision", "float32"]
    done = run("train", "--data", root, "--run", made, "--stop-at", 1, *small)
    assert done.exit_code == 0, done.output
    assert "held out as a whole: Town03 (of Town01, Town03)" in done.output
    assert "the own bonnet (" in done.output and "is trained as what value 0 means, and not scored" in done.output
    assert "labels 'carla-0.9.14': " in done.output and "car ← 14" in done.output
    assert (made / "recipe.toml").is_file()
