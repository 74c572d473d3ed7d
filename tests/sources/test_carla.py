"""CARLA through its official client, against the small server of `tests/carla_server`."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import Frame
from seg_viewer.sources import LiveSource, open_source
from seg_viewer.sources.carla import process
from seg_viewer.sources.carla.address import parse_carla
from seg_viewer.sources.carla.messages import KINDS
from seg_viewer.sources.carla.process import DriveProcess
from seg_viewer.sources.live import given_up_by

pytest.importorskip("carla", reason="the carla client is not installed")
pytest.importorskip("msgpack", reason="msgpack is not installed")

from tests.carla_server.process import CarlaServer
from tests.carla_server.running import colors_server, driving
from tests.models import BLUE, GREEN, GREY, RED

SMALL = "size=64x32&fps=100&timeout=5"


@pytest.fixture(scope="module")
def server() -> Iterator[CarlaServer]:
    with colors_server() as running:
        yield running


def is_as_it_was(server: CarlaServer) -> bool:
    """Nothing of ours lives, and nobody holds the clock."""
    report = server.report()
    return not report["alive"] and report["settings"][0] is False and report["settings"][2] == [False]


def frames_of(url: str, count: int) -> list[Frame]:
    source = open_source(url)
    try:
        return list(islice(source, count))
    finally:
        source.close()


def test_each_picture_comes_with_the_truth_of_the_same_tick(server: CarlaServer) -> None:
    """The scene is one class all over, another one each tick: a pair of two ticks would not agree."""
    frames = frames_of(server.url(SMALL), 12)
    colors = (GREY, GREEN, BLUE, RED)
    for frame in frames:
        assert frame.truth is not None and frame.truth.shape == (32, 64)
        (class_id,) = np.unique(frame.truth)
        assert tuple(frame.picture.rgb()[0, 0]) == colors[class_id]
    assert [int(f.truth[0, 0]) for f in frames if f.truth is not None] == [
        (int(frames[0].truth[0, 0]) + k) % 4 for k in range(12) if frames[0].truth is not None
    ]
    assert [frame.index for frame in frames] == list(range(12))
    assert np.allclose(np.diff([frame.time_s for frame in frames]), 0.01)


def test_the_source_says_what_it_is(server: CarlaServer) -> None:
    source = open_source(server.url(SMALL))
    try:
        assert isinstance(source, LiveSource)
        assert (source.info.width, source.info.height, source.info.rate) == (64, 32, 100.0)
        assert source.info.live and not source.info.can_seek
        assert source.info.codec == "CARLA 0.9.16" and source.info.name.startswith("Town")
        with pytest.raises(SourceError, match="cannot seek"):
            source.seek(1.0)
    finally:
        source.close()
    source.close()  # again is fine
    assert is_as_it_was(server)


def test_traffic_is_spawned_driven_and_taken_away(server: CarlaServer) -> None:
    source = open_source(server.url(f"{SMALL}&vehicles=5"))
    try:
        during = next(r for _frame in islice(source, 200) if len((r := server.report())["steered"]) == 6)
    finally:
        source.close()
    kinds = [kind.split(".")[0] for kind in during["alive"].values()]
    assert (kinds.count("vehicle"), kinds.count("sensor")) == (6, 2)
    assert all(re.fullmatch(r"seg-viewer(\.hero)?\.[0-9a-f]{12}@.+", role) for role in during["roles"].values())
    assert during["settings"][0] is True and during["settings"][2] == [True, pytest.approx(0.01)]
    # the traffic manager drives all of them, the ego too
    assert [during["alive"][str(number)].split(".")[0] for number in during["steered"]] == ["vehicle"] * 6
    assert is_as_it_was(server)


def test_people_walk_and_are_taken_away(server: CarlaServer) -> None:
    source = open_source(server.url(f"{SMALL}&walkers=4&autopilot=0"))
    try:
        during = next(r for _frame in islice(source, 200) if len((r := server.report())["steered"]) == 4)
    finally:
        source.close()
    walkers = [number for number, kind in during["alive"].items() if kind.startswith("walker.")]
    minds = [number for number, kind in during["alive"].items() if kind == "controller.ai.walker"]
    assert (len(walkers), len(minds)) == (4, 4)
    assert sorted(during["steered"]) == sorted(int(number) for number in walkers)  # by their controllers
    assert is_as_it_was(server)


def test_town_and_weather_are_as_asked_and_the_weather_is_put_back(server: CarlaServer) -> None:
    before = server.report()["weather"]
    source = open_source(server.url(f"{SMALL}&town=Town03&weather=HardRainNoon"))
    try:
        during = server.report()
    finally:
        source.close()
    assert during["town"] == "Town03" and source.info.name.startswith("Town03")
    assert during["weather"][1] > before[1]  # precipitation
    assert server.report()["weather"] == pytest.approx(before)
    assert is_as_it_was(server)


def test_rides_on_a_car_of_somebody_else_and_leaves_it_there(server: CarlaServer) -> None:
    owner = open_source(server.url(SMALL))
    assert isinstance(owner, LiveSource)
    ticking = threading.Thread(target=lambda: [None for _frame in owner])
    ticking.start()
    try:
        frames = frames_of(server.url(f"{SMALL}&ego=hero&tick=0"), 5)
        assert all(frame.truth is not None for frame in frames)
        left = server.report()
        assert sorted(left["alive"].values()) == [
            "sensor.camera.rgb", "sensor.camera.semantic_segmentation", "vehicle.tesla.model3",
        ]  # fmt: skip
        assert left["settings"][0] is True  # the owner still holds the clock
    finally:
        owner.interrupt()
        ticking.join()
        owner.close()
    assert is_as_it_was(server)


@pytest.mark.parametrize(
    ("query", "kind", "says"),
    [
        ("town=Atlantis", UsageError, "has no map 'Atlantis'; it has Town01, Town03"),
        ("weather=Sunny", UsageError, "no weather 'Sunny'; choose one of ClearNight"),
        ("ego=boss", UsageError, "no car has the role name 'boss'; there are no cars"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_stays_behind(
    server: CarlaServer, query: str, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=re.escape(says)) as caught:
        open_source(server.url(f"{SMALL}&{query}"))
    assert "\n" not in str(caught.value)
    assert is_as_it_was(server)


def test_one_drive_at_a_time_sets_the_pace(server: CarlaServer) -> None:
    """Opened again at once, the second waits for the first to tidy up: else it would put back the first one's clock."""
    first = open_source(server.url(SMALL))
    assert isinstance(first, LiveSource)
    opened: list[LiveSource] = []
    opening = threading.Thread(target=lambda: opened.append(open_source(server.url(SMALL))))  # type: ignore[arg-type]
    opening.start()
    assert len(list(islice(first, 5))) == 5 and not opened
    assert list(server.report()["alive"].values()).count("vehicle.tesla.model3") == 1
    first.close()
    opening.join(60)
    (second,) = opened
    assert len(list(islice(second, 5))) == 5
    second.close()
    assert is_as_it_was(server)


