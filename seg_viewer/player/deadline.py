"""The part of a session that keeps live pictures young, where a deadline is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.jobs.deadline import networks_for
from seg_viewer.pipeline import Governing, GovernorStatus, Pipeline
from seg_viewer.player.models import ModelWish

STAGE = "shown"
"""What a window records of each picture that it has painted."""

ChangeNetwork = Callable[[ModelWish, ModelSpec, Callable[[], None]], None]


class Deadline:
    """Governs a pipeline once it is known which networks there are; begins anew with another model or deadline.

    Args:
        change: has another network look; given the wish that it belongs to, and what to call when it cannot run.
    """

    def __init__(self, change: ChangeNetwork) -> None:
        self._change = change
        self._wish: ModelWish | None = None
        self._deadline_s: float | None = None
        self._networks: tuple[tuple[ModelSpec, ...], str] | None = None
        self._governing: Governing | None = None

    @property
    def status(self) -> GovernorStatus | None:
        """Safe from any thread; None while nothing is governed."""
        governing = self._governing
        return governing.status if governing is not None else None

    def look(self, pipeline: Pipeline, wish: ModelWish, shot: Shot, deadline_s: float | None) -> None:
        """After each shot, on the thread that iterates the pipeline."""
        if wish is not self._wish or deadline_s != self._deadline_s:
            self._begin_anew(pipeline, wish, deadline_s)
        if deadline_s is None or self._networks is None:
            return
        networks, note = self._networks
        if self._governing is None and shot.maps[0].model == networks[0].sha256:

            def change(spec: ModelSpec, refused: Callable[[], None]) -> None:
                self._change(wish, spec, refused)

            self._governing = Governing(pipeline, deadline_s, networks, change, STAGE, note)
        if self._governing is not None:
            self._governing.look(shot)

    def _begin_anew(self, pipeline: Pipeline, wish: ModelWish, deadline_s: float | None) -> None:
        governing, self._governing = self._governing, None
        if governing is not None and wish is self._wish:  # else another model is on its way
            governing.stop()
        pipeline.every = 1
        if wish is not self._wish:
            self._networks = None
        self._wish, self._deadline_s = wish, deadline_s
        if deadline_s is not None and self._networks is None:
            threading.Thread(target=self._find_networks, args=(wish,), name="seg-model", daemon=True).start()

    def _find_networks(self, wish: ModelWish) -> None:
        try:
            spec = wish.options.read_spec()
            # the answers of two models that are compared must stay those of these two
            alone = (spec,), "while two models are compared, pictures are left out, and no other model is taken"
            found = networks_for(spec) if wish.against is None else alone
        except SegViewerError as error:
            found = (), str(error)
        if wish is self._wish and found[0]:
            self._networks = found
