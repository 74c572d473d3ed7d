"""The clip that ships."""

from __future__ import annotations

from seg_viewer.core.assets import asset_path
from seg_viewer.sources.base import SourceKind
from seg_viewer.sources.video_file import VideoFile

DEMO = "demo"

SOURCE = SourceKind(
    "demo",
    lambda text: text == DEMO,
    lambda _text: VideoFile(asset_path("demo", "street.mp4")),
    forms=(("demo", ""),),
    open_by_hardware=lambda _text, _stream: VideoFile(asset_path("demo", "street.mp4"), hardware=True),
)
