"""German: all of it is there, through the catalogue, and nothing is cut."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seg_viewer.gui
from seg_viewer.core.assets import asset_path
from seg_viewer.gui.phrases import TEXTS, Phrases
from seg_viewer.gui.words import figure, read_phrases, read_words, said, use_language

from .english import IN_WHOLES, MORE_WHOLES, NEVER_SHOWN, Line, lines

WORDS, PHRASES = read_words("de"), read_phrases("de")
GERMAN = Phrases(PHRASES, ",")


@pytest.fixture(autouse=True)
def back_to_english() -> Iterator[None]:
    yield
    use_language("en")


# -- the catalogue -----------------------------------------------------------------------------------------------------


def _fields(text: str) -> list[str]:
    return sorted(name for _literal, name, _spec, _conversion in Formatter().parse(text) if name is not None)


def test_both_languages_have_the_same_fields_and_lines() -> None:
    for english, german in {**WORDS, **PHRASES}.items():
        assert _fields(english) == _fields(german), english
        assert english.count("\n") == german.count("\n"), english
        assert english.strip() != "" != german.strip(), english


SAME = re.compile(
    r"\w+::[\w:-]+|[A-Z]{2,}|(Ctrl|Alt|Shift|Media)\W.*|#\[.*|Space|Return|Enter|Right|Left|Up|Down|Home|End|PgUp|PgDown|Del|Ins"
    r"|ONNX Runtime|OpenVINO|TensorRT|Fusion|Result|Theme|Colors|second map|contact sheet|rtsp://HOST.*|%s: .*\n.*"
    r"|there is no shot to make an image of|AddNotification"
)
"""Literals of the window's code that are no words for people, or are the same in both languages."""


def _literals(file: Path) -> Iterator[str]:
    """Texts that look as if a person reads them."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    skipped |= {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
            if re.search("[A-Za-z]{2}", text) and (" " in text or text[:1].isupper() or "…" in text):
                yield text


def _gui_files() -> list[Path]:
    # a style sheet, and what is said before there is a window
    return [
        file
        for file in Path(seg_viewer.gui.__file__).parent.rglob("*.py")
        if file.name not in ("style_sheet.py", "system.py", "process_use.py", "words.py")
    ]


def test_every_text_of_the_windows_code_is_in_the_catalogue() -> None:
    missing = [
        (file.name, text)
        for file in _gui_files()
        for text in _literals(file)
        if text not in WORDS and text not in PHRASES and not SAME.fullmatch(text)
    ]
    assert missing == []


SHOWN_BY = re.compile(
    r"set(Text|ToolTip|Title|WindowTitle|PlaceholderText|StatusTip|AccessibleName|AccessibleDescription|Suffix|Prefix)"
    r"|drawText|addRow|addItem|addAction|addMenu|show_(info|warning|error)|PlainLabel|ElidedLabel|Q(Label|PushButton|CheckBox|Action|Menu)"
)
"""What puts a text on the screen as it is."""


def test_no_text_of_the_windows_code_is_shown_without_being_looked_up() -> None:
    """Being in the catalogue is not enough: painted texts are no widgets' texts, which a window can be asked for."""
    found = []
    for file in _gui_files():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            for arg in call.args if SHOWN_BY.fullmatch(name) else ():
                text = named.get(arg.id) if isinstance(arg, ast.Name) else getattr(arg, "value", None)
                if isinstance(text, str) and text in WORDS and WORDS[text] != text:
                    found.append((file.name, name, text))
    assert found == []


NO_SENTENCE = re.compile(
    r"Python ⟦.⟧ · Qt ⟦.⟧|.* MiB| \(Alt\+⟦.⟧\)|colour of .*|no action, or wanted twice: .*|.*image: url.*|.*RGB ⟦.*"
)
"""Put together of values and what is the same in both languages, or is for code only; ⟦0⟧ is the first value."""


def test_no_sentence_of_the_windows_code_is_put_together_without_the_catalogue() -> None:
    """An f-string with words beside its values cannot be looked up, unless it is a line that a template explains."""
    found = []
    for file in _gui_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.JoinedStr):
                continue
            parts = [str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values]
            text = "".join(part or f"⟦{number}⟧" for number, part in enumerate(parts))
            if any(re.search(r"[A-Za-z]{3}.*\s|\s.*[A-Za-z]{3}", part) for part in parts) and GERMAN.say(text) == text:
                found.append((file.name, text))
    assert sorted(each for each in found if not NO_SENTENCE.fullmatch(each[1])) == []


