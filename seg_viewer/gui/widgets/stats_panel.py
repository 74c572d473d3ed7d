"""Rates, latencies, drops, and what really runs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from seg_viewer.core.counted import counted
from seg_viewer.core.ledger import LedgerSnapshot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scores import Score
from seg_viewer.engines.base import EngineReport
from seg_viewer.gui.widgets.plain import PlainLabel
from seg_viewer.player.numbers import rate_of
from seg_viewer.sources import SourceInfo

_ROWS = (
    ("truth", "IoU", "Prediction against ground truth over the latest frames: intersection over union of each class"),
    ("difference", "Differs", "Share of this picture where the second model sees another class than the first"),
    ("source", "Source", "Frames per second of the source: as a file says, as a live one delivers them"),
    ("engine", "Engine", "Frames through the model per second"),
    ("display", "Display", "Frames painted in this window per second, while it plays"),
    (
        "latency",
        "Latency",
        "Decoding, scaling and inference of a frame (p50 / p95): half of the frames, and 95 in 100, are faster",
    ),
    (
        "shown",
        "Shown after",
        "From the arrival of a picture to its overlay on the screen (p50 / p95); live sources only",
    ),
    ("inference", "Inference", "The model's part of it (p50 / p95), as the runtime reports it"),
    ("dropped", "Dropped", "Frames that were not shown, by cause"),
    ("runs_on", "Runs on", "Runtime, processor and precision, as the runtime reports them"),
    ("model", "Model", "Model file and the size of its input"),
    ("video", "Video", "Size, rate and codec of the source"),
    ("frame", "Frame", "Number of the frame that is shown"),
)


class StatsPanel(QScrollArea):
    """A table of names and values."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Performance")
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        self._values: dict[str, QLabel] = {}
        self._titles: dict[str, QLabel] = {}
        for row, (key, name, tip) in enumerate(_ROWS):
            title = PlainLabel(name, objectName="dim")
            title.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            value = PlainLabel("–")
            value.setWordWrap(True)
            value.setAccessibleName(name)
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            value.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            for label in (title, value):
                label.setToolTip(tip)
            grid.addWidget(title, row, 0)
            grid.addWidget(value, row, 1)
            self._values[key] = value
            self._titles[key] = title
        grid.setRowStretch(len(_ROWS), 1)
        self.setWidget(inner)
        self.set_score(None)
        self.set_difference(None)

    def text(self, key: str) -> str:
        """Of one row, by its key: "source", "engine", "display", "latency", "inference", "model" and so on."""
        return self._values[key].text()

    def clear(self) -> None:
        for value in self._values.values():
            value.setText("–")
        self.set_score(None)
        self.set_difference(None)

    def set_times(self, snapshot: LedgerSnapshot) -> None:
        """What is not in it has no meaning at the moment; see `player.numbers.meaningful`."""
        for key in ("source", "engine", "display"):
            rate = snapshot.rates.get(key)
            self._set(key, f"{rate:.4g} fps" if key == "source" and rate else f"{rate:.1f} fps" if rate else "–")
        for key in ("latency", "shown", "inference"):
            times = snapshot.stages.get(key)
            self._set(key, f"{times.p50_s * 1000:.1f} / {times.p95_s * 1000:.1f} ms" if times else "–")
        for label in (self._titles["shown"], self._values["shown"]):
            label.setVisible("shown" in snapshot.stages)
        dropped = sum(snapshot.drops.values())
        lines = [str(dropped)]
        if dropped:
            lines[0] += f" of {max(dropped, snapshot.counts.get('source', 0))}"
        lines += [f"{count} {cause}" for cause, count in sorted(snapshot.drops.items())]
        self._set("dropped", "\n".join(lines))

    def set_score(self, score: Score | None) -> None:
        """The row is there only while there is ground truth."""
        if score is not None and score.miou is not None:
            lines = [f"mean {100 * score.miou:.1f} %"]
            lines += [f"{name} {100 * share:.1f} %" for name, share in score.iou.items()]
            self._set("truth", "\n".join([*lines, counted(score.frames, "frame")]))
        for label in (self._titles["truth"], self._values["truth"]):
            label.setVisible(score is not None)

    def set_difference(self, share: float | None, model: str = "") -> None:
        """How much of the picture a second model sees otherwise, 0…1, and its name; None without one."""
        if share is not None:
            self._set("difference", f"{100 * share:.1f} %\nfrom {model}")
        for label in (self._titles["difference"], self._values["difference"]):
            label.setVisible(share is not None)

    def set_frame(self, index: int) -> None:
        self._set("frame", str(index))

    def set_engine(self, report: EngineReport | None) -> None:
        if report is None:
            self._set("runs_on", "starting …")
            return
        lines = [f"{report.name} {report.version}", report.device, report.precision]
        if report.notes():
            lines.append(report.notes())
        self._set("runs_on", "\n".join(lines))

    def set_source(self, info: SourceInfo, spec: ModelSpec) -> None:
        self._set("model", f"{spec.name}\n{spec.width}×{spec.height} · {spec.precision}")
        own = rate_of(info)
        rate = f" · {own:.4g} fps" if own else ""
        self._set("video", f"{info.width}×{info.height}{rate}\n{info.codec}")

    def _set(self, key: str, text: str) -> None:
        if self._values[key].text() != text:
            self._values[key].setText(text)
