"""TensorRT: any NVIDIA card; a plan is built on the card that it is for."""

from __future__ import annotations

from seg_viewer.engines.nvidia.kind import engine_kind
from seg_viewer.engines.nvidia.library import TENSORRT

ENGINE = engine_kind(TENSORRT)
