"""The annotated video: H.264 in MP4, with the source's times and sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.resampler import AudioResampler

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import TICKS, Shot, YuvPlanes
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import PartFile, explain, sync
from seg_viewer.media.h264 import H264Track
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.left_behind import tidy

# what players expect to find in an MP4; anything else is encoded anew as AAC
_COPIED_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}


class VideoSink(Sink[Shot]):
    """Writes shots with their overlay into an .mp4; nothing appears under the name before it is whole.

    Args:
        path: the file to make.
        overlay: paints each shot.
        overwrite: a file of that name is replaced; otherwise it stays, and this one gets a free name.
        rate: average frames per second, for the encoder's rate control, or None.
        time_base: unit of the frames' times, seconds; they are stored as they are.
        sample_aspect: width ÷ height of one pixel.
        sound_from: file whose first sound stream is taken along, or None.
        crf: x264's constant rate factor, 0 (lossless) … 51; lower is better and larger.
        preset: x264's speed, one of PRESETS.

    Raises:
        ExportError: the file cannot be written; one line that says why.
    """

    def __init__(
        self,
        path: Path,
        overlay: Overlay,
        *,
        overwrite: bool = False,
        rate: float | None = None,
        time_base: Fraction | None = None,
        sample_aspect: Fraction = Fraction(1),
        sound_from: Path | None = None,
        crf: int = 20,
        preset: str = "veryfast",
    ) -> None:
        self.path = path
        self._overlay = overlay
        self._rate = Fraction(rate or 25).limit_denominator(100_000)
        self._time_base = time_base or Fraction(1, TICKS)
        self._sample_aspect = sample_aspect
        self._sound_from = sound_from
        self._options = {"crf": str(crf), "preset": preset}
        self._track: H264Track | None = None
        self._sound: Iterator[tuple[float, av.Packet[Any]]] = iter(())
        self._next_sound: tuple[float, av.Packet[Any]] | None = None
        self.notes = tidy(path)
        with ExitStack() as stack:
            self._part = PartFile(path, overwrite=overwrite)
            stack.callback(self._part.discard)
            try:
                self._out = av.open(str(self._part.part), "w", format="mp4", options={"movflags": "+faststart"})
            except (av.FFmpegError, OSError) as error:
                raise ExportError(explain(path, error)) from error
            stack.callback(self._close_quietly)
            self._stack = stack.pop_all()

    def write(self, shot: Shot) -> None:
        picture = shot.frame.picture
        planes = picture.yuv420()
        self._overlay.paint_yuv(planes, shot.classes)
        try:
            if self._track is None:
                self._track = self._start(planes)
            packets = self._track.encode(planes, shot.frame.time_s)
            self._mux_sound(shot.frame.time_s)
            self._out.mux(packets)
        except (av.FFmpegError, OSError) as error:
            raise ExportError(explain(self.path, error)) from error

    def _start(self, planes: YuvPlanes) -> H264Track:
        track = H264Track(
            self._out,
            planes,
            rate=self._rate,
            time_base=self._time_base,
            sample_aspect=self._sample_aspect,
            options=self._options,
        )
        if self._sound_from is not None:
            self._sound = self._open_sound(self._sound_from)
            self._next_sound = next(self._sound, None)
        return track

    def _open_sound(self, path: Path) -> Iterator[tuple[float, av.Packet[Any]]]:
        """Packets of the first sound stream, ready to mux, with the time of each in seconds."""
        container = self._stack.enter_context(av.open(str(path), metadata_errors="replace"))
        if not container.streams.audio:
            return iter(())
        stream = container.streams.audio[0]
        origin_s = max(0.0, (container.start_time or 0) / av.time_base)
        name = stream.codec_context.codec.canonical_name
        if name in _COPIED_AUDIO:
            self.sound = f"{name} copied"
            return _copied(container, stream, self._out.add_stream_from_template(stream), origin_s)
        self.sound = f"{name} encoded as aac"
        return _encoded(container, stream, self._out.add_stream("aac", rate=stream.rate), origin_s)

    def _mux_sound(self, until_s: float) -> None:
        while self._next_sound is not None and self._next_sound[0] <= until_s:
            self._out.mux(self._next_sound[1])
            self._next_sound = next(self._sound, None)

    def finish(self) -> None:
        if self._track is None:
            raise ExportError(f"{self.path}: there was no frame to write")
        try:
            self._out.mux(self._track.flush())
            self._mux_sound(float("inf"))
            self._out.close()
            sync(self._part.part)
        except (av.FFmpegError, OSError) as error:
            raise ExportError(explain(self.path, error)) from error
        made = self._part.commit()
        self._stack.close()
        self.files = (made,)
        if made != self.path:
            self.notes += (f"{self.path}: was made by somebody else meanwhile; this video is {made}",)

    def abandon(self) -> None:
        self._stack.close()

    def _close_quietly(self) -> None:
        with suppress(av.FFmpegError, OSError):  # the file is whole already, or is thrown away and why is known
            self._out.close()


def _copied(
    container: av.container.InputContainer, stream: av.AudioStream, out: av.AudioStream, origin_s: float
) -> Iterator[tuple[float, av.Packet[Any]]]:
    assert stream.time_base is not None
    shift = round(origin_s / stream.time_base)
    for packet in container.demux(stream):
        if packet.dts is None:
            continue
        packet.dts -= shift
        if packet.pts is not None:
            packet.pts -= shift
        packet.stream = out
        yield float(packet.dts * stream.time_base), packet


def _encoded(
    container: av.container.InputContainer, stream: av.AudioStream, out: av.AudioStream, origin_s: float
) -> Iterator[tuple[float, av.Packet[Any]]]:
    resampler = AudioResampler("fltp", stream.layout, stream.rate, frame_size=1024)
    shift = round(origin_s * stream.rate)
    for decoded in (*container.decode(stream), None):
        for frame in resampler.resample(decoded):
            if frame.pts is not None:
                frame.pts -= shift
            for packet in out.encode(frame):
                yield float((packet.pts or 0) * (packet.time_base or 0)), packet
    for packet in out.encode(None):
        yield float((packet.pts or 0) * (packet.time_base or 0)), packet


def _make(request: SinkRequest) -> Sink[Shot]:
    return VideoSink(
        request.path,
        Overlay(request.labels, request.style),
        overwrite=request.overwrite,
        rate=request.rate,
        time_base=request.time_base,
        sample_aspect=request.sample_aspect,
        sound_from=request.sound_from,
        crf=request.crf,
        preset=request.preset,
    )


SINK = SinkKind("video", (".mp4",), "H.264 video with the source's times and sound", _make)
