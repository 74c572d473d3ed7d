"""A graph in float16, by ONNX Runtime's converter."""

from __future__ import annotations

import copy
from typing import Any


def to_float16(onnx_model: Any) -> Any:
    """A float16 copy of a float32 graph (onnx.ModelProto); inputs and outputs keep their types.

    The converter leaves some operators in float32. Left to itself it does so with Max and Min, which have float16
    everywhere by now, and names two casts alike where two of them read the same tensor. It also puts casts behind all
    other nodes, while ONNX wants nodes in the order in which they can run.

    Raises:
        ImportError: ONNX Runtime is not installed.
        Exception: whatever the converter's steps raise.
    """
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    blocked = [kind for kind in DEFAULT_OP_BLOCK_LIST if kind not in ("Max", "Min")]
    converted = convert_float_to_float16(copy.deepcopy(onnx_model), keep_io_types=True, op_block_list=blocked)
    graph = converted.graph
    there = {"", *(value.name for value in graph.input), *(value.name for value in graph.initializer)}
    waiting = [copy.deepcopy(node) for node in graph.node]
    del graph.node[:]
    while waiting:
        ready = next((node for node in waiting if there.issuperset(node.input)), None)
        if ready is None:
            raise ValueError(f"nothing makes the input of {waiting[0].op_type} '{waiting[0].name}'")
        waiting.remove(ready)
        there.update(ready.output)
        graph.node.append(ready)
    return converted
