"""The question before exports are stopped."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from seg_viewer.gui.dialogs.confirm import confirm


def ask_stop(parent: QWidget, count: int) -> bool:
    """Whether exports that run or wait may be stopped.

    Args:
        parent: the window that the question belongs to.
        count: how many there are.
    """
    what = "The export is not finished. Stop it?"
    if count > 1:
        what = f"{count} exports are not finished. Stop them?"
    return confirm(
        parent, "Export is running", f"{what} Nothing will be left behind.", yes="Stop export", no="Go on"
    )  # fmt: skip
