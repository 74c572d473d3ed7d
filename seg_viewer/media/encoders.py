"""Pictures to packets, in any codec of `codecs`; several encoders in a row make one stream."""

from __future__ import annotations

import functools
import io
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import TypeAlias

import av
import av.logging
from av.codec.context import Flags
from av.video.reformatter import ColorRange

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import YuvPlanes
from seg_viewer.core.machine import as_scheduled
from seg_viewer.media.codecs import CodecKind, VideoChoice, encoder_threads
from seg_viewer.media.repeatable import x264_options
from seg_viewer.media.scaled_to import Form, fit
from seg_viewer.media.yuv_frames import tag, to_frame

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"

_LIMITED_ONLY = "luma 0…255 was brought to 16…235: {} knows no other"
_SQUARED = "pixels of {}:{} were made square: {} in .{} does not say their shape"
# Matroska keeps the shape of pixels in the track, which PyAV cannot write; these do not keep it themselves
_SHAPELESS = {("av1", "mkv"), ("av1", "webm"), ("vp9", "mkv"), ("vp9", "webm"), ("prores", "mkv")}
_EVEN_FORMATS = ("yuv420p", "nv12", "yuv422p10le", "yuvj420p", "yuv420p10le", "yuv422p")
_ALWAYS_IN_ORDER = 2
# x265 (4.1): the vectors of its "cutree" write beyond the end of an array of a picture of, say, 40×40
_X265_WRITES_BEYOND = 128
_HEADER = int(Flags.global_header)
_log_lock = threading.Lock()
# its own way of being quiet, read when an encoder is opened: 1 is errors only
os.environ.setdefault("SVT_LOG", "1")


def make_encoder(
    choice: VideoChoice,
    container: str,
    first: YuvPlanes | av.VideoFrame,
    *,
    rate: Fraction,
    time_base: Fraction,
    sample_aspect: Fraction = Fraction(1),
    global_header: bool = True,
    in_order: bool = False,
) -> Encoder:
    """An open encoder for pictures like the first one, bound to no file.

    Args:
        choice: codec and quality.
        container: end of the file's name, one of `codecs.CONTAINERS`.
        first: a picture; not encoded yet. A frame keeps its pixel format where the codec has it (alpha, 10 bit, gray).
        rate: average frames per second, for the encoder's rate control.
        time_base: unit of the pictures' times, seconds.
        sample_aspect: width ÷ height of one pixel.
        in_order: packets come in the order of their pictures: how long the last one lasts is kept by its own packet.
        global_header: parameter sets go into `extradata`, not before each key frame; MP4, MOV, Matroska want that.

    Raises:
        UsageError: codec and container do not go together, or the choice names something that does not exist.
        ExportError: there is no such encoder here, or it does not take such pictures.
    """
    kind = choice.kind(container)
    settings = _Settings(kind, container, rate, time_base, sample_aspect, global_header, in_order)
    failed: list[str] = []
    for name in kind.hardware if choice.hardware else ():
        options = _hardware_options(kind, name, choice)
        reason = _why_not(
            name, tuple(options.items()), "" if isinstance(first, YuvPlanes) else first.format.name, *_size(first)
        )
        if not reason:
            return Encoder(settings, name, options, first)
        failed.append(f"{name} cannot be used here ({reason})")
    note = f"{'; '.join(failed)}: {kind.software} encodes" if failed else ""
    return Encoder(settings, kind.software, kind.options(choice.quality, choice.crf, choice.preset), first, note)


