"""Stand-in for TensorRT: the same surface, checked against the real bindings by the contract test, with plans that
hold the ONNX graph and run it with ONNX Runtime on host memory.
"""

from __future__ import annotations

import enum
import hashlib
import json
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto
from standin_state import STATE

__version__ = "11.4.0.106"
_MAGIC = b"STAND-IN PLAN "


class DataType(enum.IntEnum):
    FLOAT = 0
    HALF = 1
    INT8 = 2
    INT32 = 3
    UINT8 = 5
    INT64 = 8


class TensorIOMode(enum.IntEnum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class MemoryPoolType(enum.IntEnum):
    WORKSPACE = 0


class ProfilingVerbosity(enum.IntEnum):
    LAYER_NAMES_ONLY = 0
    NONE = 1
    DETAILED = 2


class LayerInformationFormat(enum.IntEnum):
    ONELINE = 0
    JSON = 1


class ILogger:
    class Severity(enum.IntEnum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    def __init__(self):
        pass


class IProgressMonitor:
    def __init__(self):
        pass

    def phase_start(self, phase_name, parent_phase, num_steps):
        raise NotImplementedError

    def step_complete(self, phase_name, step):
        raise NotImplementedError

    def phase_finish(self, phase_name):
        raise NotImplementedError


class Dims:
    def __init__(self, shape=()):
        self._shape = tuple(shape)

    def __len__(self):
        return len(self._shape)

    def __getitem__(self, index):
        return self._shape[index]


class IHostMemory:
    def __init__(self, *args, **kwargs):
        self._data = args[0]

    @property
    def nbytes(self):
        return len(self._data)

    def __bytes__(self):
        return self._data


class ITensor:
    def __init__(self, *args, **kwargs):
        self.name, self.shape = args


class INetworkDefinition:
    def __init__(self, *args, **kwargs):
        (self.flags,) = args
        self._model: onnx.ModelProto | None = None

    @property
    def num_inputs(self):
        return len(self._model.graph.input)

    @property
    def num_layers(self):
        return len(self._model.graph.node)

    def get_input(self, index):
        value = self._model.graph.input[index]
        return ITensor(value.name, Dims(dim.dim_value for dim in value.type.tensor_type.shape.dim))


class ParserError:
    def __init__(self, *args, **kwargs):
        self._text, self._node = args

    def desc(self):
        return self._text

    def node(self):
        return 0

    def node_name(self):
        return self._node


class OnnxParser:
    def __init__(self, network, logger):
        self._network = network
        self._errors: list[ParserError] = []

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]

    def parse(self, model, path=""):
        STATE.note("parse")
        if "parse" in STATE.faults:
            self._errors = [ParserError(text, f"node{i}") for i, text in enumerate(STATE.faults["parse"].split("|"))]
            return False
        graph = onnx.load_model_from_string(model).graph
        small = {value.name for value in graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8}
        # DataType.UINT8 in NvInferRuntimeBase.h: network inputs and outputs only, read by nothing but a cast
        self._errors = [
            ParserError(f"{node.op_type} of a uint8 tensor", node.name)
            for node in graph.node
            if node.op_type != "Cast" and small & set(node.input)
        ]
        self._network._model = onnx.load_model_from_string(model)
        return not self._errors


class IOptimizationProfile:
    def __init__(self, *args, **kwargs):
        self._shapes: dict[str, tuple[Dims, Dims, Dims]] = {}

    def set_shape(self, input, min, opt, max):
        self._shapes[input] = (min, opt, max)


class ITimingCache:
    def __init__(self, *args, **kwargs):
        (self._data,) = args

    def serialize(self):
        return IHostMemory(self._data + b"t")


class IBuilderConfig:
    def __init__(self, *args, **kwargs):
        self.builder_optimization_level = 3
        self.profiling_verbosity = ProfilingVerbosity.LAYER_NAMES_ONLY
        self.progress_monitor: IProgressMonitor | None = None
        self._timings = ITimingCache(b"")

    def set_memory_pool_limit(self, pool, pool_size):
        STATE.note("workspace", pool_size)

    def add_optimization_profile(self, profile):
        STATE.note("profile", profile._shapes)
        return 0

    def create_timing_cache(self, serialized_timing_cache):
        return ITimingCache(bytes(serialized_timing_cache))

    def set_timing_cache(self, cache, ignore_mismatch):
        STATE.note("timings", cache._data)
        if cache._data.startswith(b"foreign"):
            return False
        self._timings = cache
        return True

    def get_timing_cache(self):
        return self._timings


class Builder:
    def __init__(self, logger):
        STATE.note("Builder")
        self._logger = logger
        if "Builder" in STATE.faults:
            logger.log(ILogger.Severity.ERROR, STATE.faults["Builder"])
            raise TypeError("pybind11::init(): factory function returned nullptr")  # the real bindings do so

    def create_network(self, flags=0):
        STATE.note("create_network", flags)
        return INetworkDefinition(flags)

    def create_builder_config(self):
        return IBuilderConfig()

    def create_optimization_profile(self):
        return IOptimizationProfile()

    def build_serialized_network(self, network, config):
        STATE.note("build")
        if "build" in STATE.faults:
            self._logger.log(ILogger.Severity.ERROR, STATE.faults["build"])
            return None
        monitor = config.progress_monitor
        if monitor is not None and not _report(monitor):
            return None
        graph = network._model.SerializeToString()
        head = {
            "version": __version__,
            "detailed": config.profiling_verbosity == ProfilingVerbosity.DETAILED,
            "level": config.builder_optimization_level,
            "sha256": hashlib.sha256(graph).hexdigest(),
        }
        return IHostMemory(_MAGIC + json.dumps(head).encode() + b"\n" + graph)


def _report(monitor: IProgressMonitor) -> bool:
    """Two nested phases, as TensorRT reports them."""
    monitor.phase_start("Building engine", None, 2)
    monitor.phase_start("Timing tactics", "Building engine", 4)
    for step in range(4):
        STATE.build_gate.wait(60)
        time.sleep(STATE.step_s)
        if not monitor.step_complete("Timing tactics", step):
            return False
    monitor.phase_finish("Timing tactics")
    goes_on = monitor.step_complete("Building engine", 0) and monitor.step_complete("Building engine", 1)
    monitor.phase_finish("Building engine")
    return goes_on


class Runtime:
    def __init__(self, logger):
        STATE.note("Runtime")
        self._logger = logger

    def __del__(self):
        STATE.note("~Runtime")

    def deserialize_cuda_engine(self, serialized_engine):
        STATE.note("deserialize")
        data = bytes(serialized_engine)
        head, _, graph = data.removeprefix(_MAGIC).partition(b"\n")
        text = STATE.faults.get("deserialize", "")
        if not data.startswith(_MAGIC) or json.loads(head)["sha256"] != hashlib.sha256(graph).hexdigest():
            text = "Serialization assertion magicTag == kPLAN_MAGIC failed"
        if text:
            self._logger.log(ILogger.Severity.ERROR, text)
            return None
        return ICudaEngine(self, onnx.load_model_from_string(graph), json.loads(head), self._logger)


class ICudaEngine:
    def __init__(self, *args, **kwargs):
        self._runtime, self._model, self._head, self._logger = args
        self._answers: dict[bytes, list[np.ndarray]] = {}
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            self._model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __del__(self):
        STATE.note("~ICudaEngine")

    @property
    def num_io_tensors(self):
        return len(self._values())

    def _values(self):
        return [*self._model.graph.input, *self._model.graph.output]

    def _value(self, name):
        return next(value for value in self._values() if value.name == name)

    def get_tensor_name(self, index):
        return self._values()[index].name

    def get_tensor_mode(self, name):
        inputs = [value.name for value in self._model.graph.input]
        return TensorIOMode.INPUT if name in inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name):
        return Dims(dim.dim_value for dim in self._value(name).type.tensor_type.shape.dim)

    def get_tensor_dtype(self, name):
        kinds = {
            TensorProto.UINT8: DataType.UINT8,
            TensorProto.INT32: DataType.INT32,
            TensorProto.INT64: DataType.INT64,
            TensorProto.FLOAT: DataType.FLOAT,
        }
        return kinds[self._value(name).type.tensor_type.elem_type]

    def create_execution_context(self, strategy=None):
        STATE.note("create_execution_context")
        if "create_execution_context" in STATE.faults:
            self._logger.log(ILogger.Severity.ERROR, STATE.faults["create_execution_context"])
            return None
        return IExecutionContext(self)

    def create_engine_inspector(self):
        return EngineInspector(self)


