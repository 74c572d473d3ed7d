"""Where frames come from: `open_source` takes what a person types."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact
from seg_viewer.core.registry import entries
from seg_viewer.core.typed_path import exists, is_file, typed_path
from seg_viewer.sources.address import check_scheme
from seg_viewer.sources.base import Source, SourceInfo, SourceKind, Stepping
from seg_viewer.sources.demo import DEMO
from seg_viewer.sources.folder import PictureFolder
from seg_viewer.sources.frame_ring import bytes_to_keep
from seg_viewer.sources.live import LiveSource, LiveStatus
from seg_viewer.sources.network import NetworkStream
from seg_viewer.sources.video_file import VideoFile

__all__ = [
    "DEMO",
    "MODULES",
    "LiveSource",
    "LiveStatus",
    "NetworkStream",
    "PictureFolder",
    "Source",
    "SourceInfo",
    "SourceKind",
    "Stepping",
    "VideoFile",
    "bytes_to_keep",
    "check_live",
    "file_suffixes",
    "is_live",
    "open_source",
    "redact",
    "source_kinds",
]

# asked in this order; what no other wants is taken for a video file
MODULES = [
    "seg_viewer.sources.demo",
    "seg_viewer.sources.camera",
    "seg_viewer.sources.network",
    "seg_viewer.sources.sdp",
    "seg_viewer.sources.screen",
    "seg_viewer.sources.carla.source",
    "seg_viewer.sources.animation",
    "seg_viewer.sources.folder",
    "seg_viewer.sources.video_file",
]


def source_kinds() -> dict[str, SourceKind]:
    """Every kind of source by its name, in the order in which they are asked."""
    return entries(MODULES, "SOURCE", SourceKind)


def open_source(text: str | Path, stream: int | None = None, *, hardware: bool = False) -> Source:
    """Open what a person types: a file, a folder, "demo", or something live; `source_kinds` knows the forms.

    A file that has this very name is opened, even where the name reads like an address or a camera.

    Args:
        text: what was typed.
        stream: which video stream of a file that has several, counted from 1.
        hardware: have hardware decode a video file, where that works; where not, `warnings` says so.

    Raises:
        UsageError: there is no such thing.
        SourceError: it cannot be read; one line that names it and says what to do.
    """
    text = str(text)
    if not text.strip():
        raise UsageError("no source given: name a video file, a folder of pictures, or 'demo'")
    if not exists(typed_path(text)) and not is_live(text):
        check_scheme(text)
    kind = next(kind for kind in source_kinds().values() if kind.matches(text) and (kind.suffixes or not is_file(text)))
    if stream is not None and kind.open_stream is None:
        raise UsageError(f"{redact(text)}: is no video file, and only these have several streams; leave --stream out")
    if hardware and kind.open_by_hardware is not None:
        return kind.open_by_hardware(text, stream)
    return kind.open(text) if stream is None or kind.open_stream is None else kind.open_stream(text, stream)


def is_live(text: str) -> bool:
    """Whether a source is a camera, a stream, the screen or a simulator, rather than a file or folder."""
    return _live_kind(text) is not None


def check_live(text: str) -> None:
    """Read what was typed for a live source without opening it. Raises: UsageError."""
    kind = _live_kind(text)
    if kind is None:
        raise UsageError(f"'{redact(text)}': write an address (rtsp://HOST/PATH), camera:0 or screen")
    kind.check(text)


def file_suffixes() -> tuple[str, ...]:
    """Of the files that can be opened, with the dot, in lower case."""
    return tuple(dict.fromkeys(suffix for kind in source_kinds().values() for suffix in kind.suffixes))


def _live_kind(text: str) -> SourceKind | None:
    if is_file(text):
        return None
    return next((kind for kind in source_kinds().values() if kind.live and kind.matches(text)), None)
