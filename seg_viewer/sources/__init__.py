"""Where frames come from: `open_source` takes what a person types."""

from __future__ import annotations

import re
from pathlib import Path

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import UsageError
from seg_viewer.sources.base import Source, SourceInfo
from seg_viewer.sources.folder import PICTURE_SUFFIXES, PictureFolder
from seg_viewer.sources.video_file import VideoFile

__all__ = ["DEMO", "VIDEO_SUFFIXES", "PictureFolder", "Source", "SourceInfo", "VideoFile", "open_source"]

DEMO = "demo"
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp")
_LIVE = re.compile(r"^(camera:|screen|rtsp://|rtmp://|https?://|srt://|udp://|carla://)", re.IGNORECASE)


def open_source(text: str | Path) -> Source:
    """Open a video file, a picture, a folder of pictures, or "demo" (the clip that ships).

    Raises:
        UsageError: there is no such thing.
        SourceError: it cannot be read; one line that names it and says what to do.
    """
    if str(text) == DEMO:
        return VideoFile(asset_path("demo", "street.mp4"))
    if _LIVE.match(str(text)):
        kind = str(text).split(":", 1)[0]
        raise UsageError(f"{kind}: live sources are not in this version yet; open a video file or a folder of pictures")
    if not str(text).strip():
        raise UsageError("no source given: name a video file, a folder of pictures, or 'demo'")
    path = Path(text).expanduser()
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return PictureFolder(path)
    return VideoFile(path)
