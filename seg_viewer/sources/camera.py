"""Cameras through OpenCV."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import cv2

from seg_viewer.core.encoded import PacketRing
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import ByteArray, Frame
from seg_viewer.media.bgr_picture import BgrPicture
from seg_viewer.media.raw_encoder import RawEncoder
from seg_viewer.sources.address import number, read_options
from seg_viewer.sources.base import SourceInfo, SourceKind
from seg_viewer.sources.devices import CameraDevice, list_cameras, why_not
from seg_viewer.sources.live import Backoff, Reconnecting
from seg_viewer.sources.v4l2 import CameraMode

SHORT_FRAME = "damaged: short frame"
FORMATS = {"yuyv": "YUYV", "mjpeg": "MJPG", "nv12": "NV12"}
_CONTROLS = {
    "exposure": cv2.CAP_PROP_EXPOSURE,
    "auto_exposure": cv2.CAP_PROP_AUTO_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "brightness": cv2.CAP_PROP_BRIGHTNESS,
    "contrast": cv2.CAP_PROP_CONTRAST,
    "saturation": cv2.CAP_PROP_SATURATION,
    "focus": cv2.CAP_PROP_FOCUS,
    "autofocus": cv2.CAP_PROP_AUTOFOCUS,
    "white_balance": cv2.CAP_PROP_WB_TEMPERATURE,
    "auto_white_balance": cv2.CAP_PROP_AUTO_WB,
}
_DEFAULTS = {"size": "1280x720", "fps": "30", "format": "auto", "mirror": "0"}
_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_FAILURES_IN_A_ROW = 5
_READ_TIMEOUT_MS = 3000
_ENOUGH = 0.95  # of the rate asked for; drivers say 29.97


class VideoCapture(Protocol):
    """What is used of OpenCV's class of that name."""

    def isOpened(self) -> bool: ...
    def set(self, propId: int, value: float, /) -> bool: ...
    def get(self, propId: int, /) -> float: ...
    def grab(self) -> bool: ...
    def retrieve(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


@dataclass(frozen=True)
class CameraChoice:
    """What a person asks of a camera.

    Args:
        which: number, name or a part of it, or device file.
        width: pixels.
        height: pixels.
        rate: frames per second.
        format: "yuyv", "mjpeg", "nv12", or "auto" for the one that gives the rate, uncompressed first.
        mirror: left and right swapped.
        controls: driver settings by name, in the driver's own units.
    """

    which: str
    width: int = 1280
    height: int = 720
    rate: float = 30.0
    format: str = "auto"
    mirror: bool = False
    controls: dict[str, float] = field(default_factory=dict)


def parse_camera(text: str) -> CameraChoice:
    """Read `camera:WHICH?size=1280x720&fps=30&format=mjpeg&mirror=1&exposure=…` or `/dev/videoN?…`.

    Raises: UsageError.
    """
    which, _, query = text.partition("?")
    which = which.removeprefix("camera:").strip()
    if not which:
        raise UsageError("camera: which one? Write camera:0 or camera:NAME; 'seg-viewer devices' lists them")
    name = f"camera:{which}"
    options = read_options(name, query, _DEFAULTS | dict.fromkeys(_CONTROLS, ""))
    size = re.fullmatch(r"(\d+)[x×](\d+)", options["size"])
    if size is None:
        raise UsageError(f"{name}: size '{options['size']}': write width and height as 1280x720")
    if options["format"] not in (*FORMATS, "auto"):
        raise UsageError(f"{name}: format '{options['format']}': choose auto, {', '.join(FORMATS)}")
    if options["mirror"] not in ("0", "1"):
        raise UsageError(f"{name}: mirror '{options['mirror']}': choose 0 or 1")
    return CameraChoice(
        which,
        int(number(name, "width", size.group(1), 16, 16384)),
        int(number(name, "height", size.group(2), 16, 16384)),
        number(name, "fps", options["fps"], 0.1, 1000),
        options["format"],
        options["mirror"] == "1",
        {key: number(name, key, options[key], -1e6, 1e6) for key in _CONTROLS if options[key]},
    )


def find_camera(which: str, devices: list[CameraDevice]) -> CameraDevice:
    """Raises: SourceError when there is none, or more than one, of that number, file or name."""
    index = re.fullmatch(r"(?:/dev/video)?(\d+)", which)
    if index is not None:
        number_ = int(index.group(1))
        known = [device for device in devices if device.index % 100 == number_ or device.path == which]
        found = known[:1]
        if not devices and (not sys.platform.startswith("linux") or Path(f"/dev/video{number_}").exists()):
            found = [CameraDevice(number_, which)]  # a system that cannot list its cameras may still have them
    else:
        found = [device for device in devices if which.casefold() == device.name.casefold()]
        found = found or [device for device in devices if which.casefold() in device.name.casefold()]
    if len(found) == 1 or (found and len({device.name for device in found}) == 1):
        return found[0]
    if not devices:
        raise SourceError(f"camera:{which}: no camera was found; plug one in, or see `seg-viewer devices`")
    there = "; ".join(f"camera:{device.index} is {device.name}" for device in found or devices)
    problem = "fits more than one camera" if found else "there is no such camera"
    raise SourceError(f"camera:{which}: {problem}: {there}")


class Camera(Reconnecting):
    """A camera, asked for a size, a rate and a pixel format; what was granted stands in `info`.

    Args:
        choice: what is asked for.
        open_capture: makes a capture from OpenCV's number and interface.
        devices: what there is, asked at each attempt: numbers change when things are plugged in.
        backoff: between attempts.

    Raises:
        SourceError: it is not there, or cannot be had; one line that says why and what to do.
    """

    def __init__(
        self,
        choice: CameraChoice,
        *,
        open_capture: Callable[[int, int], VideoCapture] = cv2.VideoCapture,
        devices: Callable[[], list[CameraDevice]] = list_cameras,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(f"camera:{choice.which}", backoff)
        self.choice = choice
        self.packets: PacketRing | None = PacketRing(seconds=0)
        self._encoder = RawEncoder(self.packets)
        self._open_capture = open_capture
        self._devices = devices
        self._capture: VideoCapture | None = None
        self._first: ByteArray | None = None
        self._connect()

    def _connect(self) -> None:
        device = find_camera(self.choice.which, self._devices())
        capture = self._open_capture(device.index, device.backend or _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        self._capture = capture
        try:
            if not capture.isOpened():
                raise SourceError(f"{self.name}: {why_not(device)}")
            granted = self._negotiate(capture)
            self._set_controls(capture)
            picture = self._first_picture(capture)
            if picture is None:
                raise SourceError(f"{self.name}: {why_not(device)}")
        except (SourceError, cv2.error) as error:
            self._disconnect()
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{self.name}: the driver failed ({_last_line(error)}); plug it in again") from error
        self._first = picture
        height, width = picture.shape[:2]
        asked = f"{self.choice.width}×{self.choice.height} at {self.choice.rate:g}"
        self.info = SourceInfo(
            name=f"{self.name} ({device.name})" if device.name != self.choice.which else self.name,
            fingerprint=self._fingerprint,
            width=width,
            height=height,
            rate=granted.rate or None,
            live=True,
            codec=f"{granted.format} · asked for {asked} fps",
        )

    def _negotiate(self, capture: VideoCapture) -> _Granted:
        """Ask for each pixel format in turn and stay with the first that gives size and rate, or with the best."""
        choice = self.choice
        wanted = [choice.format] if choice.format != "auto" else ["yuyv", "mjpeg"]
        offers = []
        for name in wanted:
            offers.append((name, _ask(capture, choice, FORMATS[name])))
            if offers[-1][1].fits(choice):
                break
        name, granted = max(offers, key=lambda offer: offer[1].merit(choice))
        if name != offers[-1][0]:
            granted = _ask(capture, choice, FORMATS[name])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        capture.set(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS)
        return granted

    def _set_controls(self, capture: VideoCapture) -> None:
        for name, value in self.choice.controls.items():
            taken = capture.set(_CONTROLS[name], value)
            now = capture.get(_CONTROLS[name])
            if not taken or abs(now - value) > 1e-6 * max(1.0, abs(value)):
                line = f"{self.name}: the driver did not take {name}={value:g}; it stays at {now:g}"
                if line not in self.warnings:
                    self.warnings.append(line)

    def _first_picture(self, capture: VideoCapture) -> ByteArray | None:
        for _ in range(_FAILURES_IN_A_ROW):
            if capture.grab():
                picture = self._retrieve(capture)
                if picture is not None:
                    return picture
        return None

    def _retrieve(self, capture: VideoCapture) -> ByteArray | None:
        """The picture just grabbed, (H, W, 3) BGR; None when it is not whole."""
        ok, picture = capture.retrieve()
        if not ok or picture is None or getattr(picture, "ndim", 0) != 3 or 0 in picture.shape or picture.shape[2] != 3:
            return None
        return cv2.flip(picture, 1) if self.choice.mirror else picture

    def _read(self) -> Iterator[Frame]:
        assert self._capture is not None
        if self._first is not None:
            first, self._first = self._first, None
            yield self._to_frame(first, time.perf_counter())
        failures = 0
        while not self._stop.is_set():
            try:
                grabbed = self._capture.grab()
                arrived_s = time.perf_counter()
                picture = self._retrieve(self._capture) if grabbed else None
            except cv2.error as error:
                raise SourceError(f"{self.name}: the driver failed ({_last_line(error)}); plug it in again") from error
            if picture is not None:
                failures = 0
                yield self._to_frame(picture, arrived_s)
                continue
            failures += 1
            if grabbed:
                self.on_drop(SHORT_FRAME)
            if failures >= _FAILURES_IN_A_ROW or not grabbed:
                raise SourceError(f"{self.name}: gives no more pictures; plug it in again")

    def _to_frame(self, picture: ByteArray, arrived_s: float) -> Frame:
        height, width = picture.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            self.info = replace(self.info, width=width, height=height)
        time_s = arrived_s - self._opened_s
        self._encoder.add(picture, time_s, self.info.rate)
        return self._frame(time_s, BgrPicture(picture), arrived_s)

    def _disconnect(self) -> None:
        capture, self._capture = self._capture, None
        self._first = None
        if capture is not None:
            capture.release()


@dataclass(frozen=True)
class _Granted:
    """What the driver made of what was asked for."""

    format: str
    width: int
    height: int
    rate: float

    def fits(self, choice: CameraChoice) -> bool:
        return (self.width, self.height) == (choice.width, choice.height) and self.rate >= _ENOUGH * choice.rate

    def merit(self, choice: CameraChoice) -> tuple[float, float]:
        """Larger is better: first the size asked for, then the rate."""
        off = abs(self.width * self.height - choice.width * choice.height)
        return -off, min(self.rate, choice.rate)


def _ask(capture: VideoCapture, choice: CameraChoice, fourcc: str) -> _Granted:
    """Ask for one pixel format; what the driver then says it does."""
    # the order matters to V4L2: a format allows sizes, a size allows rates
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, choice.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, choice.height)
    capture.set(cv2.CAP_PROP_FPS, choice.rate)
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    text = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    return _Granted(
        text.strip() if text.isprintable() and text.strip() else "format unknown",
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        max(0.0, float(capture.get(cv2.CAP_PROP_FPS))),
    )


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def asking_for(index: int, mode: CameraMode) -> str:
    """What to type for a mode of a camera; "" for a pixel format that cannot be asked for."""
    name = next((name for name, letters in FORMATS.items() if letters == mode.format), None)
    if name is None or mode.up_to:
        return ""
    rate = f"&fps={mode.rates[0]:.4g}" if mode.rates else ""
    return f"camera:{index}?size={mode.width}x{mode.height}&format={name}{rate}"


def probe_modes(
    device: CameraDevice, open_capture: Callable[[int, int], VideoCapture] = cv2.VideoCapture
) -> list[tuple[str, int, int, float]]:
    """Pixel format, width, height and rate that a camera grants when asked for usual ones, each once.

    Raises: SourceError when it cannot be opened.
    """
    capture = open_capture(device.index, device.backend or _BACKENDS.get(sys.platform, cv2.CAP_ANY))
    try:
        if not capture.isOpened():
            raise SourceError(f"camera:{device.index}: {why_not(device)}")
        granted = {
            _ask(capture, CameraChoice("", width, height, rate), fourcc)
            for fourcc in FORMATS.values()
            for width, height in ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
            for rate in (30.0, 60.0)
        }
    finally:
        capture.release()
    return sorted((g.format, g.width, g.height, g.rate) for g in granted)


SOURCE = SourceKind(
    "camera",
    lambda text: bool(re.match(r"camera:|/dev/video\d+", text, re.IGNORECASE)),
    lambda text: Camera(parse_camera(text)),
    forms=(("camera:0, camera:NAME, /dev/video2", "?size=1280x720&fps=30&format=mjpeg&mirror=1&exposure=…"),),
    live=True,
    check=parse_camera,
)
