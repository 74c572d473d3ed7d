"""What the site needs beside its pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!\.)([^)\s]+)\)")


_NEXT = Path(__file__).parents[1] / "changelog.d"


def _next_release() -> str:
    """What the fragments say that `towncrier` will make the next section of."""
    lines = ["## In the next release"]
    for kind in ("added", "changed", "fixed", "removed"):
        texts = [path.read_text(encoding="utf-8").split() for path in sorted(_NEXT.glob(f"*.{kind}*.md"))]
        lines += [f"### {kind.capitalize()}", "\n".join(f"- {' '.join(words)}" for words in texts)] if texts else []
    return "\n\n".join(lines)


def on_page_markdown(markdown: str, page: Any, **_kwargs: Any) -> str:
    """Links to files of the repository that are no pages become their paths: a site has no such files.

    The changelog shows the fragments of what no release has yet.
    """
    if page.file.src_uri == "changelog.md":
        markdown = markdown.replace("<!-- towncrier release notes start -->", _next_release())
    if page.file.src_uri.count("/"):  # links of the decisions to other pages lead up, too
        return markdown
    return _OUTSIDE.sub(r"`\2`", markdown)


def on_page_content(html: str, **_kwargs: Any) -> str:
    """An option without a default has none; mkdocs-click prints the mark that newer clicks have for that."""
    return html.replace("<code>Sentinel.UNSET</code>", "–")
