"""The command `seg-viewer`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from seg_viewer import __version__
from seg_viewer.cli.models import models, print_engines, print_shipped
from seg_viewer.cli.record_carla import record_carla
from seg_viewer.core.assets import find_model, shipped_models
from seg_viewer.core.errors import SegViewerError, UsageError
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.redact import redact, redact_text
from seg_viewer.engines import ENGINE_NAMES
from seg_viewer.engines.load_bar import LoadBar
from seg_viewer.jobs.options import RunOptions, default_text
from seg_viewer.sinks import PRESETS

_load_bar = LoadBar()
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _model_help() -> str:
    names = [path.stem for path in shipped_models()]
    return f"{', '.join(names) or 'No model ships: name'} or an .onnx file. [default: {default_text(names)}]"


def _run_options(command: _Command) -> _Command:
    """The options that all commands share that run a model."""
    for option in reversed(
        [
            click.option("--model", metavar="NAME|FILE", help=_model_help()),
            click.option("--engine", type=click.Choice(("auto", *ENGINE_NAMES)), default="auto", show_default=True),
            click.option("--device", metavar="NAME", help="As the engine calls it: CPU, GPU, NPU, CUDA, GPU.0, …"),
        ]
    ):
        command = option(command)
    return command


def _style_options(command: _Command) -> _Command:
    for option in reversed(
        [
            click.option(
                "--opacity", type=click.FloatRange(0, 1), default=0.45, show_default=True, help="Of the class colours."
            ),
            click.option("--hide", metavar="CLASS", multiple=True, help="Do not paint this class; may be repeated."),
            click.option("--outline", is_flag=True, help="Draw the border of each class in full colour."),
        ]
    ):
        command = option(command)
    return command


def _options(
    model: str | None,
    engine: str,
    device: str | None,
    opacity: float = 0.45,
    hide: tuple[str, ...] = (),
    outline: bool = False,
) -> RunOptions:
    if model is not None:
        find_model(model)  # a name that does not ship is told here, not in a window
    options = RunOptions(model, engine, device, OverlayStyle(opacity, frozenset(hide), outline))
    if hide:
        names = options.read_spec().labels.names
        for name in hide:
            if name not in names:
                raise UsageError(f"--hide {name}: the model has no such class; it has {', '.join(names)}")
    return options


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="seg-viewer")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Segments driving video in real time: cars blue, people red, road green.

    Without a command, opens the window. No safety function: do not steer by it.
    """
    if context.invoked_subcommand is None:
        context.invoke(view)


@cli.command()
@click.argument("source", required=False)
@click.option(
    "--truth-csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where SOURCE brings ground truth (CARLA): write IoU and mIoU of every frame here.",
)
@_run_options
@_style_options
def view(source: str | None = None, truth_csv: Path | None = None, **choices: Any) -> None:
    """Open the window, and in it SOURCE: a video file, a picture, a folder of pictures, "demo", or something live.

    \b
    Live sources:
      camera:0, camera:NAME, /dev/video2   [?size=1280x720&fps=30&format=mjpeg&mirror=1&exposure=…]
      rtsp://…, rtmp://…, http(s)://…, udp://…   [#transport=udp&timeout=10]
      screen, screen:2                     [?region=LEFT,TOP,WIDTHxHEIGHT&fps=20]
      carla://HOST:2000                    [?town=Town03&weather=WetNoon&vehicles=30&walkers=40&ego=…&fps=20&…]
    """
    from seg_viewer.core.part_file import check_target
    from seg_viewer.gui.app import run_viewer

    if truth_csv is not None:
        if source is None:
            raise UsageError("--truth-csv needs a SOURCE whose scores to write")
        check_target(truth_csv, overwrite=False)
    sys.exit(run_viewer(source, _options(**choices), truth_csv=truth_csv))


@cli.command()
@click.argument("source")
@click.option("-o", "--output", required=True, metavar="OUT.mp4", help="File to make.")
@click.option("--overwrite", is_flag=True, help="An existing OUT.mp4 may be replaced, once the new one is whole.")
@click.option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Quality; lower is better.")
@click.option("--preset", type=click.Choice(PRESETS), default="veryfast", show_default=True, help="x264's speed.")
@_run_options
@_style_options
def export(source: str, output: str, overwrite: bool, crf: int, preset: str, **choices: Any) -> None:
    """Write SOURCE with its overlay as H.264 video; times and sound are kept.

    What is live never ends: 'seg-viewer record' writes that.
    """
    from seg_viewer.jobs.export import ExportJob, ExportProgress, run_export
    from seg_viewer.sources import is_live

    _terminate_like_ctrl_c()
    bar = _progress_bar()
    task = bar.add_task(redact(source) if is_live(source) else Path(source).name, total=None, rate=0.0)

    def on_progress(progress: ExportProgress) -> None:
        bar.start()  # with the first frame: a refusal before it should be the only line
        bar.update(task, completed=progress.frames, total=progress.total, rate=progress.rate)

    try:
        job = ExportJob(source, Path(output).expanduser(), _options(**choices), crf, preset, overwrite)
        result = run_export(job, on_progress=on_progress, on_loading=_load_bar)
    finally:
        bar.stop()
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(
        f"{result.path}: {result.frames} frames in {result.seconds:.1f} s"
        f" ({result.frames / result.seconds:.1f} frames/s), sound: {result.audio},"
        f" model {result.model}, {result.engine}"
    )


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    from seg_viewer.jobs.record import parse_seconds

    try:
        return None if text is None else parse_seconds(text)
    except ValueError:
        raise click.BadParameter(f"'{text}': write a time as 90s, 10min or 1.5h") from None


