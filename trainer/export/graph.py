"""From trained weights to the `.onnx` file of `seg_viewer.core.model_file`, checked before it is put in place."""

from __future__ import annotations

import copy
import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer import __version__
from seg_viewer.core.errors import ExportError, ModelFileError
from seg_viewer.core.model_file import INPUT_NAME, OUTPUT_NAME, ModelSpec, read_model_file
from seg_viewer.core.part_file import part_file
from seg_viewer.engines.openvino import import_openvino
from trainer.export.head import add_head, drop_unused
from trainer.files import make_folder
from trainer.labels.details import Details
from trainer.network.names import LOGITS
from trainer.network.tensorflow_layers import for_converter
from trainer.network.unet import PIXEL_OFFSET, PIXEL_SCALE
from trainer.scoring.evaluate import Predict

OPSET = 18  # tf2onnx refuses 21
CENTRED = "centred"
"""Tensor of the pixels minus 128: whole numbers −128…127, which symmetric int8 with scale 1 holds without loss."""


def trunk_to_onnx(model: Any) -> Any:
    """The network up to its logits as an ONNX graph: uint8 NHWC in, NCHW within, batch norm folded.

    Args:
        model: as `float_unet` makes it, with a fixed size and one head.

    Returns:
        onnx.ModelProto whose one output is the logits, float32 (1, channels, H/s, W/s), named "logits".

    Raises:
        ExportError: the converter gave a graph of another shape than expected.
    """
    import keras
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    _check_scaling(model)
    _, height, width, _ = model.input_shape
    signature = [keras.InputSpec(shape=(1, height, width, 3), dtype="float32", name=INPUT_NAME)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trunk.onnx"
        for_converter(model).export(
            str(path), format="onnx", verbose=False, input_signature=signature, opset_version=OPSET
        )
        onnx_model = onnx.load(str(path))
    graph = onnx_model.graph
    kinds = [node.op_type for node in graph.node]
    if kinds[:4] != ["Mul", "Add", "Transpose", "Conv"] or kinds[-2:] != ["Conv", "Transpose"]:
        raise ExportError(f"unexpected graph from the converter: {' '.join(kinds[:4])} … {' '.join(kinds[-2:])}")
    scaled = graph.node[2].output[0]
    nodes = list(graph.node)[3:-1]
    constants = {item.name: item for item in graph.initializer}
    # the input's scale goes into the first weights, its offset stays: whole numbers enter the first convolutions
    for node in nodes:
        if scaled in node.input:
            if node.op_type != "Conv" or node.input[0] != scaled:
                raise ExportError(f"unexpected graph from the converter: the picture goes into a {node.op_type}")
            weights = constants[node.input[1]]
            smaller = numpy_helper.to_array(weights) * np.float32(PIXEL_SCALE)
            weights.CopyFrom(numpy_helper.from_array(smaller, weights.name))
            node.input[0] = CENTRED
    graph.initializer.append(numpy_helper.from_array(np.float32(PIXEL_OFFSET), "offset"))
    last = nodes[-1]
    last.output[0] = LOGITS
    del graph.node[:]
    graph.node.extend(
        [
            helper.make_node("Transpose", [INPUT_NAME], ["planes_u8"], name="planes", perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["planes_u8"], ["pixels"], name="pixels", to=TensorProto.FLOAT),
            helper.make_node("Sub", ["pixels", "offset"], [CENTRED], name=CENTRED),
            *nodes,
        ]
    )
    _rename(graph)
    shape = [1, model.output_shape[3], *model.output_shape[1:3]]
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.append(helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, [1, height, width, 3]))
    graph.output.append(helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, shape))
    drop_unused(graph)
    onnx.checker.check_model(onnx_model)
    return onnx_model


def _check_scaling(model: Any) -> None:
    """Raises: ExportError where a network does not begin as ours do, whose scaling goes into the first weights."""
    from keras import layers

    first = next((layer for layer in model.layers if not isinstance(layer, layers.InputLayer)), None)
    known = isinstance(first, layers.Rescaling) and (first.scale, first.offset) == (
        PIXEL_SCALE,
        -PIXEL_OFFSET * PIXEL_SCALE,
    )
    if not known:
        raise ExportError(
            f"{model.name}: scales its pictures in its own way; begin it with trainer.picture_input and train it again"
        )


