"""The graph that TensorRT gets: the model file's own, in the order and the precision that a GPU wants.

Since TensorRT 11 the graph alone says what is computed in which precision; the builder has no switches for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seg_viewer.core.errors import EngineError, UsageError
from seg_viewer.core.installing import extra
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec
from seg_viewer.engines.float16 import to_float16

PRECISIONS = ("auto", "float32", "float16")
"""auto: float16 where the file is float32, otherwise the file's own precision."""

_MOVED = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity")


@dataclass(frozen=True)
class TensorRtGraph:
    """A model in the form that TensorRT takes.

    Args:
        data: serialised ONNX model.
        precision: what its convolutions compute in: "float32", "float16" or "int8".
        convolutions: names of the nodes that are convolutions.
    """

    data: bytes
    precision: str
    convolutions: tuple[str, ...]


def target_precision(spec: ModelSpec, wanted: str = "auto") -> str:
    """What a plan of a model computes in.

    Raises:
        UsageError: no such precision, or one that the file cannot be given.
    """
    if wanted not in PRECISIONS:
        raise UsageError(f"precision '{wanted}': choose one of {', '.join(PRECISIONS)}")
    if wanted == "auto":
        return "float16" if spec.precision == "float32" else spec.precision
    if wanted != spec.precision and spec.precision != "float32":
        raise UsageError(
            f"precision {wanted}: {spec.path.name} is {spec.precision} and stays so; export a float32 file to choose"
        )
    return wanted


def prepare_graph(spec: ModelSpec, wanted: str = "auto") -> TensorRtGraph:
    """Read a model file and make its graph ready for TensorRT.

    Raises:
        UsageError: see `target_precision`.
        EngineError: float16 needs ONNX Runtime's converter, which is missing or refuses.
    """
    import onnx

    precision = target_precision(spec, wanted)
    model = onnx.load(str(spec.path))
    _name_nodes(model.graph)
    if precision != spec.precision:
        model = _to_float16(model, spec)
    _cast_first(model.graph)
    onnx.checker.check_model(model)
    convolutions = tuple(node.name for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose"))
    return TensorRtGraph(model.SerializeToString(), precision, convolutions)


def _name_nodes(graph: Any) -> None:
    """TensorRT names its layers after the nodes, which is how they are found again."""
    taken = {node.name for node in graph.node}
    for number, node in enumerate(graph.node):
        if not node.name:
            name = f"{node.op_type.lower()}_{number}"
            node.name = name if name not in taken else f"{name}_"


def _to_float16(model: Any, spec: ModelSpec) -> Any:
    try:
        return to_float16(model)
    except ImportError:
        raise EngineError(
            f"float16 needs ONNX Runtime's converter; choose precision float32, or {extra('onnxruntime')}"
        ) from None
    except Exception as error:  # the converter raises whatever its steps raise
        raise EngineError(f"{spec.path}: cannot be converted to float16: {error}; choose precision float32") from error


def _cast_first(graph: Any) -> None:
    """Move the input's cast to floating point ahead of layout changes: the same numbers.

    TensorRT takes uint8 only as a network's input or output and as what a cast reads or writes (NvInferRuntimeBase.h,
    DataType::kUINT8), so a transposition before the cast would be refused.
    """
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    chain = []
    tensor = INPUT_NAME
    while len(readers.get(tensor, [])) == 1:
        node = readers[tensor][0]
        if node.op_type == "Cast":
            break
        if node.op_type not in _MOVED or node.input[0] != tensor:
            return
        chain.append(node)
        tensor = node.output[0]
    else:
        return
    if not chain:
        return
    cast = node
    result = cast.output[0]
    first, last = chain[0], chain[-1]
    early = f"{cast.name}_early"
    cast.input[0], cast.output[0] = INPUT_NAME, early
    first.input[0], last.output[0] = early, result
    moved = {item.output[0] for item in chain[:-1]}
    stale = [info for info in graph.value_info if info.name in moved]
    for info in stale:
        graph.value_info.remove(info)
    nodes = list(graph.node)
    nodes.remove(cast)
    nodes.insert(nodes.index(first), cast)
    copies = [type(item).FromString(item.SerializeToString()) for item in nodes]
    del graph.node[:]
    graph.node.extend(copies)
