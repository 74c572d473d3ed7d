"""README as package indexes show it: pyproject.toml names this as hatchling's hook for metadata.

An index has none of our files: a relative link leads nowhere, a relative picture is broken. Where `project.urls` in
pyproject.toml has the repository as "Source" or "Repository", links are made absolute; where it has none, as now,
pictures go and links become their words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def long_description(readme: str, repository: str | None) -> str:
    """Markdown without relative links and pictures.

    Args:
        readme: Markdown whose links are relative to the top of the repository.
        repository: its address on GitHub or GitLab; None leaves links and pictures out.
    """

    def absolute(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        if repository:
            return f"{picture}[{words}]({repository.rstrip('/')}/{'raw' if picture else 'blob'}/HEAD/{target})"
        return "" if picture else words

    return re.sub(r"\n{3,}", "\n\n", _RELATIVE.sub(absolute, readme))


class ReadmeHook(MetadataHookInterface):
    """Sets the field `readme`, which pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        urls = {name.lower(): address for name, address in metadata.get("urls", {}).items()}
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = long_description(text, urls.get("source") or urls.get("repository"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
