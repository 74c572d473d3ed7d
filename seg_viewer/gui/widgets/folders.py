"""Folders, shown by the system's own file manager."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def open_folder_of(path: Path) -> None:
    """Show where a file or folder is."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
