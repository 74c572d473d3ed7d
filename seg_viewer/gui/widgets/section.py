"""A part of the side panel that a person can fold."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from seg_viewer.gui.words import t


class Section(QWidget):
    """A heading that is a button, and what it shows or hides.

    Args:
        key: name in code.
        title: of the heading.
        body: what is folded away.
    """

    folded_changed = Signal(str, bool)
    """Its key, and whether it is folded now."""

    def __init__(self, key: str, title: str, body: QWidget) -> None:
        super().__init__()
        self.key = key
        self.body = body
        self._title = t(title)
        self.header = QToolButton()
        self.header.setObjectName("section")
        self.header.setText(self._title)
        self.header.setCheckable(True)
        self.header.setChecked(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header.toggled.connect(self._toggled)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.header)
        column.addWidget(body)
        self._show()

    @property
    def folded(self) -> bool:
        return not self.header.isChecked()

    def set_folded(self, folded: bool) -> None:
        self.header.setChecked(not folded)

    def _toggled(self, _open: bool) -> None:
        self._show()
        self.folded_changed.emit(self.key, self.folded)

    def _show(self) -> None:
        self.body.setVisible(not self.folded)
        self.header.setArrowType(Qt.ArrowType.RightArrow if self.folded else Qt.ArrowType.DownArrow)
        does = t("Show: {part}" if self.folded else "Fold: {part}", part=self._title)
        self.header.setToolTip(does)
        state = t("{part}, folded" if self.folded else "{part}, shown", part=self._title)
        self.header.setAccessibleName(state)
