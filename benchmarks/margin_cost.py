"""What the output `margin` costs: a model file with it against the same file without, in turns, within one run.

    python -m benchmarks.margin_cost [MODEL] [--with FILE] [--rounds 40] [--each 4] [--engine openvino]

MODEL is a shipped name or a file. Where it has no margin, --with names the same model with one (`seg-trainer margin`);
where it has one, the other contestant is the same graph with that output cut off. One picture at a time on one thread;
what is told is CPU-seconds of a picture, which other programs on the machine disturb less than the time by the clock,
and the ratio of the lower quartiles. Both must give the same classes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx

from seg_viewer.core.assets import FAST_MODEL, find_model
from seg_viewer.core.errors import UsageError
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.model_file import INPUT_NAME, MARGIN_NAME, ModelSpec, read_model_file
from seg_viewer.engines.base import output_names
from seg_viewer.engines.onnxruntime import import_onnxruntime
from seg_viewer.engines.openvino import import_openvino, read_graph, settings

Run = Callable[[np.ndarray], np.ndarray]


def without_margin(path: Path, output: Path) -> Path:
    """A copy of a model file that has no margin, and none of the nodes that only it needs."""
    model = onnx.load(str(path))
    graph = model.graph
    kept = [value for value in graph.output if value.name != MARGIN_NAME]
    needed = {value.name for value in kept}
    nodes = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(nodes)]
    del graph.output[:], graph.node[:]
    graph.output.extend(kept)
    graph.node.extend(copies)
    onnx.save(model, str(output))
    return output


def in_openvino(spec: ModelSpec) -> Run:
    ov: Any = import_openvino()
    core = ov.Core()
    chosen = settings("CPU", "latency") | {"INFERENCE_NUM_THREADS": 1}
    request = core.compile_model(read_graph(ov, core, spec), "CPU", chosen).create_infer_request()

    def run(picture: np.ndarray) -> np.ndarray:
        request.infer({INPUT_NAME: picture[None]})
        found = [np.array(request.get_tensor(name).data[0], np.uint8) for name in output_names(spec)]  # as the engine
        return found[0]

    return run


def in_onnxruntime(spec: ModelSpec) -> Run:
    ort: Any = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(spec.path), options, providers=["CPUExecutionProvider"])
    names = list(output_names(spec))
    return lambda picture: np.array(session.run(names, {INPUT_NAME: picture[None]})[0][0], np.uint8)


def measure(runs: dict[str, Run], pictures: list[np.ndarray], rounds: int, each: int) -> dict[str, list[float]]:
    """CPU-seconds of every counted picture; the first of each turn is not counted."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds):
        for name, run in runs.items():
            for number in range(each + 1):
                start_s = time.process_time()
                run(pictures[(turn + number) % len(pictures)])
                if number:
                    spent[name].append(time.process_time() - start_s)
    return spent


@click.command()
@click.argument("model", default=FAST_MODEL)
@click.option("--with", "other", type=click.Path(path_type=Path), help="The same model with a margin.")
@click.option("--rounds", default=40, show_default=True)
@click.option("--each", default=4, show_default=True)
@click.option("--engine", type=click.Choice(["openvino", "onnxruntime"]), default="openvino", show_default=True)
def main(model: str, other: Path | None, rounds: int, each: int, engine: str) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = find_model(model)
        if other is None:
            if not read_model_file(path).has_margin:
                raise UsageError(f"{path}: has no margin; name the same model with one by --with")
            path, other = without_margin(path, Path(folder) / path.name), path
        specs = {"without": read_model_file(path), "with": read_model_file(other)}
        make = in_openvino if engine == "openvino" else in_onnxruntime
        runs = {name: make(spec) for name, spec in specs.items()}
        pictures = golden_frames(specs["with"])
        for picture in pictures:
            np.testing.assert_array_equal(runs["with"](picture), runs["without"](picture))
        spent = measure(runs, pictures, rounds, each)
    quartiles = {name: statistics.quantiles(times, n=4) for name, times in spent.items()}
    for name, (low, middle, high) in quartiles.items():
        click.echo(f"{name:8} {1e3 * low:6.2f} {1e3 * middle:6.2f} {1e3 * high:6.2f} ms of CPU (quartiles)")
    first, second = quartiles["without"], quartiles["with"]
    click.echo(
        f"{specs['with'].title} in {engine}: margin costs {100 * (second[0] / first[0] - 1):.2f} % of the inference"
        f" (medians: {100 * (second[1] / first[1] - 1):.2f} %)"
    )


if __name__ == "__main__":
    main()
