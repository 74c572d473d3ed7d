"""The one door to the viewer's sources: a clip is measured on the frames that the viewer would segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seg_viewer.core.errors import UsageError
from seg_viewer.core.frame import Picture
from seg_viewer.sources import is_live, open_source


def clip_names(clips: Sequence[str]) -> dict[str, str]:
    """Name → clip: the stem of its file. All are opened once, so that what is missing is told before anything runs.

    Args:
        clips: video files, folders of pictures, or "demo".

    Raises:
        UsageError: there is no such file, it is live, or two have the same name.
        SourceError: it cannot be read.
    """
    names: dict[str, str] = {}
    for clip in clips:
        if is_live(clip):
            raise UsageError("--clip: is live, and no two runs see the same; give a video file")
        source = open_source(clip)
        source.close()
        name = Path(clip).stem
        if name in names:
            raise UsageError(f"--clip {clip}: two clips are called '{name}'; rename one")
        names[name] = clip
    return names


def clip_pictures(clip: str, note: Callable[[str], None]) -> Iterator[Picture]:
    """The frames of a clip in order, as the viewer decodes them.

    Args:
        clip: video file, folder of pictures, or "demo".
        note: told what was damaged, once the clip has ended.

    Raises:
        UsageError, SourceError: it cannot be read.
    """
    source = open_source(clip)
    try:
        for frame in source:
            yield frame.picture
        for line in source.warnings:
            note(line)
    finally:
        source.close()
