"""Which models look at the frames of a session, and what for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from seg_viewer.core.frame import Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import PairSegmenter, Segmenter
from seg_viewer.pipeline.cached import CachedSegmenter
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.pipeline.steady import SteadySegmenter
from seg_viewer.player.pool import EnginePool
from seg_viewer.sources import SourceInfo


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
    """Makes segmenters, and remembers what each was made for.

    Args:
        cache: of class maps, before each of them; closed by whoever made it.
        pool: of engines that several sessions share; None for an engine of its own.
    """

    def __init__(self, cache: MapCache, pool: EnginePool | None = None) -> None:
        self._cache, self._pool = cache, pool
        self._margin = self._steady = False
        self.first: ModelSpec | None = None
        """Of the model that loads or was made last."""
        self._specs: dict[str, ModelSpec] = {}
        self._made: dict[SteadySegmenter, tuple[ModelWish, ModelSpec]] = {}

    def of(self, shot: Shot | None, index: int = 0) -> ModelSpec | None:
        """The model that a class map of a shot is from; None where there is no such map."""
        maps = shot.maps[index : index + 1] if shot is not None else ()
        return self._specs.get(maps[0].model) if maps else None

    def want_margin(self, on: bool) -> None:
        """Whether class maps are to say how sure the model is; those in the cache do not, and are computed again."""
        self._margin = on
        for steady in list(self._made):
            inner = steady.inner
            for one in inner.parts if isinstance(inner, PairSegmenter) else (inner,):
                if isinstance(one, CachedSegmenter):
                    one.wants_margin = on and one.spec.has_margin

    def want_steady(self, on: bool) -> None:
        """Whether class maps stay calm where the picture stands still; from the next one on."""
        self._steady = on
        for segmenter in list(self._made):
            segmenter.is_on = on

    def make(
        self, wish: ModelWish, spec: ModelSpec, other: ModelSpec | None, info: SourceInfo, progress: LoadProgress
    ) -> Segmenter:
        """Of one model, or of two; not opened yet."""
        mode = "latency" if info.live else "throughput"

        def one(of: ModelSpec) -> Segmenter:
            self._specs[of.sha256] = of
            alone = wish.options.segmenter if self._pool is None else partial(self._pool.segmenter, wish.options)
            return wish.options.with_cache(alone(of, mode, progress), of, info, self._cache)

        inner = one(spec)
        if other is not None:
            inner = PairSegmenter(inner, one(other), (spec.name, other.name))
        segmenter = SteadySegmenter(inner, on=self._steady)
        self.first = spec
        self._made[segmenter] = wish, spec
        self.want_margin(self._margin)
        return segmenter

    def wish_of(self, segmenter: Segmenter | None) -> ModelWish | None:
        """What a segmenter was made for."""
        made = self._made.get(segmenter) if isinstance(segmenter, SteadySegmenter) else None
        return made[0] if made is not None else None

    def forget_but(self, segmenter: Segmenter) -> None:
        """Of the segmenters, only this one still matters."""
        self._made = {made: of for made, of in self._made.items() if made is segmenter}

    def let_go(self) -> None:
        """Of the segmenters."""
        self._made.clear()

    def go_back_to(self, segmenter: Segmenter | None) -> None:
        """Another one could not take over from it."""
        if isinstance(segmenter, SteadySegmenter) and segmenter in self._made:
            self.first = self._made[segmenter][1]
