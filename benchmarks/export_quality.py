"""What a point of quality costs and gives: CPU time, size and distortion of painted frames of real clips.

    python -m benchmarks.export_quality CLIP… [--frames 100] [--codec h264] [--json FILE]
        [--point "libx264:preset=superfast,crf=20"]

Without --point, the named points of each codec are measured, and for H.264 x264's own presets beside them. CPU time is
that of the whole process (all threads of the encoder), so that other programs disturb it little; PSNR is of luma over
all frames (mean of the squared errors first), SSIM as in Wang et al. 2004 (Gaussian window, σ 1.5) on every third;
"outside" is the PSNR of what the masks leave alone. Clips that are not there are left out.
"""

from __future__ import annotations

import io
import itertools
import json
import statistics
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.logging
import click
import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.options import RunOptions
from seg_viewer.media.codecs import CODECS, QUALITIES, encoder_threads
from seg_viewer.media.encoders import make_encoder  # noqa: F401 - makes SVT-AV1 quiet
from seg_viewer.media.yuv_frames import to_frame
from seg_viewer.pipeline import Pipeline
from seg_viewer.sources import open_source

TICKS = 90_000
DECODERS = {"libsvtav1": "libdav1d"}  # FFmpeg's own "av1" needs other chips
SSIM_EVERY = 3  # odd: every second frame may be a B-frame
PLAIN_X264 = [
    ("libx264", {"preset": preset, "crf": crf})
    for preset, crf in itertools.product(("ultrafast", "superfast", "veryfast"), ("20", "23"))
]
LEAN = {"preset": "ultrafast", "deblock": "0:0", "bf": "1"}
TOOLS = [
    ("libx264", {"preset": "ultrafast", "qp": "26"}),
    ("libx264", {"preset": "ultrafast", "qp": "26", "deblock": "0:0"}),
    ("libx264", {**LEAN, "qp": "26"}),
    ("libx264", {**LEAN, "qp": "26", "coder": "ac"}),
    ("libx264", {**LEAN, "qp": "26", "coder": "ac", "x264-params": "subme=1:8x8dct=1"}),
    ("libx264", {**LEAN, "qp": "26", "x264-params": "subme=1:8x8dct=1:partitions=i8x8"}),
    ("libx264", {**LEAN, "crf": "26", "coder": "ac", "x264-params": "subme=1:8x8dct=1:partitions=i8x8"}),
]
"""What each tool of the lean points gives, one after the other."""


@dataclass(frozen=True)
class Clip:
    """Painted frames, ready to be encoded.

    Args:
        name: of the file.
        rate: frames per second.
        bits_per_frame: of the source's video.
        frames: painted, "yuv420p".
        luma: the same, shape (H, W), uint8 each.
        outside: where nothing was painted, shape (H, W), bool each.
    """

    name: str
    rate: float
    bits_per_frame: float
    frames: list[av.VideoFrame]
    luma: list[ByteArray]
    outside: list[np.ndarray]


@dataclass(frozen=True)
class Figures:
    """Of one point on one clip; see the module."""

    clip: str
    point: str
    cpu_ms: float
    kbit_s: float
    of_source: float
    psnr_y: float
    psnr_outside: float
    ssim: float


def read_clip(path: Path, model: str, count: int) -> Clip:
    """The first frames of a clip, segmented and painted."""
    options = RunOptions(model, cache=False)
    spec = options.read_spec()
    overlay = Overlay(spec.labels)
    frames, luma, outside = [], [], []
    source = open_source(path)
    rate = source.info.rate or 25.0
    with Pipeline(source, options.segmenter(spec)) as pipeline:
        for shot in itertools.islice(pipeline, count):
            planes = shot.frame.picture.yuv420()
            before = planes.y.copy()
            overlay.paint_yuv(planes, shot.classes)
            height, width = (side + side % 2 for side in planes.y.shape)
            frames.append(to_frame(planes, width, height))
            luma.append(planes.y)
            outside.append(before == planes.y)
    with av.open(str(path)) as file:
        sizes = [packet.size for packet in itertools.islice(file.demux(video=0), len(frames))]
    return Clip(path.name, rate, 8 * statistics.mean(sizes), frames, luma, outside)


