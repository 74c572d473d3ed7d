"""What Python programs and notebooks use: `import seg_viewer`, then `seg_viewer.open`, `seg_viewer.export`, ….

Pictures are RGB, uint8, shape (H, W, 3); class maps are uint8, shape (h, w); times are seconds from the start of the
source. What a person can cause is a `SegViewerError`, whose text is one line that says what to do. Nothing is printed.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.errors import (
    EngineError,
    ExportError,
    ModelFileError,
    SegViewerError,
    SourceError,
    UsageError,
)
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.frame import Shot as _Shot
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.overlay import Overlay, OverlayStyle, class_shares
from seg_viewer.jobs.export import ExportJob, ExportProgress, ExportResult, run_export
from seg_viewer.jobs.export_job import Wanted
from seg_viewer.jobs.export_request import scaled_frame, sized
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.style import Color, check_names, style_of
from seg_viewer.pipeline import Pipeline, Policy
from seg_viewer.sources import SourceInfo, open_source
from seg_viewer.sources.between import Between, Selection

__all__ = [
    "EngineError",
    "ExportError",
    "ExportProgress",
    "ExportResult",
    "ModelFileError",
    "ModelSpec",
    "SegViewerError",
    "Shot",
    "Shots",
    "SourceError",
    "UsageError",
    "export",
    "models",
    "open",
    "read_model",
]

Place = float | str | None
"""In a source: seconds (90.5), a time ("1:30", "1:02:03.5") or a frame's number ("250f"); None: its start or end."""

_PNG_LEVEL = 1  # zlib's fastest: a cell of a notebook should not wait


class Shot(_Shot):
    """A frame and what the model says of it, as `open` yields them.

    Attributes:
        frame: the picture (`frame.picture`), its number (`frame.index`) and time (`frame.time_s`).
        maps: the class map with its labels and the hash of the model file.
        times_s: seconds that each stage took: "decode", "convert", "inference", "latency".
        classes: class ids at the size of the network, shape (h, w), uint8; see `full_classes`.
        labels: name and colour of each id.
    """

    @property
    def index(self) -> int:
        """Number of the frame, counted from 0."""
        return self.frame.index

    @property
    def time_s(self) -> float:
        """When the frame is shown, seconds from the start of the source."""
        return self.frame.time_s

    def rgb(self) -> ByteArray:
        """The picture without paint, shape (H, W, 3), uint8, RGB; a new array."""
        return self.frame.picture.rgb().copy()

    def overlay(
        self,
        opacity: float = 0.45,
        hidden: Collection[str] = (),
        outline: bool = False,
        *,
        hatched: bool = False,
        palette: str = "classic",
        colors: Mapping[str, Color] | None = None,
        smooth: bool = True,
    ) -> ByteArray:
        """The picture with its classes painted: round(picture + opacity × (colour − picture)).

        Args:
            opacity: 0 leaves the picture as it is, 1 paints flat colour.
            hidden: names of classes that are not painted.
            outline: draw the border of each class in full colour.
            hatched: draw each class in stripes, in a direction of its own.
            palette: "classic" (the model's own colours) or "okabe-ito" (for any kind of colour vision).
            colors: of single classes, by name: "#rrggbb" or (red, green, blue); they win over the palette.
            smooth: borders run smoothly where the picture is larger than the class map, else along its pixels.

        Returns:
            shape (H, W, 3), uint8, RGB; a new array, which may be written. For OpenCV, `[..., ::-1]` makes it BGR.

        Raises:
            UsageError: the opacity is outside 0…1, the model has no such class, or there is no such palette or colour.
        """
        painted = self.rgb()
        style = style_of(opacity, hidden, outline, hatched, palette, colors, self.labels, smooth=smooth)
        _painter(self.labels, style).paint_rgb(painted, self.classes)
        return painted

    def full_classes(self) -> ByteArray:
        """Class ids at the size of the picture (nearest neighbour), shape (H, W), uint8; a new array."""
        size = (self.frame.picture.width, self.frame.picture.height)
        return np.array(cv2.resize(self.classes, size, interpolation=cv2.INTER_NEAREST), np.uint8)

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Where a class is, at the size of the network, shape (h, w), bool. Raises: UsageError for an unknown name."""
        check_names((name,), self.labels)
        return np.equal(self.classes, self.labels.by_name(name).id)

    def shares(self) -> dict[str, float]:
        """Share of the picture that each class covers, by name; they add up to 1."""
        return class_shares(self.classes, self.labels)

    def __repr__(self) -> str:
        picture = self.frame.picture
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.shares().items())
        return f"<Shot {self.index} at {self.time_s:.3f} s, {picture.width}×{picture.height}: {shares}>"

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the painted picture as PNG."""
        bgr = cv2.cvtColor(self.overlay(), cv2.COLOR_RGB2BGR)
        return cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])[1].tobytes()


