"""Videos made of shots: encoded in segments, joined at the end with what else the source holds."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import Interpolation

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import TICKS, Shot, YuvPlanes
from seg_viewer.core.part_file import PartFile, explain, sync
from seg_viewer.core.part_folder import PartFolder
from seg_viewer.media.codecs import MUXERS, VideoChoice
from seg_viewer.media.companions import Companions
from seg_viewer.media.encoders import Encoder, add_joined_stream, make_encoder
from seg_viewer.media.scaled_to import Form, fit
from seg_viewer.media.segments import SegmentFiles, SegmentRecord, segment_at
from seg_viewer.media.timeline import Timeline
from seg_viewer.sinks.base import Sink, SinkRequest
from seg_viewer.sinks.left_behind import tidy


@dataclass
class _Segment:
    """One that is being written."""

    number: int
    out: av.container.OutputContainer
    encoder: Encoder
    stream: av.VideoStream
    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    frames: int = 0


class SegmentedVideo(Sink[Shot]):
    """Encodes a picture of each shot; nothing appears under the name before all of it is whole.

    Segments that lie in `request.parts` already are taken over: shots have to begin behind them.

    Args:
        request: what is to be made.
        picture: makes the picture of a shot.
        choice: codec and quality; None: the request's.
        with_sound: what the source holds beside its picture (sound, subtitles, chapters, …) goes along.
        tags: of the stream.
        told: asked at the end: what a person has to know of the pictures, a line each.

    Raises:
        ExportError: it cannot be written; one line that says why.
    """

    def __init__(
        self,
        request: SinkRequest,
        picture: Callable[[Shot], YuvPlanes | av.VideoFrame],
        *,
        choice: VideoChoice | None = None,
        with_sound: bool = True,
        tags: Mapping[str, str] | None = None,
        told: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.path = request.path
        self._told = told
        self._tags = dict(tags or {})
        self._choice = request.video if choice is None else choice
        self._container = request.path.suffix.lower().lstrip(".")
        self._request = request
        self._picture = picture
        self._companions_of = request.sound_from if with_sound else None
        self._rate = Fraction(request.rate or 25).limit_denominator(100_000)
        self._time_base = request.time_base or Fraction(1, TICKS)
        self._segment: _Segment | None = None
        self._part: PartFile | None = None
        self._is_whole = False
        self.notes = tidy(self.path)
        self._own = PartFolder(self.path) if request.parts is None else None
        folder = request.parts or self._own
        assert folder is not None
        self._files = SegmentFiles(folder.path, request.part_name)
        whole = self._files.whole()
        self._files.forget_from(len(whole))
        self._next = len(whole)
        self._last_pts = whole[-1].last_pts if whole else -1
        self._end_s = whole[-1].end_s if whole else None
        forms = [record.form for record in whole if record.form is not None]
        self._form = Form.from_plain(forms[0]) if forms else None

    def write(self, shot: Shot) -> None:
        time_s = shot.frame.time_s - self._request.start_s
        number = segment_at(time_s)
        planes = self._in_form(self._picture(shot))
        try:
            if self._segment is not None and number > self._segment.number:
                self._close_segment()
            if self._segment is None:
                self._skip_to(number)
                self._segment = self._open_segment(max(number, self._next), planes)
            segment = self._segment
            pts = max(round(time_s / self._time_base), self._last_pts + 1)
            self._last_pts = pts
            segment.frames += 1
            self._store(segment, segment.encoder.encode(planes, pts))
        except (av.FFmpegError, OSError) as error:
            raise ExportError(explain(self.path, error)) from error
        lasts_s = shot.frame.duration_s
        self._end_s = time_s + (float(1 / self._rate) if lasts_s is None else lasts_s)
        if self._request.end_s is not None:
            self._end_s = max(time_s, min(self._end_s, self._request.end_s - self._request.start_s))

    def _in_form(self, picture: YuvPlanes | av.VideoFrame) -> YuvPlanes | av.VideoFrame:
        """A segment that began with a picture of another form would have parameter sets of its own."""
        if isinstance(picture, YuvPlanes):
            self._form = self._form or Form.of(picture)
            return fit(picture, self._form)
        self._form = form = self._form or Form(picture.width, picture.height)
        if (picture.width, picture.height) == (form.width, form.height):
            return picture
        return picture.reformat(form.width, form.height, interpolation=Interpolation.POINT)  # it may hold class ids

    def make_whole(self) -> None:
        if self._is_whole:
            return
        try:
            self._close_segment()
            if not any(record.frames for record in self._files.whole()):
                raise ExportError(f"{self.path}: there was no frame to write")
            self._join()
        except (av.FFmpegError, OSError) as error:
            raise ExportError(explain(self.path, error)) from error
        self._is_whole = True

    def finish(self) -> None:
        self.make_whole()
        assert self._part is not None
        made = self._part.commit()
        self.files = (made,)
        if made != self.path:
            self.notes += (f"{self.path}: was made by somebody else meanwhile; this video is {made}",)
        self.notes += tuple(self._told())
        if self._own is not None:
            self._own.remove()

    def pause(self) -> None:
        try:
            self._close_segment()
        except (av.FFmpegError, OSError) as error:
            raise ExportError(explain(self.path, error)) from error

    def abandon(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            with suppress(av.FFmpegError, OSError):  # it is thrown away, and why is known
                segment.out.close()
            self._files.forget_from(segment.number)
        if self._part is not None:
            self._part.discard()
        if self._own is not None:
            self._own.remove()

    # -- segments ----------------------------------------------------------------------------------------------------

    def _open_segment(self, number: int, picture: YuvPlanes | av.VideoFrame) -> _Segment:
        encoder = make_encoder(
            self._choice,
            self._container,
            picture,
            rate=self._rate,
            time_base=self._time_base,
            sample_aspect=self._request.sample_aspect,
            in_order=self._request.animated,
        )
        if encoder.note and encoder.note not in self.notes:
            self.notes += (encoder.note,)
        out = av.open(f"file:{self._files.data(number)}", "w", format="matroska")
        try:
            return _Segment(number, out, encoder, encoder.add_to(out))
        except BaseException:
            out.close()
            raise

    def _store(self, segment: _Segment, packets: list[av.Packet[av.VideoStream]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            segment.pts.append(packet.pts)
            segment.dts.append(packet.pts if packet.dts is None else packet.dts)
            packet.stream = segment.stream
            segment.out.mux(packet)

    def _close_segment(self) -> None:
        segment = self._segment
        if segment is None:
            return
        self._store(segment, segment.encoder.flush())
        segment.out.close()
        sync(self._files.data(segment.number))
        self._segment = None
        form = self._form.to_plain() if self._form is not None else None
        record = SegmentRecord(
            tuple(segment.pts), tuple(segment.dts), segment.frames, self._last_pts, self._end_s, form
        )
        record.write(self._files.record(segment.number))
        self._next = segment.number + 1

    def _skip_to(self, number: int) -> None:
        """The source shows nothing new for longer than a segment."""
        while self._next < number:
            SegmentRecord(last_pts=self._last_pts, end_s=self._end_s).write(self._files.record(self._next))
            self._next += 1

    # -- the whole -----------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        container = MUXERS[self._container]
        options = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
        with ExitStack() as stack:
            self._part = PartFile(self.path, overwrite=self._request.overwrite)
            undo = stack.enter_context(ExitStack())
            undo.callback(self._part.discard)
            with av.open(f"file:{self._part.part}", "w", format=container, options=options) as out:
                beside = self._companions(stack, container)
                video = self._files.packets(self._time_base, partial(self._add_stream, out))
                first = next(video)  # its stream is there now
                if beside is not None:
                    beside.add_to(out)
                with closing(video):
                    for _time_s, packet in heapq.merge(
                        _then(first, video), beside.packets() if beside else (), key=lambda each: each[0]
                    ):
                        out.mux(packet)
            if beside is not None:
                self.sound = beside.sound
                self.notes += beside.notes
            sync(self._part.part)
            undo.pop_all()

    def _add_stream(self, out: av.container.OutputContainer, template: av.VideoStream) -> av.VideoStream:
        stream = add_joined_stream(
            out,
            template,
            self._choice,
            self._container,
            time_base=self._time_base,
            sample_aspect=self._request.sample_aspect,
        )
        stream.metadata.update(self._tags)
        return stream

    def _companions(self, stack: ExitStack, container: str) -> Companions | None:
        path: Path | None = self._companions_of
        if path is None:
            return None
        end_s = self._request.end_s
        if end_s is None and self._request.ends_early and self._end_s is not None:
            end_s = self._request.start_s + self._end_s
        try:
            return stack.enter_context(closing(_beside(self._request, path, container, end_s)))
        except (av.FFmpegError, OSError) as error:  # deleted, or its disk taken away, since its pictures were read
            self.notes += (f"left out: all beside the picture ({path}: {error.strerror or error})",)
            self.sound = "none"
            return None


def plan_video(request: SinkRequest) -> Sequence[str]:
    """What will be done with what the source holds beside its picture, a line each."""
    path = request.sound_from
    if path is None:
        return ()
    container = MUXERS[request.path.suffix.lower().lstrip(".")]
    with closing(_beside(request, path, container, request.end_s)) as beside:
        return (f"sound: {beside.sound}", *beside.notes)


def check_video(path: Path, choice: VideoChoice) -> None:
    """Raises: UsageError when codec and container do not go together."""
    choice.kind(path.suffix.lower().lstrip("."))


def _beside(request: SinkRequest, path: Path, container: str, end_s: float | None) -> Companions:
    return Companions(
        path,
        container,
        timeline=Timeline(path),
        start_s=request.start_s,
        end_s=end_s,
        picture=request.picture_stream,
    )


def _then(first: tuple[float, Any], rest: Iterator[tuple[float, Any]]) -> Iterator[tuple[float, Any]]:
    yield first
    yield from rest
