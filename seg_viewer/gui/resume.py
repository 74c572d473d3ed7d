"""Offers to go on where a long video was left."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import QObject

from seg_viewer.gui.tasks.background import Background, within
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.seek_bar import clock_text
from seg_viewer.gui.words import t
from seg_viewer.player.places import LONG_S, Places, is_middle
from seg_viewer.player.player import Player

_EVERY_S = 10.0
_KEEP_S = 2.0
_log = logging.getLogger(__name__)


class Resume(QObject):
    """Notes where long videos are, every ten seconds and when they are left; asks when one is opened again.

    Args:
        player: plays them.
        places: where they were left.
        messages: the question is one of them; playing goes on meanwhile.
        background: reads and writes the file of places.
        seek: jumps to a time, seconds.
    """

    def __init__(
        self,
        player: Player,
        places: Places,
        messages: MessageBar,
        background: Background,
        seek: Callable[[float], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player, self._places, self._messages, self._background = player, places, messages, background
        self._seek = seek
        self._known = False
        """Whether the place where this video was left before has been read: nothing is written over it until then."""
        self._noted: tuple[str, float] | None = None
        self._noted_at_s = 0.0

    def opened(self) -> None:
        """Another source can be played now."""
        fingerprint = self._fingerprint()
        self._known, self._noted = False, None
        if fingerprint is None:
            return
        self._noted_at_s = time.monotonic()
        self._background.run(
            "places",
            lambda: self._places.get(fingerprint),
            lambda time_s: self._offer(fingerprint, time_s),
            _log.warning,
            owner=self,
            subject=str(self._places.path),
        )

    def refresh(self) -> None:
        """Called several times a second."""
        if time.monotonic() - self._noted_at_s >= _EVERY_S:
            self.leave()

    def leave(self) -> None:
        """The source may be left now."""
        self._noted_at_s = time.monotonic()
        fingerprint, info = self._fingerprint(), self._player.info
        if fingerprint is None or info is None or not self._known:
            return
        time_s, length_s = self._player.wished_s, info.duration_s
        if self._noted == (fingerprint, time_s):
            return
        self._noted = (fingerprint, time_s)
        self._background.run(
            "places-note",
            lambda: self._places.leave(fingerprint, time_s, length_s),
            lambda _none: None,
            _log.warning,  # nothing is lost but a convenience
            owner=self,
            subject=str(self._places.path),
            wait=within(_KEEP_S),
        )

    def forget(self) -> None:
        """Every place."""
        self._background.run(
            "places-forget",
            self._places.forget,
            lambda _none: None,
            self._messages.show_error,
            owner=self,
            subject=str(self._places.path),
            wait=within(_KEEP_S),
        )

    def _fingerprint(self) -> str | None:
        """Of what plays; None unless it is worth a place."""
        info = self._player.info
        if info is None or info.live or not info.can_seek or (info.duration_s or 0.0) <= LONG_S:
            return None
        return info.fingerprint or None

    def _offer(self, fingerprint: str, time_s: float | None) -> None:
        info = self._player.info
        if fingerprint != self._fingerprint() or info is None:
            return
        self._known = True
        if time_s is None or not is_middle(time_s, info.duration_s):
            return

        question = t("Continue at {time}?", time=clock_text(time_s))

        def go_on() -> None:
            if fingerprint == self._fingerprint():
                self._messages.take_back(question)
                self._seek(time_s)

        self._messages.show_info(question, t("Continue"), go_on)
