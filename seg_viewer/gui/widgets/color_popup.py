"""A few colours to choose from, beside what was pressed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from seg_viewer.core.palette import RGB, color_text
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.swatch import Swatch
from seg_viewer.gui.words import t

_ACROSS = 5


class ColorPopup(QFrame):
    """Closes by itself once something is chosen, by Esc, and by a click beside it.

    Args:
        title: whose colour it is.
        offered: name → colour.
    """

    picked = Signal(object)
    """A colour, (red, green, blue)."""
    reset = Signal()
    """The colour of the palette again."""
    other_wanted = Signal()
    """A colour that is not offered."""

    def __init__(self, title: str, offered: Mapping[str, RGB], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(8)
        column.addWidget(PlainLabel(title, objectName="dim"))
        grid = QGridLayout()
        grid.setSpacing(2)
        self.swatches: dict[str, Swatch] = {}
        for number, (name, color) in enumerate(offered.items()):
            swatch = self.swatches[name] = Swatch(color, 24)
            swatch.setAccessibleName(t(name))
            swatch.setToolTip(f"{t(name)}, {color_text(color)}")
            swatch.clicked.connect(lambda _=False, color=color: self._pick(color))
            grid.addWidget(swatch, number // _ACROSS, number % _ACROSS)
        column.addLayout(grid)
        line = QHBoxLayout()
        self.reset_button = QPushButton(t("As in the palette"))
        self.reset_button.clicked.connect(self._reset)
        self.other_button = QPushButton(t("Other…"))
        self.other_button.clicked.connect(self._other)
        for button in (self.reset_button, self.other_button):
            line.addWidget(button)
        column.addLayout(line)

    def show_below(self, widget: QWidget) -> None:
        """Open it, all of it on the screen, with the first colour in focus."""
        self.adjustSize()
        room, corner = widget.screen().availableGeometry(), widget.mapToGlobal(QPoint(0, widget.height() + 2))
        left = max(room.left(), min(corner.x(), room.right() - self.width()))
        top = max(room.top(), min(corner.y(), room.bottom() - self.height()))
        self.move(left, top)
        self.show()
        next(iter(self.swatches.values())).setFocus(Qt.FocusReason.PopupFocusReason)

    def _pick(self, color: RGB) -> None:
        self.picked.emit(color)
        self.close()

    def _reset(self) -> None:
        self.reset.emit()
        self.close()

    def _other(self) -> None:
        self.close()
        self.other_wanted.emit()
