"""Where things go that nobody named a place for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths

from seg_viewer.core.typed_path import typed_path
from seg_viewer.gui.memory import Memory

_OWN = "seg-viewer"


class Folders:
    """The user's own folders, or those chosen in the settings; none is made before something goes there.

    Args:
        memory: knows what was chosen.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def recordings(self) -> Path:
        """Of recordings and clips."""
        return _chosen(self._memory.settings.recordings_folder) or usual_recordings()

    def pictures(self) -> Path:
        """Of screenshots."""
        return _chosen(self._memory.settings.pictures_folder) or usual_pictures()

    def dataset(self) -> Path:
        """Of frames for the trainer."""
        return _chosen(self._memory.settings.dataset_folder) or usual_dataset()


def usual_recordings() -> Path:
    """Videos/seg-viewer."""
    return _own(QStandardPaths.StandardLocation.MoviesLocation)


def usual_pictures() -> Path:
    """Pictures/seg-viewer."""
    return _own(QStandardPaths.StandardLocation.PicturesLocation)


def usual_dataset() -> Path:
    """Pictures/seg-viewer/dataset."""
    return usual_pictures() / "dataset"


def _own(kind: QStandardPaths.StandardLocation) -> Path:
    name = QStandardPaths.writableLocation(kind)
    return (Path(name) if name else Path.home()) / _OWN


def _chosen(text: str) -> Path | None:
    return typed_path(text) if text.strip() else None
