"""The numbers of the side panel, to take away: copied as text, or saved as a table while a video plays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from seg_viewer.core.long_names import joined
from seg_viewer.gui.dialogs.confirm import confirm
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.process_use import ProcessUse
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.tasks.export_names import free_name, suggest_output
from seg_viewer.gui.tasks.numbers import NumbersTask
from seg_viewer.gui.widgets.folders import open_folder_of
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.stats_panel import StatsPanel
from seg_viewer.gui.words import t, tn
from seg_viewer.player.player import Player

_USE_EVERY_S = 1.0
_SAVE, _STOP = "Save &numbers…", "Stop saving &numbers"


class Numbers(QObject):
    """Copies, saves, and asks the system what this program uses.

    Args:
        player: whose frames have the numbers.
        stats: shows them.
        memory: knows which parts are folded.
        action: "save-numbers"; says whether it starts or stops.
        messages: say what was saved.
        background: writes.
        window: the dialogs belong to it.
    """

    def __init__(
        self,
        player: Player,
        stats: StatsPanel,
        memory: Memory,
        action: QAction,
        messages: MessageBar,
        background: Background,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._player, self._stats, self._action = player, stats, action
        self._messages, self._window = messages, window
        stats.set_folded(memory.settings.folded)
        stats.folded_changed.connect(lambda keys: memory.change(folded=keys))
        self._use = ProcessUse()
        self._next_use_s = 0.0
        self.task = NumbersTask(player, background, self)
        self.task.changed.connect(lambda on: action.setText(t(_STOP if on else _SAVE)))
        self.task.failed.connect(messages.show_error)
        self.task.saved.connect(self._show_saved)

    def slots(self) -> dict[str, Callable[..., object]]:
        return {"copy-numbers": self.copy, "save-numbers": self.toggle_saving}

    def copy(self) -> None:
        """As text into the clipboard."""
        QApplication.clipboard().setText(self._stats.as_text())
        self._messages.show_info(t("The numbers were copied"))

    def toggle_saving(self) -> None:
        """Ask where to, and begin; or stop."""
        if self.task.running:
            self.task.stop()
            return
        info, spec = self._player.info, self._player.spec
        if info is None or spec is None:
            return
        video = suggest_output(info)
        there = free_name(video.with_name(joined(info.file_stem, "_numbers.csv")))
        name, _filter = QFileDialog.getSaveFileName(
            self._window,
            t("Save the numbers of each frame that plays from now on"),
            str(there),
            t("Table (*.csv);;All files (*)"),
            options=QFileDialog.Option.DontConfirmOverwrite,  # it would ask with Yes and No
        )
        if not name:
            return
        path = Path(name) if Path(name).suffix else Path(f"{name}.csv")
        if path.exists() and not confirm(
            self._window,
            t("File exists"),
            t("{names} exists already. Replace it?", names=path.name),
            yes=t("Replace"),
            no=t("Keep"),
        ):
            return
        self.task.start(path, spec.labels, overwrite=path.exists())

    def refresh(self) -> None:
        """Called several times a second."""
        self.task.refresh()
        now_s = time.perf_counter()
        if now_s >= self._next_use_s:
            self._next_use_s = now_s + _USE_EVERY_S
            self._stats.set_use(self._use.sample())

    def end(self) -> None:
        """The window closes; `Background.close` waits for the file."""
        self.task.stop()

    def _show_saved(self, name: str, rows: int, notes: list[str]) -> None:
        text = tn(rows, "Numbers of 1 frame saved: {name}", "Numbers of {count} frames saved: {name}", name=name)
        self._messages.show_info(text, t("Open folder"), lambda: open_folder_of(Path(name)))
        self._messages.show_warnings(notes)
