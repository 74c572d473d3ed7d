"""How long one inference takes: this file in OpenVINO beside its own float32 graph in ONNX Runtime."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.model_file import INPUT_NAME
from seg_viewer.engines.openvino import import_openvino

Quartiles = tuple[float, float, float]

THREADS = 2
ROUNDS = 15
EACH = 8
"""Inferences of each runtime in a round; one before them is not counted."""


@dataclass(frozen=True)
class Speed:
    """Bare inference, measured in turns in one process.

    Args:
        openvino_ms: milliseconds of this file in OpenVINO: lower quartile, median, upper quartile. Quartiles that lie
            far apart say that the machine had other work, and that the figures are worth little.
        onnxruntime_ms: the same of its float32 graph in ONNX Runtime.
        processor: what ran both, as OpenVINO calls it.
        versions: of both runtimes.
    """

    openvino_ms: Quartiles
    onnxruntime_ms: Quartiles
    processor: str
    versions: str

    def to_json(self) -> dict[str, Any]:
        """As a model file holds it: milliseconds rounded to 2 places, and what they were measured on."""
        return {
            "openvino_ms": [round(value, 2) for value in self.openvino_ms],
            "onnxruntime_float32_ms": [round(value, 2) for value in self.onnxruntime_ms],
            "threads": THREADS,
            "processor": self.processor,
            "versions": self.versions,
        }

    def line(self) -> str:
        """For people."""
        ours, theirs = self.openvino_ms, self.onnxruntime_ms
        return (
            f"{_ms(ours)} in OpenVINO, its float32 graph {_ms(theirs)} in ONNX Runtime: {theirs[1] / ours[1]:.1f} times"
            f" as fast ({THREADS} threads, {self.processor}, {self.versions})"
        )


def _ms(values: Quartiles) -> str:
    return f"{values[1]:.1f} ms (half of them {values[0]:.1f} to {values[2]:.1f})"


def in_turns(
    runs: Sequence[Callable[[], object]], rounds: int, each: int, clock: Callable[[], float] = time.perf_counter
) -> list[Quartiles]:
    """Lower quartile, median and upper quartile of the seconds of one call of each function.

    They take turns, so that what else the machine does meets all alike; the first call of every turn warms the caches
    that the other one used, and is not counted.

    Args:
        runs: what is measured.
        rounds: turns of each.
        each: counted calls in a turn; at least two calls in all.
        clock: seconds.
    """
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, times in zip(runs, spent, strict=True):
            run()
            for _ in range(each):
                start = clock()
                run()
                times.append(clock() - start)
    return [cast(Quartiles, tuple(statistics.quantiles(times, n=4, method="inclusive"))) for times in spent]


def measure_speed(graph: Any, plain: Any, picture: NDArray[np.uint8], rounds: int = ROUNDS, each: int = EACH) -> Speed:
    """Measure two ONNX models of the same contract, each with 2 threads and otherwise its runtime's own settings.

    Args:
        graph: what is exported; runs in OpenVINO, which may take bfloat16 where the viewer's engine would too.
        plain: the same network in float32; runs in ONNX Runtime.
        picture: (H, W, 3) uint8 RGB of the network's size.
        rounds, each: see `in_turns`.
    """
    import onnxruntime

    ov = import_openvino()
    core = ov.Core()
    settings = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
    compiled = core.compile_model(core.read_model(graph.SerializeToString()), "CPU", settings)
    request = compiled.create_infer_request()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(plain.SerializeToString(), options, providers=["CPUExecutionProvider"])
    fed = {INPUT_NAME: picture[None]}
    ours, theirs = in_turns([lambda: request.infer(fed), lambda: session.run(None, fed)], rounds, each)
    versions = f"OpenVINO {str(ov.__version__).split('-')[0]}, ONNX Runtime {onnxruntime.__version__}"
    return Speed(_thousand(ours), _thousand(theirs), core.get_property("CPU", "FULL_DEVICE_NAME").strip(), versions)


def _thousand(seconds: Quartiles) -> Quartiles:
    low, middle, high = seconds
    return low * 1e3, middle * 1e3, high * 1e3
