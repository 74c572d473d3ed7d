"""Which int8 is best? Ours, ONNX Runtime's and NNCF's on the same float32 graph: mIoU that is lost, and speed.

python -m benchmarks.quantizers RUN [--root FOLDER]

RUN is a run folder of 'seg-trainer train'. All take their ranges from the same training pictures; every graph runs in
OpenVINO on this processor, in turn, and its speed is told as a ratio to float32. NNCF is measured where it is installed
(pip install nncf).
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from seg_viewer.core.model_file import INPUT_NAME, OUTPUT_NAME


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--root", type=click.Path(path_type=Path), multiple=True)
@click.option("--calibration", default=256, show_default=True)
@click.option("--rounds", default=7, show_default=True)
def main(run: Path, root: tuple[Path, ...], calibration: int, rounds: int) -> None:
    """Compare int8 quantisers."""
    from trainer.data.samples import find_all
    from trainer.export.graph import whole_model
    from trainer.export.int8 import int8_graph
    from trainer.labels.details import details_of
    from trainer.network.backend import start_backend
    from trainer.network.build import float_unet
    from trainer.recipe import read_recipe
    from trainer.run_folder.checkpoint import load_weights
    from trainer.scoring.evaluate import score_all, training_frames

    start_backend()
    recipe = read_recipe(str(run / "recipe.toml"))
    found = find_all(recipe, root)
    sets, size = [data for _, data in found], recipe.run.size
    labels = sets[0].labels
    details = details_of(labels, sets[0].details, recipe.model.subpixel)
    model = float_unet(recipe.model, load_weights(run)[0], size, details)
    frames = training_frames(found, size, calibration)
    plain = whole_model(model, details, fused=False)
    graphs = {
        "float32": plain,
        "ours": int8_graph(whole_model(model, details, fused=True), frames),
        "ONNX Runtime": by_onnxruntime(plain, frames, symmetric=False),
        "ONNX Runtime, symmetric": by_onnxruntime(plain, frames, symmetric=True),
        "NNCF": by_nncf(plain, frames),
    }
    compiled = {name: compile_graph(graph) for name, graph in graphs.items() if graph is not None}
    base = None
    for name, (predict, executed) in compiled.items():
        scores = score_all(predict, sets, size, labels)
        base = base or scores
        lost = {key: (base[key].miou - found.miou) * 100 for key, found in scores.items()}
        click.echo(f"{name:24} {executed:28} mIoU lost: " + "  ".join(f"{k} {v:+.2f}" for k, v in lost.items()))
    rates: dict[str, list[float]] = {name: [] for name in compiled}
    for _ in range(rounds):
        for name, (predict, _) in compiled.items():
            began = time.perf_counter()
            for frame in frames[:20]:
                predict(frame)
            rates[name].append(20 / (time.perf_counter() - began))
    slow = statistics.median(rates["float32"])
    for name, values in rates.items():
        click.echo(f"{name:24} {statistics.median(values) / slow:.2f} × float32, one frame at a time")


def by_onnxruntime(graph: Any, frames: list[Any], symmetric: bool) -> Any:
    """`quantize_static`, QDQ, per channel."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._frames = iter(frames[:100])

        def get_next(self) -> Any:
            frame = next(self._frames, None)
            return None if frame is None else {INPUT_NAME: frame[None]}

    import onnx

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
        onnx.save(graph, before)
        quantize_static(
            before,
            after,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "ConvTranspose", "Relu", "Concat", "MaxPool"],
            extra_options={"ActivationSymmetric": symmetric},
        )
        return onnx.load(after)


def by_nncf(graph: Any, frames: list[Any]) -> Any:
    """`nncf.quantize` on the ONNX graph; None where NNCF is not installed."""
    try:
        import nncf
    except ImportError:
        click.echo("NNCF is not installed: left out")
        return None
    items = nncf.Dataset([{INPUT_NAME: frame[None]} for frame in frames[:100]])
    return nncf.quantize(copy.deepcopy(graph), items, subset_size=100)


def compile_graph(graph: Any) -> tuple[Any, str]:
    """A function picture → class map, and which precisions its convolutions run in."""
    from collections import Counter

    from seg_viewer.engines.openvino import import_openvino

    ov = import_openvino()
    core = ov.Core()
    compiled = core.compile_model(core.read_model(graph.SerializeToString()), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    counts: Counter[str] = Counter()
    for operation in compiled.get_runtime_model().get_ops():
        info = operation.get_rt_info()
        if "onvolution" in str(info["layerType"].value):
            counts[str(info["runtimePrecision"].value)] += 1

    def predict(picture: Any) -> Any:
        request.infer({INPUT_NAME: picture[None]})
        return request.get_tensor(OUTPUT_NAME).data[0].astype(np.uint8)

    return predict, "convolutions " + ", ".join(f"{n}× {p}" for p, n in counts.most_common())


if __name__ == "__main__":
    main()
