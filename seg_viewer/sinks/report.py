"""A report: one HTML file that needs nothing else, neither files nor scripts nor a network."""

from __future__ import annotations

from functools import partial

from seg_viewer.core.frame import Shot, Size
from seg_viewer.core.frame_stats import is_countable
from seg_viewer.core.overlay import Overlay
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sinks.report_page import page
from seg_viewer.sinks.series import Series, apart_s
from seg_viewer.sinks.thumbnail import encoded, painted
from seg_viewer.sinks.thumbnails import TopMoments
from seg_viewer.sinks.whole import FileSink, expected_s

MOST_PICTURES = 9
_THUMBNAIL = Size(480, 360)


class Report(FileSink):
    """Timeline of each class, the moments in which it covers most with their pictures, numbers, how it was made.

    Args:
        request: what is asked for.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        self._series = Series(request.labels)
        self._overlay = Overlay(request.labels, request.style)
        shown = sorted(request.style.shown(request.labels), key=lambda label: not is_countable(label.name))
        most = max(1, MOST_PICTURES // max(1, len(shown)))
        draw = partial(_thumbnail, self._overlay, request)
        apart = apart_s(expected_s(request))
        self._moments = [TopMoments(label.name, most, apart, draw) for label in shown[:MOST_PICTURES]]

    def _add(self, shot: Shot) -> None:
        self._series.add(shot)
        for moments in self._moments:
            moments.add(shot)

    def _complete(self) -> None:
        moments = {each.name: each.finish() for each in self._moments}
        self.part.write_text(page(self.request, self._series, moments), encoding="utf-8")

    def _drop(self) -> None:
        self._moments = []


def _thumbnail(overlay: Overlay, request: SinkRequest, shot: Shot) -> bytes:
    return encoded(painted(shot, overlay, request.sample_aspect, _THUMBNAIL), ".jpg")


SINK = SinkKind("report", (".html",), "one page: timeline of the classes, peaks with pictures, numbers", Report)
