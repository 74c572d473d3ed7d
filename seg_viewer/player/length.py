"""How long a source is."""

from __future__ import annotations

from seg_viewer.pipeline import Pipeline


class Length:
    """As the source declares it, until its end was seen: declared lengths may promise more than there is."""

    def __init__(self) -> None:
        self._real_s: float | None = None

    def of(self, pipeline: Pipeline | None) -> float | None:
        """Seconds, or None where it is not known."""
        if pipeline is None:
            return self._real_s
        info = pipeline.source.info
        last = pipeline.last_shot if pipeline.at_end else None
        if last is not None:
            # the last frame is shown for one interval
            self._real_s = last.frame.time_s + (1 / info.rate if info.rate else 0.0)
        return self._real_s or info.duration_s