def test_a_clock_that_another_program_holds_is_left_alone(server: CarlaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = open_source(server.url(SMALL))
    assert isinstance(owner, LiveSource)
    ticking = threading.Thread(target=lambda: [None for _frame in owner])
    ticking.start()
    try:
        monkeypatch.setattr("seg_viewer.sources.carla.process._clocks", {})  # as in another program
        with pytest.raises(UsageError, match="another client sets the pace of this simulator; ride along with tick=0"):
            open_source(server.url(SMALL))
        assert server.report()["settings"][0] is True
    finally:
        owner.interrupt()
        ticking.join()
        owner.close()
    assert is_as_it_was(server)


def test_riding_along_where_nobody_ticks_is_told(server: CarlaServer) -> None:
    owner = open_source(server.url(SMALL))
    try:
        with pytest.raises(SourceError, match=r"no tick within 2 s; tick=0 leaves the pace to another client"):
            open_source(server.url("size=64x32&timeout=2&tick=0&ego=hero"))
    finally:
        owner.close()
    assert is_as_it_was(server)


def test_without_the_client_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"the CARLA client is missing; pip install 'seg-viewer\[carla\]'"):
        open_source("carla://localhost")


def test_more_cars_than_places_are_told(server: CarlaServer) -> None:
    source = open_source(server.url(f"{SMALL}&vehicles=200&autopilot=0"))
    try:
        assert any(re.search(r"of 200 vehicles could be placed", text) for text in source.warnings)
        assert server.report()["most_alive"] > 40
    finally:
        source.close()
    assert is_as_it_was(server)


