"""Where shots go. Which sink writes a file is told by its name: `sink_for`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seg_viewer.core.errors import UsageError
from seg_viewer.core.registry import entries

if TYPE_CHECKING:
    from seg_viewer.sinks.base import SinkKind

# those that a file name chooses
MODULES = [
    "seg_viewer.sinks.video",
    "seg_viewer.sinks.side_video",
    "seg_viewer.sinks.mask_video",
    "seg_viewer.sinks.ids_video",
    "seg_viewer.sinks.overlay_video",
    "seg_viewer.sinks.mask_folder",
    "seg_viewer.sinks.coco",
    "seg_viewer.sinks.yolo",
    "seg_viewer.sinks.table",
    "seg_viewer.sinks.zone_log",
    "seg_viewer.sinks.summary",
    "seg_viewer.sinks.report",
    "seg_viewer.sinks.contact_sheet",
    "seg_viewer.sinks.recording",
]


def sink_kinds(*, live: bool = False) -> dict[str, SinkKind]:
    """The kinds for what is live, or for what has an end, by name; imports them all, and PyAV with them."""
    from seg_viewer.sinks.base import SinkKind

    return {name: kind for name, kind in entries(MODULES, "SINK", SinkKind).items() if kind.live is live}


def sink_for(path: Path | str, *, live: bool = False) -> SinkKind:
    """The sink that writes a file of that name; a slash at the end means a folder.

    Raises: UsageError, naming the ends of names that there are.
    """
    kinds = sink_kinds(live=live)
    name = str(path).lower()
    found = [(len(end), kind) for kind in kinds.values() for end in kind.suffixes if name.endswith(end)]
    if found:
        return max(found, key=lambda each: each[0])[1]
    names = [suffix for kind in kinds.values() for suffix in kind.suffixes]
    listed = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    if live:
        raise UsageError(f"{path}: recordings are {listed}; choose such a name")
    named = listed.replace(", /,", ", / (a folder of masks),")
    raise UsageError(f"{path}: its end does not say what to write; choose a name that ends in {named}")
