"""The names of quality that exports from the window have."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QComboBox, QWidget

QUALITIES = {
    "high": "High · for cutting and archives",
    "balanced": "Balanced · the usual one",
    "fast": "Fast · least work, larger file",
    "tiny": "Tiny · smallest file, slower",
}
"""Name → what the list says."""
USUAL_QUALITY = "balanced"

_FIELDS: dict[str, dict[str, Any]] = {
    "high": {"crf": 17},
    "balanced": {"crf": 20},
    "fast": {"crf": 22, "preset": "ultrafast"},
    "tiny": {"crf": 26, "preset": "medium"},
}


def job_fields(quality: str) -> dict[str, Any]:
    """What an `ExportJob` of that quality has; one of `QUALITIES`."""
    return _FIELDS[quality]


class QualityBox(QComboBox):
    """A list of qualities."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Quality")
        for name, text in QUALITIES.items():
            self.addItem(text, name)
        self.quality = USUAL_QUALITY

    @property
    def quality(self) -> str:
        """The name that is chosen."""
        return str(self.currentData())

    @quality.setter
    def quality(self, name: str) -> None:
        self.setCurrentIndex(self.findData(name))
