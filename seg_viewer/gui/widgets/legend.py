"""The classes: colour, name, whether it is painted, how much of the picture it covers."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from seg_viewer.core.labels import Label, LabelSet
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui.widgets.contained import Contained
from seg_viewer.gui.widgets.plain import PlainLabel, plain_action, plain_tip
from seg_viewer.gui.widgets.swatch import Swatch
from seg_viewer.gui.words import class_name, figure, t


class Legend(QScrollArea):
    """A row for each class."""

    hidden_changed = Signal(object)
    """Names of the classes that are not painted, frozenset."""
    rows_changed = Signal()
    """Classes of another model are shown: their boxes and swatches are new."""
    color_wanted = Signal(object, object)
    """A `Label` that is to get another colour, and the `Swatch` that was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setAccessibleName(t("Classes"))
        self._boxes: dict[str, QCheckBox] = {}
        self._shares: dict[str, QLabel] = {}
        self._swatches: dict[Label, Swatch] = {}
        self._hidden: frozenset[str] = frozenset()

    @property
    def boxes(self) -> Mapping[str, QCheckBox]:
        """Check box of every class that can be painted, by name."""
        return self._boxes

    @property
    def swatches(self) -> Mapping[str, Swatch]:
        """Colour of every class that can be painted, by name."""
        return {label.name: swatch for label, swatch in self._swatches.items()}

    def set_style(self, style: OverlayStyle) -> None:
        """Show the colours, and the hatching, that classes are painted in now."""
        for label, swatch in self._swatches.items():
            swatch.set_color(style.color_of(label), label.id if style.hatched else None)

    def set_labels(self, labels: LabelSet, hidden: frozenset[str]) -> None:
        """Show the classes of a model; names in `hidden` that it does not have are kept for the next one."""
        self._hidden = hidden
        self._boxes, self._shares, self._swatches = {}, {}, {}
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        ordered = [label for label in labels if label.painted] + [label for label in labels if not label.painted]
        for row, label in enumerate(ordered):
            self._add_row(grid, row, label)
        self.setWidget(inner)
        self.updateGeometry()
        self.rows_changed.emit()

    def sizeHint(self) -> QSize:
        inner = self.widget()
        height = inner.sizeHint().height() if inner else 60
        return QSize(super().sizeHint().width(), min(height + 2, 420))

    def set_shares(self, shares: Mapping[str, float]) -> None:
        """Share of the picture of each class, 0…1, by name."""
        for name, label in self._shares.items():
            text = t("{percent} %", percent=figure(100 * shares.get(name, 0.0)))
            if label.text() != text:
                label.setText(text)

    def toggle(self, number: int) -> None:
        """Switch the class in row `number`, counted from 1, if there is one."""
        boxes = list(self._boxes.values())
        if 1 <= number <= len(boxes):
            boxes[number - 1].toggle()

    def _add_row(self, grid: QGridLayout, row: int, label: Label) -> None:
        named = class_name(label.name)
        swatch = Swatch(label.color)
        grid.addWidget(swatch, row, 0)
        if label.painted:
            swatch.setAccessibleName(t("Colour of {name}", name=named))
            swatch.setToolTip(plain_tip(t("Choose the colour of {name}", name=named)))
            swatch.clicked.connect(lambda: self.color_wanted.emit(label, swatch))
            self._swatches[label] = swatch
            box = QCheckBox(plain_action(named))
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            box.setChecked(label.name not in self._hidden)
            box.setAccessibleName(t("Show {name}", name=named))
            box.setToolTip(plain_tip(t("Show or hide {name}", name=named) + (f" (Alt+{row + 1})" if row < 9 else "")))
            box.toggled.connect(lambda on, name=label.name: self._set_shown(name, on))
            grid.addWidget(box, row, 1)
            self._boxes[label.name] = box
        else:
            swatch.setEnabled(False)
            swatch.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            swatch.setAccessibleName(t("{name} is never painted", name=named))
            name = PlainLabel(named, objectName="dim")
            name.setToolTip(t("never painted"))
            grid.addWidget(name, row, 1)
        share = PlainLabel("–", objectName="dim" if not label.painted else "")
        share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        share.setAccessibleName(t("Share of the picture: {name}", name=named))
        share.setMinimumWidth(share.fontMetrics().horizontalAdvance(t("{percent} %", percent=figure(100.0))))
        grid.addWidget(Contained(share), row, 2)
        self._shares[label.name] = share

    def _set_shown(self, name: str, on: bool) -> None:
        self._hidden = self._hidden - {name} if on else self._hidden | {name}
        self.hidden_changed.emit(self._hidden)
