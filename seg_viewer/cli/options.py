"""Options that several commands share, and what is made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from seg_viewer.core.assets import find_model, shipped_models
from seg_viewer.core.errors import UsageError
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import CLASSIC, PALETTES, RGB, parse_color
from seg_viewer.core.zone import Zone
from seg_viewer.engines import engine_names
from seg_viewer.engines.load_bar import LoadBar
from seg_viewer.jobs.options import RunOptions, default_text

HWACCEL = ("off", "auto")
LEAST_DEADLINE_S, MOST_DEADLINE_S = 0.01, 10.0
LOAD_BAR = LoadBar()
"""Drawn while an engine is built, by whichever command runs."""


class OutputCommand(click.Command):
    """Its help lists what can be written, as the sinks themselves say."""

    live = False

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Written below the command's own words."""
        from seg_viewer.sinks import sink_kinds

        super().format_help_text(ctx, formatter)
        with formatter.section("Outputs, by the end of the name"):
            kinds = sink_kinds(live=self.live).values()
            formatter.write_dl([(", ".join(kind.suffixes), kind.help) for kind in kinds])


class LiveOutputCommand(OutputCommand):
    """The same, of what is live."""

    live = True


_Command = TypeVar("_Command", bound=Callable[..., Any])


def _model_help() -> str:
    names = [path.stem for path in shipped_models()]
    return f"{', '.join(names) or 'No model ships: name'} or an .onnx file. [default: {default_text(names)}]"


def run_options(command: _Command) -> _Command:
    """The options that all commands share that run a model."""
    for option in reversed(
        [
            click.option("--model", metavar="NAME|FILE", help=_model_help()),
            click.option(
                "--engine",
                type=click.Choice(("auto", *engine_names())),
                default="auto",
                show_default=True,
                help="What computes the class maps; auto takes the first that works here.",
            ),
            click.option("--device", metavar="NAME", help="As the engine calls it: CPU, GPU, NPU, CUDA, GPU.0, …"),
        ]
    ):
        command = option(command)
    return command


def deadline_option(command: _Command) -> _Command:
    """The option of commands that show or record what is live."""
    return click.option(
        "--deadline",
        callback=lambda _context, _option, text: None if text is None else _deadline_s(text),
        metavar="TIME",
        help="Live: keep 95 in 100 pictures no older than this (80ms), by looking at every 2nd or 3rd one, with a"
        " quicker model, at a smaller size. [default: off (view: as chosen in the menu)]",
    )(command)


