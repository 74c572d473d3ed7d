"""Clips that flicker is measured on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import Picture
from seg_viewer.media.video_reader import VideoReader

DEMO = "demo"


def clip_names(clips: Sequence[str]) -> dict[str, str]:
    """Name → clip: the stem of its file. All are opened once, so that what is missing is said before anything runs.

    Args:
        clips: video files, or "demo".

    Raises:
        UsageError: one is live or missing, or two have the same name.
        SourceError: one cannot be read.
    """
    names: dict[str, str] = {}
    for clip in clips:
        if "://" in clip:
            raise UsageError("--clip: is live, and no two runs see the same; give a video file")
        _open(clip).close()
        name = Path(clip).stem
        if name in names:
            raise UsageError(f"--clip {clip}: two clips are called '{name}'; rename one")
        names[name] = clip
    return names


def _open(clip: str) -> VideoReader:
    return VideoReader(asset_path("demo", "street.mp4") if clip == DEMO else Path(clip))


def clip_pictures(clip: str) -> Iterator[Picture]:
    """The frames of a clip in order, as seg-viewer shows them: upright, in the colours that the file says.

    Args:
        clip: video file, or "demo".

    Raises:
        UsageError: there is no such file.
        SourceError: it cannot be read, or not all of it.
    """
    with contextlib.closing(_open(clip)) as reader:
        yield from reader.pictures()
        if reader.damaged or reader.broken_off:
            raise SourceError(f"{clip}: is damaged, not all of it can be decoded; measure on a whole file")