class Encoder:
    """Pictures to packets of one stream, with the source's times. Made by `make_encoder`.

    Two of them with the same choice and pictures of the same size and colours have the same `extradata`: their packets
    can be muxed one after the other as one stream, with decoding times by `DecodingTimes`.

    Attributes:
        codec: name in `codecs.CODECS`.
        encoder: FFmpeg's name of what encodes.
        width, height: of the stream; at most one more than the first picture has, unless `note` says otherwise.
        sample_aspect: width ÷ height of one pixel of the stream.
        extradata: parameter sets.
        note: what a person has to be told: a fallback, a change; "" when there is nothing.
    """

    def __init__(
        self,
        settings: _Settings,
        name: str,
        options: Mapping[str, str],
        first: YuvPlanes | av.VideoFrame,
        note: str = "",
    ) -> None:
        kind = settings.kind
        self.codec, self.encoder = kind.name, name
        self._time_base = settings.time_base
        width, height = _size(first)
        self._format = _pixel_format(name, kind, first)
        if kind.even and self._format in _EVEN_FORMATS:
            width, height = width + width % 2, height + height % 2
        if min(width, height) < kind.min_side:
            least = kind.min_side
            raise ExportError(f"{width}×{height}: {kind.title} begins at {least}×{least}; choose another codec")
        self._form = Form.of(first) if isinstance(first, YuvPlanes) else None
        self._planes_width = width
        given = settings.sample_aspect
        aspect = _aspect_in(kind, settings.container, given)
        notes = [note] if note else []
        if aspect != given:
            notes.append(_SQUARED.format(*given.as_integer_ratio(), kind.title, settings.container))
            width = max(2, 2 * round(width * given / 2))
        self._limited = not kind.full_range and _is_full_range(first)
        if self._limited:
            notes.append(_LIMITED_ONLY.format(kind.title))
        self.width, self.height, self.sample_aspect = width, height, aspect
        self.note = "; ".join(notes)
        self._first_pts = self._latest_pts = self._count = 0
        # PyAV lets nobody say what a muxer has to know of an encoder. A stream of another file does: it is the template
        self._scratch = av.open(io.BytesIO(), "w", format="matroska")
        try:
            stream = self._scratch.add_stream(name, rate=settings.rate)
        except (av.codec.codec.UnknownCodecError, ValueError):
            raise ExportError(f"{kind.title}: PyAV was built without {name}; choose another codec") from None
        assert isinstance(stream, av.VideoStream)
        self._stream, self._context = stream, stream.codec_context
        self._set_up(settings, options, first)
        try:
            with as_scheduled():
                self._scratch.start_encoding()
        except (av.FFmpegError, OSError) as error:
            raise ExportError(f"{kind.title}: {name} cannot be opened at {width}×{height}: {_reason(error)}") from error
        self.extradata = bytes(self._context.extradata or b"")
        self._tag = kind.tags.get(settings.container) or (self._context.codec_tag if kind.name == "prores" else None)

    def _set_up(self, settings: _Settings, options: Mapping[str, str], first: YuvPlanes | av.VideoFrame) -> None:
        context = self._context
        context.width, context.height, context.pix_fmt = self.width, self.height, self._format
        context.time_base, context.framerate = settings.time_base, settings.rate
        context.sample_aspect_ratio = self.sample_aspect
        context.thread_count = encoder_threads()
        if isinstance(first, YuvPlanes):
            tag(context, first)
        else:
            context.colorspace, context.color_range = first.colorspace, first.color_range
            context.color_trc, context.color_primaries = first.color_trc, first.color_primaries
        if self._limited:
            context.color_range = ColorRange.MPEG
        context.flags |= Flags.frame_duration
        context.flags = context.flags | _HEADER if settings.global_header else context.flags & ~_HEADER
        if settings.in_order:
            context.max_b_frames = 0
        context.options = self._for_these_pictures(options, settings.in_order)

    def _for_these_pictures(self, options: Mapping[str, str], in_order: bool) -> dict[str, str]:
        chosen = dict(options)
        if in_order:
            chosen.pop("bf", None)
            if self.encoder == "libx265":
                chosen["x265-params"] += ":bframes=0"
            if self.encoder == "libsvtav1":
                chosen["svtav1-params"] += ":pred-struct=1"
        if self.encoder == "libx264":
            own = [chosen.get("x264-params", ""), *x264_options().values()]
            chosen["x264-params"] = ":".join(filter(None, own))
        if self.encoder == "prores_ks" and "444" in self._format:  # a profile of its own, with alpha or full chroma
            chosen["profile"] = "4444"
        if self.encoder == "libx265" and min(self.width, self.height) < _X265_WRITES_BEYOND:
            chosen["x265-params"] += ":cutree=0"
        return chosen

    def encode(self, picture: YuvPlanes | av.VideoFrame, pts: int, duration: int | None = None) -> list[VideoPacket]:
        """Packets that are ready, in decoding order.

        Args:
            picture: planes of another form than the first are fitted into its frame, a frame is stretched. A frame gets
                these times.
            pts: when it is shown, in units of the time base; later than the one before.
            duration: how long, in units of the time base, where it is known.
        """
        if isinstance(picture, YuvPlanes):
            self._form = self._form or Form.of(picture)
            planes = fit(picture, self._form)
            frame, full = to_frame(planes, self._planes_width, self.height), planes.full_range
        else:
            frame, full = picture, picture.color_range == ColorRange.JPEG
        if (frame.format.name, frame.width, frame.height) != (self._format, self.width, self.height):
            frame = self._converted(frame, full)
        frame.pts, frame.time_base = pts, self._time_base
        frame.pict_type = 0  # a decoder's frame carries the type that it had in its own stream
        if duration is not None:
            frame.duration = duration
        if self.codec == "prores":  # which writes the tags of each frame, not the stream's
            context = self._context
            frame.colorspace, frame.color_range = context.colorspace, context.color_range
            frame.color_primaries, frame.color_trc = context.color_primaries, context.color_trc
        self._first_pts = self._first_pts if self._count else pts
        self._latest_pts, self._count = pts, self._count + 1
        return self._checked(self._context.encode(frame))

    def _converted(self, frame: av.VideoFrame, full: bool) -> av.VideoFrame:
        ranges = {} if frame.format.is_rgb else {"src_color_range": ColorRange.JPEG if full else ColorRange.MPEG}
        if ranges:
            ranges["dst_color_range"] = ColorRange.MPEG if self._limited else ranges["src_color_range"]
        return frame.reformat(self.width, self.height, self._format, threads=1, **ranges)

    def flush(self) -> list[VideoPacket]:
        """What the encoder still holds; nothing can be encoded after."""
        return self._checked(self._context.encode(None))

    def _checked(self, packets: list[VideoPacket]) -> list[VideoPacket]:
        """x265 gives random decoding times when it gets fewer pictures than it holds back; they are in order then."""
        for packet in packets:
            assert packet.pts is not None
            lowest = 2 * self._first_pts - self._latest_pts
            if self._count <= _ALWAYS_IN_ORDER or packet.dts is None or not lowest <= packet.dts <= packet.pts:
                packet.dts = packet.pts
        return packets

    def add_to(self, out: av.container.OutputContainer) -> av.VideoStream:
        """A stream for these packets, and for those of equal encoders: set `packet.stream` to it and mux them.

        The container's header is written from it, so it is added before anything is muxed.

        Raises: ValueError when the container cannot hold the codec.
        """
        stream = out.add_stream_from_template(self._stream)
        assert isinstance(stream, av.VideoStream)
        stream.time_base = self._time_base
        if self._tag:
            stream.codec_context.codec_tag = self._tag
        return stream


