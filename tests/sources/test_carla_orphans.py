"""What a killed drive left in a simulator: found, removed and told when the next one connects; others stay."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from seg_viewer.cli.main import cli
from seg_viewer.sources import open_source
from seg_viewer.sources.carla import journal
from seg_viewer.sources.carla.cleanup import Leftovers
from tests.carla_server.running import colors_server, driving

if TYPE_CHECKING:
    from tests.carla_server.process import CarlaServer

SMALL = "size=64x32&fps=100&timeout=5"


@pytest.fixture(scope="module")
def server() -> Iterator[CarlaServer]:
    with colors_server() as running:
        yield running


@pytest.fixture
def strangers(server: CarlaServer) -> Iterator[dict[str, int]]:
    """Cars that other clients spawned, by role name: one is of nobody's kind, one of ours on another machine."""
    import carla

    host, port = server.address.split(":")
    client = carla.Client(host, int(port))
    client.set_timeout(10.0)
    world = client.get_world()
    blueprint = world.get_blueprint_library().find("vehicle.audi.a2")
    ids = {}
    for place, role in enumerate(("seg-viewer", "seg-viewer.0123456789ab@elsewhere")):
        blueprint.set_attribute("role_name", role)
        ids[role] = world.spawn_actor(blueprint, carla.Transform(carla.Location(500.0 + 10 * place, 0, 0))).id
    yield ids
    client.apply_batch_sync([carla.command.DestroyActor(number) for number in ids.values()], False)


def killed_drive(server: CarlaServer, tmp_path: Path, query: str) -> dict[str, Any]:
    """A drive whose whole process group is killed, the client's process with it; what there is right after."""
    with driving(server.url(query), tmp_path) as program:
        os.killpg(program.pid, signal.SIGKILL)
    return server.report()


def test_what_a_killed_group_left_is_removed_and_told_when_one_connects(
    server: CarlaServer, tmp_path: Path, strangers: dict[str, int]
) -> None:
    before = server.report()
    left = killed_drive(server, tmp_path, f"{SMALL}&vehicles=2&walkers=1&weather=WetNoon")
    assert len(left["alive"]) == 7 + len(strangers) and left["settings"][0] is True
    assert left["weather"] != before["weather"]
    source = open_source(server.url(f"{SMALL}&autopilot=0"))
    try:
        during = server.report()
    finally:
        source.close()
    told = [line for line in source.warnings if "removed what a drive that was killed had left" in line]
    assert len(told) == 1 and re.search(r"(?=.*vehicle 3)(?=.*walker 1)(?=.*sensor 2)", told[0])
    assert "the world is as before it" in told[0]
    assert any("of a drive from elsewhere there is vehicle 1, which is left alone" in line for line in source.warnings)
    assert not any("left in synchronous mode" in line for line in source.warnings)
    assert len(during["alive"]) == 3 + len(strangers)  # a car and two cameras: those of the new drive
    after = server.report()
    assert set(after["alive"]) == {str(number) for number in strangers.values()}
    assert after["settings"] == before["settings"] and after["weather"] == pytest.approx(before["weather"])


def test_clean_up_removes_what_is_ours_says_what_and_leaves_all_else(
    server: CarlaServer, tmp_path: Path, strangers: dict[str, int]
) -> None:
    killed_drive(server, tmp_path, f"{SMALL}&autopilot=0")
    address = f"carla://{server.address}?timeout=5"
    done = CliRunner().invoke(cli, ["record-carla", address, "--clean-up"])
    assert done.exit_code == 0, done.output
    assert "vehicle 1, sensor 2; the world is as before it" in done.output
    hint = re.search(
        r"seg-viewer (record-carla carla://\S+ --clean-up --also-of elsewhere)", " ".join(done.output.split())
    )
    assert hint is not None
    report = server.report()
    assert set(report["alive"]) == {str(number) for number in strangers.values()} and report["settings"][0] is False
    again = CliRunner().invoke(cli, hint[1].split())
    assert "left there: vehicle 1" in again.output
    assert set(server.report()["alive"]) == {str(strangers["seg-viewer"])}  # only looks like ours
    assert (
        "nothing of seg-viewer was left there"
        in CliRunner().invoke(cli, ["record-carla", address, "--clean-up"]).output
    )


def test_a_drive_that_runs_is_nobodys_to_clean_up(server: CarlaServer) -> None:
    owner = open_source(server.url(f"{SMALL}&autopilot=0"))
    try:
        next(iter(owner))
        done = CliRunner().invoke(cli, ["record-carla", f"carla://{server.address}?timeout=5", "--clean-up"])
        assert "nothing of seg-viewer was left there" in done.output
        assert len(server.report()["alive"]) == 3
    finally:
        owner.close()
    assert server.report()["alive"] == {}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--clean-up", "-o", "set"], "--clean-up records nothing"),
        (["--also-of", "x"], "goes with --clean-up"),
        ([], "-o"),
    ],
)
def test_what_does_not_go_together_is_told(more: list[str], says: str) -> None:
    done = CliRunner().invoke(cli, ["record-carla", "carla://127.0.0.1:9", *more])
    assert done.exit_code == 2 and says in done.output


def test_a_note_says_whether_its_drive_runs_and_is_gone_when_all_is_clean(tmp_path: Path) -> None:
    first, second = journal.Journal("box:2000"), journal.Journal("box:2000")
    first.note(Leftovers((1, 2), {"synchronous_mode": False}, {}, first.token))
    assert journal.is_running(first.token) and journal.is_running("0" * 12) is None
    first.close(clean=False)
    second.close(clean=True)
    assert list(journal.ended("box:2000")) == [first.token] and list(journal.ended("box:2001")) == []
    noted = journal.noted(first.token)
    assert noted is not None and noted.leftovers.actors == (1, 2) and journal.is_running(first.token) is False
    journal.forget(first.token)
    assert list(journal.ended("box:2000")) == [] and journal.is_running(second.token) is None


def test_a_cache_that_cannot_be_written_to_stops_no_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    note = journal.Journal("box:2000")
    assert "cannot be written" in note.problem
    note.note(Leftovers((1,)))
    note.close(clean=True)


@pytest.mark.parametrize(
    "role", ["hero", "seg-viewer", "seg-viewer.abc@x", "my.seg-viewer.0123456789ab@x", "", "seg-viewer.0123456789ab"]
)
def test_only_our_own_names_are_ours(role: str) -> None:
    assert journal.drive_of(role) is None and not journal.is_hero(role)
    for hero in (True, False):
        own = journal.role_name("0123456789ab", hero=hero)
        assert journal.drive_of(own) == ("0123456789ab", journal.this_machine()) and journal.is_hero(own) is hero