def _split(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float | None, int | None]:
    from seg_viewer.jobs.record import parse_split

    try:
        return (None, None) if text is None else parse_split(text)
    except ValueError:
        raise click.BadParameter(f"'{text}': write a time (10min) or a size (500MB)") from None


@cli.command()
@click.argument("source")
@click.option("-o", "--output", required=True, metavar="OUT.mp4", help="File to make, .mp4 or .mkv.")
@click.option(
    "--what",
    type=click.Choice(("annotated", "source", "both")),
    default="annotated",
    show_default=True,
    help="With the overlay, as it comes in, or both.",
)
@click.option("--duration", callback=_seconds, metavar="TIME", help="Stop after 90s, 10min, 1.5h. [default: Ctrl-C]")
@click.option("--split", callback=_split, metavar="TIME|SIZE", help="Another file every 10min, or 500MB.")
@_run_options
@_style_options
def record(
    source: str,
    output: str,
    what: str,
    duration: float | None,
    split: tuple[float | None, int | None],
    **choices: Any,
) -> None:
    """Record the live SOURCE (camera, address, screen; see 'view --help') until Ctrl-C or --duration."""
    from seg_viewer.jobs.record import RecordJob, RecordPlan, RecordProgress, RecordWhat, run_record

    _terminate_like_ctrl_c()
    status = Console(stderr=True).status("Recording …")

    def on_progress(progress: RecordProgress) -> None:
        status.start()
        state = progress.problem or "recording"
        status.update(f"{state}: {progress.seconds:.0f} s, {progress.frames} frames; Ctrl-C ends it")

    plan = RecordPlan(Path(output).expanduser(), RecordWhat(what), *split)
    try:
        job = RecordJob(source, plan, _options(**choices), duration)
        result = run_record(job, on_progress=on_progress, on_loading=_load_bar)
    finally:
        status.stop()
    files = ", ".join(str(path) for path in result.files)
    drops = "".join(f", {count} {cause}" for cause, count in result.drops)
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    ran = f", {result.ran}" if result.ran else ""
    click.echo(f"{files}: {result.frames} frames in {result.seconds:.1f} s{drops}{ran}")
    if result.problem:
        raise SegViewerError(result.problem)


def _progress_bar() -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} frames/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _terminate_like_ctrl_c() -> None:
    """A polite kill cleans up too."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


@cli.command()
@click.argument("video")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here too."
)
@click.option("--frames", type=click.IntRange(50), default=400, show_default=True, help="To measure on.")
@_run_options
def bench(video: str, json_path: Path | None, frames: int, **choices: Any) -> None:
    """Measure each stage alone and the whole pipeline on VIDEO, and its ratio to what the processor allows."""
    from seg_viewer.jobs.bench import bench as measure
    from seg_viewer.jobs.bench import render

    result = measure(video, _options(**choices), frames, _load_bar)
    click.echo(render(result))
    if json_path is not None:
        from seg_viewer.core.part_file import part_file

        with part_file(json_path) as part:
            part.write_text(json.dumps(result.to_json(), indent=2) + "\n")


@cli.command()
@_run_options
def doctor(**choices: Any) -> None:
    """Try every engine here: works or not and why, speed, agreement with the reference, which one "auto" takes.

    Says too which model is the default here and why, and checks each that ships against its stored answer.
    """
    options = _options(**choices)
    console = Console()
    chosen = print_engines(console, options, _load_bar)
    print_shipped(console, options, chosen, _load_bar)
    from seg_viewer.engines.nvidia.engine import explain_cache

    for line in explain_cache():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    _system(console)


def _system(console: Console) -> None:
    from seg_viewer.gui.system import missing_qt_libraries

    missing = missing_qt_libraries()
    if missing:
        console.print(f"The window needs system libraries: apt-get install {' '.join(missing)}", highlight=False)


@cli.command()
@click.option("--probe", is_flag=True, help="Open each camera and ask for usual sizes, rates and pixel formats.")
def devices(probe: bool) -> None:
    """List cameras and screens, and what to type to open each."""
    from seg_viewer.sources.camera import probe_modes
    from seg_viewer.sources.devices import list_cameras, obstacle
    from seg_viewer.sources.screen import list_screens

    console = Console()
    table = Table("source", "what it is", "formats" if probe else "state")
    for device in list_cameras():
        if probe:
            try:
                modes = [f"{f} {w}×{h} at {rate:g} fps" for f, w, h, rate in probe_modes(device)]
            except SegViewerError as error:
                modes = [str(error)]
            state = "\n".join(modes)
        else:
            state = obstacle(device) or "ready"
        table.add_row(f"camera:{device.index}", f"{device.name}\n{device.path}".strip(), state)
    for index, width, height in list_screens():
        table.add_row(f"screen:{index}", f"screen, {width}×{height}", "ready")
    if not table.row_count:
        raise SegViewerError("no camera and no screen is here; plug a camera in, or open an address (rtsp://…)")
    console.print(table)


cli.add_command(models)
cli.add_command(record_carla)


def main() -> None:
    """Run; a failure is one line on stderr and an exit code: 2 for usage, 1 for the rest, 130 when stopped."""
    debug = "--debug" in sys.argv
    try:
        try:
            cli.main(standalone_mode=False)
        finally:
            _load_bar.stop()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("stopped; nothing was left behind", 130)
    except SegViewerError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except Exception as error:
        if debug:
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        _fail(f"unexpected {type(error).__name__}: {text} (run 'seg-viewer --debug …' and report it)", 1)


def _fail(text: str, code: int) -> None:
    click.echo(f"seg-viewer: {redact_text(text)}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