def add_joined_stream(
    out: av.container.OutputContainer,
    template: av.VideoStream,
    choice: VideoChoice,
    container: str,
    *,
    time_base: Fraction,
    sample_aspect: Fraction = Fraction(1),
) -> av.VideoStream:
    """A stream for packets of `make_encoder`'s encoders that were kept in files meanwhile.

    Args:
        out: the file to be made.
        template: the stream of the first of those files.
        choice, container, sample_aspect: what the encoders were made with.
        time_base: unit of the packets' times, seconds.

    Raises: ValueError when the container cannot hold the codec.
    """
    kind = choice.kind(container)
    stream = out.add_stream_from_template(template, opaque=True)  # else PyAV looks for an encoder of a decoder's name
    assert isinstance(stream, av.VideoStream)
    stream.time_base = time_base
    context = stream.codec_context
    context.sample_aspect_ratio = _aspect_in(kind, container, sample_aspect)
    if tag := kind.tags.get(container) or (template.codec_context.codec_tag if kind.name == "prores" else None):
        context.codec_tag = tag
    return stream


class _Settings:
    """What an encoder is set up with, whatever encodes."""

    def __init__(
        self,
        kind: CodecKind,
        container: str,
        rate: Fraction,
        time_base: Fraction,
        sample_aspect: Fraction,
        global_header: bool,
        in_order: bool,
    ) -> None:
        self.kind, self.container = kind, container
        self.rate, self.time_base, self.sample_aspect = rate, time_base, sample_aspect
        self.global_header, self.in_order = global_header, in_order