class EngineInspector:
    def __init__(self, *args, **kwargs):
        (self._engine,) = args

    def get_engine_information(self, format):
        model, detailed = self._engine._model, self._engine._head["detailed"]
        halves = {item.name for item in model.graph.initializer if item.data_type == TensorProto.FLOAT16}
        makers = {name: node.op_type for node in model.graph.node for name in node.output}
        layers: list[object] = []
        for node in model.graph.node:
            kind = "Float"
            if makers.get(node.input[0]) == "DequantizeLinear":
                kind = "Int8"
            elif halves & set(node.input):
                kind = "Half"
            convolution = node.op_type in ("Conv", "ConvTranspose")
            layer = {
                "Name": node.name,
                "LayerType": "CaskConvolution" if convolution else "kgen",
                "Inputs": [{"Name": node.input[0], "Format/Datatype": STATE.inspected or kind}],
                "Outputs": [{"Name": node.output[0], "Format/Datatype": kind}],
                "Metadata": f"[ONNX Layer: {node.name}]",
            }
            layers.append(layer if detailed else node.name)
        return json.dumps({"Layers": layers})


class IExecutionContext:
    def __init__(self, *args, **kwargs):
        (self.engine,) = args
        self._addresses: dict[str, int] = {}

    def __del__(self):
        STATE.note("~IExecutionContext")

    def set_tensor_address(self, name, memory):
        self._addresses[name] = int(memory)
        return "set_tensor_address" not in STATE.faults

    def execute_async_v3(self, stream_handle):
        STATE.note("execute", (id(self), stream_handle))
        if "execute" in STATE.faults:
            self.engine._logger.log(ILogger.Severity.ERROR, STATE.faults["execute"])
            return False
        session, addresses = self.engine._session, dict(self._addresses)

        def run() -> None:
            STATE.note("run network")
            source = session.get_inputs()[0]
            picture = STATE.memory[addresses[source.name]].reshape(source.shape)
            outputs = [item.name for item in session.get_outputs()]
            same = hashlib.sha256(picture.tobytes()).digest()  # a network gives the same for the same
            if same not in self.engine._answers:
                self.engine._answers[same] = session.run(outputs, {source.name: picture})
            for name, value in zip(outputs, self.engine._answers[same], strict=True):
                if STATE.wrong_classes:
                    value = (value + 1) % 4
                STATE.memory[addresses[name]][:] = np.ascontiguousarray(value).view(np.uint8).ravel()

        STATE.streams[stream_handle]._add(run)
        return True
