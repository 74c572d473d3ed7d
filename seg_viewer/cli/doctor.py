"""The command `seg-viewer doctor`."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from seg_viewer.cli.options import LOAD_BAR, make_options, run_options
from seg_viewer.core.assets import shipped_models
from seg_viewer.core.console import plain_console
from seg_viewer.core.errors import SegViewerError
from seg_viewer.engines import LoadProgress, engine_names
from seg_viewer.jobs.options import RunOptions


@click.command()
@run_options
def doctor(**choices: Any) -> None:
    """Try every engine here: works or not and why, speed, agreement with the reference, which one "auto" takes.

    Says too which model is the default here and why, checks each that ships against its stored answer, and says
    whether the window can play sound and hardware can decode.
    """
    options = make_options(**choices)
    console = plain_console()
    chosen = print_engines(console, options, LOAD_BAR)
    print_shipped(console, options, chosen, LOAD_BAR)
    from seg_viewer.engines.nvidia.explain import explain_cache, explain_cards

    for line in (*explain_cards(), *explain_cache()):
        console.print(line, soft_wrap=True)
    _system(console)


def _system(console: Console) -> None:
    from seg_viewer.gui.system import missing_qt_libraries

    missing = missing_qt_libraries()
    if missing:
        console.print(f"The window needs system libraries: apt-get install {' '.join(missing)}")
    console.print(_sound(), soft_wrap=True, markup=False)
    console.print(_hardware(), soft_wrap=True, markup=False)


def _sound() -> str:
    from seg_viewer.player.sound_device import SoundError, sound_here

    try:
        return f'Sound in the window: plays on "{sound_here()}".'
    except SoundError as error:
        return f"Sound in the window: none, {error}."


def _hardware() -> str:
    from seg_viewer.media.hardware import check_devices

    checks = check_devices()
    working = [check.device for check in checks if not check.problem]
    if working:
        return (
            f"Hardware decoding (--hwaccel auto): {', '.join(working)} can be begun; a file decides whether it works."
        )
    reasons = "; ".join(f"{check.device}: {check.problem}" for check in checks) or "this FFmpeg has none"
    return f"Hardware decoding: none, {reasons}."


def print_engines(console: Console, options: RunOptions, progress: LoadProgress) -> str:
    """Try every engine with the model of `options`; returns the name of the one that "auto" takes.

    Args:
        console: where to.
        options: of the run.
        progress: told how far an engine is that takes long to make ready.

    Raises: SegViewerError when none works.
    """
    from seg_viewer.jobs.doctor import check_engines

    spec = options.read_spec()
    checks, reference = check_engines(spec, options.device, progress)
    table = Table(title=f"Engines for {spec.name} ({spec.width}×{spec.height}, {spec.precision})", title_justify="left")
    for column in ("", "engine", "what runs, or why not", "frames/s", "agreement"):
        table.add_column(column, overflow="fold", justify="right" if column in ("frames/s", "agreement") else "left")
    for check in checks:
        table.add_row(
            "✓" if check.works else "✗",
            check.name,
            check.line,
            f"{check.rate:.0f}" if check.rate else "–",
            "–" if check.agreement is None else f"{100 * check.agreement:.2f} %",
        )
    console.print(table)
    console.print(f"Reference: {reference}.")
    chosen = next((check for check in checks if check.chosen), None)
    if chosen is None:
        raise SegViewerError("no engine works here; see the reasons above")
    console.print(f'"auto" takes {chosen.name}: the first of {", ".join(engine_names())} that works here.')
    return chosen.name


def print_shipped(console: Console, options: RunOptions, engine: str, progress: LoadProgress) -> None:
    """Which model is the default here and why, and whether each that ships gives its stored answer.

    Args:
        console: where to.
        options: of the run; their engine and device decide on the default.
        engine: the one to check with where `options` leave it open.
        progress: told how far an engine is that takes long to make ready.
    """
    from seg_viewer.jobs.doctor import check_model

    files = shipped_models()
    if not files:
        return
    default = options.default_model()
    console.print(f"Default model here: {default.name}, since {default.why}.")
    chosen = engine if options.engine == "auto" else options.engine
    for file in files:
        line = check_model(file, chosen, options.device, progress)
        console.print(line, soft_wrap=True)
