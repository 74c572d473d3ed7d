"""A small picture of where the pointer is on the time line."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QAction, QImage

from seg_viewer.core.frame import ByteArray, FrameId
from seg_viewer.gui.look import Look
from seg_viewer.gui.widgets.seek_bar import SeekBar, clock_text
from seg_viewer.gui.widgets.thumbnail import ThumbnailPopup
from seg_viewer.gui.words import t
from seg_viewer.player.player import Player
from seg_viewer.player.thumbnails import Thumbnail, Thumbnails

_SAME_S = 0.05


class Hover(QObject):
    """Shows the time at once, and the picture with its overlay as soon as it is there.

    Args:
        player: what it plays is shown.
        seek_bar: where the pointer is.
        look: paints the classes.
        overlay: whether they are painted.
        parent: the window.
    """

    _ready = Signal()

    def __init__(self, player: Player, seek_bar: SeekBar, look: Look, overlay: QAction, parent: QObject) -> None:
        super().__init__(parent)
        self._player, self._seek_bar, self._look, self._overlay = player, seek_bar, look, overlay
        self.popup = ThumbnailPopup(seek_bar)
        self.thumbnails = Thumbnails(self._ready.emit, maps=self._kept)
        self._above: tuple[float, QPoint] | None = None
        self._ready.connect(self._show)
        seek_bar.hovered.connect(self._hovered)
        seek_bar.left.connect(self._left)
        look.changed.connect(lambda _overlay: self._show())
        overlay.toggled.connect(lambda _on: self._show())

    def opened(self) -> None:
        """The player has another source, or another model is shown."""
        player = self._player
        self.thumbnails.open(player.source, player.info, player.spec)

    def close(self) -> bool:
        """Stop; returns whether its thread has ended in time."""
        self.popup.hide()
        return self.thumbnails.close()

    def _kept(self, frame: FrameId, model: str) -> ByteArray | None:
        """A class map that was computed before; on the thread that makes the pictures."""
        player = self._player
        spec = player.spec
        if spec is None or spec.sha256 != model:
            return None
        return player.cache.get(frame, player.options.map_key(spec))

    def _hovered(self, time_s: float, place: QPoint) -> None:
        self._above = time_s, place
        self.thumbnails.want(time_s)
        self._show()

    def _left(self) -> None:
        self._above = None
        self.thumbnails.forget()
        self.popup.hide()

    def _show(self) -> None:
        if self._above is None or not self._seek_bar.isVisible():
            self.popup.hide()
            return
        time_s, place = self._above
        found = self.thumbnails.best(time_s)
        text = clock_text(time_s, tenths=True)
        if found is None:
            self.popup.show_above(place, text, None)
            return
        info = self._player.info
        rate = info.rate if info is not None else None
        is_it = -_SAME_S < time_s - found.time_s < max(_SAME_S, 1 / rate if rate else 0.0) + _SAME_S
        note = "" if is_it else t("picture of {time}", time=clock_text(found.time_s, tenths=True))
        self.popup.show_above(place, text, self._painted(found), note)

    def _is_on(self) -> bool:
        return self._overlay.isChecked()

    def _painted(self, found: Thumbnail) -> QImage:
        pixels = found.pixels.copy()
        overlay = self._look.overlay
        if found.classes is not None and overlay is not None and found.labels == overlay.labels and self._is_on():
            overlay.paint_rgb(pixels, found.classes)
        height, width = pixels.shape[:2]
        return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
