"""Inference alone: a model file in OpenVINO as the viewer runs it, against a float32 graph in ONNX Runtime.

    python -m benchmarks.bare_inference [MODEL] [FLOAT32.onnx] [--threads 2] [--frames 60] [--rounds 7] [--json FILE]

MODEL is a shipped name or a file, FLOAT32.onnx the same network from 'seg-trainer export --precision float32'; without
it, MODEL's own graph with its quantisation removed. The contestants take turns, round by round, on the same pictures
and as many threads; a ratio is taken within a round, and what is told is the median. How many convolutions OpenVINO
runs in which precision is asked of its compiled graph.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.usual_loop import float_model
from seg_viewer.core.assets import FAST_MODEL, find_model
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.model_file import INPUT_NAME, OUTPUT_NAME, ModelSpec, read_model_file
from seg_viewer.engines.onnxruntime import import_onnxruntime
from seg_viewer.engines.openvino import convolution_precisions, import_openvino, read_graph, settings

FLOAT = "ONNX Runtime, float32"
_WARM_UP = 5

Run = Callable[[list[ByteArray]], list[ByteArray]]
"""Pictures (H, W, 3) uint8 → their class maps (H, W) uint8, in order."""


def in_openvino(spec: ModelSpec, mode: str, threads: int) -> tuple[Run, dict[str, str]]:
    """The engine's graph and settings without the engine around them, and what each convolution computes in.

    Args:
        spec: the model.
        mode: "latency": one picture after the other; "throughput": as many in flight as the engine takes.
        threads: of the runtime.
    """
    ov = import_openvino()
    core = ov.Core()
    chosen = settings("CPU", mode) | {"INFERENCE_NUM_THREADS": threads}
    compiled = core.compile_model(read_graph(ov, core, spec), "CPU", chosen)
    optimal = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    free = [compiled.create_infer_request() for _ in range(optimal + 1 if mode == "throughput" else 1)]

    def run(pictures: list[ByteArray]) -> list[ByteArray]:
        maps: list[ByteArray] = []
        flying: deque[Any] = deque()

        def finish() -> None:
            request = flying.popleft()
            request.wait()
            maps.append(_map(request.get_tensor(OUTPUT_NAME).data))
            free.append(request)

        for picture in pictures:
            if not free:
                finish()
            request = free.pop()
            request.set_input_tensor(ov.Tensor(picture[None], shared_memory=True))
            request.start_async()
            flying.append(request)
        while flying:
            finish()
        return maps

    return run, convolution_precisions(compiled)


def in_onnxruntime(graph: str | bytes, threads: int) -> tuple[Run, list[Any]]:
    """A graph, or the file of one, in ONNX Runtime on the processor, and the shape of its input."""
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (value,) = session.get_inputs()
    kind = np.float32 if value.type == "tensor(float)" else np.uint8

    def run(pictures: list[ByteArray]) -> list[ByteArray]:
        return [_map(session.run([OUTPUT_NAME], {INPUT_NAME: p[None].astype(kind, copy=False)})[0]) for p in pictures]

    return run, list(value.shape)


def _map(output: Any) -> ByteArray:
    return np.array(output[0], np.uint8)


def measure(runs: dict[str, Run], pictures: list[ByteArray], rounds: int) -> dict[str, list[float]]:
    """Frames per second of each, round by round, in turn."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(pictures[:_WARM_UP])
    for _ in range(rounds):
        for name, run in runs.items():
            began_s = time.perf_counter()
            run(pictures)
            rates[name].append(len(pictures) / (time.perf_counter() - began_s))
    return rates


def compare(spec: ModelSpec, floating: Path | None, threads: int, frames: int, rounds: int) -> dict[str, Any]:
    """All figures.

    Raises: SegViewerError for a runtime that is missing; SystemExit when the float32 graph takes another size.
    """
    graph = (
        str(read_model_file(floating).path) if floating else float_model(spec.path, logits=False).SerializeToString()
    )
    reference, shape = in_onnxruntime(graph, threads)
    if shape != [1, spec.height, spec.width, 3]:
        raise SystemExit(f"{floating}: takes {shape}, {spec.name} [1, {spec.height}, {spec.width}, 3]: not one network")
    runs: dict[str, Run] = {}
    layers: dict[str, dict[str, str]] = {}
    for mode in ("throughput", "latency"):
        runs[f"OpenVINO, {mode}"], layers[mode] = in_openvino(spec, mode, threads)
    runs[FLOAT] = reference
    views = golden_frames(spec)
    pictures = [views[number % len(views)] for number in range(frames)]
    rates = measure(runs, pictures, rounds)
    answers = reference(views)
    same = {name: [np.mean(a == b) for a, b in zip(run(views), answers, strict=True)] for name, run in runs.items()}
    return {
        "model": f"{spec.title}, {spec.precision}",
        "float32": floating.name if floating else "its own graph without quantisation",
        "threads": threads,
        "rates": rates,
        "times_float32": {
            name: [rate / slow for rate, slow in zip(values, rates[FLOAT], strict=True)]
            for name, values in rates.items()
        },
        "same_class_as_float32": {name: float(np.mean(shares)) for name, shares in same.items()},
        "convolutions": {mode: dict(Counter(found.values()).most_common()) for mode, found in layers.items()},
        "layers": layers,
    }


def lines(figures: dict[str, Any]) -> list[str]:
    """The figures for a terminal."""
    shown = [f"{figures['model']}; float32: {figures['float32']}; {figures['threads']} threads each"]
    for name, rates in figures["rates"].items():
        ratios, same = figures["times_float32"][name], figures["same_class_as_float32"][name]
        shown.append(
            f"  {name:<24}{statistics.median(rates):8.1f} frames/s  {statistics.median(ratios):5.2f} × float32"
            f" ({min(ratios):.2f}–{max(ratios):.2f})  same class on {100 * same:.2f} % of the pixels"
        )
    for mode, counts in figures["convolutions"].items():
        shown.append(f"  convolutions, {mode}: " + ", ".join(f"{number}× {name}" for name, number in counts.items()))
    return shown


@click.command(help=__doc__)
@click.argument("model", default=FAST_MODEL)
@click.argument("floating", metavar="FLOAT32.onnx", required=False, type=click.Path(path_type=Path))
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1), help="Of each runtime.")
@click.option("--frames", default=60, show_default=True, type=click.IntRange(1), help="Of each, per round.")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1))
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
def main(model: str, floating: Path | None, threads: int, frames: int, rounds: int, json_path: Path | None) -> None:
    try:
        figures = compare(read_model_file(find_model(model)), floating, threads, frames, rounds)
    except SegViewerError as error:
        raise SystemExit(f"benchmarks.bare_inference: {error}") from error
    click.echo("\n".join(lines(figures)))
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
