"""What a killed process left behind: a recording that plays is kept, anything else is removed."""

from __future__ import annotations

import re
from pathlib import Path

from seg_viewer.core.long_names import joined
from seg_viewer.core.part_file import PartFile, left_behind
from seg_viewer.media.playable import cut_to_whole_fragments, why_unplayable

VIDEO_SUFFIXES = (".mp4", ".mkv")


def tidy(path: Path, *, whole_folder: bool = False) -> tuple[str, ...]:
    """Look after the parts that were left behind beside a video that is going to be made.

    Those of its own name, and of `NAME_002` and so on: what plays gets a free name, the rest is removed. What another
    process writes is left alone.

    Args:
        path: of the video.
        whole_folder: parts of other names that play get a free name too; of theirs, only empty ones are removed.

    Returns:
        a line for each that was kept.
    """
    own = re.compile(rf"{re.escape(path.stem)}(_\d{{3,}})?")
    notes = []
    for part, name in left_behind(path.parent):
        mine = own.fullmatch(name.stem) is not None and name.suffix == path.suffix
        if name.suffix.lower() not in VIDEO_SUFFIXES or not (mine or whole_folder):
            continue
        file = PartFile.adopt(part, name)
        if file is None:
            continue
        if part.stat().st_nlink > 1:  # it has its name: only the other one was not removed any more
            file.discard()
        elif _plays(part):
            kept = file.commit(name.with_name(joined(name.stem, f"_rescued{name.suffix}")))
            notes.append(f"a recording that was cut off ({name.name}) was found and is kept as {kept}")
        elif mine or not part.stat().st_size:
            file.discard()
        else:
            file.leave()
    return tuple(notes)


def _plays(part: Path) -> bool:
    if why_unplayable(part):
        return False
    if part.suffix.lower() == ".mp4":
        cut_to_whole_fragments(part)
    return not why_unplayable(part)
