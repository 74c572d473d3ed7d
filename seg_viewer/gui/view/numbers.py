"""The lines of the on-picture display."""

from __future__ import annotations

from seg_viewer.core.frame import Shot
from seg_viewer.core.ledger import LedgerSnapshot
from seg_viewer.core.printable import printable
from seg_viewer.engines.base import EngineReport
from seg_viewer.gui.words import figure, said, t
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player

_NAMES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "tensorrt": "TensorRT"}


def exact_clock(time_s: float) -> str:
    """ "0:12.345", "1:02:03.004"; what it is at most, so that it never runs ahead of the picture."""
    thousandths = int(time_s * 1000 + 1e-6)
    seconds, thousandths = divmod(max(0, thousandths), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{front}:{seconds:02d}.{thousandths:03d}"


def shot_line(shot: Shot, length_s: float | None) -> str:
    """Time and number of the frame that is shown."""
    length = f" / {exact_clock(length_s)}" if length_s else ""
    return f"{exact_clock(shot.frame.time_s)}{length} · " + t("frame {number}", number=shot.frame.index)


def rate_line(snapshot: LedgerSnapshot, *, playing: bool, live: bool) -> str:
    """How many pictures are shown while they are, how long one takes, how many were left out."""
    rate = snapshot.rates.get("display", 0.0)
    parts = [t("{rate} fps", rate=figure(rate))] if playing and rate else []  # none yet: the first picture
    ages = (snapshot.stages.get("since_capture"), snapshot.stages.get("shown")) if live else ()
    times = next(filter(None, ages), None) if live else snapshot.stages.get("latency")
    if times is not None:
        median, most = (figure(each * 1000, ".0f") for each in (times.p50_s, times.p95_s))
        parts.append(t("latency {median} ms, 95 % {most} ms", median=median, most=most))
    parts.append(t("{count} dropped", count=sum(snapshot.drops.values())))
    return " · ".join(parts)


def engine_line(report: EngineReport) -> str:
    """What runs."""
    return printable(f"{_NAMES.get(report.name, report.name)} · {report.device} · {said(report.precision)}")


class Numbers:
    """Puts the lines together; what is averaged is asked for a few times a second only."""

    def __init__(self) -> None:
        self._slow: tuple[str, ...] = ()

    def lines(self, player: Player, shot: Shot, *, anew: bool) -> tuple[str, ...]:
        """Of a shot; `anew` asks for all of them, not only for its time."""
        info, ledger, report = player.info, player.ledger, player.engine_report
        if anew or not self._slow:
            playing, live = player.state is PlayerState.PLAYING, player.live_status is not None
            slow = [rate_line(ledger.snapshot(), playing=playing, live=live)] if ledger is not None else []
            self._slow = (*slow, *([engine_line(report)] if report is not None else []))
        return (shot_line(shot, info.duration_s if info is not None else None), *self._slow)
