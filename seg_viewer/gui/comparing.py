"""Two models on the same frames: choosing the second one, and going on to where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from seg_viewer.core.assets import find_model
from seg_viewer.core.frame import Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.gui.compare_menu import CompareMenu
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.tasks.background import Background
from seg_viewer.gui.view.looking import Looking
from seg_viewer.gui.view.modes import MODES, mode_by_id
from seg_viewer.gui.view.scene import MISSING, NEEDS
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.gui.widgets.stats_panel import StatsPanel
from seg_viewer.gui.words import figure, t
from seg_viewer.player.player import Player
from seg_viewer.player.search import MOST_S, Outcome, Search, disagreement_share

_COMPARES = "wipe-models"
_SHOWN_ALONE = {
    "export": "The export shows the classes of {model}, the first of the two models",
    "screenshot": "The picture shows the classes of {model}, the first of the two models",
    "record": "What is recorded shows the classes of {model}, the first of the two models",
}
"""Actions that take the first model only, and what they make."""


class Comparing(QObject):
    """Connects the menu "Compare with" and what goes with it to player and view.

    Args:
        player: runs the models.
        view: shows them.
        looking: changes how.
        stats: say how much they differ.
        messages: say what came of a search.
        actions: of the window, by id.
        memory: of the window.
        background: reads model files.
        parent: the window.
    """

    def __init__(
        self,
        player: Player,
        view: VideoView,
        looking: Looking,
        stats: StatsPanel,
        messages: MessageBar,
        actions: Mapping[str, QAction],
        memory: Memory,
        background: Background,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._player, self._view, self._looking, self._stats = player, view, looking, stats
        self._messages, self._memory = messages, memory
        self._search: Search | None = None
        self.menu = CompareMenu(lambda: player.options, lambda: player.against, lambda: player.spec, background, parent)
        self.menu.chosen.connect(self.begin)
        self.menu.ended.connect(self.end)
        self.menu.failed.connect(messages.show_error)
        self.menu.share_chosen.connect(self._set_share)
        self.menu.set_share(memory.settings.differ_above)
        for id_, what in _SHOWN_ALONE.items():
            actions[id_].triggered.connect(lambda _on=False, what=what: self._say_alone(what))

    def slots(self) -> dict[str, Callable[..., object]]:
        """What its actions do, by their ids."""
        return {"next-disagreement": self.find_next}

    # -- the second model ------------------------------------------------------------------------------------------

    def begin(self, model: str) -> None:
        """Have a second model look on, and show both.

        Args:
            model: name of a shipped one, or path of a file.
        """
        if find_model(model).resolve() == self.menu.wanted:
            return
        self._player.use_pair(model)
        if self._view.mode.needs != "second map":
            self._looking.set_mode(mode_by_id(_COMPARES))

    def end(self) -> None:
        """The first model goes on alone."""
        self._player.use_pair(None)
        if self._view.mode.needs == "second map":
            self._looking.set_mode(MODES[0])

    def show(self, shot: Shot) -> None:
        """Whose classes a shot in the window has, and how much they differ."""
        specs = [spec for spec in (self._player.spec, self._player.against_spec) if spec is not None]
        self._view.set_models(_titles(specs))
        found = shot.disagreement
        self._stats.set_difference(found.share if found is not None else None, specs[-1].title if specs else "")

    def refresh(self) -> None:
        """Several times a second: what has come of a search."""
        search = self._search
        if search is not None and search.outcome is not None:
            self._search = None
            self._tell(search.outcome, search.share_found or 0.0)

    def _say_alone(self, what: str) -> None:
        """Who sees two models may expect both there."""
        spec = self._player.spec
        if self._player.against is not None and spec is not None:
            self._messages.show_info(t(what, model=spec.name))

    # -- where they differ -----------------------------------------------------------------------------------------

    def find_next(self) -> None:
        """Pause, and go on to the next frame where the models differ."""
        shown = self._view.shown
        if shown is None:
            return
        if not NEEDS["second map"](shown):
            loads = self._player.against is not None
            self._messages.show_info(t("The second model is still loading" if loads else MISSING["second map"]))
            return
        if self._search is not None and self._search.go_further():
            return  # pressed again: none is lost
        self._search = Search(disagreement_share, self._above)
        self._player.find(self._search)
        self._messages.show_info(
            t(
                "Looking for the next frame where more than {percent} % of the picture differs; Esc stops",
                percent=self._percent,
            )
        )

    def stop(self) -> bool:
        """Stop looking; returns whether it was."""
        if self._search is None:
            return False
        self._player.stop_finding()
        self.refresh()
        return True

    @property
    def _above(self) -> float:
        return self._memory.settings.differ_above

    @property
    def _percent(self) -> str:
        return f"{100 * self._above:.0f}"

    def _tell(self, outcome: Outcome, share: float) -> None:
        none = t("there is no other frame where more than {percent} % of the picture differs", percent=self._percent)
        text = {
            Outcome.FOUND: t("The models differ on {percent} % of this picture", percent=figure(100 * share)),
            Outcome.END: t("From here to the end {none}", none=none),
            Outcome.FAR: t("In the last {s} s {none}; the same key looks further", s=f"{MOST_S:.0f}", none=none),
            Outcome.NONE: t(MISSING["second map"]),
        }.get(outcome)
        if text is not None:
            self._messages.show_info(text)

    def _set_share(self, share: float) -> None:
        self._memory.change(differ_above=share)
        self.menu.set_share(share)


def _titles(specs: list[ModelSpec]) -> list[str]:
    """Names of models, with what tells them apart where two have the same."""
    names = [spec.name for spec in specs]
    return names if len(set(names)) == len(names) else [f"{spec.title}, {spec.path.name}" for spec in specs]
