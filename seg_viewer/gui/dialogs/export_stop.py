"""The question before exports are stopped."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from seg_viewer.gui.dialogs.confirm import Over, confirm
from seg_viewer.gui.words import t


def ask_stop(parent: QWidget, count: int, over: Over | None = None) -> bool:
    """Whether exports that run or wait may be stopped.

    Args:
        parent: the window that the question belongs to.
        count: how many there are.
        over: when they have all ended; nobody need be asked then.
    """
    if count > 1:
        title, text, yes = "Exports are running", "{count} exports are not finished. Stop them?", "Stop exports"
        lost = "Files that are finished stay; what was only begun is removed."
    else:
        title, text, yes = "Export is running", "The export is not finished. Stop it?", "Stop export"
        lost = "What it has begun is removed."
    text = f"{t(text, count=count)} {t(lost)}"
    return confirm(parent, t(title), text, yes=t(yes), no=t("Go on"), over=over)
