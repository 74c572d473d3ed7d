"""How far the exports are, above the picture, while nobody looks at their list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QWidget

from seg_viewer.gui.tasks.export_queue import ExportQueue
from seg_viewer.gui.widgets.plain import ElidedLabel, plain_tip
from seg_viewer.gui.words import t

_STEPS = 1000


class ExportStrip(QWidget):
    """Hidden while nothing is exported, and while a window shows the same.

    Args:
        queue: what is shown.
        shown_elsewhere: whether a window shows the export that runs.
    """

    list_wanted = Signal()

    def __init__(self, queue: ExportQueue, shown_elsewhere: Callable[[], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._shown_elsewhere = shown_elsewhere
        self.setAccessibleName(t("Exports that run"))
        frame = QFrame()
        frame.setObjectName("message")
        frame.setProperty("kind", "info")
        around = QHBoxLayout(self)
        around.setContentsMargins(8, 8, 8, 8)
        around.addWidget(frame)
        line = QHBoxLayout(frame)
        line.setContentsMargins(12, 4, 6, 4)
        line.setSpacing(12)
        self.label = ElidedLabel()
        line.addWidget(self.label, 2)
        self.bar = QProgressBar()
        self.bar.setFormat("%p %")
        self.bar.setRange(0, _STEPS)
        self.bar.setAccessibleName(t("Share of the export that is done"))
        line.addWidget(self.bar, 1)
        self.button = QPushButton(t("Show queue"))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self.list_wanted)
        line.addWidget(self.button)
        for signal in (queue.changed, queue.rearranged, queue.emptied):
            signal.connect(lambda *_: self.refresh())
        self.hide()

    def refresh(self) -> None:
        """Something is new, or another window has come or gone."""
        item = self._queue.current
        if item is None or self._shown_elsewhere():
            self.hide()
            return
        number, count = self._queue.place
        which = t("{number} of {count}", number=number, count=count) + "  ·  " if count > 1 else ""
        self.label.setText(t("Exporting {name}", name=f"{which}{item.name}"))
        self.label.setToolTip(plain_tip(str(item.made)))
        self.bar.setRange(0, 0 if item.share is None else _STEPS)
        self.bar.setValue(round(_STEPS * (item.share or 0)))
        self.show()
