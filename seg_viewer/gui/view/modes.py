"""The ways to look at a shot, as data; another one is another entry."""

from __future__ import annotations

from collections.abc import Sequence

from seg_viewer.gui.view.scene import NEEDS, Content, Split, ViewMode
from seg_viewer.player.showing import Shown

CONTENTS: list[Content] = [
    Content("overlay", "overlay", ("picture", "mask", "errors")),
    Content("original", "original", ("picture", "errors")),
    Content("mask", "mask", ("black", "solid", "errors")),
]

MODES: list[ViewMode] = [
    ViewMode("overlay", "&Overlay on the picture", "The picture under the colours of its classes", ("overlay",)),
    ViewMode("original", "&Picture only", "The picture without colours", ("original",)),
    ViewMode("mask", "&Mask only", "The colours of the classes alone", ("mask",), keys=("X",)),
    ViewMode(
        "wipe",
        "&Wipe picture / overlay",
        "Both in one place, with an edge between them that is dragged",
        ("original", "overlay"),
        Split.WIPE,
        ("W",),
    ),
    ViewMode("side", "&Side by side", "The picture beside its overlay", ("original", "overlay"), Split.SIDE, ("Y",)),
]
"""In the order of the menu; the first one is what is shown at first, and where a mode has not what it needs."""


def mode_by_id(id_: str) -> ViewMode:
    """The first one where there is none of that id, as with settings of another version."""
    return next((mode for mode in MODES if mode.id == id_), MODES[0])


def content_by_id(id_: str) -> Content:
    return next(content for content in CONTENTS if content.id == id_)


def mode_for(wanted: ViewMode, shown: Shown) -> ViewMode:
    """What can be shown of a shot."""
    return wanted if NEEDS[wanted.needs](shown) else MODES[0]


def contents_of(mode: ViewMode) -> Sequence[Content]:
    return [content_by_id(id_) for id_ in mode.contents]
