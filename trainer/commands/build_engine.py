"""The command `seg-trainer build-engine`: a TensorRT plan of a model file."""

from __future__ import annotations

from pathlib import Path

import click

from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import check_target


@click.command("build-engine")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE.plan", help="Write the plan here too.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "float16"]),
    default="auto",
    show_default=True,
    help="auto: float16 where MODEL is float32, otherwise MODEL's own.",
)
@click.option("--device", metavar="GPU.N", help="GPU to build on and for. [default: GPU.0]")
@click.option("--workspace", type=click.IntRange(1), default=2048, show_default=True, help="MiB that a layer may use.")
@click.option(
    "--level", type=click.IntRange(0, 5), default=3, show_default=True, help="How long to look for fast kernels."
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
def build_engine(
    model: Path, output: Path | None, precision: str, device: str | None, workspace: int, level: int, overwrite: bool
) -> None:
    """Build the TensorRT plan of MODEL (an .onnx file) on this machine's NVIDIA GPU, and verify it.

    The plan goes to the cache where seg-viewer looks for it: its first start is quick then. It is refused, and nothing
    is written, when its layers do not compute in the precision asked for or fewer than 99.5 % of the pixels of the
    golden frames get the class that ONNX Runtime gives them. With -o the plan is written to a file too, with what was
    checked (.json) and TensorRT's description of its layers (.layers.json) beside it, e.g. for trtexec.
    """
    from seg_viewer.engines.load_bar import LoadBar
    from seg_viewer.engines.nvidia.engine import make_plan
    from seg_viewer.engines.nvidia.options import PlanOptions

    if output is not None:
        check_output(output, model, overwrite)
    bar = LoadBar()
    try:
        made = make_plan(model, PlanOptions(precision, workspace, level), device=device, output=output, progress=bar)
    finally:
        bar.stop()
    key, checks = made.key, made.checks
    latency, compute = checks["latency_ms"], checks["compute_ms"]
    click.echo(f"{made.path}: {made.size / 1e6:.1f} MB, built in {made.seconds:.1f} s")
    click.echo(f"  for     {key.gpu} (compute {key.capability}), TensorRT {key.tensorrt}, driver {key.driver}")
    click.echo(f"  layers  {checks['precision']}")
    click.echo(f"  agrees  {100 * checks['agreement']:.2f} % of the pixels of {checks['frames']} frames, ONNX Runtime")
    click.echo(
        f"  takes   {latency['p50']:.2f} ms a frame with copies (p99 {latency['p99']:.2f}), {compute['p50']:.2f} alone"
    )


def check_output(output: Path, model: Path, overwrite: bool) -> None:
    """Raises: UsageError or ExportError when the plan or what goes beside it cannot be written there."""
    if output.suffix != ".plan":
        raise UsageError(f"{output}: choose a name that ends in .plan")
    for path in (output, output.with_suffix(".json"), output.with_suffix(".layers.json")):
        check_target(path, overwrite=overwrite, sources=(model,))