def test_no_server() -> None:
    with pytest.raises(SourceError, match=r"no CARLA server answers at 127\.0\.0\.1:9 within 0\.5 s; start it"):
        open_source("carla://127.0.0.1:9?timeout=0.5")


def test_another_version_of_the_server() -> None:
    with (
        CarlaServer("--scene", "colors", "--version", "0.9.13") as old,
        pytest.raises(SourceError, match=r"the server is CARLA 0\.9\.13, the client 0\.9\.\d+; install the client"),
    ):
        open_source(old.url(SMALL))


def test_a_camera_that_sends_nothing() -> None:
    with CarlaServer("--scene", "colors", "--mute", "sensor.camera.semantic_segmentation") as mute:
        source = open_source(mute.url("size=64x32&timeout=2&autopilot=0"))
        with pytest.raises(SourceError, match=r"sensor\.camera\.semantic_segmentation sent no picture within 2 s"):
            next(iter(source))
        source.close()
        assert is_as_it_was(mute)


@pytest.mark.parametrize("traffic", ["vehicles=0&autopilot=0", "vehicles=3"])
def test_a_simulator_that_hangs_ends_in_one_line(traffic: str) -> None:
    """With traffic, CARLA's client aborts its whole process here: it must not be ours."""
    with CarlaServer("--scene", "colors", "--silent-after", "12") as hung:
        source = open_source(hung.url(f"size=64x32&fps=100&timeout=3&{traffic}"))
        with pytest.raises(SourceError, match="the simulator did not answer within 3 s") as caught:
            list(islice(source, 30))
        assert "\n" not in str(caught.value)
        source.close()
    assert not [child for child in multiprocessing.active_children() if child.name == "seg-carla"]


@pytest.mark.parametrize("traffic", ["vehicles=0&autopilot=0", "vehicles=3"])
def test_a_simulator_that_crashes_ends_in_one_line(traffic: str) -> None:
    with CarlaServer("--scene", "colors") as doomed:
        source = open_source(doomed.url(f"size=64x32&fps=100&timeout=3&{traffic}"))
        frames = iter(source)
        next(frames)
        doomed.kill()
        with pytest.raises(SourceError, match="the simulator did not answer within 3 s"):
            list(frames)
        source.close()
    assert not [child for child in multiprocessing.active_children() if child.name == "seg-carla"]


def test_frames_of_a_faster_client_are_dropped_and_counted(server: CarlaServer) -> None:
    """Riding along without ticking, only the newest picture counts."""
    owner = open_source(server.url(f"{SMALL}&autopilot=0"))
    assert isinstance(owner, LiveSource)
    ticking = threading.Thread(target=lambda: [None for _frame in owner])
    ticking.start()
    try:
        guest = open_source(server.url(f"{SMALL}&ego=hero&tick=0"))
        assert isinstance(guest, LiveSource)
        causes: list[str] = []
        guest.on_drop = causes.append
        frames = iter(guest)
        first = next(frames)
        ticks = server.report()["cues"]
        server.wait_until(lambda report: report["cues"] > ticks + 20)
        second, third = next(frames), next(frames)
        guest.close()
        assert first.time_s < second.time_s < third.time_s
        assert set(causes) == {"CARLA: another client ticks faster"}
    finally:
        owner.interrupt()
        ticking.join()
        owner.close()
    assert is_as_it_was(server)


def test_a_client_that_crashes_leaves_nothing_behind(server: CarlaServer) -> None:
    source = open_source(server.url(f"{SMALL}&vehicles=3&walkers=2&weather=WetNoon"))
    before = server.report()
    assert len(before["alive"]) == 10
    frames = iter(source)
    next(frames)
    (child,) = [child for child in multiprocessing.active_children() if child.name == "seg-carla"]
    os.kill(child.pid or 0, signal.SIGSEGV)
    with pytest.raises(SourceError, match=r"ended unexpectedly \(code -11\).*What was spawned there was removed"):
        list(frames)
    source.close()
    assert is_as_it_was(server)
    assert server.report()["weather"] != before["weather"]


