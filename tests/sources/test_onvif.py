"""Network cameras are found when asked for, are sent no password, and may answer what they like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.cli.devices import devices
from seg_viewer.sources import onvif
from seg_viewer.sources.onvif import find_network_cameras, lines_of, read_matches
from tests.servers.onvif_camera import OnvifCamera

ASKED = "11111111-2222-3333-4444-555555555555"


def _found(camera: OnvifCamera, seconds: float = 0.4) -> list[onvif.NetworkCamera]:
    return find_network_cameras(seconds, group=camera.group)


def test_a_camera_tells_its_streams_and_is_sent_no_password() -> None:
    with OnvifCamera() as camera:
        (found,) = _found(camera)
    assert (found.host, found.name, found.problem) == ("127.0.0.1", "Front door, D-1", "")
    assert lines_of([found]) == [
        ("rtsp://127.0.0.1:554/main_1", "Front door, D-1: main", "H264 1920×1080 at 25 fps"),
        ("rtsp://127.0.0.1:554/sub", "Front door, D-1: sub", ""),
    ]
    assert len(camera.heard) == 5  # the probe, capabilities, profiles, two addresses
    assert not re.search(r"password|usernametoken|authorization", "".join(camera.heard), re.IGNORECASE)


def test_one_that_wants_to_know_who_asks_says_so() -> None:
    with OnvifCamera(guarded=True) as camera:
        (found,) = _found(camera)
    assert found.streams == () and "asks for user and password" in found.problem
    assert lines_of([found])[0][0] == "rtsp://127.0.0.1/"


def test_nobody_there() -> None:
    with OnvifCamera() as camera:
        camera.match = "no XML"
        assert _found(camera, 0.2) == []


def test_devices_asks_the_network_only_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with OnvifCamera() as camera:
        monkeypatch.setattr(onvif, "GROUP", camera.group)
        monkeypatch.setattr(onvif, "WAIT_S", 0.4)
        runner = CliRunner()
        runner.invoke(devices, [])
        assert camera.heard == []
        done = runner.invoke(devices, ["--network"], env={"COLUMNS": "200"})
    assert done.exit_code == 0 and "rtsp://127.0.0.1:554/main_1" in done.output and "1920×1080" in done.output


BOMB = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c
"&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e SYSTEM "file:///etc/passwd">]><b>&d;&e;</b>"""


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (BOMB.encode(), "no SOAP answer"),
        (b"<a>" * 30_000, "no SOAP answer"),
        (b"\0\xff" * 99, "no SOAP answer"),
        (b"", "no SOAP answer"),
        (b"x" * (1 << 20), "says too much"),
    ],
    ids=["bomb", "deep", "bytes", "nothing", "endless"],
)
def test_a_hostile_answer_costs_a_line(answer: bytes, says: str) -> None:
    with OnvifCamera() as camera:
        camera.answer = answer
        (found,) = _found(camera)
    assert found.streams == () and says in found.problem and "\n" not in found.problem


def test_nobody_is_sent_elsewhere() -> None:
    with OnvifCamera() as camera, OnvifCamera() as victim:
        camera.media = victim.service.replace("127.0.0.1", "localhost")
        (found,) = _found(camera)
        assert "names another machine" in found.problem and victim.heard == []
        camera.media = ""
        for stream in (
            "file:///etc/passwd",
            "rtsp://10.0.0.1/x",
            "rtsp://127.0.0.1/a\u202eb",
            "http://127.0.0.1/x",
            "rtsp://[",
        ):
            camera.stream = stream
            (found,) = _found(camera)
            assert found.streams == () and found.problem == "tells of no stream", stream
        camera.stream = "rtsp://joe:hush-hush@127.0.0.1/x"
        (found,) = _found(camera)
        assert {stream.address for stream in found.streams} == {"rtsp://127.0.0.1/x"}


@pytest.mark.parametrize("datagram", [BOMB.encode(), b"", b"<a/>", b"\xff\xfe<a", b"<a>" * 10_000, b"x" * 65_507])
def test_a_hostile_datagram_is_no_camera(datagram: bytes) -> None:
    assert read_matches(datagram, "192.0.2.1", ASKED) == []


@given(st.binary(max_size=300))
def test_any_datagram_is_survived(data: bytes) -> None:
    template = OnvifCamera().match.format(asked=f"urn:uuid:{ASKED}", name="NAME", services="http://192.0.2.1/x")
    for place in (b"NAME", b"http://192.0.2.1/x", b"ProbeMatches", b"<?xml"):
        for camera in read_matches(template.encode().replace(place, data), "192.0.2.1", ASKED):
            assert camera.name.isprintable() and camera.service in ("", "http://192.0.2.1/x")


def test_an_answer_to_another_question_is_none(tmp_path: Path) -> None:
    answer = OnvifCamera().match.format(asked=f"urn:uuid:{ASKED}", name="a", services="http://192.0.2.1/x").encode()
    assert read_matches(answer, "192.0.2.1", ASKED.replace("1", "9")) == []
    (camera,) = read_matches(answer, "192.0.2.1", ASKED)
    assert camera.service == "http://192.0.2.1/x"
    (elsewhere,) = read_matches(answer, "192.0.2.9", ASKED)
    assert elsewhere.service == "" and elsewhere.problem
