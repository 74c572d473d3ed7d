"""What the site needs beside its pages."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!\.)([^)\s]+)\)")


def on_page_markdown(markdown: str, page: Any, **_kwargs: Any) -> str:
    """Links to files of the repository that are no pages become their paths: a site has no such files."""
    if page.file.src_uri.count("/"):  # links of the decisions to other pages lead up, too
        return markdown
    return _OUTSIDE.sub(r"`\2`", markdown)


def on_page_content(html: str, **_kwargs: Any) -> str:
    """An option without a default has none; mkdocs-click prints the mark that newer clicks have for that."""
    return html.replace("<code>Sentinel.UNSET</code>", "–")
