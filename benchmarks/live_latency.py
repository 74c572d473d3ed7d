"""Latency of a live RTSP stream when the engine is slower than the camera: every shot's age, from its making on.

The server of the tests (GStreamer) writes the time into each picture; this program reads it back when the shot has
arrived where the window would paint it, its overlay included. The engine is slowed to a multiple of the frame interval.

python -m benchmarks.live_latency [--minutes 10] [--slower 3] [--rate 25] [--size 640x384]
"""

from __future__ import annotations

import time
from typing import Any

import click
import numpy as np
import psutil

from seg_viewer.core.overlay import Overlay
from seg_viewer.engines.base import Engine
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import EngineSegmenter, Pipeline, Policy
from seg_viewer.sources import open_source
from tests.servers.rtsp import RtspServer, age_s, why_not

_BAR = 50
_REFRESH_S = 1 / 60


class SlowEngine:
    """An engine whose every frame takes at least as long as told; the rest is the engine's own.

    Args:
        engine: what really runs.
        frame_s: seconds.
    """

    def __init__(self, engine: Engine, frame_s: float) -> None:
        self._engine = engine
        self._frame_s = frame_s
        self._started_s = 0.0
        self.inference_s = 0.0

    def submit(self, rgb: Any, *, alone: bool = False) -> None:
        self._started_s = time.perf_counter()
        self._engine.submit(rgb)

    def collect(self) -> Any:
        classes = self._engine.collect()
        time.sleep(max(0.0, self._started_s + self._frame_s - time.perf_counter()))
        self.inference_s = time.perf_counter() - self._started_s
        return classes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "wake":
            self._engine.wake = value
        else:
            super().__setattr__(name, value)


@click.command(help=__doc__)
@click.option("--minutes", default=10.0)
@click.option("--slower", default=3.0, help="Time of the engine, in frame intervals.")
@click.option("--rate", default=25)
@click.option("--size", default="640x384")
def main(minutes: float, slower: float, rate: int, size: str) -> None:
    if reason := why_not():
        raise click.ClickException(reason)
    options = RunOptions()
    spec = options.read_spec()
    overlay = Overlay(spec.labels)
    engine_s = slower / rate
    made_s: list[float] = []
    arrived_s: list[float] = []
    process = psutil.Process()

    def load() -> Any:
        return SlowEngine(options.load(spec, "latency"), engine_s)

    with RtspServer(rate=rate, size=size) as server:
        source = open_source(server.url)
        with Pipeline(source, EngineSegmenter(spec, load), policy=Policy.LATEST) as pipeline:
            start_s = time.perf_counter()
            report_s = start_s
            for shot in pipeline:
                picture = shot.frame.picture
                picture.scaled_bgra(picture.width, picture.height)
                overlay.mask_bgra(shot.classes)
                now_s = time.perf_counter()
                arrived_s.append(now_s - shot.frame.arrived_s)
                made_s.append(age_s(picture.rgb()))
                if now_s > report_s:
                    report_s = now_s + 60
                    p95 = np.percentile(arrived_s[-512:], 95) * 1000
                    mib = process.memory_info().rss / 2**20
                    click.echo(f"{(now_s - start_s) / 60:5.1f} min  p95 {p95:4.0f} ms  {mib:4.0f} MiB")
                if now_s - start_s > 60 * minutes:
                    break
            drops = pipeline.ledger.snapshot()
        click.echo(f"\n{len(made_s)} shots of {drops.counts['source']} pictures; dropped: {drops.drops}")
    # the first shots stand for the start of the engine
    steady = slice(20, None)
    _histogram("from the arrival of a picture to its overlay", arrived_s[steady])
    _histogram("from the making of a picture in the server to its overlay", made_s[steady])
    allowed_s = 1 / rate + engine_s + _REFRESH_S
    p95_s = float(np.percentile(arrived_s[steady], 95))
    verdict = "kept" if p95_s <= allowed_s else "NOT kept"
    click.echo(
        f"\np95 {p95_s * 1000:.0f} ms; frame interval + inference + one refresh of a 60 Hz display"
        f" = {allowed_s * 1000:.0f} ms: {verdict}"
    )


def _histogram(title: str, seconds: list[float]) -> None:
    values = np.array(seconds) * 1000
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    click.echo(f"\n{title}: p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f}, most {values.max():.0f} ms")
    edges = np.arange(np.floor(values.min() / 10) * 10, min(values.max(), p99 * 2) + 10, 10)
    counts, _ = np.histogram(values, edges)
    for left, count in zip(edges, counts, strict=False):
        if count:
            click.echo(f"{left:5.0f} ms {'█' * max(1, round(_BAR * count / counts.max())):{_BAR}} {count}")
    beyond = int((values >= edges[-1]).sum())
    if beyond:
        click.echo(f"  beyond {edges[-1]:.0f} ms: {beyond}")


if __name__ == "__main__":
    main()
