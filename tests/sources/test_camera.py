"""A camera's life, by a scripted capture: unplugged, stalled, short frames, another size, taken by others."""

from __future__ import annotations

import subprocess
import threading
from itertools import islice, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.encoded import EncodedPacket
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.media.bgr_picture import BgrPicture
from seg_viewer.sources import open_source
from seg_viewer.sources.camera import SHORT_FRAME, Camera, VideoCapture, find_camera, parse_camera, probe_modes
from seg_viewer.sources.devices import CameraDevice, holder_of, list_cameras, obstacle
from seg_viewer.sources.live import Backoff, LiveSource
from tests.cameras import DEVICE, ScriptedCapture, opener

SOON = Backoff(0.01, 0.02)


def _camera(*captures: ScriptedCapture, text: str = "camera:0?size=64x48", **choices: object) -> Camera:
    choices = {"devices": lambda: [DEVICE], "backoff": SOON} | choices
    return Camera(parse_camera(text), open_capture=opener(*captures), **choices)  # type: ignore[arg-type]


def test_the_scripted_capture_has_the_surface_of_the_real_one() -> None:
    real = cv2.VideoCapture()
    names = [name for name in vars(VideoCapture) if not name.startswith("_")]
    assert set(names) == {"isOpened", "set", "get", "grab", "retrieve", "release"}
    for name in names:
        assert callable(getattr(real, name)) and callable(getattr(ScriptedCapture, name))
    # called as the source calls them, on a capture without a camera
    assert real.isOpened() is False and ScriptedCapture([], opens=False).isOpened() is False
    scripted = ScriptedCapture([])
    assert type(real.set(cv2.CAP_PROP_GAIN, 1.0)) is type(scripted.set(cv2.CAP_PROP_GAIN, 1.0)) is bool
    assert type(real.get(cv2.CAP_PROP_FPS)) is type(scripted.get(cv2.CAP_PROP_FPS)) is float
    assert real.grab() is scripted.grab() is False
    ok, picture = real.retrieve()
    assert (ok, picture) == (False, None)
    scripted._step = "short"
    assert scripted.retrieve() == (ok, picture)
    assert real.release() is None and scripted.release() is None


def test_a_picture_of_the_real_capture_looks_like_the_scripted_one(tmp_path: Path) -> None:
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.zeros((48, 64, 3), np.uint8))
    real = cv2.VideoCapture(str(tmp_path / "%d.png"), cv2.CAP_IMAGES)
    scripted = ScriptedCapture(["ok"])
    assert real.grab() and scripted.grab()
    (ok, picture), (scripted_ok, scripted_picture) = real.retrieve(), scripted.retrieve()
    assert ok is scripted_ok is True
    assert scripted_picture is not None
    assert (picture.shape, picture.dtype) == (scripted_picture.shape, scripted_picture.dtype)
    real.release()


def test_pictures_come_in_the_camera_s_own_colours() -> None:
    camera = _camera(ScriptedCapture(repeat("ok")))
    assert isinstance(camera, LiveSource)
    frames = list(islice(camera, 4))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    rgb = frames[2].picture.rgb()
    assert rgb.shape == (48, 64, 3)
    assert tuple(rgb[0, -1]) == (200, 0, 0)  # third of the cycle: red, as RGB
    assert camera.info.name == "camera:0 (Toy Cam)" and camera.info.live
    camera.close()


def test_mirror() -> None:
    camera = _camera(ScriptedCapture(repeat("ok")), text="camera:0?size=64x48&mirror=1")
    (frame,) = islice(camera, 1)
    rgb = frame.picture.rgb()
    assert rgb[0, 0].any() and not rgb[0, -1].any()
    camera.close()


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ({("YUYV", 640, 480): 30.0, ("MJPG", 640, 480): 30.0}, "YUYV · asked for 640×480 at 30 fps"),
        ({("YUYV", 640, 480): 10.0, ("MJPG", 640, 480): 30.0}, "MJPG · asked for 640×480 at 30 fps"),
        ({("YUYV", 640, 480): 15.0, ("MJPG", 640, 480): 5.0}, "YUYV · asked for 640×480 at 30 fps"),
        ({("YUYV", 320, 240): 30.0, ("MJPG", 640, 480): 20.0}, "MJPG · asked for 640×480 at 30 fps"),
    ],
)
def test_the_pixel_format_is_chosen_for_the_rate(modes: dict, expected: str) -> None:
    camera = _camera(ScriptedCapture(repeat("ok"), modes=modes), text="camera:0?size=640x480&fps=30")
    assert camera.info.codec == expected
    assert camera.info.rate == modes[expected[:4], 640, 480]
    camera.close()


