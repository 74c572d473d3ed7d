"""The names of quality that exports from the window have."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QWidget

from seg_viewer.gui.words import t
from seg_viewer.media.codecs import QUALITIES, USUAL_QUALITY

_TEXTS = {
    "high": "High · for cutting and archives",
    "balanced": "Balanced · the usual one",
    "fast": "Fast · the least work",
    "tiny": "Tiny · the smallest file",
}


class QualityBox(QComboBox):
    """A list of qualities."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(t("Quality"))
        for name in QUALITIES:
            self.addItem(t(_TEXTS[name]), name)
        self.quality = USUAL_QUALITY

    @property
    def quality(self) -> str:
        """The name that is chosen, one of `QUALITIES`."""
        return str(self.currentData())

    @quality.setter
    def quality(self, name: str) -> None:
        self.setCurrentIndex(self.findData(name))