def test_pixels_are_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that dies with a picture still in the pipe: that is then the last that there is to read."""
    monkeypatch.setenv("SEG_VIEWER_TEST_FOLDER", str(tmp_path))
    with CarlaServer("--scene", "pickle") as server:
        drive = DriveProcess(parse_carla(server.url(f"{SMALL}&autopilot=0")))
        assert drive.board()
        ticks = server.report()["cues"]
        drive.interrupt()
        assert drive.next_pair(20) is None  # asked for, and not fetched
        server.wait_until(lambda report: report["cues"] == ticks + 20)
        time.sleep(0.5)  # the picture goes into the pipe
        (child,) = [child for child in multiprocessing.active_children() if child.name == "seg-carla"]
        child.kill()
        child.join(60)
        drive.close()
    assert list(tmp_path.iterdir()) == []


def test_a_message_of_an_unknown_kind_ends_in_one_line(server: CarlaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(KINDS, b"R")  # as if the other process were of a later version
    with pytest.raises(SourceError, match=r"sent a message of the unknown kind b'R'; open the drive again\.") as caught:
        open_source(server.url(f"{SMALL}&vehicles=3"))
    assert "What was spawned there was removed" in str(caught.value) and "\n" not in str(caught.value)
    assert is_as_it_was(server)


def test_interrupting_ends_a_wait_here_and_in_the_client() -> None:
    with CarlaServer("--scene", "colors", "--mute", "sensor.camera.rgb") as mute:
        source = open_source(mute.url("size=64x32&timeout=200"))
        assert isinstance(source, LiveSource)
        before = mute.report()["cues"]
        frames: list[Frame] = []
        waiting = threading.Thread(target=lambda: frames.extend(source))
        waiting.start()
        mute.wait_until(lambda report: report["cues"] > before)
        source.interrupt()
        waiting.join(90)
        assert not waiting.is_alive() and not frames
        source.close()  # the client waits for its cameras no longer, and leaves the simulator as it was
        assert source.warnings == [] and is_as_it_was(mute)


@pytest.mark.parametrize("when", ["driving", "boarding"])
def test_a_simulator_that_hangs_is_left_and_is_as_it_was_once_it_answers(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = threading.Event()
    with CarlaServer("--scene", "colors") as hung:
        url = hung.url("size=64x32&timeout=200&autopilot=0")
        monkeypatch.setattr(process, "LEAVE_S", 0.05)
        if when == "boarding":
            hung.hold()
            threading.Timer(0.5, left.set).start()
            with given_up_by(left), pytest.raises(SourceError, match="was left before it answered"):
                open_source(url)
        else:
            source = open_source(url)
            assert isinstance(source, LiveSource)
            hung.hold()
            waiting = threading.Thread(target=lambda: list(source))
            waiting.start()
            time.sleep(0.5)  # a tick is under way
            source.interrupt()
            waiting.join(90)
            source.close()
            assert [w for w in source.warnings if w.endswith("as soon as it does, or by the next drive")]
        # multiprocessing would wait for it at the end of the program
        assert not [child for child in multiprocessing.active_children() if child.name == "seg-carla"]
        hung.go_on()
        hung.wait_until(lambda report: not report["alive"] and report["settings"][0] is False)
        monkeypatch.setattr(process, "LEAVE_S", 90.0)
        assert len(frames_of(hung.url("size=64x32&timeout=60&autopilot=0"), 1)) == 1  # its clock is free again
        assert is_as_it_was(hung)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_however_the_program_ends_nothing_stays_behind(
    server: CarlaServer, number: signal.Signals, tmp_path: Path
) -> None:
    with driving(server.url(f"{SMALL}&vehicles=3"), tmp_path) as program:
        assert len(server.report()["alive"]) == 6
        if number is signal.SIGKILL:
            program.kill()
        else:
            os.killpg(program.pid, number)  # as a terminal does: the process of the client gets it too
    report = server.wait_until(lambda report: not report["alive"] and not report["settings"][0])
    assert report["alive"] == {} and report["settings"][0] is False
