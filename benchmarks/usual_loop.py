"""Our pipeline against the loop a user would write instead, on the same model and clip, in the same run.

    python -m benchmarks.usual_loop [CLIP] [--model NAME|FILE] [--frames 600] [--rounds 3] [--json FILE]

The usual loop: cv2.VideoCapture → resize → float → ONNX Runtime in float32 → arg-max in numpy → colours →
cv2.addWeighted. Its model is ours with every quantisation removed, which is the float32 graph with the same weights.
"usual, arg-max in graph" is the same loop with the arg-max left in the model. Every contestant runs in a process of
its own, in turn, and is timed from frame 20 to the last, its overlay drawn on every frame, nothing written.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seg_viewer.core.assets import find_model
from seg_viewer.core.model_file import INPUT_NAME, OUTPUT_NAME, read_model_file
from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.sources import open_source

WARM_UP = 20
OURS, USUAL, IN_GRAPH = "ours", "usual", "usual, arg-max in graph"


def float_model(path: Path, *, logits: bool) -> onnx.ModelProto:
    """A model file without its QuantizeLinear/DequantizeLinear pairs, taking float pictures.

    Args:
        path: a model file of ours.
        logits: give the class scores [1, classes, H, W] instead of the class map.
    """
    model = onnx.load(str(path))
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    renamed: dict[str, str] = {}
    kept = []
    for node in graph.node:
        inputs = [renamed.get(name, name) for name in node.input]
        if node.op_type == "QuantizeLinear" and inputs[0] not in constants:
            renamed[node.output[0]] = inputs[0]
        elif node.op_type == "DequantizeLinear":
            if inputs[0] in constants:
                graph.initializer.append(numpy_helper.from_array(_dequantized(node, constants), node.output[0]))
            else:
                renamed[node.output[0]] = inputs[0]
        else:
            del node.input[:]
            node.input.extend(inputs)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    if logits:
        _cut_at_scores(model, read_model_file(path).labels.names)
    used = {name for node in graph.node for name in node.input}
    unused = [tensor for tensor in graph.initializer if tensor.name not in used]
    for tensor in unused:
        graph.initializer.remove(tensor)
    return model


def _dequantized(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> np.ndarray:
    values, scale = constants[node.input[0]].astype(np.float32), constants[node.input[1]]
    zero = constants[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.float32(0)
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    shape = [-1 if i == axis else 1 for i in range(values.ndim)] if np.ndim(scale) else []
    return ((values - zero.reshape(shape)) * scale.reshape(shape)).astype(np.float32)


def _cut_at_scores(model: onnx.ModelProto, names: tuple[str, ...]) -> None:
    """Our head splits the scores by class, four sub-pixels each; put them together as full-size planes instead."""
    graph = model.graph
    split = next((node for node in graph.node if node.op_type == "Split" and len(node.output) == len(names)), None)
    blocks = [node for node in graph.node if node.op_type == "DepthToSpace" and node.output[0] == "full_winner"]
    block = blocks[0] if blocks else None
    if split is None or block is None:
        raise SystemExit("this model's head is not the one that this benchmark knows")
    head = list(graph.node)[: list(graph.node).index(split) + 1]
    planes = [f"plane_{i}" for i in range(len(names))]
    head += [
        helper.make_node("DepthToSpace", [score], [plane], blocksize=block.attribute[0].i)
        for score, plane in zip(split.output, planes, strict=True)
    ]
    head.append(helper.make_node("Concat", planes, ["scores"], axis=1))
    height, width = (d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[1:3])
    del graph.node[:]
    graph.node.extend(head)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(names), height, width]))


def run_usual(clip: str, model: str, frames: int, *, arg_max_in_graph: bool) -> float:
    """Frames per second of the loop a user would write."""
    import onnxruntime

    path = find_model(model)
    spec = read_model_file(path)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "float.onnx")
        onnx.save(float_model(path, logits=not arg_max_in_graph), file)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    palette = spec.labels.palette()[:, ::-1].copy()
    capture = cv2.VideoCapture(clip)
    start_s = 0.0
    for number in range(WARM_UP + frames):
        found, picture = capture.read()
        if not found:
            capture = cv2.VideoCapture(clip)
            _, picture = capture.read()
        small = cv2.cvtColor(cv2.resize(picture, (spec.width, spec.height)), cv2.COLOR_BGR2RGB)
        (output,) = session.run(None, {INPUT_NAME: small[None].astype(np.float32)})
        classes = output[0].astype(np.uint8) if arg_max_in_graph else output[0].argmax(axis=0).astype(np.uint8)
        full = cv2.resize(classes, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        cv2.addWeighted(picture, 0.55, palette[full], 0.45, 0)
        if number == WARM_UP - 1:
            start_s = time.perf_counter()
    return frames / (time.perf_counter() - start_s)


def run_ours(clip: str, model: str, frames: int) -> float:
    """Frames per second of our pipeline, overlay drawn."""
    options = RunOptions(model)
    spec = options.read_spec()
    overlay = Overlay(spec.labels)
    start_s = 0.0
    with Pipeline(open_source(clip), options.segmenter(spec), loop=True) as pipeline:
        for number, shot in enumerate(pipeline):
            overlay.paint_yuv(shot.frame.picture.yuv420(), shot.classes)
            if number == WARM_UP - 1:
                start_s = time.perf_counter()
            if number == WARM_UP + frames - 1:
                break
        return frames / (time.perf_counter() - start_s)


def agreement(clip: str, model: str) -> float:
    """Share of pixels on which the float32 graph and ours give the same class, over ten frames: the models are one."""
    import onnxruntime

    options = RunOptions(model, engine="onnxruntime")
    spec = options.read_spec()
    engine = options.load(spec)
    floating = onnxruntime.InferenceSession(
        float_model(spec.path, logits=False).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    source = open_source(clip)
    same = []
    for frame in source:
        if frame.index % 20 == 0:
            small = frame.picture.scaled_rgb(spec.width, spec.height)
            (classes,) = floating.run([OUTPUT_NAME], {INPUT_NAME: small[None].astype(np.float32)})
            same.append(float(np.mean(classes[0] == engine.segment(small))))
        if len(same) == 10:
            break
    source.close()
    return statistics.mean(same)


def _in_own_process(contestant: str, clip: str, model: str, frames: int) -> float:
    command = [sys.executable, "-m", "benchmarks.usual_loop", clip, "--model", model, "--frames", str(frames)]
    done = subprocess.run([*command, "--only", contestant], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.split()[-1])


@click.command(help=__doc__)
@click.argument("clip", default="demo")
@click.option("--model", default="driving-fast")
@click.option("--frames", default=600, help="Measured per round.")
@click.option("--rounds", default=3)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice([OURS, USUAL, IN_GRAPH]), hidden=True)
def main(clip: str, model: str, frames: int, rounds: int, json_path: Path | None, only: str | None) -> None:
    source = open_source(clip)
    clip = str(source.info.path)
    source.close()
    if only == OURS:
        click.echo(run_ours(clip, model, frames))
    elif only:
        click.echo(run_usual(clip, model, frames, arg_max_in_graph=only == IN_GRAPH))
    else:
        _compare(clip, model, frames, rounds, json_path)


def _compare(clip: str, model: str, frames: int, rounds: int, json_path: Path | None) -> None:
    contestants = (OURS, USUAL, IN_GRAPH)
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name in contestants:
            rates[name].append(_in_own_process(name, clip, model, frames))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name in contestants:
        each = ", ".join(f"{rate:.1f}" for rate in rates[name])
        click.echo(f"{name:<26} {medians[name]:7.1f} frames/s  ({each})")
    figures = {
        "clip": Path(clip).name,
        "model": model,
        "rates": rates,
        "times_usual": medians[OURS] / medians[USUAL],
        "times_usual_arg_max_in_graph": medians[OURS] / medians[IN_GRAPH],
        "same_class_as_float32": agreement(clip, model),
    }
    click.echo(f"ours ÷ usual                    {figures['times_usual']:.2f}")
    click.echo(f"ours ÷ usual, arg-max in graph  {figures['times_usual_arg_max_in_graph']:.2f}")
    click.echo(f"pixels with the float32 graph's class: {100 * figures['same_class_as_float32']:.2f} %")
    if json_path:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
