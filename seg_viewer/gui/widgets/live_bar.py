"""Where files have a time line: whether the picture is live, how old it is, what is being recorded."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from seg_viewer.core.ledger import LedgerSnapshot
from seg_viewer.gui.widgets.figures import tabular
from seg_viewer.gui.widgets.plain import ElidedLabel, PlainLabel, plain_tip
from seg_viewer.gui.widgets.seek_bar import clock_text
from seg_viewer.gui.words import figure, said, t, tn
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import LiveStatus
from seg_viewer.sources.losses import Loss


def lost_text(state: PlayerState, status: LiveStatus) -> str:
    """What to write over a picture that is no longer what is now; "" when it is, or the player has stopped."""
    if status.connected or state is PlayerState.ERROR:
        return ""
    return t("Waiting …" if status.silent else "Reconnecting …") + f"\n{said(status.problem or '')}"


def waiting_text(problem: str) -> str:
    """What to write while a source that is not there yet is waited for."""
    return t("Waiting …") + f"\n{said(problem)}"


def loss_text(loss: Loss) -> str:
    """What the network has lost, short; "" where nothing was, as far as is known."""
    if loss.lost:
        return t("{number} of {count} pictures missing", number=loss.lost, count=loss.sent)
    return t("{number} of {count} pictures damaged", number=loss.damaged, count=loss.sent) if loss.damaged else ""


def _loss_tip(loss: Loss) -> str:
    """The same at length, and what nobody can know."""
    return "\n".join(
        (
            t("{count} did not come, by the times of the others: lost on the way, or never sent", count=loss.missing),
            t("{count} came, and gave no picture", count=loss.broken),
            t("{count} are shown, with damage", count=loss.damaged),
            t("Of a camera that sends at uneven times, what did not come cannot be known"),
        )
    )


def _age_text(seconds: float, captured: bool) -> str:
    milliseconds = figure(seconds * 1000, ".0f")
    if captured:
        return t("{figure} ms since capture", figure=milliseconds)
    return t("{figure} ms since arrival", figure=milliseconds)


class LiveBar(QWidget):
    """A badge, a line about the connection, the latency, and the recording."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        line = QHBoxLayout(self)
        line.setContentsMargins(2, 2, 2, 2)
        line.setSpacing(10)
        self.badge = PlainLabel(objectName="badge")
        self.badge.setAccessibleName(t("State of the live source"))
        self.badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.status = ElidedLabel(objectName="dim")
        self.deadline = ElidedLabel(objectName="deadline")
        self.deadline.setAccessibleName(t("Deadline"))
        self.deadline.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.deadline.hide()
        self.recording = PlainLabel(objectName="recording")
        self.recording.setAccessibleName(t("Recording"))
        self.recording.hide()
        self.latency = PlainLabel(objectName="dim")
        self.latency.setAccessibleName(t("Latency"))
        self.latency.setFont(tabular(self.latency.font()))
        self.latency.setMinimumWidth(self.latency.fontMetrics().horizontalAdvance(_age_text(9.999, captured=True)) + 2)
        self.latency.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        parts = ((self.badge, 0), (self.status, 1), (self.deadline, 3), (self.recording, 0), (self.latency, 0))
        for widget, stretch in parts:
            line.addWidget(widget, stretch)
        self._kind = ""
        self.set_status(PlayerState.LOADING, LiveStatus())

    def set_status(self, state: PlayerState, status: LiveStatus) -> None:
        tip = ""
        if state is PlayerState.PAUSED:
            kind, text, line = "paused", "PAUSED", t("The stream goes on; play returns to what is now")
        elif state is PlayerState.ERROR:
            kind, text, line = "lost", "STOPPED", ""
        elif status.connected:
            times = tn(status.reconnects, "came back once", "came back {count} times")
            parts = (times if status.reconnects else "", loss_text(status.loss))
            kind, text, line = "live", "● LIVE", " · ".join(filter(None, parts))
            tip = "\n".join(filter(None, (line, _loss_tip(status.loss) if parts[1] else "")))
        else:
            kind, text = "lost", "NO PICTURE" if status.silent else "RECONNECTING"
            line = said(status.problem or "")
        self.badge.setText(t(text))
        if self._kind != kind:
            self._kind = kind
            self.badge.setProperty("kind", kind)
            self.badge.style().unpolish(self.badge)
            self.badge.style().polish(self.badge)
        self.latency.setVisible(kind == "live")  # of the past, while nothing arrives
        self.status.setText(line)
        self.status.setToolTip(plain_tip(tip or line))

    def set_times(self, snapshot: LedgerSnapshot) -> None:
        captured = snapshot.stages.get("since_capture")
        age = captured or snapshot.stages.get("shown")
        self.latency.setText(_age_text(age.p50_s, captured is not None) if age else "")
        if captured is not None:
            tip = t("From the moment a picture was taken, by the camera's own clock, to its overlay on the screen")
        else:
            tip = t("From the arrival of a picture to its overlay on the screen; when it was taken is not known")
        tip = t("{tip}: half of the pictures are faster", tip=tip)
        if age:
            most = figure(age.p95_s * 1000, ".0f")
            tip = t("{tip}, and 95 in 100 are faster than {figure} ms", tip=tip, figure=most)
        self.latency.setToolTip(tip)

    def set_deadline(self, text: str, tip: str, *, kept: bool) -> None:
        """What is done to keep a deadline, and all about it; "" for no deadline."""
        self.deadline.setVisible(bool(text))
        self.deadline.setText(text)
        self.deadline.setToolTip(plain_tip(tip))
        if self.deadline.property("kept") is not kept:
            self.deadline.setProperty("kept", kept)
            self.deadline.style().unpolish(self.deadline)
            self.deadline.style().polish(self.deadline)

    def set_recording(self, seconds: float | None) -> None:
        """How long it has been running; None when nothing is recorded."""
        self.recording.setVisible(seconds is not None)
        if seconds is not None:
            self.recording.setText(t("● REC {time}", time=clock_text(seconds)))
