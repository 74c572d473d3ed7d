"""Engines that several players share."""

from __future__ import annotations

import threading

from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Segmenter, SharedEngine

_Key = tuple[str, str, str | None, str]


MOST_IN_GRID = 4
"""Live sources that are shown beside each other."""


class EnginePool:
    """Hands out shares of one engine for each model; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: dict[_Key, SharedEngine] = {}

    def segmenter(
        self, options: RunOptions, spec: ModelSpec, mode: str = "latency", progress: LoadProgress | None = None
    ) -> Segmenter:
        """As `RunOptions.segmenter`: a place in the turn of an engine that others have, or one that is made now."""
        key = (spec.sha256, options.engine, options.device, mode)
        with self._lock:
            engine = self._engines.get(key)
            if engine is None or engine.error is not None:
                engine = self._engines[key] = SharedEngine(options.segmenter(spec, mode, progress))
            return engine.share()