def _deadline_s(text: str) -> float:
    """ "80ms" or "0.08s" → 0.08. Raises: BadParameter."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s)\s*", text.lower())
    if match is None:
        raise click.BadParameter(f"'{text}': write a deadline as 80ms or 0.1s")
    seconds = float(match.group(1)) / (1000 if match.group(2) == "ms" else 1)
    if not LEAST_DEADLINE_S <= seconds <= MOST_DEADLINE_S:
        raise click.BadParameter(f"'{text}': a deadline is between 10ms and 10s")
    return seconds


def cache_option(command: _Command) -> _Command:
    """The option of commands that may be asked the same twice."""
    return click.option(
        "--no-cache", is_flag=True, help="Compute all class maps anew, and keep none; see 'seg-viewer cache'."
    )(command)


def ca_option(command: _Command) -> _Command:
    """The option of commands that open addresses."""
    return click.option(
        "--ca",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Certificates (PEM) to check https, rtsps and rtmps against, in place of the system's. Nothing is read "
        "unchecked.",
    )(command)


def with_ca(sources: Sequence[str], ca: Path | None) -> tuple[str, ...]:
    """Sources whose servers are checked against a file of certificates. Raises: UsageError where none needs that."""
    if ca is None:
        return tuple(sources)
    from seg_viewer.sources.address import with_authorities

    checked = tuple(with_authorities(text, str(ca.resolve())) for text in sources)
    if checked == tuple(sources):
        raise UsageError("--ca is for addresses that begin with https://, rtsps:// or rtmps://; leave it out")
    return checked


def hardware_option(command: _Command) -> _Command:
    """The option of commands that decode video files for a long time."""
    return click.option(
        "--hwaccel",
        type=click.Choice(HWACCEL),
        help="auto: hardware decodes video files where that works; where not, one line says why. [default: off"
        " (view: as in the settings)]",
    )(command)


def _zone(_context: click.Context, _option: click.Parameter, text: str | None) -> Zone | None:
    try:
        return None if text is None else Zone.read(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def zone_option(command: _Command) -> _Command:
    """The option of commands that can watch a zone."""
    return click.option(
        "--zone",
        callback=_zone,
        metavar="CORNERS",
        help='Ego zone, corners as shares of the picture: "0.4,0.6 0.6,0.6 0.85,0.98 0.15,0.98", which is the default.'
        " No safety function.",
    )(command)


def style_options(command: _Command) -> _Command:
    """The options of how classes are painted."""
    for option in reversed(
        [
            click.option(
                "--opacity", type=click.FloatRange(0, 1), default=0.45, show_default=True, help="Of the class colours."
            ),
            click.option("--hide", metavar="CLASS", multiple=True, help="Do not paint this class; may be repeated."),
            click.option("--classes", metavar="NAMES", help="Paint these only: car,person"),
            click.option("--outline", is_flag=True, help="Draw the border of each class in full colour."),
            click.option("--hatch", is_flag=True, help="Draw each class in stripes, in a direction of its own."),
            click.option(
                "--palette",
                type=click.Choice(tuple(PALETTES)),
                default=CLASSIC,
                show_default=True,
                help="Colours of the classes; okabe-ito suits any kind of colour vision.",
            ),
            click.option(
                "--color",
                metavar="CLASS=#rrggbb",
                multiple=True,
                help="Colour of one class, instead of the palette's; may be repeated.",
            ),
        ]
    ):
        command = option(command)
    return command


def smooth_option(command: _Command) -> _Command:
    return click.option(
        "--smooth/--no-smooth",
        default=True,
        show_default=True,
        help="Borders of classes run smoothly where the picture is larger than the model's, or along its pixels.",
    )(command)


def steady_option(command: _Command) -> _Command:
    return click.option(
        "--steady/--no-steady",
        default=None,
        help="Where the picture stands still, a pixel changes its class once that has lasted 5 frames or 0.4 s; or each"
        " answer of the model as it is. [default: no-steady (view: as in the menu)]",
    )(command)


def make_options(
    model: str | None,
    engine: str,
    device: str | None,
    opacity: float = 0.45,
    hide: tuple[str, ...] = (),
    outline: bool = False,
    classes: str | None = None,
    no_cache: bool = False,
    hatch: bool = False,
    palette: str = CLASSIC,
    color: tuple[str, ...] = (),
    hwaccel: str | None = None,
    smooth: bool = True,
    steady: bool | None = None,
) -> RunOptions:
    """What the options of a command line ask for.

    Raises:
        UsageError: no such model ships, it has no class that is to be hidden or coloured, or a colour is none.
    """
    if model is not None:
        find_model(model)  # a name that does not ship is refused here, not in a window
    colors = _colors(color)
    style = OverlayStyle(opacity, frozenset(hide), outline, hatch, palette, colors, smooth)
    options = RunOptions(model, engine, device, style, not no_cache, hwaccel or "", steady)
    wanted = [name.strip() for name in (classes or "").split(",") if name.strip()]
    if classes is not None and not wanted:
        raise UsageError("--classes is empty: name what to paint (car,person), or leave it out")
    both = sorted(set(hide) & set(wanted))
    if both:
        raise UsageError(f"--hide {both[0]}: --classes names it too; leave it out of one of them")
    if hide or wanted or colors:
        names = options.read_spec().labels.names
        for option, given in (("--hide", hide), ("--classes", wanted), ("--color", colors)):
            for name in given:
                if name not in names:
                    raise UsageError(f"{option} {name}: the model has no such class; it has {', '.join(names)}")
        if wanted:
            hidden = frozenset(hide) | (frozenset(names) - frozenset(wanted))
            options = replace(options, style=replace(options.style, hidden=hidden))
    return options


def _colors(given: tuple[str, ...]) -> dict[str, RGB]:
    """By class. Raises: UsageError."""
    found: dict[str, RGB] = {}
    for text in given:
        name, equals, color = text.rpartition("=")
        if not (name.strip() and equals):
            raise UsageError(f"--color {text}: write CLASS=#rrggbb, e.g. --color 'road=#f0e442'")
        try:
            found[name.strip()] = parse_color(color)
        except ValueError as error:
            raise UsageError(f"--color {text}: {error}") from error
    return found
