"""The command `seg-trainer build-engine`: a TensorRT plan of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import check_target
from trainer.commands.help import Command, Example, option
from trainer.files import make_folder

if TYPE_CHECKING:
    from seg_viewer.engines.nvidia.plans import MadePlan


PLAN, HOW, FILES = "Plan", "How it is built", "Files"


@click.command(
    "build-engine",
    cls=Command,
    examples=[
        Example("seg-trainer build-engine model.onnx", "with TensorRT, on this machine's card and for it"),
        Example("seg-trainer build-engine model.onnx --for rtx", "with TensorRT for RTX, anywhere, for every RTX card"),
    ],
)
@click.argument("model", type=click.Path(path_type=Path))
@option(
    PLAN,
    "--for",
    "target",
    type=click.Choice(["this-gpu", "rtx"]),
    default="this-gpu",
    show_default=True,
    help="this-gpu: TensorRT builds on this machine's card, for it. rtx: TensorRT for RTX makes one plan for every "
    "GeForce and RTX card from Turing on, and needs no card.",
)
@option(
    PLAN,
    "--cards",
    metavar="8.6,8.9,…",
    help="With --for rtx: only for cards of these compute capabilities; the plan is smaller. [default: all]",
)
@option(FILES, "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.plan", help="Write the plan here too.")
@option(
    PLAN,
    "--precision",
    type=click.Choice(["auto", "float32", "float16"]),
    default="auto",
    show_default=True,
    help="auto: float16 where MODEL is float32, otherwise MODEL's own.",
)
@option(PLAN, "--device", metavar="GPU.N", help="GPU to build on and for. [default: GPU.0]")
@option(HOW, "--workspace", type=click.IntRange(1), default=2048, show_default=True, help="MiB that a layer may use.")
@option(
    HOW, "--level", type=click.IntRange(0, 5), default=3, show_default=True, help="How long to look for fast kernels."
)
@option(FILES, "--overwrite", is_flag=True, help="Replace an output that exists.")
def build_engine(
    model: Path,
    target: str,
    cards: str | None,
    output: Path | None,
    precision: str,
    device: str | None,
    workspace: int,
    level: int,
    overwrite: bool,
) -> None:
    """Build the plan of MODEL (an .onnx file) for NVIDIA cards.

    With --for rtx the plan is written beside MODEL as MODEL.rtx.plan, where the viewer finds it; it verifies it on the
    card where it first runs. Without, the plan is verified here, and goes to the cache where
    seg-viewer looks for it: its first start is quick then. It is refused, and nothing
    is written, when its layers do not compute in the precision asked for or fewer than 99.5 % of the pixels of the
    golden frames get the class that ONNX Runtime gives them. With -o the plan is written to a file too, with what was
    checked (.json) and TensorRT's description of its layers (.layers.json) beside it, e.g. for trtexec.
    """
    from seg_viewer.engines.load_bar import LoadBar
    from seg_viewer.engines.nvidia.library import RTX
    from seg_viewer.engines.nvidia.options import PlanOptions
    from seg_viewer.engines.nvidia.plan_cache import BESIDE
    from seg_viewer.engines.nvidia.plans import make_plan, make_plan_ahead

    if target == "rtx":
        if device is not None:
            raise UsageError("--device: a plan made with --for rtx is for every card; choose some with --cards")
        output = output or _beside(model, BESIDE)
    elif cards is not None:
        raise UsageError("--cards goes with --for rtx")
    if output is not None:
        check_output(output, model, overwrite)
    bar = LoadBar()
    if target == "rtx":
        chosen = {} if cards is None else {"capabilities": _capabilities(cards)}
        try:
            made = make_plan_ahead(
                model, RTX, PlanOptions(precision, workspace, level, **chosen), output=output, progress=bar
            )
        finally:
            bar.stop()
        _tell(made)
        click.echo(f"  for     compute {made.key.capability.replace(' ', ', ')}, {RTX.title} {made.key.tensorrt}")
        click.echo(f"  graph   {made.layers} layers, {made.key.precision}; the viewer verifies it on its card")
        return
    try:
        made = make_plan(model, PlanOptions(precision, workspace, level), device=device, output=output, progress=bar)
    finally:
        bar.stop()
    key, checks = made.key, made.checks
    latency, compute = checks["latency_ms"], checks["compute_ms"]
    _tell(made)
    click.echo(f"  for     {key.gpu} (compute {key.capability}), TensorRT {key.tensorrt}, driver {key.driver}")
    click.echo(f"  layers  {checks['precision']}")
    frames = counted(checks["frames"], "frame")
    click.echo(f"  agrees  {100 * checks['agreement']:.2f} % of the pixels of {frames}, ONNX Runtime")
    click.echo(
        f"  takes   {latency['p50']:.2f} ms a frame with copies (p99 {latency['p99']:.2f}), {compute['p50']:.2f} alone"
    )


def _tell(made: MadePlan) -> None:
    click.echo(f"{made.path}: {made.size / 1e6:.1f} MB, built in {made.seconds:.1f} s")


def _beside(model: Path, end: str) -> Path:
    """The name of the plan. Raises: UsageError, where MODEL is no name of a file."""
    if not model.name or model.is_dir():
        raise UsageError(f"{model}: is a folder; give an .onnx file")
    return model.with_suffix(end)


def _capabilities(cards: str) -> tuple[str, ...]:
    """Each once, in the order given. Raises: UsageError."""
    found = tuple(dict.fromkeys(name.strip() for name in cards.split(",") if name.strip()))
    if not found:
        raise UsageError("--cards is empty: name compute capabilities (8.6,8.9), or leave it out for all")
    return found


def check_output(output: Path, model: Path, overwrite: bool) -> None:
    """Raises: UsageError or ExportError when the plan or what goes beside it cannot be written there."""
    if output.suffix != ".plan":
        raise UsageError(f"{output}: choose a name that ends in .plan")
    make_folder(output.parent)
    for path in (output, output.with_suffix(".json"), output.with_suffix(".layers.json")):
        check_target(path, overwrite=overwrite, sources=(model,))
