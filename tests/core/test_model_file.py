from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from seg_viewer.core.errors import ModelFileError
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.core.model_file import read_model_file
from tests.models import color_model


def test_a_good_file(model: Path) -> None:
    spec = read_model_file(model)
    assert (spec.name, spec.width, spec.height, spec.precision) == ("colors", 64, 32, "float32")
    assert spec.labels == DRIVING
    assert not spec.has_margin
    assert len(spec.sha256) == 64


def test_scores_come_out_of_the_file(tmp_path: Path) -> None:
    scores = {"camvid-val": {"pictures": 101, "miou": 0.5, "iou": {"road": 0.9}}}
    path = color_model(tmp_path / "m.onnx", metadata={"seg_viewer.metrics": json.dumps(scores)})
    assert read_model_file(path).metrics == scores


_BANDS = [
    {"from": 0.0, "to": 0.05, "objects": 12, "iou": 0.31, "recall": 0.4},
    {"from": 0.05, "to": None, "objects": 0, "iou": None, "recall": None},
]
_MEASURES = {
    "heights": {"camvid": {"person": _BANDS}},
    "calm": {"motorway": {"frames": 143, "still": 0.81, "changed": 0.0021}},
}


_NASTY = "a\x1b[31mb\nc\td\u202ee"
_SHOWN = "a\N{REPLACEMENT CHARACTER}[31mb c d\N{REPLACEMENT CHARACTER}e"


def test_names_are_one_line_without_control_characters(tmp_path: Path) -> None:
    labels = LabelSet([Label(0, "background", (0, 0, 0), painted=False), Label(1, _NASTY, (9, 9, 9))])
    texts = {
        "metrics": {_NASTY: {"miou": 0.5, "iou": {_NASTY: 0.5}}},
        "measures": {"calm": {_NASTY: {"frames": 3, "still": 0.5, "changed": 0.5}}},
        "trained_on": [_NASTY],
        "provenance": {_NASTY: {_NASTY: [_NASTY]}},
    }
    metadata = {f"seg_viewer.{key}": json.dumps(value) for key, value in texts.items()}
    metadata["seg_viewer.producer"] = _NASTY
    spec = read_model_file(color_model(tmp_path / "m.onnx", labels=labels, name=_NASTY, metadata=metadata))
    assert (spec.name, spec.producer, spec.labels.names[1], spec.trained_on) == (_SHOWN, _SHOWN, _SHOWN, (_SHOWN,))
    assert spec.metrics[_SHOWN]["iou"] == {_SHOWN: 0.5}
    assert spec.measures is not None and list(spec.measures["calm"]) == [_SHOWN]
    assert spec.provenance == {_SHOWN: {_SHOWN: [_SHOWN]}}


@pytest.mark.parametrize("text", ['{"camvid": 5}', '{"camvid": {"iou": [1]}}', "[1]", "{", '{"camvid": {"miou": "x"}}'])
def test_damaged_scores_are_no_reason_to_refuse(tmp_path: Path, text: str) -> None:
    spec = read_model_file(color_model(tmp_path / "m.onnx", metadata={"seg_viewer.metrics": text}))
    assert all(isinstance(scores["iou"], dict) for scores in spec.metrics.values())


def test_measures_come_out_as_they_were_written(tmp_path: Path) -> None:
    plain = read_model_file(color_model(tmp_path / "plain.onnx"))
    assert plain.measures is None and "seg_viewer.measures" not in plain.metadata()
    written = replace(plain, measures=_MEASURES).metadata()
    assert read_model_file(color_model(tmp_path / "m.onnx", metadata=written)).measures == _MEASURES


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("{", None),
        ("[]", None),
        ('{"weather": 1}', None),
        (json.dumps(_MEASURES | {"weather": {"rain": 1}}), _MEASURES),
        (
            json.dumps({"heights": {"camvid": {"person": [*_BANDS, {"from": "small"}, 3], "car": 5}, "idd": []}}),
            {"heights": _MEASURES["heights"]},
        ),
        (
            json.dumps({"heights": 1, "calm": {"a": {"frames": 9, "changed": 2.0}, **_MEASURES["calm"]}}),
            {"calm": _MEASURES["calm"]},
        ),
        (
            json.dumps({"calm": {"a": {"frames": 9, "still": "much", "changed": 0.5, "more": 1}}}),
            {"calm": {"a": {"frames": 9, "still": None, "changed": 0.5}}},
        ),
    ],
)
def test_damaged_measures_are_left_out_and_unknown_ones_ignored(tmp_path: Path, text: str, kept: object) -> None:
    path = color_model(tmp_path / "m.onnx", metadata={"seg_viewer.measures": text})
    assert read_model_file(path).measures == kept


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"seg_viewer.labels": "[]"}, "at least one class"),
        ({"seg_viewer.labels": "{"}, "metadata 'labels'"),
        ({"seg_viewer.precision": "int4"}, "int4"),
        ({"seg_viewer.format_version": "99"}, "format version 99"),
        ({"seg_viewer.input_size": "1x1"}, "input_size"),
        (
            {"seg_viewer.labels": json.dumps([{"id": i, "name": str(i), "color": [0, 0, 0]} for i in range(300)])},
            "300 classes",
        ),
    ],
)
def test_broken_metadata_is_named(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    path = color_model(tmp_path / "m.onnx", metadata=metadata)
    with pytest.raises(ModelFileError, match=message) as caught:
        read_model_file(path)
    assert "m.onnx" in str(caught.value) and "\n" not in str(caught.value)


def test_a_foreign_model_is_told_everything_it_lacks(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 8, 8])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [out])
    onnx.save(helper.make_model(graph), str(tmp_path / "foreign.onnx"))
    with pytest.raises(ModelFileError) as caught:
        read_model_file(tmp_path / "foreign.onnx")
    for part in ("input 'frame'", "output 'classes'", "'format_version'", "'labels'", "'precision'", "seg-trainer"):
        assert part in str(caught.value)