def _aspect_in(kind: CodecKind, container: str, aspect: Fraction) -> Fraction:
    return Fraction(1) if (kind.name, container) in _SHAPELESS else aspect


def _size(picture: YuvPlanes | av.VideoFrame) -> tuple[int, int]:
    """Columns and rows."""
    if isinstance(picture, YuvPlanes):
        return picture.y.shape[1], picture.y.shape[0]
    return picture.width, picture.height


def _is_full_range(picture: YuvPlanes | av.VideoFrame) -> bool:
    if isinstance(picture, YuvPlanes):
        return picture.full_range
    return picture.color_range == ColorRange.JPEG and not picture.format.is_rgb


def _pixel_format(name: str, kind: CodecKind, first: YuvPlanes | av.VideoFrame) -> str:
    """What the encoder is fed with: the picture's own format where codec and players take that."""
    taken = _taken_by(name)
    wanted = "yuv420p" if isinstance(first, YuvPlanes) else first.format.name
    if wanted in (kind.formats or taken) and (wanted in taken or not taken):
        return wanted
    usual = (kind.formats or ("yuv420p",))[0]
    if not isinstance(first, YuvPlanes):
        if any(part.is_alpha for part in first.format.components):
            usual = kind.alpha_format or usual
        elif first.format.is_rgb:
            usual = kind.rgb_format or usual
    return usual if usual in taken or not taken else taken[0]


def _taken_by(name: str) -> list[str]:
    """Pixel formats that an encoder takes; empty where that is not known."""
    try:
        return [each.name for each in av.Codec(name, "w").video_formats or ()]
    except av.codec.codec.UnknownCodecError:
        return []


def _hardware_options(kind: CodecKind, name: str, choice: VideoChoice) -> dict[str, str]:
    quantizer = str(kind.hardware_q[choice.quality] if choice.crf is None else choice.crf)
    return {option: value.replace("{q}", quantizer) for option, value in kind.hardware[name].items()}


@functools.lru_cache(maxsize=64)
def _why_not(name: str, options: tuple[tuple[str, str], ...], pixel_format: str, width: int, height: int) -> str:
    """Why an encoder cannot be used for pictures of a size; "" when it encoded one. Tried once in a process.

    Args:
        name: FFmpeg's.
        options: of the encoder.
        pixel_format: of the pictures, "" for planes.
        width, height: of the pictures.
    """
    try:
        context = av.CodecContext.create(name, "w")
    except (av.codec.codec.UnknownCodecError, ValueError):
        return "not in this build of PyAV"
    assert isinstance(context, av.VideoCodecContext)
    taken = _taken_by(name)
    wanted = pixel_format or "yuv420p"
    frame = av.VideoFrame(width + width % 2, height + height % 2, wanted if wanted in taken else "nv12")
    if taken and frame.format.name not in taken:
        return f"takes no {wanted}"
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = dict(options)
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    try:
        with _quiet():
            packets = context.encode(frame) + context.encode(None)
    except (av.FFmpegError, OSError) as error:
        return _reason(error)
    return "" if packets else "gave no packet"


@contextmanager
def _quiet() -> Iterator[None]:
    """What FFmpeg says on this thread meanwhile is kept for `_reason`; what it says on others may be printed."""
    with _log_lock:
        before = av.logging.get_level()
        av.logging.set_level(av.logging.ERROR)
        try:
            with av.logging.Capture():
                yield
        finally:
            av.logging.set_level(before)


def _reason(error: BaseException) -> str:
    """One short line of why FFmpeg refused: its last word on it, or the error's own."""
    log = getattr(error, "log", None)
    text = str(log[2]) if log else str(getattr(error, "strerror", None) or error)
    return text.strip().rstrip(".").splitlines()[0] if text.strip() else type(error).__name__
