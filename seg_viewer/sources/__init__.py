"""Where frames come from: `open_source` takes what a person types."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact
from seg_viewer.sources.address import is_live, is_network, parse_address
from seg_viewer.sources.base import Source, SourceInfo
from seg_viewer.sources.camera import Camera, parse_camera
from seg_viewer.sources.carla.address import is_carla, parse_carla
from seg_viewer.sources.carla.source import CarlaSource
from seg_viewer.sources.folder import PICTURE_SUFFIXES, PictureFolder
from seg_viewer.sources.live import LiveSource, LiveStatus
from seg_viewer.sources.network import NetworkStream
from seg_viewer.sources.screen import Screen
from seg_viewer.sources.video_file import VideoFile

__all__ = [
    "DEMO",
    "VIDEO_SUFFIXES",
    "LiveSource",
    "LiveStatus",
    "NetworkStream",
    "PictureFolder",
    "Source",
    "SourceInfo",
    "VideoFile",
    "check_live",
    "is_live",
    "open_source",
    "redact",
]

DEMO = "demo"
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp")


def open_source(text: str | Path) -> Source:
    """Open a video file, a picture, a folder of pictures, "demo" (the clip that ships), or something live.

    Live are `camera:0`, `camera:NAME`, `/dev/video2`, `screen`, `rtsp://…`, `rtmp://…`, `http(s)://…`, `udp://…` and
    `carla://…`.

    Raises:
        UsageError: there is no such thing.
        SourceError: it cannot be read; one line that names it and says what to do.
    """
    if str(text) == DEMO:
        return VideoFile(asset_path("demo", "street.mp4"))
    if is_live(str(text)):
        return _open_live(str(text))
    if not str(text).strip():
        raise UsageError("no source given: name a video file, a folder of pictures, or 'demo'")
    path = Path(text).expanduser()
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return PictureFolder(path)
    return VideoFile(path)


def check_live(text: str) -> None:
    """Read what was typed for a live source without opening it. Raises: UsageError."""
    if not is_live(text):
        raise UsageError(f"'{redact(text)}': write an address (rtsp://HOST/PATH), camera:0 or screen")
    if is_network(text):
        parse_address(text)
    elif is_carla(text):
        parse_carla(text)
    elif text.lower().startswith(("camera:", "/dev/video")):
        parse_camera(text)


def _open_live(text: str) -> Source:
    if is_network(text):
        return NetworkStream(parse_address(text))
    if text.lower().startswith("screen"):
        return Screen(text)
    if is_carla(text):
        return CarlaSource(parse_carla(text))
    return Camera(parse_camera(text))
