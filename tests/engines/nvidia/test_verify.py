from __future__ import annotations

import json
from collections import Counter

import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.engines.nvidia.verify import check_precisions, layer_precisions


def _layers(*layers: dict[str, object]) -> str:
    return json.dumps({"Layers": layers})


def _layer(kind: str, reads: str, name: str = "", metadata: str = "") -> dict[str, object]:
    return {"Name": name, "LayerType": kind, "Inputs": [{"Format/Datatype": reads}], "Metadata": metadata}


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ("Thirty-two wide channel vectorized row major Int8 format", "int8"),
        ("Row major Int8 format", "int8"),
        ("Half", "float16"),
        ("Row major linear FP16 format", "float16"),
        ("Channel major FP16 format where channel % 8 == 0", "float16"),
        ("Float", "float32"),
        ("Row major linear FP32", "float32"),
        ("BFloat16", "bf16"),
        ("N/A due to dynamic shapes", "other"),
    ],
)
def test_the_inspectors_words_are_understood(reads: str, expected: str) -> None:
    assert layer_precisions(_layers(_layer("CaskConvolution", reads)), ["conv"]) == Counter({expected: 1})


def test_only_convolutions_count() -> None:
    layers = _layers(
        _layer("Reformat", "Float", "Reformatting CopyNode for Input Tensor 0 to conv0"),
        _layer("CaskConvolution", "Half", "conv0 + relu0"),
        _layer("CaskDeconvolution", "Half", "double0"),
        _layer("PointWise", "Float", "add"),
    )
    assert layer_precisions(layers, ["conv0", "double0"]) == Counter({"float16": 2})


def test_fused_kernels_are_found_by_the_nodes_that_they_stand_for() -> None:
    layers = _layers(
        _layer("kgen", "Half", "__myl_Conv_1", "[ONNX Layer: conv0][ONNX Layer: relu0]"),
        _layer("kgen", "Float", "__myl_Add_2", "[ONNX Layer: add]"),
        _layer("kgen", "Half", "conv1 + relu1"),
    )
    assert layer_precisions(layers, ["conv0", "conv1"]) == Counter({"float16": 2})


def test_a_float32_kernel_is_found_among_convolutions() -> None:
    layers = _layers(
        _layer("CaskConvolution", "Half", "conv0 + relu0", "[ONNX Layer: conv0]\x1e[ONNX Layer: relu0]"),
        _layer("fusion", "Float", "__myl_ConvAdd", "[ONNX Layer: conv1]\x1f[ONNX Layer: add]"),
        _layer("kgen", "Float", "__myl_Cast", "[ONNX Layer: conv0]"),  # beside a convolution that is known already
    )
    assert layer_precisions(layers, ["conv0", "conv1"]) == Counter({"float16": 1, "float32": 1})


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"Layers": ["conv0", "relu0"]}'])
def test_what_tells_nothing_counts_nothing(text: str) -> None:
    assert layer_precisions(text, ["conv0"]) == Counter()


def test_a_silent_float32_is_refused() -> None:
    with pytest.raises(EngineError, match="built it in float32 though float16 was asked for"):
        check_precisions(Counter({"float32": 23}), "float16", "model")
    with pytest.raises(EngineError, match=r"float16 \(22 of 23 convolutions; float32 1\)"):
        check_precisions(Counter({"float16": 22, "float32": 1}), "float16", "model")


def test_int8_may_leave_some_convolutions_out_and_says_so() -> None:
    assert check_precisions(Counter({"int8": 23}), "int8", "model") == "int8"
    assert "int8 (23 of 27 convolutions" in check_precisions(Counter({"int8": 23, "float32": 4}), "int8", "model")
    with pytest.raises(EngineError, match="int8 was asked for"):
        check_precisions(Counter({"int8": 20, "float32": 7}), "int8", "model")


def test_what_cannot_be_known_is_not_claimed() -> None:
    assert check_precisions(Counter(), "float16", "model").startswith("unknown")