def _rename(graph: Any) -> None:
    """Short names instead of the converter's scopes: conv0, conv0.weight, conv0.bias, relu0 and so on."""
    counts: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for node in list(graph.node)[3:]:
        kind = {"Conv": "conv", "ConvTranspose": "double", "Relu": "relu", "Concat": "join"}.get(
            node.op_type, node.op_type
        )
        name = f"{kind}{counts.setdefault(kind, 0)}"
        counts[kind] += 1
        node.name = name
        if node.op_type in ("Conv", "ConvTranspose"):
            renamed.update(zip(node.input[1:], (f"{name}.weight", f"{name}.bias"), strict=False))
        if node.output[0] != LOGITS:
            renamed[node.output[0]] = f"{name}.out"
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for item in graph.initializer:
        item.name = renamed.get(item.name, item.name)


def stride_of(model: Any) -> int:
    """How many picture pixels a logit of the network stands for in each direction."""
    return int(model.input_shape[1] // model.output_shape[1])


def whole_model(model: Any, details: Details, fused: bool) -> Any:
    """The graph of a `float_unet`, frame → classes, in float32; `fused` as in `add_head`."""
    return headed(model, details)(fused)


def headed(model: Any, details: Details) -> Callable[[bool], Any]:
    """As `whole_model`, for whoever wants both heads: the network is converted once, which is what takes seconds."""
    import keras

    if details.subpixel:
        model = keras.Model(model.input, model.get_layer(LOGITS).output)
    trunk, stride = trunk_to_onnx(model), stride_of(model)
    groups = () if details.subpixel else details.groups
    return lambda fused: add_head(copy.deepcopy(trunk), stride, fused, groups, subpixel=details.subpixel)


def set_metadata(onnx_model: Any, spec: ModelSpec) -> None:
    """Replace the metadata by those of a spec."""
    from onnx import helper

    del onnx_model.metadata_props[:]
    helper.set_model_props(onnx_model, spec.metadata())
    onnx_model.producer_name, onnx_model.producer_version = "seg-trainer", __version__


def write_model(onnx_model: Any, spec: ModelSpec, path: Path) -> ModelSpec:
    """Write the file under another name, read it back as the viewer will, then put it in place in one move.

    Raises:
        ExportError: the folder cannot be written to, or the graph breaks the contract.
    """
    set_metadata(onnx_model, spec)
    make_folder(path.parent)
    try:
        with part_file(path) as part:
            part.write_bytes(onnx_model.SerializeToString())
            checked = read_model_file(part)
    except ModelFileError as error:
        raise ExportError(f"the graph breaks the contract: {error}") from error
    return dataclasses.replace(checked, path=path)


def cpu_session(onnx_model: Any) -> Any:
    """A graph in ONNX Runtime on the CPU, without its warnings: an onnxruntime.InferenceSession."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(onnx_model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run_onnx(onnx_model: Any) -> Predict:
    """A function picture (H, W, 3) uint8 → class map (H, W) uint8 that runs a graph in ONNX Runtime on the CPU."""
    session = cpu_session(onnx_model)

    def predict(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(session.run(None, {INPUT_NAME: picture[None]})[0][0], np.uint8)

    return predict


def run_openvino(onnx_model: Any) -> Predict:
    """As `run_onnx`, in OpenVINO on the CPU, in float32 wherever the graph is not int8.

    Left to itself OpenVINO takes bfloat16 where the processor has it, which says nothing about the graph.
    """
    ov = import_openvino()
    core = ov.Core()
    model = core.read_model(onnx_model.SerializeToString())
    request = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()

    def predict(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        request.infer({INPUT_NAME: picture[None]})
        return np.array(request.get_tensor(OUTPUT_NAME).data[0], np.uint8)

    return predict
