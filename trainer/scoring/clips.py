"""Clips that flicker is measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import Picture
from seg_viewer.media.rgb_picture import RgbPicture

DEMO = "demo"


def clip_names(clips: Sequence[str]) -> dict[str, str]:
    """Name → clip: the stem of its file. All are opened once, so that what is missing is told before anything runs.

    Args:
        clips: video files, or "demo".

    Raises:
        UsageError: one is live, or two have the same name.
        SourceError: one is missing or cannot be read.
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


def _open(clip: str) -> Any:
    import av

    path = asset_path("demo", "street.mp4") if clip == DEMO else Path(clip)
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path}: cannot be read as a video: {error.strerror}") from error
    if not container.streams.video:
        container.close()
        raise SourceError(f"{path}: holds no picture")
    return container


def clip_pictures(clip: str) -> Iterator[Picture]:
    """The frames of a clip in order.

    Args:
        clip: video file, or "demo".

    Raises:
        SourceError: it cannot be read.
    """
    import av

    with _open(clip) as container:
        try:
            for frame in container.decode(video=0):
                yield RgbPicture(frame.to_ndarray(format="rgb24"))
        except av.FFmpegError as error:
            raise SourceError(f"{clip}: is damaged ({error.strerror}); measure on a whole file") from error
