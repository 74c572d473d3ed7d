"""Where shots go. Which sink writes a file is told by its name: `sink_for`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from seg_viewer.core.errors import UsageError

if TYPE_CHECKING:
    from seg_viewer.sinks.base import SinkKind

MODULES = (
    "seg_viewer.sinks.video",
    "seg_viewer.sinks.recording",
)
"""Of the sinks that a file name chooses; each has one constant `SINK`. Adding one is its file and its line here."""

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
"""x264's speeds: faster makes larger files."""


def sink_kinds(*, live: bool = False) -> tuple[SinkKind, ...]:
    """Those for what is live, or for what has an end; imports them, and PyAV with them."""
    kinds: list[SinkKind] = [import_module(name).SINK for name in MODULES]
    return tuple(kind for kind in kinds if kind.live is live)


def sink_for(path: Path, *, live: bool = False) -> SinkKind:
    """The sink that writes a file of that name. Raises: UsageError, naming the suffixes that there are."""
    kinds = sink_kinds(live=live)
    for kind in kinds:
        if path.suffix.lower() in kind.suffixes:
            return kind
    names = [suffix for kind in kinds for suffix in kind.suffixes]
    listed = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    if live:
        raise UsageError(f"{path}: recordings are {listed}; choose such a name")
    raise UsageError(f"{path}: only {listed} can be written; choose a name that ends so")
