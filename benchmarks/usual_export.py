"""Our export against the loop a user would write instead, on the same model and clip, in the same run.

    python -m benchmarks.usual_export [CLIP] [--model NAME|FILE] [--rounds 3] [--json FILE]

The usual loop is that of `benchmarks.usual_loop`, with cv2.VideoWriter ("mp4v") at its end. Each contestant runs in a
process of its own, in turn, over the whole clip, and is timed from frame 20 on until its file is closed. Ours takes the
sound along; the usual loop has none.
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

from benchmarks.usual_loop import WARM_UP, float_model
from seg_viewer.core.assets import find_model
from seg_viewer.core.model_file import INPUT_NAME, read_model_file
from seg_viewer.jobs.export import ExportJob, ExportProgress, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import open_source

OURS, USUAL = "ours", "usual"


def run_ours(clip: str, model: str, out: Path) -> float:
    """Frames per second of our export with its usual settings."""
    begun: list[tuple[int, float]] = []

    def on_progress(progress: ExportProgress) -> None:
        if not begun and progress.frames >= WARM_UP:
            begun.append((progress.frames, time.perf_counter()))

    result = run_export(ExportJob(clip, out, RunOptions(model, cache=False)), on_progress=on_progress)
    end_s = time.perf_counter()
    if not begun:
        raise SystemExit(f"{clip}: is too short to be measured; choose one of a few seconds")
    frames, start_s = begun[0]
    return (result.frames - frames) / (end_s - start_s)


def run_usual(clip: str, model: str, out: Path) -> float:
    """Frames per second of the loop a user would write."""
    import onnxruntime

    path = find_model(model)
    spec = read_model_file(path)
    file = out.with_suffix(".onnx")
    onnx.save(float_model(path, logits=True), str(file))
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    palette = spec.labels.palette()[:, ::-1].copy()
    capture = cv2.VideoCapture(clip)
    size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter_fourcc(*"mp4v"), capture.get(cv2.CAP_PROP_FPS), size)
    number, start_s = 0, 0.0
    while True:
        found, picture = capture.read()
        if not found:
            break
        small = cv2.cvtColor(cv2.resize(picture, (spec.width, spec.height)), cv2.COLOR_BGR2RGB)
        (output,) = session.run(None, {INPUT_NAME: small[None].astype(np.float32)})
        classes = output[0].argmax(axis=0).astype(np.uint8)
        full = cv2.resize(classes, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        writer.write(cv2.addWeighted(picture, 0.55, palette[full], 0.45, 0))
        number += 1
        if number == WARM_UP:
            start_s = time.perf_counter()
    writer.release()
    return (number - WARM_UP) / (time.perf_counter() - start_s)


def _in_own_process(contestant: str, clip: str, model: str) -> tuple[float, int]:
    """Frames per second, and bytes of the file."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mp4"
        command = [sys.executable, "-m", "benchmarks.usual_export", clip, "--model", model, "--only", contestant]
        done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return float(done.stdout.split()[-1]), out.stat().st_size


@click.command(help=__doc__)
@click.argument("clip", default="demo")
@click.option("--model", default="driving-fast")
@click.option("--rounds", default=3)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice([OURS, USUAL]), hidden=True)
@click.option("--out", type=click.Path(path_type=Path), hidden=True)
def main(clip: str, model: str, rounds: int, json_path: Path | None, only: str | None, out: Path | None) -> None:
    source = open_source(clip)
    clip = str(source.info.path)
    source.close()
    if only and out:
        click.echo(run_ours(clip, model, out) if only == OURS else run_usual(clip, model, out))
        return
    rates: dict[str, list[float]] = {OURS: [], USUAL: []}
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        for name, measured in rates.items():
            rate, sizes[name] = _in_own_process(name, clip, model)
            measured.append(rate)
    medians = {name: statistics.median(measured) for name, measured in rates.items()}
    for name, measured in rates.items():
        each = ", ".join(f"{rate:.1f}" for rate in measured)
        click.echo(f"{name:<8}{medians[name]:7.1f} frames/s  ({each})  {sizes[name] / 1e6:.2f} MB")
    ratio = medians[OURS] / medians[USUAL]
    click.echo(f"ours ÷ usual  {ratio:.2f}")
    if json_path:
        figures = {"clip": Path(clip).name, "model": model, "rates": rates, "bytes": sizes, "times_usual": ratio}
        json_path.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