def measure(clip: Clip, encoder: str, options: dict[str, str]) -> Figures:
    """Encode the clip once and decode it again."""
    with av.open(io.BytesIO(), "w", format="matroska") as scratch:
        context = scratch.add_stream(encoder, rate=Fraction(clip.rate).limit_denominator(1000)).codec_context
        first = clip.frames[0]
        context.width, context.height, context.pix_fmt = first.width, first.height, "yuv420p"
        if encoder == "prores_ks":
            context.pix_fmt = "yuv422p10le"
        context.time_base = Fraction(1, TICKS)
        context.thread_count = encoder_threads()
        context.options = dict(options)
        packets = []
        start_s = time.process_time()
        for number, frame in enumerate(clip.frames):
            fed = frame if context.pix_fmt == "yuv420p" else frame.reformat(format=context.pix_fmt)
            fed.pts, fed.time_base, fed.pict_type = round(number * TICKS / clip.rate), context.time_base, 0
            packets += context.encode(fed)
        packets += context.encode(None)
        spent_s = time.process_time() - start_s
        decoder = av.CodecContext.create(DECODERS.get(encoder, context.codec.canonical_name), "r")
        decoder.extradata = context.extradata
    errors, outside, ssims = [], [], []
    shown = (frame for packet in [*packets, None] for frame in decoder.decode(packet))
    for number, frame in enumerate(shown):
        true = clip.luma[number]
        ours = _luma(frame)[: true.shape[0], : true.shape[1]]
        squares = (ours.astype(np.int32) - true) ** 2
        errors.append(float(squares.mean()))
        outside.append(float(squares[clip.outside[number]].mean()))
        if number % SSIM_EVERY == 0:
            ssims.append(ssim(ours, true))
    if len(errors) != len(clip.frames):
        raise SystemExit(f"{encoder} {options}: {len(errors)} of {len(clip.frames)} frames came back")
    bits = 8 * sum(packet.size for packet in packets) / len(errors)
    return Figures(
        clip.name,
        _named(encoder, options),
        1000 * spent_s / len(errors),
        bits * clip.rate / 1000,
        bits / clip.bits_per_frame,
        _db(statistics.mean(errors)),
        _db(statistics.mean(outside)),
        statistics.mean(ssims),
    )


def ssim(ours: ByteArray, true: ByteArray) -> float:
    """Structural similarity, 0…1 (Z. Wang et al., "Image quality assessment", IEEE TIP 13(4), 2004, eq. 13)."""

    def blur(plane: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(plane, (11, 11), 1.5)

    a, b = ours.astype(np.float32), true.astype(np.float32)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, both = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def _luma(frame: av.VideoFrame) -> ByteArray:
    plain = frame if frame.format.name in ("yuv420p", "yuvj420p") else frame.reformat(format="yuv420p")
    plane = plain.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]


def _db(square: float) -> float:
    return float(10 * np.log10(255**2 / max(square, 1e-3)))


def _named(encoder: str, options: dict[str, str]) -> str:
    for kind in CODECS.values():
        for quality in QUALITIES:
            if kind.software == encoder and kind.options(quality) == options:
                return f"{kind.name} {quality}"
    return f"{encoder}:" + ",".join(f"{name}={value}" for name, value in options.items())


def _points(codecs: tuple[str, ...], given: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    if given:
        split = [text.partition(":") for text in given]
        return [(name, dict(part.split("=", 1) for part in rest.split(",") if part)) for name, _, rest in split]
    points = [(CODECS[name].software, CODECS[name].options(quality)) for name in codecs for quality in QUALITIES]
    return points + (PLAIN_X264 + TOOLS if "h264" in codecs else [])


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, type=click.Path(path_type=Path))
@click.option("--model", default="driving-fast")
@click.option("--frames", default=100, help="Of each clip.")
@click.option("--codec", "codecs", multiple=True, type=click.Choice(list(CODECS)), default=list(CODECS))
@click.option("--point", "points", multiple=True, help="ENCODER:option=value,… instead of the named ones.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(
    clips: tuple[Path, ...],
    model: str,
    frames: int,
    codecs: tuple[str, ...],
    points: tuple[str, ...],
    json_path: Path | None,
) -> None:
    cv2.setNumThreads(1)
    found = [path for path in clips if path.is_file()]
    for path in set(clips) - set(found):
        click.echo(f"{path}: not there, left out")
    if not found:
        click.echo("no clip, nothing measured")
        return
    results: list[Figures] = []
    click.echo(f"{'clip':<18}{'CPU ms':>8}{'kbit/s':>9}{'× source':>9}{'PSNR-Y':>8}{'outside':>8}{'SSIM':>8}  point")
    for path in found:
        clip = read_clip(path, model, frames)
        for encoder, options in _points(codecs, points):
            results.append(measure(clip, encoder, options))
            click.echo(_row(results[-1]))
    click.echo("\nover all clips: sums of CPU time, means of the rest")
    for point in dict.fromkeys(result.point for result in results):
        click.echo(_row(_over_all([result for result in results if result.point == point])))
    if json_path is not None:
        json_path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def _over_all(results: list[Figures]) -> Figures:
    def mean(name: str) -> float:
        return statistics.mean(getattr(result, name) for result in results)

    spent = sum(result.cpu_ms for result in results)
    means = [mean(name) for name in ("kbit_s", "of_source", "psnr_y", "psnr_outside", "ssim")]
    return Figures(f"{len(results)} clips", results[0].point, spent, *means)


def _row(figures: Figures) -> str:
    f = figures
    numbers = f"{f.cpu_ms:8.2f}{f.kbit_s:9.0f}{f.of_source:9.2f}{f.psnr_y:8.2f}{f.psnr_outside:8.2f}{f.ssim:8.4f}"
    return f"{f.clip[:17]:<18}{numbers}  {f.point}"


if __name__ == "__main__":
    main()
