"""Reads the pages that we write, and finds what is wrong with one."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np

VOID = {"meta", "img", "br", "line", "path"}
"""Tags that nothing closes."""

DATA = "data:image/jpeg;base64,"


class HtmlPage(HTMLParser):
    """Checks that tags close as they open; gathers text, attributes, pictures, and the cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)
        if "tr" in self.open and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, key, value or "") for key, value in attrs]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def pictures(self) -> list[np.ndarray]:
        data = [base64.b64decode(source.removeprefix(DATA)) for source in self.values("img", "src")]
        return [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in data]

    def values(self, tag: str, key: str) -> list[str]:
        """An attribute of all tags of that name."""
        return [value for one, name, value in self.attributes if (one, name) == (tag, key)]


def check_alone(text: str) -> HtmlPage:
    """The page, held to what all of ours keep: valid, alone, without scripts, readable by who does not see it."""
    page = HtmlPage(text)
    but_pictures = re.sub(re.escape(DATA) + '[^"]+', "", text)
    assert not re.search(r"https?:|//[a-z]|<script|<link|@import|url\(|\son[a-z]+=|javascript:", but_pictures)
    assert "default-src 'none'" in text and page.values("html", "lang") == ["en"]
    assert all(source.startswith(DATA) for source in page.values("img", "src"))
    assert len(page.values("img", "alt")) == len(page.values("img", "src")) and all(page.values("img", "alt"))
    drawn = [value for value in page.values("svg", "role") if value == "img"]
    assert len(drawn) == len([words for words in page.values("svg", "aria-label") if words])
    assert len(drawn) + len(page.values("svg", "aria-hidden")) == len(page.values("svg", "viewbox"))
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.values("a", "href") if link.startswith("#")} <= set(ids)
    heads = [value for value in page.values("th", "scope") if value in ("row", "col")]
    assert len(heads) == len([1 for tag, key, _ in page.attributes if (tag, key) == ("th", "scope")])
    return page
