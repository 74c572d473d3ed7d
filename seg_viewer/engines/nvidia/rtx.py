"""TensorRT for RTX: NVIDIA's GeForce and RTX cards, from Turing on, with a start of seconds."""

from __future__ import annotations

from seg_viewer.engines.nvidia.kind import engine_kind
from seg_viewer.engines.nvidia.library import RTX

ENGINE = engine_kind(RTX)
