"""What a model says of a picture: the class of each pixel, and what the ids mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import LabelSet


@dataclass(frozen=True, slots=True)
class ClassMap:
    """The answer of one model to one picture.

    Args:
        ids: class id of each pixel at the size of the network, shape (h, w), uint8.
        labels: what the ids mean.
        model: hash of the model file, hexadecimal; "" where no file stands behind it.
        margin: how sure, top-1 minus top-2 probability, 0…255, shape (h, w), uint8; None where the model does not say.
    """

    ids: NDArray[np.uint8]
    labels: LabelSet
    model: str = ""
    margin: NDArray[np.uint8] | None = None