class Shots:
    """Shots of a source, in order, once: see `open`, which makes them.

    Iterate it on one thread. It ends by itself with the source, with an error, with `close`, with the end of a `with`
    block, and when nobody refers to it any more: threads end then, and the source is closed.

    Args:
        source: as for `open`.
        options: model, engine and device.
        selection: which frames.
        size: of the pictures, or None as they are.

    Attributes:
        info: what is known of the source: size, rate, duration, codec, whether it is live.
        model: name, labels, input size and scores of the model that runs.
    """

    def __init__(self, source: str | Path, options: RunOptions, selection: Selection, size: Wanted | None) -> None:
        self.model: ModelSpec = options.read_spec()
        opened = open_source(source)
        self.info: SourceInfo = opened.info
        self._warnings = opened.warnings
        self._size = size if opened.info.live else None
        try:
            if opened.info.live and not selection.is_all:
                raise UsageError(f"{opened.info.name}: is live; start, end and every are for what has an end")
            if not opened.info.live:
                opened = Between(opened, selection, change=sized(opened.info, size))
            policy, mode = (Policy.LATEST, "latency") if self.info.live else (Policy.EVERY_FRAME, "throughput")
            segmenter = options.with_steady(options.segmenter(self.model, mode))
            pipeline = Pipeline(opened, segmenter, policy=policy)
        except BaseException:
            opened.close()
            raise
        self._pipeline = pipeline
        self._end = weakref.finalize(self, _close, pipeline)

    @property
    def labels(self) -> LabelSet:
        """Name and colour of each class id."""
        return self.model.labels

    @property
    def engine(self) -> str:
        """What really runs, one line: "openvino 2026.0 · CPU · int8 …"; "" until the first shot is there."""
        report = self._pipeline.engine_report
        return "" if report is None else report.line()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the source or the engine so far and did not end it, a line each."""
        report = self._pipeline.engine_report
        fallback = (report.fallback,) if report and report.fallback else ()
        return (*self._warnings, *fallback)

    @property
    def drops(self) -> dict[str, int]:
        """Frames that were left out so far, by cause; none but of what is live."""
        return dict(self._pipeline.ledger.snapshot().drops)

    def close(self) -> None:
        """End all threads and close the source; again is fine."""
        self._end()

    def __iter__(self) -> Shots:
        return self

    def __next__(self) -> Shot:
        """Raises: SourceError, EngineError, ModelFileError: it cannot go on; StopIteration at the end."""
        try:
            shot = next(self._pipeline)
        except BaseException:
            self.close()
            raise
        frame = shot.frame if self._size is None else scaled_frame(shot.frame, self._size)
        return Shot(frame, shot.maps, shot.times_s)

    def __enter__(self) -> Shots:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self.info
        facts = [f"{info.width}×{info.height}"]
        facts += [f"{info.rate:.2f} frames/s"] if info.rate else []
        facts += [f"{info.duration_s:.1f} s"] if info.duration_s else []
        state = "closed" if not self._end.alive else "live" if info.live else "open"
        return f"<Shots of {info.name} ({', '.join(facts)}), {self.model.title}, {state}>"


def open(
    source: str | Path,
    *,
    model: str | Path | None = None,
    start: Place = None,
    end: Place = None,
    every: int = 1,
    size: str | tuple[int, int] | None = None,
    engine: str = "auto",
    device: str | None = None,
    steady: bool = False,
) -> Shots:
    """Open a source and segment its frames.

        for shot in seg_viewer.open("drive.mp4", start="1:30", every=5):
            print(shot.time_s, shot.shares()["person"])

    Of a file or a folder, every frame that is wanted comes, in order. Of what is live, the newest frame comes; those
    that came while the loop was busy are counted in `Shots.drops`.

    Args:
        source: a video file, a folder of pictures, "demo"; or live: "camera:0", "rtsp://…", "screen", "carla://…".
        model: a name of `models()` or the path of an .onnx file; None: the finer one on a GPU, else the fast one.
        start: the frame on the screen there is the first, see `Place`.
        end: the first frame that is not wanted.
        every: of those, the first and each `every`-th after it.
        size: largest size of the pictures, "1280x720", "1280x", "x720", "720p" or (1280, 720); their shape is kept.
        engine: "auto", "openvino", "onnxruntime", "tensorrt-rtx" or "tensorrt".
        device: as the engine calls it ("CPU", "GPU", …), or None for its default.
        steady: where the picture stands still, a pixel changes its class once that has lasted 5 frames or 0.4 s.

    Returns:
        an iterator of `Shot`; use it in a `with` block to have it closed at a known moment.

    Raises:
        UsageError: there is no such source, model or place.
        SourceError, ModelFileError: it cannot be read.
        EngineError: while iterating: the engine is not installed, or failed.
    """
    options = replace(_options(model, engine, device, OverlayStyle()), steady=steady)
    return Shots(source, options, Selection.read(start, end, every), Wanted.given(size))


def export(
    source: str | Path,
    out: str | Path | Collection[str | Path],
    *,
    model: str | Path | None = None,
    start: Place = None,
    end: Place = None,
    every: int = 1,
    size: str | tuple[int, int] | None = None,
    opacity: float = 0.45,
    hide: Collection[str] = (),
    outline: bool = False,
    hatch: bool = False,
    palette: str = "classic",
    colors: Mapping[str, Color] | None = None,
    smooth: bool = True,
    steady: bool | None = None,
    engine: str = "auto",
    device: str | None = None,
    quality: str = "balanced",
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
    hardware: bool = False,
    stats: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    manifest: bool = True,
    on_progress: Callable[[ExportProgress], None] | None = None,
) -> ExportResult:
    """Write a source with its overlay into files; times and sound are kept.

    `model`, `start`, `end`, `every`, `size`, `engine` and `device` are as for `open`.

        result = seg_viewer.export("drive.mp4", "drive_seg.mp4", end=60, on_progress=print)

    Args:
        source: a video file, a folder of pictures, "demo"; not live.
        out: the file to make, or several, all made in one pass; the end of a name says what it holds.
        opacity, outline, palette, colors, smooth: as for `Shot.overlay`.
        steady: as for `open`.
        hide: names of classes that are not painted.
        hatch: draw each class in stripes, in a direction of its own.
        quality: of video: "high", "balanced", "fast" or "tiny".
        codec: "h264", "h265", "av1", "vp9", "ffv1" or "prores"; None: the usual one of the file's kind.
        crf: constant rate factor instead of that of `quality`; lower is better and larger.
        preset: the encoder's speed instead of that of `quality`.
        hardware: encode on a graphics chip where one can; `warnings` say why not.
        stats: write time, shares and numbers into the painted picture.
        overwrite: what is there may be replaced, once the new one is whole.
        resume: go on with what the same export left behind when it was broken off.
        manifest: write OUT.manifest.json beside the first file: what was made, of what and how.
        on_progress: called about ten times a second, on this thread. An exception that it raises ends the export and
            comes out of here; whole segments of 10 s are kept for `resume`.

    Returns:
        what was made, and `warnings`: what was left out, changed or repaired, a line each.

    Raises:
        UsageError: what was asked for cannot be meant: no such input, an output that exists or is the input, ….
        SourceError, ModelFileError, EngineError: the parts cannot be had.
        ExportError: a file cannot be written.
    """
    options = _options(model, engine, device, OverlayStyle())
    labels = options.read_spec().labels if hide or colors else None
    style = style_of(opacity, hide, outline, hatch, palette, colors, labels, smooth=smooth)
    outputs = (out,) if isinstance(out, str | Path) else tuple(out)
    job = ExportJob(
        source, outputs, replace(options, style=style, steady=steady), crf, preset, overwrite,
        Selection.read(start, end, every), Wanted.given(size), resume, manifest, codec, quality, hardware, stats,
    )  # fmt: skip
    return run_export(job, on_progress=on_progress)


def models() -> tuple[str, ...]:
    """Names of the models that ship."""
    return tuple(path.stem for path in shipped_models())


def read_model(model: str | Path | None = None) -> ModelSpec:
    """What is known of a model: its labels, input size, precision and scores.

    Args:
        model: a name of `models()` or the path of an .onnx file; None: the one that runs where nobody names one.

    Raises:
        UsageError: no such model. ModelFileError: it is none, or breaks the contract.
    """
    return _options(model, "auto", None, OverlayStyle()).read_spec()


def _close(pipeline: Pipeline) -> None:
    """Also called when an iterator is forgotten, by whichever thread then collects garbage."""
    if threading.current_thread().name.startswith("seg-"):  # it must not wait for itself
        pipeline.stop()
        threading.Thread(target=pipeline.close, name="seg-close", daemon=True).start()
    else:
        pipeline.close()


@lru_cache(maxsize=16)
def _painter(labels: LabelSet, style: OverlayStyle) -> Overlay:
    return Overlay(labels, style)


def _options(model: str | Path | None, engine: str, device: str | None, style: OverlayStyle) -> RunOptions:
    return RunOptions(None if model is None else str(model), engine, device, style)
