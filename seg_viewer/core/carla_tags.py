"""CARLA's semantic tags, turned into our classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# CARLA documentation, "Semantic segmentation camera", 0.8 to 0.9.13: 4 pedestrian, 6 road line, 7 road, 10 vehicle
_TAGS_BEFORE_0_9_14 = {4: 3, 6: 1, 7: 1, 10: 2}


def carla_lookup() -> NDArray[np.uint8]:
    """Our class id for each tag of CARLA 0.8…0.9.13, shape (256,), uint8; tags that are none of ours are background."""
    table = np.zeros(256, np.uint8)
    for tag, class_id in _TAGS_BEFORE_0_9_14.items():
        table[tag] = class_id
    return table
