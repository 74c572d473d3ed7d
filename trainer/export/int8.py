"""All steps from a float32 graph to the int8 one that ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.export.doubling import double_by_pixels
from trainer.export.quantize import activation_ranges, correct_biases, observe, quantize, split_joins


def int8_graph(whole: Any, frames: Sequence[NDArray[np.uint8]]) -> Any:
    """The int8 graph of a fused float32 one, as onnx.ModelProto.

    Args:
        whole: of `trainer.export.graph.whole_model`, fused.
        frames: pictures that ranges and means are taken from, (H, W, 3) uint8 RGB, of the network's size.
    """
    split = split_joins(whole)
    seen = observe(split, frames)
    return double_by_pixels(quantize(correct_biases(split, seen.means), activation_ranges(seen.samples)))