# -- lines from below the window ---------------------------------------------------------------------------------------


def _best(line: Line) -> tuple[str, list[str]] | None:
    """What comes of it, and what of that is English; None where no template fits."""
    said = [(GERMAN.say(sample), sample) for sample in line.samples()]
    found = [(text, line.left_in(text)) for text, sample in said if text != sample]
    return min(found, key=lambda each: len(each[1]), default=None)


def test_every_sentence_that_comes_from_below_is_german() -> None:
    faulty = []
    for line in lines():
        text = "{}".join(line.parts)
        if text in NEVER_SHOWN or text in WORDS or text in IN_WHOLES:
            continue
        best = _best(line)
        if best is None or best[1]:
            faulty.append((line.where, text, best))
    assert faulty == []


_ENGLISH = re.compile(
    r"\b(the|is|are|of|has|have|with|from|cannot|could|not|and|left|there|it|its|were|copied|encoded|holds)\b"
)


@pytest.mark.parametrize("line", [*dict.fromkeys(IN_WHOLES.values()), *MORE_WHOLES])
def test_whole_sentences_have_no_english_left(line: str) -> None:
    assert _ENGLISH.findall(GERMAN.say(line)) == []


def test_no_entry_is_left_over() -> None:
    """What nobody says any more goes: each text stands in the source, of sentences at least a part."""
    source = "\n".join(
        str(node.value)
        for file in Path(seg_viewer.gui.__file__).parents[1].rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    catalogue: dict[str, dict[str, str]] = {}
    for file in asset_path("i18n").glob("de*.toml"):
        catalogue |= tomllib.loads(file.read_text(encoding="utf-8"))
    known = {*catalogue["classes"], *catalogue["system"], *catalogue["joins"], *catalogue["signs"]}
    words_of_source = " ".join(re.findall("[A-Za-z]+", source))
    rest = [text for text in WORDS if text not in known and text not in source]
    for text in PHRASES.keys() - known:
        words = re.findall("[A-Za-z]+", max((literal for literal, *_ in Formatter().parse(text)), key=len))
        runs = [" ".join(words[place : place + 2]) for place in range(max(1, len(words) - 1))]
        if not any(run in words_of_source for run in runs):
            rest.append(text)
    assert rest == []


# a name with a colon and a space reads like two fields: words may come between them
_NAME = st.text("ab/.:;,_- 0ä", min_size=1, max_size=12).map(lambda text: f"/{text}⟧".replace(": ", ":_"))


@given(st.data())
def test_names_in_a_line_come_through_as_they_are(data: st.DataObject) -> None:
    """Over all templates: what stands in a field that holds no words is in the German line, letter by letter."""
    template = data.draw(st.sampled_from(sorted(text for text in PHRASES if "{" in text)))
    fields = {name: data.draw(_NAME) for name in set(_fields(template))}
    german = GERMAN.say(template.format(**fields))
    assert all(value in german for name, value in fields.items() if name not in TEXTS)


@given(st.text(max_size=200))
def test_any_line_comes_through(line: str) -> None:
    """A name that is no sentence stays as it is, and nothing fails."""
    assert GERMAN.say(line) == line or any(word in line for word in PHRASES_WORDS)


PHRASES_WORDS = {word for text in PHRASES for word in re.findall("[A-Za-z]+", text)}


def test_a_figure_has_a_comma_and_a_version_none() -> None:
    use_language("de")
    assert (figure(12.345), figure(3, ".0f")) == ("12,3", "3")
    line = "a.mp4: holds no frame in that part; it ends at 2.5 s"
    assert said(line) == "a.mp4: enthält in diesem Teil kein Einzelbild; es endet bei 2,5 s"
    line = "carla://h: the server is CARLA 0.9, the client 0.8; install the client of the same version: pip install x"
    assert "CARLA 0.9, der Client 0.8;" in said(line)
    assert said("sound, left out.mp4: is not a video") == "sound, left out.mp4: ist kein Video"
    use_language("en")
    assert figure(12.345) == "12.3" and said(line) == line
