"""Rates, times, drops, and what really runs, in three parts that can be folded."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from seg_viewer.core.ledger import LedgerSnapshot, StageTimes
from seg_viewer.core.machine import usable_cores
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scores import Score
from seg_viewer.engines.base import EngineReport
from seg_viewer.gui.process_use import Use
from seg_viewer.gui.widgets.contained import Contained
from seg_viewer.gui.widgets.figures import tabular
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.gui.widgets.section import Section
from seg_viewer.gui.widgets.sparkline import Sparkline
from seg_viewer.gui.words import class_name, figure, frames_text, said, t, tn
from seg_viewer.player.numbers import rate_of
from seg_viewer.sources import SourceInfo

NONE = "–"


@dataclass(frozen=True)
class Row:
    """One number, or what stands for it.

    Args:
        key: name in code.
        title: on the left.
        tip: what it means, one or two sentences.
        line: unit of the small line below it that shows the last minute, or "" for none.
        more: another sentence of the tip, or "".
    """

    key: str
    title: str
    tip: str
    line: str = ""
    more: str = ""


_AGES = ("shown", "since_capture")
_TIMES = "Half of the frames are faster than the median; 95 in 100 are faster than the second number"

SECTIONS: tuple[tuple[str, str, tuple[Row, ...]], ...] = (
    (
        "now",
        "Now",
        (
            Row("display", "Display", "Frames painted in this window per second, while it plays", "fps"),
            Row("engine", "Model", "Frames through the model per second"),
            Row("source", "Source", "Frames per second of the source: as a file says, as a live one delivers them"),
            Row("latency", "Latency", "Decoding, scaling and inference of a frame.", "ms", _TIMES),
            Row("inference", "Inference", "The model's part of it, as the runtime reports it.", more=_TIMES),
            Row("shown", "Arrived", "From the arrival of a picture to its overlay on the screen.", more=_TIMES),
            Row("since_capture", "Captured", "From the moment it was taken, by the camera's own clock.", more=_TIMES),
            Row(
                "difference",
                "Differs",
                "Share of this picture where the second model sees another class than the first",
            ),
            Row("truth", "IoU", "Against ground truth over the latest frames: intersection over union of each class"),
        ),
    ),
    (
        "health",
        "Health",
        (
            Row("dropped", "Dropped", "Frames that were not shown, by cause"),
            Row("cpu", "Processor", "Share of the cores that this program uses, without exports"),
            Row("memory", "Memory", "Main memory that this program holds, without exports"),
            Row("runs_on", "Runs on", "Runtime, processor and precision, as the runtime reports them"),
        ),
    ),
    (
        "source",
        "Source",
        (
            Row("video", "Video", "Size, rate and codec of the source, and what decodes it"),
            Row("model", "Model", "Model file and the size of its input"),
            Row("frame", "Frame", "Number of the frame that is shown"),
        ),
    ),
)

SECTION_KEYS = tuple(key for key, _title, _rows in SECTIONS)


def times_text(times: StageTimes | None) -> str:
    """Median and 95th percentile in words, milliseconds."""
    if times is None:
        return NONE
    return t(
        "{median} ms median\n{most} ms for 95 %", median=figure(times.p50_s * 1000), most=figure(times.p95_s * 1000)
    )


class StatsPanel(QWidget):
    """A table of names and values for each part."""

    folded_changed = Signal(object)
    """Keys of the parts that are folded, frozenset."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(t("Numbers"))
        self.setFont(tabular(self.font()))
        self._values: dict[str, QLabel] = {}
        self._titles: dict[str, QLabel] = {}
        self._cells: dict[str, tuple[QWidget, QWidget]] = {}
        self._lines: dict[str, Sparkline] = {}
        self._source: tuple[SourceInfo, ModelSpec] | None = None
        self.sections: dict[str, Section] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for key, title, rows in SECTIONS:
            section = self.sections[key] = Section(key, title, self._table(rows))
            section.folded_changed.connect(lambda _key, _folded: self.folded_changed.emit(self.folded))
            column.addWidget(section)
        widest = max(title.sizeHint().width() for title in self._titles.values())
        for label in self._titles.values():
            label.setMinimumWidth(widest)  # the parts are tables of their own, and stand in one line
        self.set_score(None)
        for key in _AGES:
            self._show_row(key, False)

    def _table(self, rows: Iterable[Row]) -> QWidget:
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for row in rows:
            title = PlainLabel(t(row.title), objectName="dim")
            value = PlainLabel(NONE)
            value.setWordWrap(True)
            value.setAccessibleName(t(row.title))
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            place = grid.rowCount()
            for label in (title, value):
                label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                label.setToolTip(" ".join(filter(None, (t(row.tip), t(row.more)))))
            self._values[row.key], self._titles[row.key] = value, title
            self._cells[row.key] = title, Contained(value)
            for at, cell in enumerate(self._cells[row.key]):
                grid.addWidget(cell, place, at)
            if row.line:
                line = self._lines[row.key] = Sparkline(t(row.title), t(row.line))
                grid.addWidget(line, place + 1, 0, 1, 2)
        return body

    # -- what is read from it --------------------------------------------------------------------------------------

    def text(self, key: str) -> str:
        """Of one row, by its key: "source", "engine", "display", "latency", "inference", "model" and so on."""
        return self._values[key].text()

    def line(self, key: str) -> Sparkline:
        """The small line of a row that has one: "display", "latency"."""
        return self._lines[key]

    @property
    def folded(self) -> frozenset[str]:
        return frozenset(key for key, section in self.sections.items() if section.folded)

    def set_folded(self, keys: frozenset[str]) -> None:
        for key, section in self.sections.items():
            section.set_folded(key in keys)

    def as_text(self) -> str:
        """All rows that mean something now, also folded ones, to be pasted elsewhere: name, tab, value."""
        parts = []
        for _key, title, rows in SECTIONS:
            lines = [t(title)]
            for row in rows:
                if self._titles[row.key].isHidden():
                    continue
                value = " · ".join(self.text(row.key).split("\n"))
                lines.append(f"{t(row.title)}\t{' '.join(value.split())}")
            parts.append("\n".join(lines))
        return "\n\n".join(parts) + "\n"

    # -- what is shown ---------------------------------------------------------------------------------------------

    def clear(self) -> None:
        for value in self._values.values():
            value.setText(NONE)
        for line in self._lines.values():
            line.clear()
        self._source = None
        self.set_score(None)
        self.set_difference(None)

    def set_times(self, snapshot: LedgerSnapshot) -> None:
        """Rates and times; what is not in it has no meaning at the moment."""
        now_s = time.perf_counter()
        for key in ("display", "engine", "source"):
            rate = snapshot.rates.get(key)
            self._set(key, t("{rate} fps", rate=figure(rate)) if rate else NONE)
        for key in ("latency", "inference", *_AGES):
            self._set(key, times_text(snapshot.stages.get(key)))
        for key in _AGES:
            self._show_row(key, key in snapshot.stages)
        display, latency = snapshot.rates.get("display"), snapshot.stages.get("latency")
        self._lines["display"].add(now_s, display)
        self._lines["latency"].add(now_s, latency.p50_s * 1000 if latency and display else None)
        dropped = sum(snapshot.drops.values())
        lines = [str(dropped)]
        if dropped:
            lines[0] = t("{number} of {count}", number=dropped, count=max(dropped, snapshot.counts.get("source", 0)))
        lines += [f"{count} {said(cause)}" for cause, count in sorted(snapshot.drops.items())]
        self._set("dropped", "\n".join(lines))

    def set_use(self, use: Use) -> None:
        cores = usable_cores()
        of = tn(cores, "of 1 core", "of {count} cores")
        self._set("cpu", t("{percent} %", percent=figure(100 * use.cpu)) + f" {of}" if use.cpu is not None else NONE)
        self._set("memory", f"{use.memory / 2**20:.0f} MiB" if use.memory is not None else NONE)

    def set_score(self, score: Score | None) -> None:
        """The row is there only while there is ground truth."""
        if score is not None and score.miou is not None:
            lines = [t("mean {percent} %", percent=figure(100 * score.miou))]
            lines += [
                t("{what} {percent} %", what=class_name(name), percent=figure(100 * share))
                for name, share in score.iou.items()
            ]
            self._set("truth", "\n".join([*lines, frames_text(score.frames)]))
        self._show_row("truth", score is not None)

    def set_difference(self, share: float | None, model: str = "") -> None:
        """How much of the picture a second model sees otherwise, 0…1, and its name; None without one."""
        if share is not None:
            self._set("difference", t("{percent} %\nfrom {model}", percent=figure(100 * share), model=model))
        self._show_row("difference", share is not None)

    def set_frame(self, index: int) -> None:
        self._set("frame", str(index))

    def set_engine(self, report: EngineReport | None) -> None:
        if report is None:
            self._set("runs_on", t("starting …"))
            return
        lines = [f"{report.name} {report.version}", report.device, said(report.precision)]
        if report.notes():
            lines.append(said(report.notes()))
        self._set("runs_on", "\n".join(lines))

    def set_source(self, info: SourceInfo, spec: ModelSpec) -> None:
        if (info, spec) == self._source:
            return
        self._source = info, spec
        self._set("model", f"{spec.name}\n{spec.width}×{spec.height} · {spec.precision}")
        own = rate_of(info)
        rate = " · " + t("{rate} fps", rate=figure(own, ".4g")) if own else ""
        decoder = f" · {said(info.decoder)}" if info.decoder else ""
        self._set("video", f"{info.width}×{info.height}{rate}\n{said(info.codec)}{decoder}")

    def _set(self, key: str, text: str) -> None:
        if self._values[key].text() != text:
            self._values[key].setText(text)

    def _show_row(self, key: str, on: bool) -> None:
        for cell in self._cells[key]:
            if cell.isHidden() is on:
                cell.setVisible(on)
