"""What each stage costs alone, and how close the pipeline comes to what the processor allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from seg_viewer.core.frame import ByteArray, Frame
from seg_viewer.core.machine import usable_cores
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import Overlay
from seg_viewer.engines.base import LoadProgress, segment_all
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.sources import open_source

_WARM_UP = 20
_SMALL_FRAMES = 64


@dataclass(frozen=True)
class BenchResult:
    """What was measured.

    Args:
        source: name of the clip.
        model: name of the model.
        engine: what ran, one line.
        cores: processors this process may use.
        frames: measured in the pipeline.
        cpu_s: CPU-seconds per frame (all threads) of each stage, measured alone.
        limit: frames per second if every core did nothing but these stages: cores ÷ sum of `cpu_s`.
        rate: frames per second of the whole pipeline, overlay drawn, after warm-up.
        ratio: rate ÷ limit.
        first_shot_s: seconds from opening the clip to the first shot, the model's loading included.
        drops: frames not delivered, by cause (none in this mode).
    """

    source: str
    model: str
    engine: str
    cores: int
    frames: int
    cpu_s: dict[str, float]
    limit: float
    rate: float
    ratio: float
    first_shot_s: float
    drops: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class BenchJob:
    """A measurement on a clip, which is looped as often as needed; a plain value that can be kept and sent.

    Args:
        source: what `open_source` takes; not live.
        options: model, engine, look.
        frames: number of frames to measure each stage and the pipeline on.
    """

    source: str | Path
    options: RunOptions = field(default_factory=RunOptions)
    frames: int = 400


def run_bench(job: BenchJob, *, on_loading: LoadProgress | None = None) -> BenchResult:
    """Measure.

    Args:
        job: what is to be measured.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.

    Raises: UsageError for what is live; SourceError, ModelFileError, EngineError.
    """
    spec = job.options.read_spec()
    overlay = Overlay(spec.labels, job.options.style)
    opened = open_source(job.source)
    name, live = opened.info.name, opened.info.live
    opened.close()
    if live:
        raise UsageError(f"{name}: is live and sets its own pace; measure on a video file")
    rate, first_shot_s, engine_line, drops = _run_pipeline(job, spec, overlay, on_loading)
    cpu_s = _stages(job, spec, overlay)
    cores = usable_cores()
    limit = cores / sum(cpu_s.values())
    return BenchResult(
        name, spec.title, engine_line, cores, job.frames, cpu_s, limit, rate, rate / limit, first_shot_s, drops
    )


def _run_pipeline(
    job: BenchJob, spec: ModelSpec, overlay: Overlay, on_loading: LoadProgress | None
) -> tuple[float, float, str, dict[str, int]]:
    """Frames per second, seconds to the first shot, what ran, and drops by cause."""
    open_s = time.perf_counter()
    first_shot_s = start_s = end_s = 0.0
    segmenter = job.options.segmenter(spec, progress=on_loading)
    with Pipeline(open_source(job.source), segmenter, loop=True) as pipeline:
        for number, shot in enumerate(pipeline):
            if number == 0:
                first_shot_s = time.perf_counter() - open_s
            overlay.paint_yuv(shot.frame.picture.yuv420(), shot.classes)
            if number == _WARM_UP:
                start_s = time.perf_counter()
            if number == _WARM_UP + job.frames:
                end_s = time.perf_counter()
                break
        report = pipeline.engine_report
        drops = pipeline.ledger.snapshot().drops
    ran = " · ".join(filter(None, [report.line(), report.fallback])) if report else ""
    return job.frames / (end_s - start_s), first_shot_s, ran, drops


def _stages(job: BenchJob, spec: ModelSpec, overlay: Overlay) -> dict[str, float]:
    """CPU-seconds per frame of each stage with nothing else running."""
    frames = job.frames
    opened = open_source(job.source)
    pictures = _cycle(lambda: iter(opened), frames + _WARM_UP)
    spent = {"decode": 0.0, "convert": 0.0}
    smalls: list[ByteArray] = []
    try:
        for number in range(frames + _WARM_UP):
            start_s = time.process_time()
            frame = next(pictures)
            decoded_s = time.process_time()
            small = frame.picture.scaled_rgb(spec.width, spec.height)
            if number >= _WARM_UP:
                spent["decode"] += decoded_s - start_s
                spent["convert"] += time.process_time() - decoded_s
            if len(smalls) < _SMALL_FRAMES:
                smalls.append(small)
        maps, spent["inference"] = _inference(spec, job.options, smalls, frames)
        spent["overlay"] = _overlay(_cycle(lambda: iter(opened), len(maps)), overlay, maps, frames)
    finally:
        opened.close()
    return {stage: seconds / frames for stage, seconds in spent.items()}


def _cycle(again: Callable[[], Iterator[Frame]], count: int) -> Iterator[Frame]:
    delivered = 0
    while delivered < count:
        for frame in again():
            yield frame
            delivered += 1
            if delivered == count:
                return


def _inference(
    spec: ModelSpec, options: RunOptions, smalls: list[ByteArray], frames: int
) -> tuple[list[ByteArray], float]:
    pictures = (smalls[number % len(smalls)] for number in range(frames + _WARM_UP))
    maps: list[ByteArray] = []
    start_s = 0.0
    with closing(options.load(spec)) as engine:
        for number, classes in enumerate(segment_all(engine, pictures)):
            if number == _WARM_UP:
                start_s = time.process_time()
            if len(maps) < len(smalls):
                maps.append(classes)
        seconds = time.process_time() - start_s
    return maps, seconds


def _overlay(frames_in: Iterator[Frame], overlay: Overlay, maps: list[ByteArray], frames: int) -> float:
    pictures = [frame.picture for frame, _ in zip(frames_in, maps, strict=False)]
    seconds = 0.0
    for number in range(frames):
        picture, classes = pictures[number % len(pictures)], maps[number % len(pictures)]
        start_s = time.process_time()
        overlay.paint_yuv(picture.yuv420(), classes)
        seconds += time.process_time() - start_s
    return seconds


def render(result: BenchResult) -> str:
    """The result as lines for a terminal."""
    lines = [f"{result.source} · model {result.model} · {result.engine}"]
    lines += [f"  {stage:<10} {1000 * seconds:7.2f} ms CPU per frame, alone" for stage, seconds in result.cpu_s.items()]
    lines += [
        f"  {'sum':<10} {1000 * sum(result.cpu_s.values()):7.2f} ms → limit {result.limit:.1f} frames/s"
        f" on {result.cores} cores",
        f"  pipeline   {result.rate:7.1f} frames/s over {result.frames} frames, overlay drawn,"
        f" {sum(result.drops.values())} dropped",
        f"  ratio      {result.ratio:7.2f} of the limit",
        f"  first shot {result.first_shot_s:7.2f} s after opening, model loading included",
    ]
    return "\n".join(lines)
