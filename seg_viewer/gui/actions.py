"""Everything a person can do, as data: menus, keys, tool tips and the keyboard help are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from seg_viewer.gui.theme import icon
from seg_viewer.gui.view.layers import LAYERS
from seg_viewer.gui.view.modes import MODES
from seg_viewer.gui.view.wipe import VIEW_KEYS
from seg_viewer.gui.words import key_text, t, with_keys


@dataclass(frozen=True)
class ActionSpec:
    """One thing that a person can do.

    Args:
        id: name in code.
        text: as in a menu; "…" when it asks for more.
        tip: one sentence.
        keys: shortcuts, the first one is shown.
        icon: name below assets/icons, or "".
        checkable: is on or off.
        needs: "" always works; "video" needs an open source; "seek" one that can seek, "file" one that is not live,
            "live" one that is, "sound" a file with sound.
        menu: title of the menu inside the menu, in which it is, or "".
    """

    id: str
    text: str
    tip: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    needs: str = ""
    menu: str = ""


SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
SPEED_NAMES = {0.25: "¼×", 0.5: "½×", 1.0: "1×", 2.0: "2×", 4.0: "4×"}

ZOOMS = tuple(
    ActionSpec(id_, text, tip, keys, needs="video", menu="&Picture size")
    for id_, text, tip, keys in (
        ("zoom-in", "Zoom &in", "Show a part, larger", ("+", "=", "Ctrl++")),
        ("zoom-out", "Zoom &out", "Show more, smaller", ("-", "Ctrl+-")),
        ("zoom-fit", "&Fit to the window", "Show the whole picture", ("Ctrl+0",)),
        ("zoom-one", "&1:1", "A pixel of the picture is one of the screen", ("Ctrl+1",)),
    )
)

MENUS: tuple[tuple[str, tuple[ActionSpec | None, ...]], ...] = (
    (
        "&File",
        (
            ActionSpec("open", "&Open video…", "Open videos or pictures", ("Ctrl+O",), "open"),
            ActionSpec(
                "open-folder", "Open &folder…", "Open pictures or videos of a folder", ("Ctrl+Shift+O",), "folder"
            ),
            ActionSpec(
                "address",
                "Open camera or &address…",
                "Open a camera, a network stream or the screen",
                ("Ctrl+L",),
                "live",
            ),
            ActionSpec("demo", "&Demo clip", "Open the clip that comes with this program", ("Ctrl+D",), "demo"),
            None,
            ActionSpec(
                "screenshot", "&Screenshot", "Save this picture with its overlay", ("S",), "camera", needs="video"
            ),
            ActionSpec(
                "dataset",
                "Send to data set",
                "Save frame and class map for the trainer",
                ("D",),
                needs="video",
            ),
            ActionSpec("undo", "&Undo send", "Take back the frame that was sent last", ("Ctrl+Z",)),
            ActionSpec("record", "&Record", "Record what is live", ("R",), "record", needs="live"),
            ActionSpec("export", "&Export…", "Write a video with the overlay", ("Ctrl+E",), "export", needs="file"),
            ActionSpec(
                "export-queue", "Expor&t queue…", "Export many files, one after the other", ("Ctrl+Shift+E",), "queue"
            ),
            None,
            ActionSpec("settings", "Se&ttings…", "Folders, look, model, cache", ("Ctrl+,",)),
            ActionSpec("quit", "&Quit", "Close the window", ("Ctrl+Q",)),
        ),
    ),
    (
        "&Playback",
        (
            ActionSpec("play", "&Play", "Play or pause", ("Space", "K"), "play", needs="video"),
            ActionSpec("shuttle", "Play, then faste&r", "Play; again, faster", ("L",), needs="file"),
            ActionSpec(
                "shuttle-back",
                "Slower, then &wind back",
                "Slower; at 1×, wind back; again, faster",
                ("J",),
                needs="seek",
            ),
            ActionSpec("step", "Ne&xt frame", "Pause and show the next frame", (".",), "step-forward", needs="video"),
            ActionSpec(
                "step-back", "P&revious frame", "Pause and show the frame before", (",",), "step-back", needs="seek"
            ),
            None,
            ActionSpec("forward", "&Forward 5 s", "Jump 5 seconds ahead", ("Right",), needs="seek"),
            ActionSpec("back", "&Back 5 s", "Jump 5 seconds back", ("Left",), needs="seek"),
            ActionSpec("start", "To the &start", "Jump to the first frame", ("Home",), needs="seek"),
            ActionSpec("end", "To the &end", "Jump to the last frame", ("End",), needs="seek"),
            None,
            ActionSpec(
                "next-class",
                "&Next person or class",
                "Jump to where the class that is looked for comes next",
                ("N",),
                needs="seek",
            ),
            ActionSpec(
                "previous-class",
                "Pre&vious person or class",
                "Jump to where it came before",
                ("Shift+N",),
                needs="seek",
            ),
            ActionSpec(
                "find-class",
                "Find a &class…",
                "Choose the class to jump to, and how large it is",
                ("Ctrl+F",),
                needs="seek",
            ),
            None,
            ActionSpec("faster", "Fas&ter", "Play faster", ("]",), needs="file"),
            ActionSpec("slower", "S&lower", "Play slower", ("[",), needs="file"),
            None,
            ActionSpec("loop", "L&oop", "Start over at the end", ("Shift+L",), "loop", checkable=True, needs="file"),
            ActionSpec(
                "part-start",
                "Repeat from &here",
                "Play a part again and again: its start",
                ("A",),
                needs="seek",
                menu="Repeat &a part",
            ),
            ActionSpec(
                "part-end",
                "Repeat &up to here",
                "Play a part again and again: its end",
                ("B",),
                needs="seek",
                menu="Repeat &a part",
            ),
            ActionSpec(
                "part-clear",
                "Repeat &no part",
                "Play on past the end of the part",
                ("Shift+A",),
                needs="seek",
                menu="Repeat &a part",
            ),
            None,
            ActionSpec(
                "next-file", "Next &in playlist", "Play what comes next", ("PgDown", "Media Next"), menu="Pla&ylist"
            ),
            ActionSpec(
                "previous-file",
                "Previous in pla&ylist",
                "Play what came before",
                ("PgUp", "Media Previous"),
                menu="Pla&ylist",
            ),
            ActionSpec(
                "loop-list",
                "Loop playlist",
                "Begin again after the last",
                ("Ctrl+Shift+L",),
                checkable=True,
                menu="Pla&ylist",
            ),
            ActionSpec(
                "playlist", "Pl&aylist", "Show or hide the list", ("Ctrl+P",), "queue", checkable=True, menu="Pla&ylist"
            ),
            None,
            ActionSpec("mute", "&Mute", "Sound off or on", ("M",), checkable=True, needs="sound", menu="So&und"),
            ActionSpec("louder", "Lo&uder", "Raise the volume", ("Shift+Up",), needs="sound", menu="So&und"),
            ActionSpec("quieter", "&Quieter", "Lower the volume", ("Shift+Down",), needs="sound", menu="So&und"),
        ),
    ),
    (
        "&Model",
        (
            ActionSpec("open-model", "&Other model file…", "Run a model file of your own", ("Ctrl+M",)),
            ActionSpec(
                "next-disagreement",
                "Next &disagreement",
                "Pause, and go on to the next frame where two models differ",
                ("Shift+G",),
                needs="file",
            ),
        ),
    ),
    (
        "&View",
        (
            ActionSpec("overlay", "&Overlay", "Show or hide the colours", ("T", "H"), "overlay", checkable=True),
            ActionSpec("outline", "Ou&tlines", "Draw the border of each class", ("O",), "outline", checkable=True),
            ActionSpec(
                "hatch",
                "&Hatching",
                "Draw each class in stripes, in a direction of its own",
                ("Shift+O",),
                checkable=True,
            ),
            ActionSpec(
                "steady",
                "Stead&y classes",
                "Where the picture stands still, a pixel changes its class only once that lasts",
                ("Shift+Y",),
                checkable=True,
            ),
            *(
                ActionSpec(
                    layer.id, layer.title, layer.tip, layer.keys, layer.icon, checkable=True, menu="On the p&icture"
                )
                for layer in LAYERS
                if layer.title
            ),
            ActionSpec(
                "zone-edit",
                "&Change ego zone",
                "Move, add and remove its corners by keys; Esc undoes, Enter keeps",
                ("Shift+Z",),
                menu="On the p&icture",
            ),
            ActionSpec(
                "timeline",
                "&Class timeline",
                "Show how much of the picture each class covers over the video",
                ("Y",),
                checkable=True,
            ),
            None,
            *(
                ActionSpec(f"mode-{mode.id}", mode.title, mode.tip, mode.keys, checkable=True, menu="Show &as")
                for mode in MODES
            ),
            *ZOOMS,
            None,
            ActionSpec("more", "&More colour", "Make the overlay more opaque", ("Up",)),
            ActionSpec("less", "&Less colour", "Make the overlay more transparent", ("Down",)),
            None,
            ActionSpec(
                "copy-numbers",
                "&Copy numbers",
                "Copy the numbers of the side panel as text",
                ("Ctrl+C",),
                needs="video",
            ),
            ActionSpec(
                "save-numbers",
                "Save &numbers…",
                "Save a row for each frame that plays, until stopped (CSV)",
                needs="video",
            ),
            ActionSpec("panel", "&Side panel", "Show or hide classes and statistics", ("P",), "panel", checkable=True),
            ActionSpec(
                "full-screen", "&Full screen", "Fill the screen; Esc leaves", ("F", "F11"), "fullscreen", checkable=True
            ),
        ),
    ),
    (
        "&Help",
        (
            ActionSpec("help", "&Keyboard shortcuts", "What every key does", ("F1", "?"), "keyboard"),
            ActionSpec("about", "&About seg-viewer", "Version and parts"),
        ),
    ),
)

MORE_KEYS = (
    ("0 … 9", "Jump to 0 … 90 % of the video"),
    ("Alt+1 … Alt+9", "Show or hide a class"),
    ("Esc", "Give up opening or searching, dismiss a message, or leave full screen"),
    *VIEW_KEYS,
)
"""Keys that are no action of a menu."""


def new_action(parent: QWidget, spec: ActionSpec) -> QAction:
    """The action of a spec, added to `parent` so that its keys work there."""
    action = QAction(t(spec.text), parent)
    action.setObjectName(spec.id)
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    if spec.id == "quit":  # also while one of its dialogs is active
        action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
    keys = f" ({key_text(spec.keys[0])})" if spec.keys else ""
    action.setToolTip(f"{t(spec.tip)}{keys}")
    action.setStatusTip(t(spec.tip))
    if spec.icon:
        action.setIcon(icon(spec.icon))
    action.setCheckable(spec.checkable)
    action.setIconVisibleInMenu(not spec.checkable)  # it would stand where the tick belongs
    parent.addAction(action)
    return action


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """Every action of `MENUS` by its id; they do nothing before `connect_actions`."""
    return {spec.id: new_action(parent, spec) for spec in all_specs()}


def connect_actions(actions: Mapping[str, QAction], *slots: Mapping[str, Callable[..., object]]) -> None:
    """Give every action what it does.

    Args:
        actions: as `make_actions` made them.
        slots: by the id of the action; that of a checkable one gets its state. Each part of the window brings its own.

    Raises:
        KeyError: an action has no slot.
        ValueError: two parts want the same action, or there is no such action.
    """
    merged: dict[str, Callable[..., object]] = {}
    for part in slots:
        if twice := merged.keys() & part.keys() or part.keys() - actions.keys():
            raise ValueError(f"no action, or wanted twice: {', '.join(sorted(twice))}")
        merged |= part
    for spec in all_specs():
        connect_action(actions[spec.id], merged[spec.id])


def connect_action(action: QAction, slot: Callable[..., object]) -> None:
    if action.isCheckable():
        action.toggled.connect(slot)
    else:
        action.triggered.connect(lambda _checked=False: slot())


def all_specs() -> list[ActionSpec]:
    return [spec for _title, items in MENUS for spec in items if spec is not None]


def fill_menu_bar(bar: QMenuBar, actions: Mapping[str, QAction], menus_after: Mapping[str, QMenu]) -> dict[str, QMenu]:
    """Put every action into its menu, and further menus behind the actions whose ids are given; returns the menus."""
    menus = {}
    for title, items in MENUS:
        menu = menus[title.replace("&", "")] = bar.addMenu(t(title))
        inner: dict[str, QMenu] = {}
        for spec in items:
            if spec is None:
                menu.addSeparator()
                continue
            if spec.menu and spec.menu not in inner:
                inner[spec.menu] = menu.addMenu(t(spec.menu))
            place = inner.get(spec.menu, menu)
            place.addAction(actions[spec.id])
            if spec.id in menus_after:
                further = menus_after[spec.id]
                further.setTitle(t(further.title()))
                place.addMenu(further)
        for each in (menu, *inner.values()):
            entries = [entry for entry in each.actions() if not entry.isSeparator()]
            for entry, text in zip(entries, with_keys([entry.text() for entry in entries]), strict=True):
                entry.setText(text)  # a menu's title, where the entry is one
    return menus
