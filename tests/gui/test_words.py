"""The window in another language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMenu
from pytestqt.qtbot import QtBot

from seg_viewer.core.assets import asset_path
from seg_viewer.gui.actions import MENUS, MORE_KEYS, all_specs
from seg_viewer.gui.dialogs.help import HelpDialog
from seg_viewer.gui.settings import WindowSettings, load_settings, open_store, save_settings
from seg_viewer.gui.words import LANGUAGES, read_phrases, read_words, t, use_language, with_keys
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, wait_state

GERMAN = read_words("de")


@pytest.fixture(autouse=True)
def back_to_english() -> Iterator[None]:
    yield
    use_language("en")


def _key(text: str) -> str:
    found = re.search(r"&([^&])", text)
    return found.group(1).lower() if found else ""


@pytest.mark.parametrize("of_messages", [False, True])
def test_the_files_are_whole(of_messages: bool) -> None:
    """No English text stands in two tables; what asks for more does so in both; a menu has one key."""
    entries = read_phrases("de") if of_messages else GERMAN
    files = [file for file in asset_path("i18n").glob("de*.toml") if ("messages" in file.stem) is of_messages]
    tables = [table for file in files for table in tomllib.loads(file.read_text(encoding="utf-8")).values()]
    assert sum(map(len, tables)) == len(entries) > 300
    for english, german in entries.items():
        assert german.strip() != "" and (german.strip() == german or english.strip() != english)
        assert german.count("&") <= 1
        assert english.endswith("…") == german.endswith("…"), english


def test_every_menu_and_entry_is_in_it() -> None:
    wanted = {title for title, _ in MENUS} | {spec.text for spec in all_specs()} | {spec.menu for spec in all_specs()}
    assert sorted(wanted - GERMAN.keys() - {""}) == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_key_is_in_a_menu_once_and_every_entry_has_one(open_window, language: str) -> None:
    save_settings(open_store(), WindowSettings(language=language))
    for top in (bar := open_window().menuBar()).actions():
        entries = [entry for entry in top.menu().actions() if not entry.isSeparator() and not entry.isCheckable()]
        keys = [_key(entry.text()) for entry in entries]
        assert all(keys) and len(set(keys)) == len(keys), f"{top.text()}: {[entry.text() for entry in entries]}"
    keys = [_key(top.text()) for top in bar.actions()]
    assert all(keys) and len(set(keys)) == len(keys)


@given(st.lists(st.from_regex(r"[abA .]{0,3}(&[abBä9])?[aBä9 ]{0,3}", fullmatch=True), max_size=8))
def test_keys_never_collide_and_words_stay(texts: list[str]) -> None:
    made = with_keys(texts)
    keys = [key for key in map(_key, made) if key]
    assert len(set(keys)) == len(keys)
    assert [re.sub(r"&(?=\w)", "", text) for text in made] == [re.sub(r"&(?=\w)", "", text) for text in texts]


def test_keys_that_were_chosen_stay() -> None:
    assert with_keys(["&Open", "Open &folder", "O&pen", "Other"]) == ["&Open", "Open &folder", "O&pen", "O&ther"]
    assert with_keys(["&Play", "&Pause", "a"]) == ["&Play", "Pa&use", "&a"]


def test_the_system_is_asked_and_gets_what_is_complete() -> None:
    assert use_language("auto", ("de-DE", "en-US")) == "de" and t("&File") == "&Datei"
    assert use_language("auto", ("en-GB", "de-DE")) == "en" and t("&File") == "&File"
    assert use_language("auto", ("fr", "de-AT")) == "de"
    assert use_language("auto", ("fr", "ja-JP")) == "en"
    assert use_language("de", ("en-US",)) == "de" and t("&File") == "&Datei"
    assert use_language("klingon", ("en",)) == "en" and t("&File") == "&File"
    assert t("nobody has said this") == "nobody has said this"
    assert set(LANGUAGES) == {"auto", "en", "de"}


def test_a_window_speaks_what_was_chosen(qtbot: QtBot, open_window, clip) -> None:
    save_settings(open_store(), WindowSettings(language="de"))
    assert load_settings(open_store()).language == "de"
    window = open_window(clip)
    assert [action.text() for action in window.menuBar().actions()] == [t(title) for title, _ in MENUS]
    assert window.menuBar().actions()[0].text() == "&Datei"
    play = window.actions_by_id["play"]
    qtbot.waitUntil(lambda: window.player.state is PlayerState.PLAYING and play.text() == "Pause", timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: play.text() == "Abspielen", timeout=WAIT_MS)
    menu = window.menuBar().actions()[0].menu()
    assert isinstance(menu, QMenu) and "Video öffnen…" in [action.text().replace("&", "") for action in menu.actions()]
    dialog = HelpDialog(window)
    dialog.show()
    assert all(label.width() >= label.sizeHint().width() for label in dialog.findChildren(QLabel))
    assert "WIEDERGABE" in [label.text() for label in dialog.findChildren(QLabel)]
    keys = [label.text() for label in dialog.findChildren(QLabel) if label.objectName() == "key"]
    assert {".", ",", "Strg+O", "Leertaste", "Umschalt+N", "Bild ab", "Mausrad", "←"} <= set(keys)
    assert len(keys) == sum(len(spec.keys) for spec in all_specs()) + len(MORE_KEYS)
    dialog.close()


def test_english_stays_where_nothing_was_chosen(qtbot: QtBot, open_window, clip) -> None:
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.menuBar().actions()[0].text() == "&File"


def test_german_has_a_word_for_every_menu_entry_and_every_key(qtbot: QtBot, open_window) -> None:
    words = GERMAN
    texts = {spec.text for spec in all_specs()} | {spec.menu for spec in all_specs() if spec.menu}
    texts |= {title for title, _ in MENUS} | {text for _keys, text in MORE_KEYS}
    assert texts - words.keys() == set()
    save_settings(open_store(), WindowSettings(language="de"))
    window = open_window()
    english = {text.replace("&", "") for text in words if words[text].replace("&", "") != text.replace("&", "")}
    for menu in (action.menu() for action in window.menuBar().actions()):
        inner = [entry.text().replace("&", "") for entry in menu.actions() if entry.menu() is not None]
        assert english.isdisjoint(inner) and words_of(inner) <= words_of(words.values())


def words_of(texts: Iterable[str]) -> set[str]:
    return {text.replace("&", "") for text in texts}
