"""Numbers that do not jitter."""

from __future__ import annotations

from PySide6.QtGui import QFont


def tabular(font: QFont) -> QFont:
    """The same with digits of one width (OpenType feature "tnum")."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
