"""The words of the window in another language; English where there are none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from PySide6.QtCore import QLocale

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError

AUTO, ENGLISH = "auto", "en"
LANGUAGES = {AUTO: "As the system", ENGLISH: "English", "de": "Deutsch"}
"""What can be chosen, by the names in the settings."""
COMPLETE = frozenset({ENGLISH})
"""Whose words are all there: `AUTO` takes no other, which would be half of one and half of the other."""

_words: dict[str, str] = {}


def use_language(language: str, system: tuple[str, ...] | None = None) -> str:
    """Speak a language from now on; what is shown already keeps its words. Returns its code.

    Args:
        language: a key of `LANGUAGES`; any other is `AUTO`.
        system: languages that the system prefers, "de-DE", …; None asks it.
    """
    if language not in LANGUAGES or language == AUTO:
        wanted = QLocale.system().uiLanguages() if system is None else system
        codes = [name.split("-")[0] for name in wanted]
        language = next((code for code in codes if code in COMPLETE), ENGLISH)
    _words.clear()
    _words.update(read_words(language))
    return language


def read_words(language: str) -> dict[str, str]:
    """English → the language, from `assets/i18n/`; empty for English, and where the file is missing or damaged."""
    if language == ENGLISH:
        return {}
    try:
        tables = tomllib.loads(asset_path("i18n", f"{language}.toml").read_text(encoding="utf-8"))
    except (SegViewerError, OSError, ValueError):
        return {}
    return {english: word for table in tables.values() for english, word in table.items()}


def t(text: str) -> str:
    """A text in the language that is spoken."""
    return _words.get(text, text)


def with_keys(texts: Sequence[str]) -> list[str]:
    """Texts of one menu, each with a key of its own behind an "&": its own, unless another has that, or a free one.

    The first letters of words come first. A text all of whose letters are taken has none.
    """
    made, taken = list(texts), set[str]()
    for place, text in enumerate(texts):
        key = re.search(r"&(\w)", text.replace("&&", ""))
        if key is not None and key[1].lower() not in taken:
            taken.add(key[1].lower())
        else:
            made[place] = re.sub(r"&(?=\w)", "", text) if key is not None else text
    for place, text in sorted(enumerate(made), key=lambda each: len(each[1])):  # the short ones have least choice
        if re.search(r"&\w", text.replace("&&", "")):
            continue
        letters = [*re.finditer(r"\b[^\W\d_]", text), *re.finditer(r"[^\W\d_]", text)]
        free = next((letter for letter in letters if letter[0].lower() not in taken), None)
        if free is not None:
            taken.add(free[0].lower())
            made[place] = f"{text[: free.start()]}&{text[free.start() :]}"
    return made
