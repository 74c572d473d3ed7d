"""What a source that is left leaves behind: a simulator that no longer answers, with cars in it."""

from __future__ import annotations

from collections.abc import Callable

from seg_viewer.core.redact import redact_text
from seg_viewer.sources import Source


class Partings:
    """Of one source; what it said while it was wanted is not told again."""

    def __init__(self) -> None:
        self._source: Source | None = None
        self._warned = 0
        self._lines: list[str] = []

    def begin(self, source: Source | None) -> None:
        """It is left from now on; None where it was not open yet. Again is fine."""
        if self._source is None and source is not None and source.info.live:
            self._source, self._warned = source, len(source.warnings)

    def hear(self, error: Exception) -> None:
        """What ended the opening of a source that was left meanwhile."""
        self._lines += getattr(error, "__notes__", ())

    def tell(self, on_parting: Callable[[str], None]) -> None:
        """Once, when it is closed: each line, without passwords."""
        source, self._source = self._source, None
        for line in (*self._lines, *(source.warnings[self._warned :] if source is not None else ())):
            on_parting(redact_text(line))
        self._lines.clear()
