"""Python's collector of cycles, kept on the window's thread."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject

from seg_viewer.gui.timers import timer

_LOOK_MS = 500


class Collector(QObject):
    """Collects cycles on the thread that it was made on, and on no other, until it is stopped.

    By itself Python collects on whichever thread makes the next object. A dialog or an icon that ended in a cycle would
    then be taken apart on a thread that decodes or infers, which Qt does not survive.

    What there is already is set aside (`gc.freeze`): it is not looked through again and again.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.collect()
        gc.freeze()
        self._timer = timer(self, _LOOK_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """What is due by Python's own thresholds, the oldest generation that is first."""
        for generation, (count, threshold) in reversed(
            list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))
        ):
            if count > threshold:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """As Python does it by itself, again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
