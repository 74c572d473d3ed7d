"""Whether a TensorRT plan does what was asked for: precisions of its layers, class maps, latency.

Without this a plan may run in another precision than asked for, or compute something else, and nothing shows it.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import LoadProgress, LoadStopped, summarize_precision
from seg_viewer.engines.onnxruntime import OnnxRuntimeEngine

AGREEMENT_NEEDED = 0.995
"""Share of pixels with ONNX Runtime's class, over all golden frames."""
INT8_NEEDED = 0.75
"""Share of an int8 graph's convolutions that must be int8: not every GPU has int8 kernels for transposed ones."""
_WARM_UP, _MEASURED = 10, 60
_BESIDE = ("Reformat", "NoOp", "Constant", "Shuffle", "Identity")


class Runs(Protocol):
    """What is needed of a plan that runs."""

    inference_s: float

    def segment(self, rgb: ByteArray) -> ByteArray: ...


def layer_precisions(layers: str, convolutions: Sequence[str]) -> Counter[str]:
    """How many convolution layers compute in which precision.

    Args:
        layers: JSON of TensorRT's inspector, detailed.
        convolutions: names of the graph's convolutions.

    Returns:
        Counts of "int8", "float16", "bf16", "float32", "other"; empty when no layer is known to be a convolution.
    """
    try:
        found = json.loads(layers).get("Layers", [])
    except (ValueError, AttributeError):
        return Counter()
    detailed = [layer for layer in found if isinstance(layer, dict) and layer.get("LayerType") not in _BESIDE]
    chosen = [layer for layer in detailed if "conv" in str(layer.get("LayerType", "")).lower()]
    named = {node for layer in chosen for node in _nodes(layer)}
    if not chosen or named & set(convolutions):
        # others are fused into kernels of TensorRT's own making, which name the nodes that they stand for
        missing = set(convolutions) - named
        chosen += [layer for layer in detailed if layer not in chosen and missing & _nodes(layer)]
    return Counter(_precision(layer) for layer in chosen)


def _nodes(layer: dict[str, Any]) -> set[str]:
    named = re.findall(r"\[ONNX Layer: ([^\]]+)\]", str(layer.get("Metadata", "")))
    return {name.strip() for name in named or str(layer.get("Name", "")).split(" + ")}


def _precision(layer: dict[str, Any]) -> str:
    """Of what a layer reads: "Format/Datatype" is e.g. "Half", "Thirty-two wide channel vectorized row major Int8"."""
    inputs = layer.get("Inputs") or [{}]
    text = str(inputs[0].get("Format/Datatype", "")).lower()
    for words, name in (
        (("int8",), "int8"),
        (("bf16", "bfloat16"), "bf16"),
        (("half", "fp16", "float16"), "float16"),
        (("float", "fp32"), "float32"),
    ):
        if any(word in text for word in words):
            return name
    return "other"


def check_precisions(
    counts: Counter[str], asked: str, name: str, *, title: str = "TensorRT", fused: bool = False
) -> str:
    """What the convolutions run in, for people. Raises: EngineError when that is not what was asked for.

    Args:
        counts: see `layer_precisions`.
        asked: the precision of the graph.
        name: of the model.
        title: of the runtime.
        fused: the runtime may compile the graph as one, of which its inspector tells no precision.
    """
    total = sum(counts.values())
    if not total:
        return f"unknown: {title}'s inspector names no convolution"
    if fused and set(counts) == {"other"}:
        return f"{asked} graph, compiled as one"
    needed = INT8_NEEDED if asked == "int8" else 1.0
    if counts[asked] < needed * total:
        raise EngineError(
            f"{name}: {title} built it in {summarize_precision(counts)} though {asked} was asked for; the plan is not "
            "used. Choose another precision, or --engine onnxruntime"
        )
    return summarize_precision(counts)


def verify_plan(
    plan: Runs,
    layers: str,
    spec: ModelSpec,
    asked: str,
    convolutions: Sequence[str],
    progress: LoadProgress | None,
    *,
    title: str = "TensorRT",
    fused: bool = False,
) -> dict[str, Any]:
    """Check a plan that runs.

    Args:
        plan: the plan, running.
        layers: JSON of TensorRT's inspector.
        spec: the model that it was built from; its file is the reference.
        asked: the precision that the convolutions must have.
        convolutions: their names in the graph.
        progress: called with how far it is.
        title, fused: see `check_precisions`.

    Returns:
        For the sidecar: "precision", "agreement" (share), "frames", "latency_ms" and "compute_ms", each p50 and p99.

    Raises:
        EngineError: precision or agreement is not what is needed, or there is no ONNX Runtime to compare with.
        LoadStopped: `progress` answered False.
    """
    precision = check_precisions(layer_precisions(layers, convolutions), asked, spec.name, title=title, fused=fused)
    frames = golden_frames(spec)
    reference = OnnxRuntimeEngine(spec, "CPU")
    shares = []
    for number, frame in enumerate(frames):
        _report(progress, number / len(frames), spec, title)
        shares.append(float(np.mean(plan.segment(frame) == reference.segment(frame))))
    reference.close()
    agreement = float(np.mean(shares))
    if agreement < AGREEMENT_NEEDED:
        raise EngineError(
            f"{spec.name}: the {title} plan gives {100 * agreement:.2f} % of the pixels ONNX Runtime's class, "
            f"{100 * AGREEMENT_NEEDED:.1f} % are needed; the plan is not used. Choose another precision or {title}"
        )
    _report(progress, 1.0, spec, title)
    return {"precision": precision, "agreement": agreement, "frames": len(frames)} | _latency(plan, frames)


def _report(progress: LoadProgress | None, share: float, spec: ModelSpec, title: str) -> None:
    if progress is not None and not progress(f"{title}: comparing with ONNX Runtime", share):
        raise LoadStopped(f"building the {title} plan of {spec.name} was stopped")


def _latency(plan: Runs, frames: Sequence[ByteArray]) -> dict[str, dict[str, float]]:
    """One frame at a time: seen from here with its copies, and the computation alone; milliseconds."""
    seen, computed = [], []
    for number in range(_WARM_UP + _MEASURED):
        start_s = time.perf_counter()
        plan.segment(frames[number % len(frames)])
        if number >= _WARM_UP:
            seen.append(1000 * (time.perf_counter() - start_s))
            computed.append(1000 * plan.inference_s)
    return {
        name: {"p50": float(np.percentile(values, 50)), "p99": float(np.percentile(values, 99))}
        for name, values in (("latency_ms", seen), ("compute_ms", computed))
    }
