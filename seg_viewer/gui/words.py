"""The words of the window in another language; English where there are none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QKeySequence

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError
from seg_viewer.gui.phrases import Phrases

AUTO, ENGLISH = "auto", "en"
LANGUAGES = {AUTO: "As the system", ENGLISH: "English", "de": "Deutsch"}
"""What can be chosen, by the names in the settings."""
COMPLETE = frozenset({ENGLISH, "de"})
"""Whose words are all there: `AUTO` takes no other, which would be half of one and half of the other."""
_HALF = "0.5"  # its word has the decimal sign

_words: dict[str, str] = {}
_phrases = Phrases({})
_of_qt: list[QTranslator] = []


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
    use_words(read_words(language), read_phrases(language))
    _use_words_of_qt(language)
    QLocale.setDefault(QLocale(language))  # the decimal sign of number fields
    return language


def use_words(words: Mapping[str, str], phrases: Mapping[str, str]) -> None:
    """Speak by a catalogue: of texts of the window, and of lines from below it, see `Phrases`."""
    global _phrases
    _words.clear()
    _words.update(words)
    _phrases = Phrases(phrases, t(_HALF)[1])


def _use_words_of_qt(language: str) -> None:
    """Words of Qt's own: colour dialog, menus of input fields, names of keys."""
    app = QCoreApplication.instance()
    if app is None:
        return
    while _of_qt:
        app.removeTranslator(_of_qt.pop())
    translator = QTranslator(app)
    if language != ENGLISH and translator.load(
        f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    ):
        app.installTranslator(translator)
        _of_qt.append(translator)


def read_words(language: str) -> dict[str, str]:
    """Texts of the window, English → the language, from `assets/i18n/`.

    Empty for English. A file that is missing or damaged says nothing.
    """
    return _read(language, lambda name: "messages" not in name)


def read_phrases(language: str) -> dict[str, str]:
    """As `read_words`: lines that come from below the window, as templates."""
    return _read(language, lambda name: "messages" in name)


def _read(language: str, wanted: Callable[[str], bool]) -> dict[str, str]:
    if language == ENGLISH:
        return {}
    words: dict[str, str] = {}
    try:
        files = sorted(path for path in asset_path("i18n").glob(f"{language}*.toml") if wanted(path.stem))
    except (SegViewerError, OSError):
        return {}
    for file in files:
        try:
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        words.update((english, word) for table in tables.values() for english, word in table.items())
    return words


def t(text: str, /, **fields: object) -> str:
    """A text in the language that is spoken.

    Args:
        text: English, as it stands in the catalogue.
        fields: what its "{names}" stand for; put in as they are, so words among them are put through `t` before.
    """
    word = _words.get(text, text)
    return word.format(**fields) if fields else word


def tn(count: int, one: str, many: str, /, **fields: object) -> str:
    """A text about one or several things, in the language that is spoken.

    Args:
        count: how many; its field is "{count}".
        one, many: English, as they stand in the catalogue.
        fields: as of `t`.
    """
    return t(one if count == 1 else many, count=count, **fields)


def said(line: str) -> str:
    """A line that comes from below the window, in the language that is spoken; several lines, each by itself."""
    return "\n".join(map(_phrases.say, line.split("\n")))


def class_name(name: str) -> str:
    """A class of a model, for people; one that is not usual keeps its name."""
    return t(name)


def frames_text(count: int) -> str:
    """ "1 frame", "300 frames"."""
    return tn(count, "1 frame", "{count} frames")


def figure(value: float, form: str = ".1f") -> str:
    """A number with the decimal sign of the language.

    Args:
        value: the number.
        form: as `format` takes it.
    """
    return format(value, form).replace(".", t(_HALF)[1])


def key_text(keys: str) -> str:
    """A shortcut as the menus have it: "Ctrl+P" is "Strg+P" in German."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


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
