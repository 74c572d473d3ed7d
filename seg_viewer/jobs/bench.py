"""What each stage costs alone, and how close the pipeline, or a whole export, comes to what the processor allows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.core.frame import TICKS, ByteArray, Frame, Picture, YuvPlanes
from seg_viewer.core.machine import usable_cores
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import Overlay
from seg_viewer.engines.base import LoadProgress, segment_all
from seg_viewer.jobs.options import RunOptions
from seg_viewer.media.codecs import CONTAINERS, MUXERS, VideoChoice
from seg_viewer.media.encoders import Encoder, VideoPacket, make_encoder
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
        whole_cpu_s: CPU-seconds per frame (all threads) of the whole; what it is more than the stages is handing over.
            Other programs on the machine disturb it less than they do `rate`.
        encoder: what encoded, and how; "" when nothing was encoded.
        bytes_per_frame: size of the video that was written, 0 when none was.
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
    whole_cpu_s: float = 0.0
    encoder: str = ""
    bytes_per_frame: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class BenchJob:
    """A measurement on a clip, which is looped as often as needed; a plain value that can be kept and sent.

    Args:
        source: what `open_source` takes; not live.
        options: model, engine, look.
        frames: number of frames to measure each stage and the pipeline on.
        video: how to encode the painted frames as an export does, into a file that is thrown away; None: not at all.
    """

    source: str | Path
    options: RunOptions = field(default_factory=RunOptions)
    frames: int = 400
    video: VideoChoice | None = None

    @property
    def container(self) -> str:
        """The first one that holds the codec."""
        codec = self.video.codec if self.video is not None else None
        return next((end for end, held in CONTAINERS.items() if codec in held), "mp4")


def run_bench(job: BenchJob, *, on_loading: LoadProgress | None = None) -> BenchResult:
    """Measure.

    Args:
        job: what is to be measured.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.

    Raises: UsageError for what is live; SourceError, ModelFileError, EngineError.
    """
    spec = job.options.read_spec()
    overlay = Overlay(spec.labels, job.options.style)
    if job.video is not None:
        job.video.kind(job.container)
    opened = open_source(job.source)
    name, live = opened.info.name, opened.info.live
    opened.close()
    if live:
        raise UsageError(f"{name}: is live and sets its own pace; measure on a video file")
    whole = _run_pipeline(job, spec, overlay, on_loading)
    cpu_s = _stages(job, spec, overlay)
    cores = usable_cores()
    limit = cores / sum(cpu_s.values())
    return BenchResult(
        name,
        spec.title,
        whole.engine,
        cores,
        job.frames,
        cpu_s,
        limit,
        whole.rate,
        whole.rate / limit,
        whole.first_shot_s,
        whole.drops,
        whole.cpu_s,
        whole.encoder,
        whole.bytes_per_frame,
    )


@dataclass(frozen=True)
class _Whole:
    """What was measured of the whole; see `BenchResult`."""

    rate: float
    first_shot_s: float
    engine: str
    drops: dict[str, int]
    cpu_s: float
    encoder: str
    bytes_per_frame: float


def _run_pipeline(job: BenchJob, spec: ModelSpec, overlay: Overlay, on_loading: LoadProgress | None) -> _Whole:
    open_s = time.perf_counter()
    first_shot_s = start_s = end_s = cpu_s = 0.0
    segmenter = job.options.segmenter(spec, progress=on_loading)
    with ExitStack() as stack:
        source = open_source(job.source)
        pipeline = stack.enter_context(Pipeline(source, segmenter, loop=True))
        video = None
        if job.video is not None:
            video = stack.enter_context(closing(_Video(job.video, job.container, source.info.rate)))
        for number, shot in enumerate(pipeline):
            if number == 0:
                first_shot_s = time.perf_counter() - open_s
            planes = shot.frame.picture.yuv420()
            overlay.paint_yuv(planes, shot.classes)
            if video is not None:
                video.write(planes)
            if number == _WARM_UP:
                start_s, cpu_s = time.perf_counter(), -time.process_time()
            if number == _WARM_UP + job.frames:
                end_s, cpu_s = time.perf_counter(), cpu_s + time.process_time()
                break
        report = pipeline.engine_report
        drops = pipeline.ledger.snapshot().drops
    ran = " · ".join(filter(None, [report.line(), report.fallback])) if report else ""
    encoder, size = (video.encoder, video.bytes_per_frame) if video is not None else ("", 0.0)
    return _Whole(job.frames / (end_s - start_s), first_shot_s, ran, drops, cpu_s / job.frames, encoder, size)


class _Video:
    """A video of painted frames, as an export writes it, in a file that is gone once it is closed.

    Args:
        choice: codec and quality.
        container: one of `CONTAINERS`.
        rate: frames per second, or None.
    """

    def __init__(self, choice: VideoChoice, container: str, rate: float | None) -> None:
        self.encoder = ""
        self._choice, self._container = choice, container
        self._rate = Fraction(rate or 25).limit_denominator(1000)
        self._frames = self._bytes = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the rest
        self._encoder: Encoder | None = None

    @property
    def bytes_per_frame(self) -> float:
        return self._bytes / max(1, self._frames)

    def write(self, planes: YuvPlanes) -> None:
        encoder = self._encoder or self._start(planes)
        self._mux(encoder.encode(planes, round(self._frames * TICKS / self._rate)))
        self._frames += 1

    def _start(self, planes: YuvPlanes) -> Encoder:
        choice = self._choice
        encoder = make_encoder(choice, self._container, planes, rate=self._rate, time_base=Fraction(1, TICKS))
        self.encoder = " · ".join(filter(None, [f"{encoder.encoder} {choice.quality}", encoder.note]))
        self._out = av.open(self._file, "w", format=MUXERS[self._container])
        self._stream = encoder.add_to(self._out)
        self._encoder = encoder
        return encoder

    def _mux(self, packets: list[VideoPacket]) -> None:
        for packet in packets:
            self._bytes += packet.size
            packet.stream = self._stream
            self._out.mux(packet)

    def close(self) -> None:
        if self._encoder is not None:
            self._mux(self._encoder.flush())
            self._out.close()
        self._file.close()


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
        shown = [frame.picture for frame in _cycle(lambda: iter(opened), len(maps))]
        spent["overlay"] = _overlay(shown, overlay, maps, frames)
        if job.video is not None:
            spent["encode"] = _encode(job, opened.info.rate, _painted(shown, overlay, maps))
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


def _overlay(pictures: list[Picture], overlay: Overlay, maps: list[ByteArray], frames: int) -> float:
    seconds = 0.0
    for number in range(frames):
        picture, classes = pictures[number % len(pictures)], maps[number % len(pictures)]
        start_s = time.process_time()
        overlay.paint_yuv(picture.yuv420(), classes)
        seconds += time.process_time() - start_s
    return seconds


def _painted(pictures: list[Picture], overlay: Overlay, maps: list[ByteArray]) -> list[YuvPlanes]:
    painted = [picture.yuv420() for picture in pictures]
    for planes, classes in zip(painted, maps, strict=True):
        overlay.paint_yuv(planes, classes)
    return painted


def _encode(job: BenchJob, rate: float | None, painted: list[YuvPlanes]) -> float:
    """There and back again: a jump from the last picture to the first would be work that a video does not make."""
    assert job.video is not None
    there_and_back = [*painted, *painted[-2:0:-1]]
    video = _Video(job.video, job.container, rate)
    start_s = 0.0
    for number in range(_WARM_UP + job.frames):
        if number == _WARM_UP:
            start_s = time.process_time()
        video.write(there_and_back[number % len(there_and_back)])
    video.close()  # what the encoder still holds is work on these frames
    return time.process_time() - start_s


def render(result: BenchResult) -> str:
    """The result as lines for a terminal."""
    lines = [f"{result.source} · model {result.model} · {result.engine}"]
    lines += [f"  {stage:<10} {1000 * seconds:7.2f} ms CPU per frame, alone" for stage, seconds in result.cpu_s.items()]
    lines += [
        f"  {'sum':<10} {1000 * sum(result.cpu_s.values()):7.2f} ms → limit {result.limit:.1f} frames/s"
        f" on {result.cores} cores",
        f"  pipeline   {result.rate:7.1f} frames/s over {counted(result.frames, 'frame')}, overlay drawn,"
        f"{' encoded,' if result.encoder else ''} {sum(result.drops.values())} dropped",
        f"  whole      {1000 * result.whole_cpu_s:7.2f} ms CPU per frame,"
        f" {sum(result.cpu_s.values()) / result.whole_cpu_s:.2f} of it the stages'",
        f"  ratio      {result.ratio:7.2f} of the limit",
        f"  first shot {result.first_shot_s:7.2f} s after opening, model loading included",
    ]
    if result.encoder:
        lines.insert(1, f"  {result.encoder}, {result.bytes_per_frame / 1000:.1f} kB a frame")
    return "\n".join(lines)
