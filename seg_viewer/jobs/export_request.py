"""What the sinks of an export are asked for, worked out of the job and its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from seg_viewer import __version__
from seg_viewer.core.frame import Colours, Frame, Picture, Size
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.part_folder import PartFolder
from seg_viewer.core.zone import Zone
from seg_viewer.jobs.export_job import ExportJob, Wanted
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.scaled_to import Form
from seg_viewer.media.sized_picture import SizedPicture
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sources.base import SourceInfo


def requests(
    job: ExportJob,
    spec: ModelSpec,
    info: SourceInfo,
    folder: PartFolder | None = None,
    start_s: float = 0.0,
    about: Mapping[str, str] | None = None,
    warnings: Callable[[], Sequence[str]] = tuple,
) -> Iterator[tuple[SinkKind, SinkRequest]]:
    """One for each output.

    Args:
        job: the export.
        spec: of its model.
        info: of its source.
        folder: for what is not whole yet.
        start_s: the source's time that is 0 in the result, seconds.
        about: see `SinkRequest`; what is added to it before the sinks finish is in what they make.
        warnings: see `SinkRequest`.
    """
    end = job.selection.end
    about = facts(spec, info) if about is None else about
    for number, (path, kind) in enumerate(job.outputs):
        request = SinkRequest(
            path,
            spec.labels,
            job.options.style,
            overwrite=job.overwrite,
            rate=info.rate / job.selection.every if info.rate else None,
            time_base=info.time_base,
            sample_aspect=_aspect(info, job.size),
            sound_from=info.path if info.is_container else None,
            start_s=start_s,
            end_s=end.time_s if end is not None else None,
            ends_early=end is not None,
            parts=folder,
            part_name=str(number),
            animated=info.is_animation,
            video=job.video,
            stats=job.stats,
            zone=job.zone or Zone(),
            picture_stream=info.stream,
            name=info.name,
            size=_size(info, job.size),
            frame_count=expected_frames(job, info),
            duration_s=info.duration_s,
            about=about,
            warnings=warnings,
        )
        yield kind, request


def facts(spec: ModelSpec, info: SourceInfo) -> dict[str, str]:
    """What a person wants to know of how it was made, as far as it is known before it begins."""
    return {"source": info.name, "model": spec.title, "program": f"seg_viewer {__version__}"}


def one_size(job: ExportJob, info: SourceInfo) -> Callable[[Frame], Picture]:
    """See `sized`."""
    return sized(info, job.size)


def sized(info: SourceInfo, wanted: Wanted | None) -> Callable[[Frame], Picture]:
    """Every picture gets one form: that of the first, or the size that is wanted; none is distorted."""
    target = _size(info, wanted)
    form = Form(*target, _aspect(info, wanted), info.colours)

    def change(frame: Frame) -> Picture:
        picture, aspect = frame.picture, info.sample_aspect
        same = (picture.width, picture.height) == target
        if isinstance(picture, AvPicture):
            aspect = picture.sample_aspect
            same = same and aspect == form.sample_aspect and picture.colours == form.colours
        return picture if same else SizedPicture(picture, form, aspect)

    return change


def scaled_frame(frame: Frame, wanted: Wanted) -> Frame:
    """Of a source that may change its size at any time: each picture keeps its own shape."""
    picture = frame.picture
    size = wanted.of(Size(picture.width, picture.height))
    aspect = Fraction(picture.width * size.height, picture.height * size.width).limit_denominator(1000)
    colours = picture.colours if isinstance(picture, AvPicture) else Colours()
    return replace(frame, picture=SizedPicture(picture, Form(*size, aspect, colours)))


def expected_frames(job: ExportJob, info: SourceInfo) -> int | None:
    """How many frames will be written; None where nobody knows."""
    count = info.frame_count or (round(info.duration_s * info.rate) if info.duration_s and info.rate else None)
    if count is None:
        return None
    rate, selection = info.rate or 0.0, job.selection
    first, last = (
        None if moment is None else moment.frame if moment.frame is not None else round((moment.time_s or 0) * rate)
        for moment in (selection.start, selection.end)
    )
    count = max(1, min(count, count if last is None else last) - (first or 0))
    return -(-count // selection.every)


def _size(info: SourceInfo, wanted: Wanted | None) -> Size:
    size = Size(info.width, info.height)
    return size if wanted is None else wanted.of(size)


def _aspect(info: SourceInfo, wanted: Wanted | None) -> Fraction:
    """Rounding to even sides changes the shape of the picture a little; that of the pixels makes up for it."""
    if wanted is None:
        return info.sample_aspect
    size = _size(info, wanted)
    exact = info.sample_aspect * Fraction(info.width * size.height, info.height * size.width)
    return exact.limit_denominator(1000)
