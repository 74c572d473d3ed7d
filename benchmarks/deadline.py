"""The age of live pictures on a loaded machine, without and with a deadline (`seg_viewer/pipeline/governor.py`).

The server of the tests (GStreamer) sends 25 pictures a second; each is segmented and painted as the window does it.
Twice, one after the other: quiet, then with busy loops in processes of their own, then quiet again. By default the
deadline is 1.5 times the age that 95 in 100 pictures do not exceed on the quiet machine.

python -m benchmarks.deadline [--model driving-fine] [--deadline 80ms] [--load 4] [--plot age.png]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from seg_viewer.cli.options import deadline_option
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.deadline import networks_for
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import DEADLINE, Governing, Pipeline, Policy
from seg_viewer.sources import open_source
from tests.servers.rtsp import RtspServer, why_not

_STAGE = "shown"
_WARM_S = 4.0
_BUSY = "while True: sum(range(20000))"


@dataclass(frozen=True)
class Painted:
    """One picture: when, how old, and what was done, "" without a deadline."""

    at_s: float
    age_s: float
    doing: str


@dataclass
class Phase:
    """A part of a run.

    Args:
        name: for the table.
        seconds: it lasts.
        load: busy loops meanwhile.
    """

    name: str
    seconds: float
    load: int
    pictures: list[Painted]


def _watch(url: str, options: RunOptions, phases: list[Phase], deadline_s: float | None) -> tuple[int, int, int]:
    """Pictures painted, left out for the deadline, and changes."""
    spec = options.read_spec()
    overlay = Overlay(spec.labels)
    governing: Governing | None = None
    source = open_source(url)
    with Pipeline(source, options.segmenter(spec, "latency"), policy=Policy.LATEST) as pipeline:
        if deadline_s is not None:

            def change(network: ModelSpec, refused: Callable[[], None]) -> None:
                pipeline.use(options.segmenter(network, "latency"), lambda _error: refused())

            governing = Governing(pipeline, deadline_s, networks_for(spec)[0], change, _STAGE)
        begun_s = time.perf_counter()
        for phase in phases:
            busy = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(phase.load)]
            end_s = time.perf_counter() + phase.seconds
            try:
                for shot in pipeline:
                    picture = shot.frame.picture
                    picture.scaled_bgra(picture.width, picture.height)
                    overlay.mask_bgra(shot.classes)
                    now_s = time.perf_counter()
                    pipeline.ledger.record(_STAGE, now_s - shot.frame.arrived_s)
                    doing = ""
                    if governing is not None:
                        governing.look(shot)
                        doing = governing.status.line()
                    phase.pictures.append(Painted(now_s - begun_s, now_s - shot.frame.arrived_s, doing))
                    if now_s > end_s:
                        break
            finally:
                for process in busy:
                    process.kill()
                    process.wait()
        left_out = pipeline.ledger.snapshot().drops.get(DEADLINE, 0)
        return sum(len(phase.pictures) for phase in phases), left_out, governing.status.steps if governing else 0


def _phases(load: int, quiet_s: float, loaded_s: float) -> list[Phase]:
    return [
        Phase("warming up", _WARM_S, 0, []),
        Phase("quiet", quiet_s, 0, []),
        Phase(f"{load} busy loops", loaded_s, load, []),
        Phase("quiet again", 2 * quiet_s, 0, []),
    ]


def _p95(pictures: list[Painted]) -> float:
    return float(np.percentile([picture.age_s for picture in pictures], 95))


def _plot(path: Path, runs: dict[str, list[Phase]], deadline_s: float) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    for (name, phases), color in zip(runs.items(), ("#b04040", "#2060b0"), strict=True):
        pictures = [picture for phase in phases for picture in phase.pictures]
        axes.plot([p.at_s for p in pictures], [p.age_s * 1000 for p in pictures], ".", ms=2.5, color=color, label=name)
        before = ""
        for picture in pictures:
            if picture.doing != before:
                axes.axvline(picture.at_s, color=color, lw=0.5, alpha=0.5)
                before = picture.doing
                axes.text(picture.at_s, 0.99, f" {before}", rotation=90, va="top", fontsize=6, color=color,
                          transform=axes.get_xaxis_transform())  # fmt: skip
    loaded = next(iter(runs.values()))[2].pictures
    axes.axvspan(loaded[0].at_s, loaded[-1].at_s, color="#888888", alpha=0.15, label="loaded")
    axes.axhline(deadline_s * 1000, color="#000000", lw=1, ls="--", label=f"deadline {deadline_s * 1000:.0f} ms")
    axes.set(xlabel="seconds", ylabel="age when painted, ms", yscale="log")
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)


@click.command(help=__doc__)
@click.option("--model", default="driving-fine")
@click.option("--load", default=2 * (os.cpu_count() or 1), help="Busy loops.")
@click.option("--quiet", "quiet_s", default=20.0)
@click.option("--loaded", "loaded_s", default=30.0)
@click.option("--plot", type=click.Path(path_type=Path))
@deadline_option
def main(model: str, load: int, quiet_s: float, loaded_s: float, plot: Path | None, deadline: float | None) -> None:
    if reason := why_not():
        raise click.ClickException(reason)
    options = RunOptions(model=model)
    runs: dict[str, list[Phase]] = {}
    with RtspServer(rate=25, size="640x384") as server:
        for name in ("without a deadline", "with a deadline"):
            runs[name] = phases = _phases(load, quiet_s, loaded_s)
            limit_s = None if not runs.keys() - {"without a deadline"} else deadline
            painted, left_out, steps = _watch(server.url, options, phases, limit_s)
            deadline = deadline or 1.5 * _p95(phases[1].pictures)
            click.echo(f"{name}: {painted} pictures painted, {left_out} left out for it, {steps} changes")
    assert deadline is not None
    click.echo(
        f"\ndeadline {deadline * 1000:.0f} ms\n{'':14} {'without: p95':>13} {'late':>6}   {'with: p95':>10} {'late':>6}"
    )
    for without, kept in zip(*runs.values(), strict=True):
        cells = [
            (_p95(phase.pictures) * 1000, np.mean([p.age_s > deadline for p in phase.pictures]) * 100)
            for phase in (without, kept)
        ]
        (one, one_late), (other, other_late) = cells
        click.echo(
            f"{kept.name:14} {one:10.0f} ms {one_late:5.0f}%   {other:7.0f} ms {other_late:5.0f}%   ×{one / other:.1f}"
        )
        for before, after in zip(["", *(p.doing for p in kept.pictures)], kept.pictures, strict=False):
            if after.doing != before:
                click.echo(f"    {after.at_s:5.1f} s  {after.doing}")
    if plot is not None:
        _plot(plot, runs, deadline)


if __name__ == "__main__":
    main()
