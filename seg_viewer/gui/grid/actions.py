"""What a person can do with several live sources, as data."""

from __future__ import annotations

from seg_viewer.gui.actions import ActionSpec

GRID_MENUS: tuple[tuple[str, tuple[ActionSpec | None, ...]], ...] = (
    (
        "&File",
        (
            ActionSpec("grid-record", "&Record this one", "Record the picture with the frame", ("R",), "record"),
            ActionSpec("grid-record-all", "Record &all", "Record all, or end all recordings", ("Shift+R",), "record"),
            ActionSpec("grid-screenshot", "&Screenshot", "Save this picture with its overlay", ("S",), "camera"),
            ActionSpec("grid-again", "Try a&gain", "Open what failed once more", ("Ctrl+R",)),
            None,
            ActionSpec("grid-close", "&Close", "Close this window", ("Ctrl+W", "Ctrl+Q")),
        ),
    ),
    (
        "&View",
        (
            ActionSpec(
                "grid-large", "One &large, or all", "The picture with the frame alone, or all", ("Return", "Enter")
            ),
            ActionSpec("grid-overlay", "&Overlay", "Show or hide the colours", ("T", "H"), "overlay", checkable=True),
            ActionSpec("grid-outline", "Ou&tlines", "Draw the border of each class", ("O",), checkable=True),
            None,
            ActionSpec("grid-more", "&More colour", "Make the overlay more opaque", ("Up",)),
            ActionSpec("grid-less", "&Less colour", "Make the overlay more transparent", ("Down",)),
            None,
            ActionSpec("grid-full", "&Full screen", "Fill the screen; Esc leaves", ("F", "F11"), checkable=True),
        ),
    ),
)