def test_what_was_granted_is_told_rather_than_what_was_asked() -> None:
    camera = _camera(ScriptedCapture(repeat("ok")), text="camera:0?size=1920x1080&fps=60")
    assert (camera.info.width, camera.info.height, camera.info.rate) == (64, 48, 30.0)
    assert camera.info.codec == "YUYV · asked for 1920×1080 at 60 fps"
    camera.close()


def test_driver_settings_that_were_not_taken_are_told() -> None:
    camera = _camera(ScriptedCapture(repeat("ok")), text="camera:0?size=64x48&gain=3&exposure=20")
    assert camera.warnings == ["camera:0: the driver did not take exposure=20; it stays at 156"]
    camera.close()


def test_unplugged_it_says_so_and_comes_back_by_itself() -> None:
    first, second = ScriptedCapture(["ok"] * 3), ScriptedCapture(repeat("ok"))
    present: list[list[CameraDevice]] = [[DEVICE]]
    camera = _camera(first, second, devices=lambda: present[0])
    frames = iter(camera)
    before = list(islice(frames, 3))
    present[0] = []
    problems: list[str] = []

    def wait(_seconds: float) -> bool:
        problems.append(camera.status.problem)
        if len(problems) == 3:
            present[0] = [DEVICE]
        return False

    camera._stop.wait = wait  # type: ignore[method-assign]
    after = next(frames)
    assert first.released and not second.released
    assert "gives no more pictures" in problems[0] and len(problems) == 3
    assert camera.status.connected and camera.status.reconnects == 1
    assert after.index == 3 and after.time_s > before[-1].time_s
    camera.close()
    assert second.released


def test_short_frames_are_left_out_and_counted() -> None:
    camera = _camera(ScriptedCapture(["ok", "short", "ok", "short", "short", "ok"]))
    drops: list[str] = []
    camera.on_drop = drops.append
    frames = iter(camera)
    list(islice(frames, 3))
    assert drops == [SHORT_FRAME] * 3
    camera.close()


def test_nothing_but_short_frames_is_a_lost_camera() -> None:
    camera = _camera(ScriptedCapture(["ok"] + ["short"] * 5), ScriptedCapture(repeat("ok")))
    list(islice(camera, 2))
    assert camera.status.reconnects == 1
    camera.close()


def test_another_size_is_taken_over() -> None:
    camera = _camera(ScriptedCapture(["ok", "32x16", "32x16"]))
    frames = list(islice(camera, 3))
    assert [frame.picture.width for frame in frames] == [64, 32, 32]
    assert (camera.info.width, camera.info.height) == (32, 16)
    camera.close()


def test_a_stalled_camera_is_told_while_it_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seg_viewer.sources.live._SILENT_S", 0.1)
    stalled = threading.Event()
    camera = _camera(ScriptedCapture(["ok", "ok", "stall"], stalled=stalled), ScriptedCapture(repeat("ok")))
    frames = iter(camera)
    list(islice(frames, 2))
    assert camera.status.connected
    later: list[int] = []
    reader = threading.Thread(target=lambda: later.append(next(frames).index))
    reader.start()
    for _ in range(500):
        if not camera.status.connected:
            break
        reader.join(0.01)
    assert "no picture for" in camera.status.problem
    stalled.set()
    reader.join(60)
    assert later == [2] and camera.status.connected
    camera.close()


def test_recording_a_camera_starts_with_a_key_frame() -> None:
    camera = _camera(ScriptedCapture(repeat("ok")))
    packets: list[EncodedPacket] = []
    frames = iter(camera)
    next(frames)
    assert camera.packets is not None
    camera.packets.listen(packets.append)
    assert packets == []
    list(islice(frames, 5))
    assert len(packets) == 5 and packets[0].keyframe
    assert (packets[0].format.codec, packets[0].format.width) == ("h264", 64)
    camera.packets.leave(packets.append)
    list(islice(frames, 3))
    assert len(packets) == 5
    camera.close()


def test_a_camera_that_does_not_open() -> None:
    capture = ScriptedCapture([], opens=False)
    with pytest.raises(SourceError, match=r"^camera:0: .*; "):
        _camera(capture)
    assert capture.released


