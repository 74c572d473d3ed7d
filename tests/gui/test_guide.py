"""docs/viewer.md is true: every menu entry and key of the window stands in it, and those that stand in it are there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu

from seg_viewer.gui.actions import MORE_KEYS, all_specs
from seg_viewer.gui.focus_keys import OWN_KEYS
from seg_viewer.gui.settings import WindowSettings, open_store, save_settings
from tests.house import ROOT

PAGE = (ROOT / "docs" / "viewer.md").read_text(encoding="utf-8")
KEY_NAMES = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "PgUp": "Page Up", "PgDown": "Page Down"}
CHOICES = ("Speed", "Next disagreement above")
"""Menus whose entries are figures."""
ARROWS = ("Left", "Right", "Up", "Down")


def named(key: str) -> str:
    """As the page writes a key."""
    *before, last = re.split(r"(?<=.)\+(?=.)", key)
    return "+".join([*before, KEY_NAMES.get(last, last)])


def keys_in(text: str) -> list[str]:
    return re.findall(r"<kbd>(.+?)</kbd>", text)


def words_in(text: str) -> list[str]:
    """What is in italics, and no bold type."""
    return [" ".join(words.split()) for words in re.findall(r"(?<![*\w])\*([^*]+?)\*(?!\*)", text)]


def spread(key: str) -> set[str]:
    """The keys that a range stands for: "Alt+1 … Alt+9", "Alt+arrows", "Alt+Shift+← →"; else the key itself."""
    if " … " in key:
        first, last = key.split(" … ")
        return {f"{first[:-1]}{number}" for number in range(int(first[-1]), int(last[-1]) + 1)}
    if key.endswith("arrows"):
        return {named(key.replace("arrows", arrow)) for arrow in ARROWS}
    if " " in key and "+" in key:
        first, *others = key.split()
        return {first, *(f"{first[:-1]}{other}" for other in others)}
    return {key}


def rows(page: str) -> dict[str, set[str]]:
    """Menu entry → keys, of the tables whose first two columns are these; entries of one row share its keys."""
    found: dict[str, set[str]] = {}
    for first, second in re.findall(r"^\|([^|]*)\|([^|]*)\|", page, re.MULTILINE):
        if words := words_in(second):
            for entry in words:
                assert entry not in found, f"{entry} stands in two rows"
                found[entry] = set(keys_in(first))
    return found


def wrong_rows(page: str) -> list[str]:
    """What is missing, or has other keys than it has in the window."""
    real = {spec.text.replace("&", ""): {named(key) for key in spec.keys} for spec in all_specs()}
    found = rows(page)
    wrong = [f"{entry} is missing" for entry in real if entry not in found]
    for first, second in re.findall(r"^\|([^|]*)\|([^|]*)\|", page, re.MULTILINE):
        entries = words_in(second)
        wrong += [f"there is no {entry}" for entry in entries if entry not in real]
        have = set().union(*(real.get(entry, set()) for entry in entries)) if entries else set(keys_in(first))
        if have != set(keys_in(first)):
            wrong.append(f"{', '.join(entries)}: {sorted(have)}, not {sorted(keys_in(first))}")
    return wrong


def test_every_entry_has_its_row_with_its_keys() -> None:
    assert wrong_rows(PAGE) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("<kbd>Ctrl+E</kbd>", "<kbd>Ctrl+R</kbd>"), ("*Export…*", "*Export it…*"), ("<kbd>F1</kbd> <kbd>?</kbd>", "")],
)
def test_a_row_that_is_not_true_is_found(right: str, wrong: str) -> None:
    assert PAGE.count(right) and wrong_rows(PAGE.replace(right, wrong))


def menu_paths(menu: QMenu, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Titles from the menu bar down to each entry; those of models and figures are left out."""
    for action in menu.actions():
        if action.isSeparator() or action.data() is not None or (before and before[-1] in CHOICES):
            continue
        path = (*before, action.text().replace("&", ""))
        yield path
        if action.menu():
            yield from menu_paths(action.menu(), path)


@pytest.fixture
def window(open_window, clip):
    save_settings(open_store(), WindowSettings(recent=(str(clip),), timeline=False))
    return open_window()


def test_every_menu_stands_in_it_and_every_path_leads_somewhere(window) -> None:
    paths = {path for path in menu_paths(window.menuBar()) if not path[-1].endswith(".mp4")}
    words = words_in(PAGE)
    said = {part for text in words for part in text.split(" → ")}
    assert len(paths) > 90
    assert sorted(path for path in paths if len(path) > 1 and path[-1] not in said) == []
    assert [text for text in words if " → " in text and tuple(text.split(" → ")) not in paths] == []


def test_every_key_stands_in_it_and_every_key_in_it_is_there(window) -> None:
    of_actions = {named(key) for spec in all_specs() for key in spec.keys}
    of_list = {named(key) for key in window.sources.playlist.view.list.keys}
    of_shortcuts = of_list | {named(shortcut.key().toString()) for shortcut in window.findChildren(QShortcut)}
    of_widgets = {QKeySequence(key).toString() for _kind, keys in OWN_KEYS for key in keys}
    others = {key for keys, _text in MORE_KEYS for key in spread(keys)}
    there = of_actions | of_shortcuts | others | {named(key) for key in of_widgets} | {"Tab"}
    written = {key for keys in keys_in(PAGE) for key in spread(keys)}
    assert len(of_shortcuts) > 25
    assert sorted((of_actions | of_shortcuts | others) - written) == []
    assert sorted(written - there) == []
