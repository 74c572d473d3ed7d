"""Which networks there are to keep live pictures young."""

from __future__ import annotations

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL, find_model, shipped_models
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.smaller import smaller_network


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