def test_a_driver_that_raises_is_one_line() -> None:
    capture = ScriptedCapture(repeat("ok"))

    def grab() -> bool:
        raise cv2.error("can't dequeue\nselect() failed")

    capture.grab = grab  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="camera:0: the driver failed") as raised:
        _camera(capture)
    assert "\n" not in str(raised.value) and capture.released


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="device files are a thing of Linux")
def test_why_a_camera_cannot_be_had(tmp_path: Path) -> None:
    file = tmp_path / "video0"
    device = CameraDevice(0, "Toy Cam", str(file))
    assert "is gone" in obstacle(device)
    file.touch()
    assert "usermod -aG video" in obstacle(device, access=lambda _path: False)
    assert "in use by zoom (process 7)" in obstacle(device, holder=lambda _path: "zoom (process 7)")
    assert obstacle(device, holder=lambda _path: "") == ""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="device files are a thing of Linux")
def test_another_program_that_holds_a_device_is_named(tmp_path: Path) -> None:
    file = tmp_path / "video0"
    file.touch()
    assert holder_of(file) == ""
    with file.open() as held, subprocess.Popen(["sleep", "60"], stdin=held) as other:
        assert holder_of(file) == f"sleep (process {other.pid})"
        other.kill()


CAMERAS = [CameraDevice(0, "Front HD"), CameraDevice(2, "Rear HD"), CameraDevice(4, "Dash")]


@pytest.mark.parametrize(("which", "index"), [("2", 2), ("rear", 2), ("Dash", 4), ("/dev/video4", 4), ("front hd", 0)])
def test_a_camera_by_number_file_or_name(which: str, index: int) -> None:
    assert find_camera(which, CAMERAS).index == index


@pytest.mark.parametrize(("which", "says"), [("7", "no such camera"), ("HD", "more than one"), ("x", "Front HD")])
def test_a_camera_that_is_not_there_and_which_are(which: str, says: str) -> None:
    with pytest.raises(SourceError, match=says) as raised:
        find_camera(which, CAMERAS)
    assert "camera:2 is Rear HD" in str(raised.value)


def test_where_there_is_no_camera_that_is_said_once() -> None:
    with pytest.raises(SourceError) as raised:
        find_camera("dash", [])
    assert str(raised.value) == "camera:dash: no camera was found; plug one in, or see `seg-viewer devices`"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("camera:", "which one"),
        ("camera:0?size=big", "1280x720"),
        ("camera:0?format=h264", "choose auto, yuyv, mjpeg, nv12"),
        ("camera:0?mirror=yes", "choose 0 or 1"),
        ("camera:0?fps=0", "a number from"),
        ("camera:0?zoom=2", "no option 'zoom'"),
    ],
)
def test_bad_camera_options(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_source(text)


def test_no_camera_here_is_one_line() -> None:
    if list_cameras():
        pytest.skip("a camera is here")
    with pytest.raises(SourceError, match=r"camera:77: "):
        open_source("camera:77")


def test_probing_lists_what_is_granted_and_releases() -> None:
    capture = ScriptedCapture([], modes={("YUYV", 640, 480): 30.0, ("MJPG", 1280, 720): 60.0})
    modes = probe_modes(DEVICE, opener(capture))
    assert ("YUYV", 640, 480, 30.0) in modes and ("MJPG", 1280, 720, 60.0) in modes
    assert capture.released


@pytest.mark.parametrize("channels", [3, 4])
def test_a_bgr_picture_converts_like_an_rgb_one(channels: int) -> None:
    array = np.zeros((6, 8, channels), np.uint8)
    array[..., 0], array[..., 1] = 250, 100
    picture = BgrPicture(array)
    assert tuple(picture.rgb()[0, 0]) == (0, 100, 250)
    assert picture.scaled_rgb(4, 2).shape == (2, 4, 3) and tuple(picture.scaled_rgb(4, 2)[0, 0]) == (0, 100, 250)
    assert tuple(picture.scaled_bgra(8, 6)[0, 0]) == (250, 100, 0, 255)
    assert picture.yuv420().y.shape == (6, 8)
    assert picture.scaled_bgra(8, 6) is not array and not np.shares_memory(picture.scaled_bgra(8, 6), array)
    with pytest.raises(ValueError, match="BGR"):
        BgrPicture(np.zeros((4, 4), np.uint8))
