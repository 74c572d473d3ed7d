"""How sure a model is, as colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray

_STOPS = ((255, 240, 110), (249, 148, 64), (203, 60, 110), (105, 20, 130), (10, 8, 40))
"""Red, green, blue at a margin of 0, 64, 128, 191 and 255: from light to dark, for every kind of colour vision."""
_ALPHA = (0.95, 0.92, 0.88, 0.82, 0.72)
"""How much of the picture each of them covers: where the model is sure, the picture can be seen, darkened."""


def _table() -> NDArray[np.uint32]:
    """Blue, green, red, alpha of each margin, premultiplied, as one number each."""
    places, margins = np.linspace(0, 255, len(_STOPS)), np.arange(256)
    red, green, blue = (np.interp(margins, places, [stop[channel] for stop in _STOPS]) for channel in range(3))
    alpha = np.interp(margins, places, _ALPHA)
    colors = np.stack([alpha * blue, alpha * green, alpha * red, 255 * alpha], axis=-1)
    return np.ascontiguousarray(np.rint(colors).astype(np.uint8)).view(np.uint32).reshape(256)


_BGRA = _table()


def heat_bgra(margin: ByteArray) -> ByteArray:
    """A margin as a window draws it over its picture: light where the model is unsure, dark where it is sure.

    Args:
        margin: see `ClassMap.margin`, shape (h, w), uint8.

    Returns:
        shape (h, w, 4), uint8, blue-green-red-alpha, premultiplied by alpha.
    """
    return np.asarray(_BGRA[margin].view(np.uint8).reshape(*margin.shape, 4))


def sure_share(margin: ByteArray) -> float:
    """Mean of a margin, 0…1."""
    return float(margin.mean()) / 255 if margin.size else 0.0
