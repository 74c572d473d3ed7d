"""What a person chooses for an export: names, quality, range."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from seg_viewer.core.errors import UsageError
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import CLASSIC, PALETTES
from seg_viewer.core.typed_path import typed_path
from seg_viewer.gui.tasks.export_names import beside_kinds, name_beside
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.quality_box import QualityBox
from seg_viewer.gui.words import class_name, t
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources.between import Moment, Selection

_BEHIND_S = 0.001
"""An export ends before its end; this is behind the last frame of a part."""


class ExportForm(QWidget):
    """Fields that make an `ExportJob`.

    Args:
        output: name to begin with.
        position_s: where the seek bar is now, seconds.
    """

    changed = Signal()
    browse_wanted = Signal()

    def __init__(self, output: str, position_s: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._position_s = position_s
        self._offered = ("", "")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        self.output = QLineEdit(output)
        self.output.setAccessibleName(t("Output file"))
        self.output.setCursorPosition(len(output))
        self.browse = QPushButton(t("Browse…"))
        self.browse.setAutoDefault(False)
        self.quality = QualityBox()
        self.look = PlainLabel()
        self.look.setWordWrap(True)
        self.beside = {each: QCheckBox(t(each.text)) for each in beside_kinds()}
        save_as = self._row(self.output, self.browse, stretch=[self.output])
        rows: list[tuple[str, QWidget, QWidget]] = [
            ("Save as", self.output, save_as),
            ("Quality", self.quality, self.quality),
            ("Range", self._range(), self._range_row),
            ("Overlay", self.look, self.look),
        ]
        if self.beside:
            rows.insert(2, ("Also write", next(iter(self.beside.values())), self._boxes()))
        for row, (name, buddy, widget) in enumerate(rows):
            label = PlainLabel(t(name), objectName="dim")
            label.setBuddy(buddy)
            grid.addWidget(label, row, 0)
            grid.addWidget(widget, row, 1)
        grid.setColumnStretch(1, 1)
        self.browse.clicked.connect(self.browse_wanted)
        self.output.textChanged.connect(self.changed)
        self.quality.currentIndexChanged.connect(self.changed)

    @staticmethod
    def _row(*widgets: QWidget, stretch: Sequence[QWidget] = ()) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        for widget in widgets:
            line.addWidget(widget, 1 if widget in stretch else 0)
        return holder

    def _range(self) -> QLineEdit:
        self.start, self.end = QLineEdit(), QLineEdit()
        self.from_here, self.to_here = QPushButton(t("From here")), QPushButton(t("To here"))
        for field, button, empty, name in (
            (self.start, self.from_here, "start", "From: empty for the start"),
            (self.end, self.to_here, "end", "To: empty for the end"),
        ):
            field.setPlaceholderText(t(empty))
            field.setAccessibleName(t(name))
            field.setToolTip(t("Seconds (90.5), a time (1:30) or a frame number (250f); empty for all"))
            field.setMinimumWidth(60)
            field.textChanged.connect(self.changed)
            button.setAutoDefault(False)
            button.setToolTip(t("Where the video is now"))
            button.clicked.connect(lambda _on=False, field=field: field.setText(moment_text(self._position_s())))
        dash = PlainLabel("–")
        fields = (self.start, self.end)
        self._range_row = self._row(self.start, self.from_here, dash, self.end, self.to_here, stretch=fields)
        return self.start

    def _boxes(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(6)
        for number, box in enumerate(self.beside.values()):
            box.toggled.connect(self.changed)
            grid.addWidget(box, number // 2, number % 2)
        grid.setColumnStretch(2, 1)
        return holder

    def set_style(self, style: OverlayStyle) -> None:
        """How classes will be painted."""
        self.look.setText(look_text(style))

    def offer_part(self, start_s: float | None, end_s: float | None) -> None:
        """Fill in where a part begins and ends, seconds, its last frame included; never over what a person typed."""
        texts = (
            moment_text(start_s) if start_s is not None else "",
            moment_text(end_s + _BEHIND_S) if end_s is not None else "",
        )
        if (self.start.text(), self.end.text()) in (("", ""), self._offered):
            self._offered = texts
            self.start.setText(texts[0])
            self.end.setText(texts[1])

    def set_editable(self, on: bool) -> None:
        for widget in (self.output, self.browse, self.quality, self.start, self.end, self.from_here, self.to_here):
            widget.setEnabled(on)
        for box in self.beside.values():
            box.setEnabled(on)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names as `ExportJob` takes them, that of the video first. Raises: UsageError."""
        text = self.output.text().strip()
        if not text:
            raise UsageError(t("Choose a file to write"))
        out = str(typed_path(text)) + ("/" if text.endswith(("/", os.sep)) else "")
        return (out, *(name_beside(out, each) for each, box in self.beside.items() if box.isChecked()))

    def job(self, source: str, options: RunOptions, *, overwrite: bool, resume: bool = False) -> ExportJob:
        """What was chosen. Raises: UsageError for what cannot be meant."""
        start, end = (
            Moment.read(field.text()) if field.text().strip() else None for field in (self.start, self.end)
        )  # fmt: skip
        job = ExportJob(
            source,
            self.outputs,
            options,
            overwrite=overwrite,
            selection=Selection(start, end),
            resume=resume,
            quality=self.quality.quality,
        )
        job.check()
        return job


def look_text(style: OverlayStyle) -> str:
    """A style, for people."""
    if not style.opacity and not style.outline:
        return t("Off, as now: nothing is painted")
    parts = [t("As now: {percent} % colour", percent=round(100 * style.opacity))]
    if style.outline:
        parts.append(t("outlines"))
    if style.hatched:
        parts.append(t("hatched"))
    if style.palette != CLASSIC:
        parts.append(t("{name} palette", name=t(PALETTES[style.palette].title)))
    if style.colors:
        parts.append(t("own colours for {names}", names=", ".join(map(class_name, sorted(style.colors)))))
    if style.hidden:
        parts.append(t("without {names}", names=", ".join(map(class_name, sorted(style.hidden)))))
    return ", ".join(parts)


def moment_text(seconds: float) -> str:
    """As `Moment.read` takes it: "0:04.25", "1:02:03"."""
    thousandths = round(1000 * max(0.0, seconds))
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    secs = f"{rest / 1000:06.3f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02}:{secs}" if hours else f"{minutes}:{secs}"