def test_a_free_size_is_refused(tmp_path: Path, model: Path) -> None:
    loaded = onnx.load(str(model))
    loaded.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "height"
    onnx.save(loaded, str(tmp_path / "free.onnx"))
    with pytest.raises(ModelFileError, match="fixed H and W"):
        read_model_file(tmp_path / "free.onnx")


@pytest.mark.parametrize(("data", "message"), [(b"", "empty"), (b"PNG no model at all" * 9, "not an ONNX model")])
def test_no_model(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(ModelFileError, match=message):
        read_model_file(tmp_path / "m.onnx")


def test_a_truncated_model(tmp_path: Path, model: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(model.read_bytes()[:200])
    with pytest.raises(ModelFileError):
        read_model_file(tmp_path / "m.onnx")


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such model file"):
        read_model_file(tmp_path / "m.onnx")
    with pytest.raises(ModelFileError, match="is a folder"):
        read_model_file(tmp_path)


def _outside(name: str = "w") -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def _constant(**value: object) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], **value)  # type: ignore[arg-type]


def _sparse(values: onnx.TensorProto, indices: onnx.TensorProto) -> onnx.SparseTensorProto:
    return onnx.SparseTensorProto(values=values, indices=indices, dims=[1])


def _branch(*nodes: onnx.NodeProto, weights: tuple[onnx.TensorProto, ...] = ()) -> onnx.GraphProto:
    return onnx.GraphProto(name="branch", node=nodes, initializer=weights)


_INSIDE = helper.make_tensor("i", TensorProto.FLOAT, [1], [1.0])


@pytest.mark.parametrize(
    "part",
    [
        onnx.ModelProto(graph=onnx.GraphProto(initializer=[_outside()])),
        onnx.ModelProto(graph=onnx.GraphProto(sparse_initializer=[_sparse(_outside(), _INSIDE)])),
        onnx.ModelProto(graph=onnx.GraphProto(sparse_initializer=[_sparse(_INSIDE, _outside())])),
        onnx.ModelProto(graph=onnx.GraphProto(node=[_constant(value=_outside())])),
        onnx.ModelProto(graph=onnx.GraphProto(node=[_constant(sparse_value=_sparse(_outside(), _INSIDE))])),
        onnx.ModelProto(graph=onnx.GraphProto(node=[_constant(several=[_INSIDE, _outside()])])),
        onnx.ModelProto(graph=onnx.GraphProto(node=[_constant(then_branch=_branch(weights=(_outside(),)))])),
        onnx.ModelProto(
            graph=onnx.GraphProto(node=[_constant(body=_branch(_constant(body=_branch(_constant(value=_outside())))))])
        ),
        onnx.ModelProto(functions=[onnx.FunctionProto(name="f", node=[_constant(value=_outside())])]),
        onnx.ModelProto(
            functions=[onnx.FunctionProto(name="f", attribute_proto=[helper.make_attribute("a", _outside())])]
        ),
        onnx.ModelProto(training_info=[onnx.TrainingInfoProto(algorithm=_branch(weights=(_outside(),)))]),
    ],
    ids=["weight", "sparse values", "sparse indices", "constant", "sparse constant", "list of an attribute",
         "branch", "branch in a branch", "function", "default of a function", "training"],
)  # fmt: skip
def test_weights_in_another_file_are_refused_wherever_they_hide(
    tmp_path: Path, model: Path, part: onnx.ModelProto
) -> None:
    whole = onnx.load(str(model))
    whole.MergeFrom(part)
    (tmp_path / "m.onnx").write_bytes(whole.SerializeToString())
    with pytest.raises(
        ModelFileError, match=r"keeps its weights in another file \(weights\.bin\).*save it as"
    ) as error:
        read_model_file(tmp_path / "m.onnx")
    assert str(tmp_path / "m.onnx") in str(error.value) and "\n" not in str(error.value)


def test_the_way_out_of_weights_in_another_file_leads_out(tmp_path: Path, model: Path) -> None:
    parted = tmp_path / "parted.onnx"
    onnx.save(onnx.load(str(model)), str(parted), save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(ModelFileError, match=r"\(w\.bin\)"):
        read_model_file(parted)
    onnx.save(onnx.load(str(parted)), str(tmp_path / "whole.onnx"))
    assert read_model_file(tmp_path / "whole.onnx").name == "colors"
