"""Which networks there are to keep live pictures young."""

from __future__ import annotations

from collections.abc import Callable

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL, find_model, shipped_models
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines import LoadProgress
from seg_viewer.engines.smaller import smaller_network
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Governing, GovernorStatus, Pipeline


def networks_for(spec: ModelSpec) -> tuple[tuple[ModelSpec, ...], str]:
    """What can look at a live picture, the finest first, and why there is no smaller one, one line or "".

    That is the model itself; after the fine one that ships the fast one; and the last of them with a smaller input. All
    have the same classes: nobody's own model is replaced by one of ours.
    """
    found = [spec]
    shipped = {path.stem: path for path in shipped_models()}
    if spec.path == shipped.get(FINE_MODEL) and FAST_MODEL in shipped:
        fast = read_model_file(find_model(FAST_MODEL))
        if fast.labels == spec.labels:
            found.append(fast)
    try:
        found.append(smaller_network(found[-1]))
    except SegViewerError as error:
        return tuple(found), str(error)
    return tuple(found), ""


def govern(
    pipeline: Pipeline, deadline_s: float, options: RunOptions, spec: ModelSpec, on_loading: LoadProgress | None
) -> Governing:
    """Of a pipeline whose class maps are painted as soon as they are there.

    Args:
        pipeline: with the segmenter of `spec`.
        deadline_s: that 95 in 100 pictures are to keep, seconds.
        options: what runs the other networks.
        spec: of the model that was chosen.
        on_loading: told how far another network is that takes long to make ready.
    """
    networks, note = networks_for(spec)

    def change(network: ModelSpec, refused: Callable[[], None]) -> None:
        segmenter = options.with_steady(options.segmenter(network, "latency", on_loading))
        pipeline.use(segmenter, lambda _error: refused())

    return Governing(pipeline, deadline_s, networks, change, note=note)


def kept_line(status: GovernorStatus) -> str:
    """What became of a deadline."""
    kept = "kept" if status.holds else "NOT kept"
    note = f" ({status.note})" if status.note else ""
    limit = f"deadline {status.deadline_s * 1000:g} ms {kept}"
    return f"{limit}, {counted(status.steps, 'change')}: {status.line()}{note}"
