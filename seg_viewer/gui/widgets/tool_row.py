"""A row of buttons that puts what it has no room for into a menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from seg_viewer.gui.words import t

ALWAYS = 100
"""Of this importance, a tool is never folded away."""

_SPACING = 4


@dataclass
class _Tool:
    """One widget of the row.

    Args:
        widget: what is shown while there is room.
        importance: the least important goes into the menu first.
        entries: of the menu, in its place.
        wanted: whether it is there at all now.
    """

    widget: QWidget
    importance: int
    entries: tuple[QAction | QMenu, ...]
    wanted: bool = True


class ToolRow(QWidget):
    """Buttons side by side; those without room are entries of the last one, "More"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools: dict[str, _Tool] = {}
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(_SPACING)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.more_menu = QMenu(t("More"), self)
        self.more_menu.aboutToShow.connect(self._fill)
        self.more_button = QToolButton()
        self.more_button.setObjectName("button-more")
        self.more_button.setText("⋯")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more_button.setAccessibleName(t("More"))
        self.more_button.setToolTip(t("What has no room in this bar"))
        self.more_button.setProperty("bare", True)
        self.more_button.setMenu(self.more_menu)
        self.more_button.hide()
        self._line.addWidget(self.more_button)

    @property
    def folded(self) -> list[str]:
        """Names of what is in the menu now, in the order of the row."""
        return [name for name, tool in self._tools.items() if tool.wanted and tool.widget.isHidden()]

    def add(
        self,
        name: str,
        widget: QWidget,
        importance: int,
        entries: Sequence[QAction | QMenu] = (),
        *,
        after: str = "",
    ) -> None:
        """Put a widget at the end, or behind another.

        Args:
            name: in code.
            widget: a button, a slider, …
            importance: the least important goes into the menu first; `ALWAYS` never does.
            entries: of the menu in its place.
            after: name of the tool on its left; "" for the end.
        """
        place = self._line.indexOf(self._tools[after].widget) + 1 if after else self._line.count() - 1
        self._line.insertWidget(place, widget)
        tools = list(self._tools.items())
        at = list(self._tools).index(after) + 1 if after else len(tools)
        tools.insert(at, (name, _Tool(widget, importance, tuple(entries))))
        self._tools = dict(tools)
        self._fit()

    def add_stretch(self) -> None:
        """Room that what comes next is moved to the right by."""
        self._line.insertStretch(self._line.count() - 1, 1)

    def set_wanted(self, name: str, wanted: bool) -> None:
        """Whether a tool is there at all, in the row or in the menu."""
        if self._tools[name].wanted is not wanted:
            self._tools[name].wanted = wanted
            self._fit()

    def minimumSizeHint(self) -> QSize:
        """Room for what is never folded, and for the menu's button."""
        always = [tool.widget for tool in self._tools.values() if tool.wanted and tool.importance >= ALWAYS]
        height = max((_least(tool.widget).height() for tool in self._tools.values()), default=0)
        return QSize(_together([_least(widget).width() for widget in (*always, self.more_button)]), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        wanted = {name: tool for name, tool in self._tools.items() if tool.wanted}
        widths = {name: _least(tool.widget).width() for name, tool in wanted.items()}
        more = _least(self.more_button).width()
        goes_first = sorted((n for n in wanted if wanted[n].importance < ALWAYS), key=lambda n: wanted[n].importance)
        room = self.width()
        while goes_first and _together(list(widths.values())) > room:
            del widths[goes_first.pop(0)]
            room = self.width() - more - _SPACING  # the menu's button comes with the first that goes
        self.more_button.setVisible(len(widths) < len(wanted))
        for name, tool in self._tools.items():
            tool.widget.setVisible(name in widths)

    def _fill(self) -> None:
        self.more_menu.clear()
        for name in self.folded:
            for entry in self._tools[name].entries:
                if isinstance(entry, QMenu):
                    self.more_menu.addMenu(entry)
                else:
                    self.more_menu.addAction(entry)


def _together(widths: Sequence[int]) -> int:
    return sum(widths) + _SPACING * max(0, len(widths) - 1)


def _least(widget: QWidget) -> QSize:
    """The smallest size at which nothing of it is cut, as its layout sees it."""
    least = widget.minimumSizeHint().expandedTo(widget.minimumSize())
    return least.boundedTo(widget.maximumSize())
