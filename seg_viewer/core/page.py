"""Pages of HTML that need nothing else, neither files nor scripts nor a network.

All that comes from outside is escaped (`escaped`); a policy in the head forbids whatever is not in the page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from seg_viewer.core.labels import Label
from seg_viewer.core.page_style import CSS
from seg_viewer.core.palette import color_text
from seg_viewer.core.printable import printable

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def whole_page(title: str, parts: Iterable[str], style: str = "") -> str:
    """A page.

    Args:
        title: any text; the parts begin with a heading of their own.
        parts: HTML; empty ones are left out.
        style: CSS beside that of all pages.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escaped(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{CSS}{style}</style></head>\n'
        f"<body><main>\n{chr(10).join(filter(None, parts))}\n</main></body></html>\n"
    )


def escaped(words: str) -> str:
    """A text from outside as HTML: escaped, one line, without control characters."""
    return escape(printable(words))


def warnings(lines: Sequence[str]) -> str:
    """What a reader should know first; nothing where there is none."""
    inside = "".join(f"<li>{escaped(line)}</li>" for line in lines)
    return f'<div class="warnings"><b>To know</b><ul>{inside}</ul></div>' if inside else ""


def numbers(cards: Iterable[tuple[str, str]]) -> str:
    """The most important numbers, each with what it is."""
    each = [f"<b>{escaped(value)}</b><span>{escaped(what)}</span>" for value, what in cards]
    inside = "".join(f'<div class="number">{card}</div>' for card in each)
    return f'<div class="numbers">{inside}</div>' if inside else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table; heads, caption and cells are HTML, and the first cell of each row names it."""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    above = f"<caption><div>{caption}</div></caption>" if caption else ""
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def scrolling(name: str, inside: str) -> str:
    """A card for what may be wider than the screen; it can be scrolled by keys too, and is announced by its name."""
    return f'<div class="card scroll" tabindex="0" role="region" aria-label="{escaped(name)}">{inside}</div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they are; those without a text are left out."""
    inside = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(words)}</dd>" for name, words in pairs if words)
    return f"<dl>{inside}</dl>"


def chip(label: Label) -> str:
    """A square in the colour of a class."""
    return f'<span class="chip" style="background:{color_text(label.color)}"></span>'


def jpeg(data: bytes, alt: str) -> str:
    """A picture that lies in the page; `alt` is any text."""
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(data).decode("ascii")}" alt="{escaped(alt)}">'
