"""The picture of a shot under its overlay."""

from __future__ import annotations

from seg_viewer.core.frame import Shot, YuvPlanes
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.paint import draw_text, stats_lines
from seg_viewer.sinks.base import SinkRequest


class Painted:
    """Paints shots as a request asks for.

    Args:
        request: its labels, style, and whether numbers are written into the picture.
    """

    def __init__(self, request: SinkRequest) -> None:
        self._overlay = Overlay(request.labels, request.style)
        self._style = request.style
        self._stats = request.stats
        self._path = request.path
        self.notes: tuple[str, ...] = ()
        """What could not be painted, a line each."""

    def __call__(self, shot: Shot) -> YuvPlanes:
        planes = shot.frame.picture.yuv420()
        self._overlay.paint_yuv(planes, shot.classes)
        if self._stats and not draw_text(planes, stats_lines(shot, self._style)):
            self.notes = (f"{self._path}: the picture is too small for numbers; they were left out",)
        return planes
