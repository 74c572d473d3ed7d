"""What lies over the top of a page for a while: messages, progress. The page below keeps its place and size."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from seg_viewer.gui.words import t

_MOST_OF_HEIGHT = 0.6
_MAY_GROW = (QEvent.Type.ShowToParent, QEvent.Type.HideToParent, QEvent.Type.LayoutRequest)


class Notices(QScrollArea):
    """Widgets one below the other at the top of another widget, over what that shows; those that are hidden take none.

    It is as high as they need, up to a share of the other's height; what is more can be scrolled.

    Args:
        widgets: from the top.
        over: they lie over it.
    """

    height_changed = Signal(int)
    """How much of the top is covered now, pixels."""

    def __init__(self, widgets: tuple[QWidget, ...], over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._widgets = widgets
        self._covered = 0
        self.setObjectName("notices")
        self.setAccessibleName(t("Messages and progress"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        inner = QWidget()
        inner.setAutoFillBackground(False)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        for widget in widgets:
            self._column.addWidget(widget)
            widget.installEventFilter(self)
        self._column.addStretch(1)
        self._inner = inner
        self.setWidget(inner)
        inner.setAutoFillBackground(False)  # `setWidget` switches it on
        inner.installEventFilter(self)
        over.installEventFilter(self)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(lambda _least, most: bar.setValue(most))  # the newest stands last
        self.hide()

    @property
    def covered(self) -> int:
        """How much of the top is covered, pixels."""
        return self._covered

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if (
            (watched is self._over and kind is QEvent.Type.Resize)
            or (watched is self._inner and kind is QEvent.Type.LayoutRequest)
            or (watched in self._widgets and kind in _MAY_GROW)
        ):
            self.place()
        return super().eventFilter(watched, event)

    def place(self) -> None:
        """Take the place that is needed now."""
        wanted = [widget for widget in self._widgets if not widget.isHidden()]
        width, most = self._over.width(), int(self._over.height() * _MOST_OF_HEIGHT)
        needed = sum(_height_for(widget, width) for widget in wanted)
        if needed > most:
            needed = sum(_height_for(widget, width - self.verticalScrollBar().sizeHint().width()) for widget in wanted)
        height = min(needed, most)
        self._inner.setMinimumHeight(needed)  # Qt does not count wrapped lines in what can be scrolled
        self.setVisible(bool(wanted))
        self.setGeometry(0, 0, width, height)
        self.raise_()
        if height != self._covered:
            self._covered = height if wanted else 0
            self.height_changed.emit(self._covered)


def _height_for(widget: QWidget, width: int) -> int:
    layout = widget.layout()  # not made invalid here: that would ask for this again, for ever
    if layout is not None and layout.hasHeightForWidth():
        return max(0, layout.totalHeightForWidth(width))  # -1 of one that is still empty
    return max(0, widget.sizeHint().height())
