"""TensorRT on this machine's NVIDIA GPU: bare engine, copies, one frame, two in flight, the whole pipeline.

python -m benchmarks.gpu [CLIP] [--engine tensorrt|tensorrt-rtx] [--model NAME|FILE] [--frames 500] [--json FILE]

Where trtexec is on the path, its own number for the same plan stands beside ours.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.load_bar import LoadBar
from seg_viewer.engines.nvidia.library import RTX, TENSORRT, NvidiaRuntime
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plans import MadePlan, make_plan
from seg_viewer.jobs.options import RunOptions

_WARM_UP = 30


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: p50 and p99."""
    return {"p50_ms": 1000 * float(np.percentile(seconds, 50)), "p99_ms": 1000 * float(np.percentile(seconds, 99))}


def timed(call: Callable[[], object], frames: int) -> list[float]:
    """Seconds of each call, after a warm-up."""
    seconds = []
    for number in range(_WARM_UP + frames):
        start_s = time.perf_counter()
        call()
        if number >= _WARM_UP:
            seconds.append(time.perf_counter() - start_s)
    return seconds


def measure_plan(
    runtime: NvidiaRuntime, plan: bytes, spec: ModelSpec, device: str | None, frames: int
) -> dict[str, Any]:
    """Engine, copies, one frame at a time, and two in flight."""
    from seg_viewer.engines.base import segment_all
    from seg_viewer.engines.nvidia.cuda import FrameLane, Gpu
    from seg_viewer.engines.nvidia.run import PlanRunner

    gpu = Gpu(device)
    pictures = golden_frames(spec)
    try:
        runner = PlanRunner(runtime, plan, spec, gpu, 1)
        computed: list[float] = []

        def one() -> None:
            runner.segment(pictures[0])
            computed.append(runner.inference_s)

        seen = timed(one, frames)
        runner.close()
        lane = FrameLane((1, spec.height, spec.width, 3), (1, spec.height, spec.width), np.int32)

        def there_and_back() -> None:
            lane.upload(pictures[0])
            lane.download()
            lane.wait()

        copies = timed(there_and_back, frames)
        lane.release()
        runner = PlanRunner(runtime, plan, spec, gpu, 2)
        many = (pictures[number % len(pictures)] for number in range(_WARM_UP + frames))
        ends = [time.perf_counter() for _ in segment_all(runner, many)]  # type: ignore[arg-type]
        runner.close()
    finally:
        gpu.close()
    return {
        "engine alone, on the GPU's clock": percentiles(computed[_WARM_UP:]),
        "copies alone, up and down": percentiles(copies),
        "one frame, copies included": percentiles(seen),
        "two in flight": {"frames_per_s": (frames - 1) / (ends[-1] - ends[_WARM_UP])},
    }


def measure_trtexec(plan: Path) -> dict[str, Any] | None:
    """What trtexec says of the same plan, or None where it is not on the path or fails."""
    program = shutil.which("trtexec")
    if program is None:
        return None
    command = [program, f"--loadEngine={plan}", "--useSpinWait", "--noDataTransfers"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        return None
    return read_trtexec(done.stdout)


def read_trtexec(text: str) -> dict[str, Any] | None:
    """Its summary: median and 99th percentile of the computation, and throughput."""
    compute = re.search(r"GPU Compute Time: .*?median = ([\d.]+) ms.*?percentile\(99%\) = ([\d.]+) ms", text)
    rate = re.search(r"Throughput: ([\d.]+) qps", text)
    if not (compute and rate):
        return None
    return {"p50_ms": float(compute[1]), "p99_ms": float(compute[2]), "frames_per_s": float(rate[1])}


def measure_pipeline(clip: str, engine: str, model: str | None, device: str | None, frames: int) -> dict[str, Any]:
    from seg_viewer.jobs.bench import BenchJob, run_bench

    result = run_bench(BenchJob(clip, RunOptions(model, engine, device), frames))
    return {"frames_per_s": result.rate, "ran": result.engine}


def lines(results: dict[str, Any]) -> list[str]:
    """The results for a terminal."""
    shown = []
    for name, values in results.items():
        if isinstance(values, dict):
            cells = [f"{key} {value:.3f}" if isinstance(value, float) else f"{value}" for key, value in values.items()]
            shown.append(f"  {name:<34} {'  '.join(cells)}")
        else:
            shown.append(f"  {name:<34} {values}")
    return shown


def run(
    clip: str, model: str | None, device: str | None, frames: int, runtime: NvidiaRuntime = TENSORRT
) -> dict[str, Any]:
    """All of it. Raises: SegViewerError."""
    spec = RunOptions(model, runtime.name, device).read_spec()
    bar = LoadBar()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{spec.name}.plan"
        try:
            made: MadePlan = make_plan(spec, PlanOptions(), device=device, output=path, progress=bar, runtime=runtime)
        finally:
            bar.stop()
        results: dict[str, Any] = {
            "gpu": f"{made.key.gpu} (compute {made.key.capability}), driver {made.key.driver}",
            "tensorrt": made.key.tensorrt,
            "model": f"{spec.name} {spec.width}x{spec.height}, {made.checks['precision']}",
            "built in": f"{made.seconds:.1f} s",
            "agreement with ONNX Runtime": f"{100 * made.checks['agreement']:.3f} %",
        }
        results |= measure_plan(runtime, path.read_bytes(), spec, device, frames)
        results["trtexec, engine alone"] = (
            measure_trtexec(path) if runtime is TENSORRT else None
        ) or "not on the path, or failed"
    results["pipeline, overlay drawn"] = measure_pipeline(clip, runtime.name, model, device, frames)
    return results


@click.command(help=__doc__)
@click.argument("clip", default="demo")
@click.option("--model", metavar="NAME|FILE", help="Shipped model or .onnx file. [default: as the viewer's on a GPU]")
@click.option("--engine", type=click.Choice([TENSORRT.name, RTX.name]), default=TENSORRT.name, show_default=True)
@click.option("--frames", default=500, show_default=True, type=click.IntRange(50), help="To measure each on.")
@click.option("--device", metavar="GPU.N", help="[default: GPU.0]")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
def main(clip: str, model: str | None, engine: str, frames: int, device: str | None, json_path: Path | None) -> None:
    try:
        results = run(clip, model, device, frames, RTX if engine == RTX.name else TENSORRT)
    except SegViewerError as error:
        raise SystemExit(f"benchmarks.gpu: {error}") from error
    click.echo("\n".join(lines(results)))
    if json_path is not None:
        json_path.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
