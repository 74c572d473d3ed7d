"""How classes are painted now; the picture, screenshots, recordings and exports share it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from seg_viewer.core.labels import LabelSet
from seg_viewer.core.overlay import Overlay, OverlayStyle


class Look(QObject):
    """A style that a person changes, applied to the classes of the model that is shown.

    Args:
        style: to begin with.
    """

    changed = Signal(object)
    """The `Overlay` that paints from now on."""

    style_changed = Signal(object)
    """The `OverlayStyle` from now on, also while there is nothing to paint."""

    def __init__(self, style: OverlayStyle, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.style = style
        self.overlay: Overlay | None = None
        """None while no model is known."""

    def set_labels(self, labels: LabelSet | None) -> None:
        """Paint the classes of another model; None forgets them."""
        self._apply(labels)

    def change(self, **fields: Any) -> None:
        """Change fields of the style, see `OverlayStyle`."""
        self.style = replace(self.style, **fields)
        self.style_changed.emit(self.style)
        self._apply(self.overlay.labels if self.overlay is not None else None)

    def _apply(self, labels: LabelSet | None) -> None:
        self.overlay = Overlay(labels, self.style) if labels is not None else None
        if self.overlay is not None:
            self.changed.emit(self.overlay)
