"""The model file: the one contract between trainer and viewer.

One .onnx file is the whole hand-over; weights in other files, beside it, are refused: its hash would not cover them.

- input `frame`: uint8, [1, H, W, 3], RGB, fixed H and W; scaling and layout are inside the graph.
- output `classes`: integer class id of each pixel, [1, H, W].
- optional output `margin`: top-1 minus top-2 probability of each pixel, 0…255, uint8 or int32, [1, H, W].
- `metadata_props`, all text, keys below: `format_version`, `name`, `labels`, `input_size`, `precision`, `metrics`,
  `trained_on`, `provenance`, `measures` (see `measures.py`; may be missing), `producer`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import ModelFileError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.measures import Measures, read_measures
from seg_viewer.core.onnx_messages import onnx_messages
from seg_viewer.core.printable import printable, printable_all

FORMAT_VERSION = 1
KEY_PREFIX = "seg_viewer."
PRECISIONS = ("float32", "float16", "int8")
INPUT_NAME = "frame"
OUTPUT_NAME = "classes"
MARGIN_NAME = "margin"


@dataclass(frozen=True)
class ModelSpec:
    """What a model file says of itself.

    Args:
        path: the file.
        name: short name, e.g. "driving-fast".
        labels: classes with colours.
        height: rows of the input picture, pixels.
        width: columns of the input picture, pixels.
        precision: "float32", "float16" or "int8": what the graph holds, not what a processor makes of it.
        metrics: held-out scores: set name → {"pictures": n, "miou": x, "iou": {class name: x}, …}, shares of 1.
        trained_on: names of the data sets.
        provenance: how it was made and checked: network, steps, loss, parity by engine, …; for people.
        producer: program and version that wrote the file.
        measures: IoU by the height of objects and flicker, as described in `measures.py`; None without.
        has_margin: whether there is a `margin` output.
        sha256: hash of the file, hexadecimal.
    """

    path: Path
    name: str
    labels: LabelSet
    height: int
    width: int
    precision: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    trained_on: tuple[str, ...] = ()
    producer: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    measures: Measures | None = None
    has_margin: bool = False
    sha256: str = ""

    @property
    def title(self) -> str:
        """Name and input, "driving-fast (512×288)"."""
        return f"{self.name} ({self.width}×{self.height})"

    def metadata(self) -> dict[str, str]:
        """The `metadata_props` to store, key → text."""
        texts = {
            KEY_PREFIX + "format_version": str(FORMAT_VERSION),
            KEY_PREFIX + "name": self.name,
            KEY_PREFIX + "labels": json.dumps(self.labels.to_json()),
            KEY_PREFIX + "input_size": f"{self.width}x{self.height}",
            KEY_PREFIX + "precision": self.precision,
            KEY_PREFIX + "metrics": json.dumps(dict(self.metrics)),
            KEY_PREFIX + "trained_on": json.dumps(list(self.trained_on)),
            KEY_PREFIX + "provenance": json.dumps(dict(self.provenance)),
            KEY_PREFIX + "producer": self.producer,
        }
        if self.measures is not None:
            texts[KEY_PREFIX + "measures"] = json.dumps(dict(self.measures))
        return texts


def read_model_file(path: str | Path) -> ModelSpec:
    """Read and check the contract.

    Args:
        path: an .onnx file.

    Raises:
        ModelFileError: the file is missing, unreadable, no ONNX file, or breaks the contract; the text names
            the file and every part that is missing or wrong.
    """
    path = Path(path)
    data = _read_bytes(path)
    model = _parse(path, data)
    metadata = {p.key: p.value for p in model.metadata_props}
    name, producer = (printable(metadata.get(KEY_PREFIX + key, "")) for key in ("name", "producer"))
    problems: list[str] = []
    size = _check_input(model, problems)
    has_margin = _check_outputs(model, size, problems)
    labels, precision = _check_metadata(metadata, size, problems)
    if problems or labels is None or size is None:
        raise ModelFileError(
            f"{path}: not a seg_viewer model: {'; '.join(problems)}. Export it with 'seg-trainer export'."
        )
    return ModelSpec(
        path=path,
        name=name or path.stem,
        labels=labels,
        height=size[0],
        width=size[1],
        precision=precision,
        metrics=_metrics(metadata.get(KEY_PREFIX + "metrics")),
        trained_on=tuple(map(str, _json_or(metadata.get(KEY_PREFIX + "trained_on"), []))),
        producer=producer,
        provenance=_json_or(metadata.get(KEY_PREFIX + "provenance"), {}),
        measures=printable_all(read_measures(metadata.get(KEY_PREFIX + "measures"))),
        has_margin=has_margin,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise ModelFileError(f"{path}: is a folder; give an .onnx file")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such model file; 'seg-viewer models' lists the ones that ship") from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    if not data:
        raise ModelFileError(f"{path}: is empty, not an ONNX model")
    return data


def _parse(path: Path, data: bytes) -> Any:
    from google.protobuf.message import DecodeError  # takes a while to import, and only this function needs it

    try:
        model = onnx_messages().ModelProto.FromString(data)
    except (DecodeError, ValueError) as error:
        raise ModelFileError(f"{path}: is not an ONNX model, or is cut short") from error
    if not model.graph.node:
        raise ModelFileError(f"{path}: is not an ONNX model (it holds no graph)")
    outside = sorted(_outside_files(model))
    if outside:
        raise ModelFileError(
            f"{path}: keeps its weights in another file ({printable(', '.join(outside))}), which its hash does not"
            " cover; save it as one file: onnx.save(onnx.load(IN), OUT)"
        )
    return model


def _outside_files(message: Any) -> set[str]:
    """Files that tensors lie in, wherever in the model: weights, attributes of nodes, sub-graphs, functions."""
    from google.protobuf.message import Message

    tensor = onnx_messages().TensorProto
    if isinstance(message, tensor):
        if message.data_location != tensor.EXTERNAL:
            return set()
        return {entry.value for entry in message.external_data if entry.key == "location"} or {"one without a name"}
    files: set[str] = set()
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for part in (value,) if isinstance(value, Message) else value:
                files |= _outside_files(part)
    return files


def _shape(value: Any) -> list[int | None]:
    return [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]


def _check_input(model: Any, problems: list[str]) -> tuple[int, int] | None:
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if [value.name for value in inputs] != [INPUT_NAME]:
        found = ", ".join(value.name for value in inputs) or "none"
        problems.append(f"needs exactly one input '{INPUT_NAME}', has {found}")
        return None
    shape = _shape(inputs[0])
    if inputs[0].type.tensor_type.elem_type != onnx_messages().TensorProto.UINT8:
        problems.append(f"input '{INPUT_NAME}' is not uint8")
    match shape:
        case [1, int(height), int(width), 3] if height > 0 and width > 0:
            return height, width
    problems.append(f"input '{INPUT_NAME}' is {shape}, not [1, H, W, 3] with fixed H and W")
    return None


def _check_outputs(model: Any, size: tuple[int, int] | None, problems: list[str]) -> bool:
    tensor = onnx_messages().TensorProto
    integers = (tensor.UINT8, tensor.INT32, tensor.INT64)
    outputs = {value.name: value for value in model.graph.output}
    if OUTPUT_NAME not in outputs:
        problems.append(f"has no output '{OUTPUT_NAME}' (there is {', '.join(outputs) or 'none'})")
    for name in (OUTPUT_NAME, MARGIN_NAME):
        if name not in outputs:
            continue
        if outputs[name].type.tensor_type.elem_type not in integers:
            problems.append(f"output '{name}' is not uint8, int32 or int64")
        if size is not None and _shape(outputs[name]) != [1, *size]:
            problems.append(f"output '{name}' is {_shape(outputs[name])}, not [1, {size[0]}, {size[1]}]")
    return MARGIN_NAME in outputs


def _check_metadata(
    metadata: Mapping[str, str], size: tuple[int, int] | None, problems: list[str]
) -> tuple[LabelSet | None, str]:
    version = metadata.get(KEY_PREFIX + "format_version")
    if version is None:
        problems.append("metadata 'format_version' is missing")
    elif version != str(FORMAT_VERSION):
        problems.append(f"format version {version} is not {FORMAT_VERSION}, the one this program reads")
    labels = None
    text = metadata.get(KEY_PREFIX + "labels")
    if text is None:
        problems.append("metadata 'labels' is missing")
    else:
        try:
            labels = LabelSet.from_json(printable_all(json.loads(text)))
        except ValueError as error:
            problems.append(f"metadata 'labels': {error}")
    precision = metadata.get(KEY_PREFIX + "precision", "")
    if precision not in PRECISIONS:
        problems.append(f"metadata 'precision' is {precision or 'missing'}, not one of {', '.join(PRECISIONS)}")
    stated = metadata.get(KEY_PREFIX + "input_size")
    if stated is not None and size is not None and stated != f"{size[1]}x{size[0]}":
        problems.append(f"metadata 'input_size' says {stated}, the graph {size[1]}x{size[0]}")
    return labels, precision


def _json_or(text: str | None, fallback: Any) -> Any:
    """The parsed text where it is of the fallback's type; this is for show only, so damage is no reason to refuse."""
    try:
        value = json.loads(text) if text else fallback
    except ValueError:
        return fallback
    return printable_all(value) if isinstance(value, type(fallback)) else fallback


def _metrics(text: str | None) -> Mapping[str, Any]:
    """The scores of each set; what is no table of scores is left out."""
    found: dict[str, dict[str, Any]] = {}
    for name, scores in _json_or(text, {}).items():
        if isinstance(scores, dict):
            iou = scores.get("iou")
            found[name] = scores | {"iou": iou if isinstance(iou, dict) else {}}
    return found
