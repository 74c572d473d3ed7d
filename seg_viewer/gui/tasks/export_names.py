"""What exports from the window are called, and what can be written beside the video."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.long_names import joined
from seg_viewer.sinks import sink_kinds
from seg_viewer.sources import SourceInfo


@dataclass(frozen=True)
class Beside:
    """Something that can be written beside a video.

    Args:
        kind: name of the sink.
        text: of its check box.
        end: what comes behind the video's name without its own end.
    """

    kind: str
    text: str
    end: str


_BESIDE = (
    Beside("table", "Table (.csv)", ".csv"),
    Beside("report", "Report (.html)", ".html"),
    Beside("masks", "Masks (folder)", "_masks/"),
    Beside("contact sheet", "Contact sheet (.jpg)", ".sheet.jpg"),
)


def beside_kinds() -> tuple[Beside, ...]:
    """Those whose sinks there are."""
    kinds = sink_kinds()
    return tuple(each for each in _BESIDE if each.kind in kinds)


def name_beside(out: str, beside: Beside) -> str:
    """`film_seg.mp4` → `film_seg.csv`; a slash at the end says that it is a folder."""
    path = Path(out)
    end = beside.end.rstrip("/")
    return f"{path.with_name(joined(path.stem, end))}{beside.end[len(end) :]}"


def suggest_output(info: SourceInfo) -> Path:
    """`<name>_seg.mp4` beside the source; see `suggest_for`."""
    return suggest_for(info.path, info.file_stem)


def suggest_for(path: Path | None, stem: str = "") -> Path:
    """`<name>_seg.mp4` beside a file or folder, or in the user's Videos folder.

    That is for what cannot be written beside, and for what came with this program: nobody looks for videos there.
    """
    file = joined(stem or (path.stem if path else "export"), "_seg.mp4")
    if path is not None:
        folder = path.resolve().parent
        if _writable(folder) and not _is_ours(path):
            return folder / file
    videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    home = Path(videos) if videos and Path(videos).is_dir() else Path.home()
    return home / file


def free_name(path: Path) -> Path:
    """A name that nothing has yet: this one, or with a number before its end."""
    names = (path.with_name(joined(path.stem, f"_{number}{path.suffix}")) for number in count(2))
    return path if not os.path.lexists(path) else next(name for name in names if not os.path.lexists(name))


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _is_ours(path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(asset_path("demo").resolve())
    except SegViewerError:
        return False
