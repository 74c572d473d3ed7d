"""The settings page: what is remembered and is no button of the window, as data. Everything applies at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from seg_viewer.gui.dialogs.keys import take_key
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.settings import WindowSettings
from seg_viewer.gui.widgets.plain import ElidedLabel, PlainLabel, plain_tip
from seg_viewer.gui.words import t

_FRAME = QSize(8, 40)  # what a window manager usually adds
_BETWEEN = 8  # more above a heading than below it, pixels


@dataclass(frozen=True)
class Choice:
    """One of several values, by name.

    Args:
        options: value → its name, in order; asked each time the page is shown.
    """

    options: Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Switch:
    """On or off."""


@dataclass(frozen=True)
class Folder:
    """A folder, or "" for the usual one.

    Args:
        usual: where things go while nothing was chosen.
    """

    usual: Callable[[], Path]


@dataclass(frozen=True)
class Setting:
    """One line of the page.

    Args:
        key: field of `WindowSettings`.
        title: on the left.
        kind: what it can be.
        section: heading that it stands under; one section's settings stand together.
        tip: one sentence below it, or "".
    """

    key: str
    title: str
    kind: Choice | Switch | Folder
    section: str
    tip: str = ""


class _Page(QScrollArea):
    """Scrolls up and down only, so it is never narrower than what is in it."""

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        bar = self.verticalScrollBar().sizeHint().width()
        page = self.widget()
        return least if page is None else least.expandedTo(QSize(page.minimumSizeHint().width() + bar, 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:  # what is in it has changed, which Qt says to nobody else
            self.updateGeometry()
        return super().eventFilter(watched, event)


class SettingsDialog(QDialog):
    """Shows settings and changes them; stays usable beside the window.

    Args:
        settings: the lines.
        memory: holds the values; what is changed elsewhere is shown here, too.
        more: further parts below, each under a heading: (heading, widget).
    """

    def __init__(
        self,
        settings: tuple[Setting, ...],
        memory: Memory,
        more: tuple[tuple[str, QWidget], ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Settings"))
        self.setMinimumHeight(260)
        self.fields: dict[str, _Field] = {}
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(10)
        heading = ""
        for setting in settings:
            if setting.section != heading:
                if heading:
                    column.addSpacing(_BETWEEN)
                heading = setting.section
                column.addWidget(PlainLabel(t(heading).upper(), objectName="heading"))
            field = self.fields[setting.key] = _make_field(setting, memory)
            column.addWidget(field)
        for title, widget in more:
            column.addSpacing(_BETWEEN)
            column.addWidget(PlainLabel(t(title).upper(), objectName="heading"))
            column.addWidget(widget)
        column.addStretch(1)
        area = _Page()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setAccessibleName(t("Settings"))
        area.setWidget(page)
        self.close_button = QPushButton(t("Close"))
        self.close_button.setAutoDefault(False)
        self.close_button.clicked.connect(self.close)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(20, 0, 20, 16)
        bottom.addWidget(PlainLabel(t("Changes apply at once."), objectName="dim"))
        bottom.addStretch(1)
        bottom.addWidget(self.close_button)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(area, 1)
        around.addLayout(bottom)
        self.resize(QSize(560, page.sizeHint().height() + 70).boundedTo(self.screen().availableSize() - _FRAME))
        memory.changed.connect(self._show)
        self._show(memory.settings)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not take_key(self, event):
            super().keyPressEvent(event)

    def _show(self, settings: WindowSettings) -> None:
        for key, field in self.fields.items():
            field.show_value(getattr(settings, key))


class _Field(QWidget):
    """A title, what can be chosen, and a line that says what it does."""

    def __init__(self, setting: Setting, memory: Memory) -> None:
        super().__init__()
        self.setting = setting
        self._memory = memory
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self.line = QHBoxLayout()
        self.line.setSpacing(8)
        self._column.addLayout(self.line)
        if setting.tip:
            tip = PlainLabel(t(setting.tip), objectName="dim")
            tip.setWordWrap(True)
            self._column.addWidget(tip)

    def show_value(self, value: object) -> None:
        """What holds now."""
        raise NotImplementedError

    def change(self, value: object) -> None:
        """A person wants it otherwise."""
        self._memory.change(**{self.setting.key: value})


class _SwitchField(_Field):
    def __init__(self, setting: Setting, memory: Memory) -> None:
        super().__init__(setting, memory)
        self.box = QCheckBox(t(setting.title))
        self.box.toggled.connect(self.change)
        self.line.addWidget(self.box, 1)

    def show_value(self, value: object) -> None:
        self.box.setChecked(bool(value))


class _ChoiceField(_Field):
    def __init__(self, setting: Setting, memory: Memory, kind: Choice) -> None:
        super().__init__(setting, memory)
        self._options = kind.options
        self.box = QComboBox()
        self.box.setAccessibleName(t(setting.title))
        self.box.setMinimumContentsLength(14)
        self.box.activated.connect(lambda place: self.change(self.box.itemData(place)))
        title = PlainLabel(t(setting.title))
        title.setBuddy(self.box)
        self.line.addWidget(title, 1)
        self.line.addWidget(self.box)

    def show_value(self, value: object) -> None:
        options = dict(self._options())
        if value not in options:
            options[str(value)] = str(value)
        if list(options) != [self.box.itemData(place) for place in range(self.box.count())]:
            self.box.clear()
            for key, name in options.items():
                self.box.addItem(t(name), key)
        self.box.setCurrentIndex(list(options).index(str(value)))


class _FolderField(_Field):
    def __init__(self, setting: Setting, memory: Memory, kind: Folder) -> None:
        super().__init__(setting, memory)
        self._usual = kind.usual
        self.path = ElidedLabel(objectName="dim")
        self.path.setAccessibleName(t("{title}: where it is", title=t(setting.title)))
        self.choose = QPushButton(t("Choose…"))
        self.choose.setAccessibleName(t("Choose: {title}", title=t(setting.title)))
        self.usual = QPushButton(t("As usual"))
        self.usual.setAccessibleName(t("As usual: {title}", title=t(setting.title)))
        self.choose.clicked.connect(self._ask)
        self.usual.clicked.connect(lambda: self.change(""))
        self.line.addWidget(PlainLabel(t(setting.title)))
        self.line.addWidget(self.path, 1)
        for button in (self.choose, self.usual):
            button.setAutoDefault(False)
            self.line.addWidget(button)

    def show_value(self, value: object) -> None:
        path = str(value or self._usual())
        self.path.setText(path)
        self.path.setToolTip(plain_tip(path))
        self.usual.setEnabled(bool(value))
        self.usual.setToolTip(plain_tip(t("Back to {folder}", folder=self._usual())))

    def _ask(self) -> None:
        name = QFileDialog.getExistingDirectory(self, t(self.setting.title), self.path.text())
        if name:
            self.change(name)


def _make_field(setting: Setting, memory: Memory) -> _Field:
    match setting.kind:
        case Choice():
            return _ChoiceField(setting, memory, setting.kind)
        case Folder():
            return _FolderField(setting, memory, setting.kind)
        case Switch():
            return _SwitchField(setting, memory)
