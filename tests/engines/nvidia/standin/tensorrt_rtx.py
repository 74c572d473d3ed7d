"""Stand-in for TensorRT for RTX: that for TensorRT, with plans made ahead, and kernels compiled on the card."""

from __future__ import annotations

import enum
import json

import tensorrt
from standin_state import STATE
from tensorrt import *  # noqa: F403
from tensorrt import _MAGIC, IHostMemory

__version__ = "1.7.1.116"


class ComputeCapability(enum.IntEnum):
    NONE = 0
    CURRENT = 1
    SM75 = 75
    SM80 = 80
    SM86 = 86
    SM89 = 89
    SM120 = 120


class CudaGraphStrategy(enum.IntEnum):
    DISABLED = 0
    WHOLE_GRAPH_CAPTURE = 1


class DynamicShapesKernelSpecializationStrategy(enum.IntEnum):
    LAZY = 0
    EAGER = 1
    NONE = 2


class EngineValidity(enum.IntEnum):
    VALID = 0
    SUBOPTIMAL = 1
    INVALID = 2


class IBuilderConfig(tensorrt.IBuilderConfig):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.num_compute_capabilities = 0
        self._capabilities: dict[int, ComputeCapability] = {}

    def set_compute_capability(self, compute_capability, index):
        self._capabilities[index] = compute_capability
        return "set_compute_capability" not in STATE.faults


class Builder(tensorrt.Builder):
    def create_builder_config(self):
        return IBuilderConfig()

    def build_serialized_network(self, network, config):
        served = [config._capabilities[index].name for index in range(config.num_compute_capabilities)]
        built = super().build_serialized_network(network, config)
        if built is None:
            return None
        head, _, graph = bytes(built).removeprefix(_MAGIC).partition(b"\n")
        head = json.dumps(json.loads(head) | {"version": __version__, "served": served}).encode()
        return IHostMemory(_MAGIC + head + b"\n" + graph)


class IRuntimeCache:
    def __init__(self, *args, **kwargs):
        self._kernels = b""

    def deserialize(self, blob):
        STATE.note("kernels", bytes(blob))
        if not bytes(blob).startswith(b"kernels "):
            return False
        self._kernels = bytes(blob)
        return True

    def serialize(self):
        return IHostMemory(self._kernels)


class IRuntimeConfig:
    def __init__(self, *args, **kwargs):
        self.cuda_graph_strategy = CudaGraphStrategy.DISABLED
        self.dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy.LAZY
        self._cache: IRuntimeCache | None = None

    def create_runtime_cache(self):
        return IRuntimeCache()

    def set_runtime_cache(self, cache=None):
        self._cache = cache
        return True


class ICudaEngine(tensorrt.ICudaEngine):
    def create_runtime_config(self):
        return IRuntimeConfig()

    def create_execution_context(self, runtime_config=None):
        made = super().create_execution_context()
        if made is not None and runtime_config is not None and runtime_config._cache is not None:
            STATE.note("graph", runtime_config.cuda_graph_strategy.name)
            if not runtime_config._cache._kernels:
                STATE.note("compile kernels")
                runtime_config._cache._kernels = b"kernels of " + self._head["sha256"].encode()
        return made


class Runtime(tensorrt.Runtime):
    def get_engine_validity(self, buffer):
        """As the real one on an H100: a set of flags, 2 for a card that the plan is not made for."""
        data = bytes(buffer)
        if not data.startswith(_MAGIC):
            return EngineValidity.INVALID, 32
        served = json.loads(data.removeprefix(_MAGIC).partition(b"\n")[0])["served"]
        major, minor = STATE.capability
        known = f"SM{major}{minor}" in served or (major, minor) > (12, 0)
        return (EngineValidity.VALID, 0) if known else (EngineValidity.INVALID, 2)

    def deserialize_cuda_engine(self, serialized_engine):
        if self.get_engine_validity(serialized_engine)[0] == EngineValidity.INVALID:
            return None
        engine = super().deserialize_cuda_engine(serialized_engine)
        if engine is not None:
            engine.__class__ = ICudaEngine
        return engine
