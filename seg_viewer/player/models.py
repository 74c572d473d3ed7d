"""Which models look at the frames of a session, and what for."""

from __future__ import annotations

from dataclasses import dataclass

from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import EngineSegmenter, PairSegmenter, Segmenter


@dataclass(frozen=True, eq=False)
class ModelWish:
    """What was wanted; each wish is an object of its own.

    Args:
        options: the model that is painted, and what is to run it.
        against: name or file of a second model that looks at each frame too, or None.
    """

    options: RunOptions
    against: str | None = None

    def read(self) -> tuple[ModelSpec, ModelSpec | None]:
        """Both files. Raises: UsageError, ModelFileError."""
        other = self.options.with_model(self.against).read_spec() if self.against is not None else None
        return self.options.read_spec(), other


class Models:
    """Makes segmenters, and remembers what each was made for."""

    def __init__(self) -> None:
        self.first: ModelSpec | None = None
        """Of the model that loads or was made last."""
        self._specs: dict[str, ModelSpec] = {}
        self._wishes: dict[Segmenter, ModelWish] = {}

    def by_hash(self, sha256: str) -> ModelSpec | None:
        """The model that a class map is from."""
        return self._specs.get(sha256)

    def make(
        self, wish: ModelWish, spec: ModelSpec, other: ModelSpec | None, mode: str, progress: LoadProgress
    ) -> Segmenter:
        """Of one model, or of two; not opened yet."""
        segmenter: Segmenter = wish.options.segmenter(spec, mode, progress)
        if other is not None:
            second = wish.options.segmenter(other, mode, progress)
            segmenter = PairSegmenter(segmenter, second, (spec.name, other.name))
            self._specs[other.sha256] = other
        self._specs[spec.sha256] = self.first = spec
        self._wishes[segmenter] = wish
        return segmenter

    def wish_of(self, segmenter: Segmenter | None) -> ModelWish | None:
        """What a segmenter was made for."""
        return self._wishes.get(segmenter) if segmenter is not None else None

    def go_back_to(self, segmenter: Segmenter | None) -> None:
        """Another one could not take over from it."""
        first = segmenter.first if isinstance(segmenter, PairSegmenter) else segmenter
        if isinstance(first, EngineSegmenter):
            self.first = first.spec
