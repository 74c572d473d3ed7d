"""Recording a data set in CARLA: the plan, and what is written."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.jobs.record_carla import WEATHERS, PlannedDrive, RecordCarlaJob, make_plan, read_plan, run_record_carla
from seg_viewer.sources import open_source
from tests.carla_server.running import colors_server
from tests.models import BLUE, GREEN, GREY, RED

if TYPE_CHECKING:
    from tests.carla_server.process import CarlaServer


def test_the_default_plan_varies_everything_and_adds_up() -> None:
    plan = make_plan(1000, ("Town01", "Town03"), seed=3)
    assert sum(drive.pairs for drive in plan) == 1000
    assert {drive.weather for drive in plan} == set(WEATHERS)
    assert [drive.town for drive in plan] == sorted(drive.town for drive in plan)  # each map is loaded once
    assert {drive.town for drive in plan} == {"Town01", "Town03"}
    assert len({drive.vehicles for drive in plan}) > 2 and len({drive.seed for drive in plan}) == len(plan)
    assert plan == make_plan(1000, ("Town01", "Town03"), seed=3)
    assert plan != make_plan(1000, ("Town01", "Town03"), seed=4)


@pytest.mark.parametrize("count", [1, 7, 126, 999])
def test_any_count_is_kept_exactly(count: int) -> None:
    plan = make_plan(count, ("",))
    assert sum(drive.pairs for drive in plan) == count and all(drive.pairs >= 1 for drive in plan)


def test_a_plan_from_a_file_shares_out_what_is_left(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        '[[drive]]\ntown = "Town03"\nweather = "WetNoon"\nvehicles = 5\nwalkers = 6\nseed = 9\npairs = 4\n'
        '[[drive]]\nweather = "ClearNight"\n[[drive]]\n'
    )
    plan = read_plan(file, 10)
    assert plan[0] == PlannedDrive("Town03", "WetNoon", 5, 6, 9, 4)
    assert [drive.pairs for drive in plan] == [4, 3, 3]
    assert plan[1].weather == "ClearNight" and plan[2].seed != plan[1].seed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no drives; write [[drive]] tables with town, weather"),
        ("[[drive]", "cannot be read as a plan"),
        ('[[drive]]\ncity = "Town01"', "drive 1: there is no 'city'; it has town"),
        ("[[drive]]\nvehicles = -3", "drive 1: vehicles = -3: give a whole number from 0"),
        ("[[drive]]\npairs = 0", "drive 1: pairs = 0: give a whole number from 1"),
        ("[[drive]]\ntown = 3", "drive 1: town = 3: give a text"),
        ("[[drive]]\n[[drive]]\npairs = 10", "1 drive without 'pairs', and -n leaves 0 for them"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        read_plan(file, 10)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def server() -> Iterator[CarlaServer]:
    """Spoken to through the official client."""
    with colors_server() as running:
        yield running


def test_pairs_belong_together_and_come_back_as_ground_truth(server: CarlaServer, tmp_path: Path) -> None:
    plan = (PlannedDrive("Town03", "WetNoon", 2, 1, 1, 5), PlannedDrive("", "ClearNoon", 0, 0, 2, 3))
    seen: list[int] = []
    done = run_record_carla(
        RecordCarlaJob(server.url("size=64x32&timeout=5"), tmp_path / "set", plan, every=3),
        on_progress=lambda pairs, _drive: seen.append(pairs),
    )
    assert (done.pairs, done.drives, done.is_whole, seen) == (8, 2, True, list(range(1, 9)))
    for folder in ("CameraRGB", "CameraMask"):
        assert sorted(f.name for f in (tmp_path / "set" / folder).iterdir()) == [f"{k:06}.png" for k in range(8)]
    said = json.loads((tmp_path / "set" / "carla.json").read_text(encoding="utf-8"))
    assert said["carla_version"] == "0.9.16"
    assert [(d["town"], d["weather"], d["first"], d["pairs"]) for d in said["drives"]] == [
        ("Town03", "WetNoon", 0, 5),
        ("Town03", "ClearNoon", 5, 3),
    ]
    # what this program reads back from the folder: the picture's colour and the truth name the same class
    frames = list(open_source(tmp_path / "set"))
    steps = []
    for frame in frames:
        assert frame.truth is not None
        (class_id,) = np.unique(frame.truth)
        mask = cv2.imread(str(tmp_path / "set" / "CameraMask" / f"{frame.index:06}.png"))
        assert not mask[:, :, :2].any()  # the tag is in the red channel
        assert tuple(frame.picture.rgb()[0, 0]) == (GREY, GREEN, BLUE, RED)[class_id]
        steps.append(int(class_id))
    assert [(b - a) % 4 for a, b in pairwise(steps[:5])] == [3] * 4  # every third tick
    report = server.report()
    assert report["alive"] == {} and report["settings"][0] is False


def test_a_recording_is_never_added_to(server: CarlaServer, tmp_path: Path) -> None:
    (tmp_path / "CameraRGB").mkdir()
    (tmp_path / "CameraRGB" / "000000.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match="holds a recording already"):
        run_record_carla(RecordCarlaJob(server.url(), tmp_path, make_plan(2, ("",))))
    assert (tmp_path / "CameraRGB" / "000000.png").read_bytes() == b"mine"


def test_a_simulator_that_goes_away_leaves_whole_pairs(tmp_path: Path, server: CarlaServer) -> None:
    from tests.carla_server.process import CarlaServer

    with (
        CarlaServer("--scene", "colors", "--silent-after", "30") as hung,
        pytest.raises(SourceError, match=r"did not answer within 3 s.*whole pairs stay in"),
    ):
        plan = make_plan(50, ("",))
        run_record_carla(RecordCarlaJob(hung.url("size=64x32&timeout=3&autopilot=0"), tmp_path / "set", plan, every=2))
    said = json.loads((tmp_path / "set" / "carla.json").read_text(encoding="utf-8"))
    (drive,) = said["drives"]
    assert drive["pairs"] == len(list((tmp_path / "set" / "CameraRGB").iterdir())) > 0


def test_without_a_simulator_no_folder_is_made(tmp_path: Path, server: CarlaServer) -> None:
    with pytest.raises(SourceError, match="no CARLA server answers"):
        run_record_carla(RecordCarlaJob("carla://127.0.0.1:9?timeout=0.5", tmp_path / "set", make_plan(5, ("",))))
    assert not (tmp_path / "set").exists()


def test_ctrl_c_leaves_whole_pairs_and_an_empty_world(server: CarlaServer, tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}
    with subprocess.Popen(
        [sys.executable, "-m", "seg_viewer", "record-carla", server.url("size=64x32"), "-n", "100000", "-o", "set"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as program:
        server.wait_until(lambda report: report["cues"] > 0 and (tmp_path / "set/CameraRGB/000003.png").exists())
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=200)
    assert program.returncode == 130, err
    pictures, masks = (sorted(f.name for f in (tmp_path / "set" / n).iterdir()) for n in ("CameraRGB", "CameraMask"))
    assert pictures == masks and len(pictures) >= 4
    assert f"{len(pictures)} pairs" in out
    assert "Traceback" not in err
    report = server.report()
    assert report["alive"] == {} and report["settings"][0] is False
    assert list(islice(open_source(tmp_path / "set"), 1))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-o", "set"], "say how many pairs"),
        (["-o", "set", "-n", "5", "--plan", "plan.toml", "--towns", "Town01"], "a plan of your own names its towns"),
        (["http://host", "-o", "set", "-n", "5"], "names no CARLA server"),
    ],
)
def test_usage_is_one_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[2])
    (tmp_path / "plan.toml").write_text("[[drive]]\n")
    done = subprocess.run(
        [sys.executable, "-m", "seg_viewer", "record-carla", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
    )
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()
