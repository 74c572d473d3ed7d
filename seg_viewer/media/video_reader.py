"""Video files through PyAV (FFmpeg): opened, decoded in order, as they are to be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.machine import usable_cores
from seg_viewer.core.printable import printable
from seg_viewer.media.as_seen import AsSeen
from seg_viewer.media.av_file import demuxed, open_input
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.decoding import Decoder
from seg_viewer.media.deinterlacing import deinterlaced, says_interlaced
from seg_viewer.media.hardware import acceleration, check_file
from seg_viewer.media.stream_choice import choose_stream
from seg_viewer.media.together import FEW_CORES, TogetherDecoder, long_way, works_together

_BEFORE_START_S = 10
_LAYERS_AT = 21
"""Byte of an HEVCDecoderConfigurationRecord that has the number of temporal layers."""
_MOST_CHANGES = 5
"""Of the size that are told one by one."""


def check_readable(path: Path) -> None:
    """Raises: UsageError (missing, a folder) or SourceError (no permission, empty), with the way out."""
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    if not path.is_file():
        raise UsageError(f"{path}: is neither a file nor a folder")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"{path}: is empty (0 bytes); copy it again from the camera")
    except PermissionError:
        raise SourceError(f"{path}: no permission to read it") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error


_Item = TypeVar("_Item")


class VideoReader:
    """One video stream of a file, decoded; what does not decode is left out and counted.

    Args:
        path: file of any container and codec that FFmpeg reads.
        stream: number of a video stream, counted from 1 without cover pictures; None for the one that the file marks,
            else the one of the most pixels a second.
        hardware: decode by hardware where that works; where not, `notes` says why, and the processor does.

    Attributes:
        container: the open file.
        stream: the stream that is decoded, never a cover picture.
        damaged: pieces that did not decode so far.
        is_unsure: something was damaged since the last jump, while several pictures were decoded at once: what follows
            may be another than by one thread. See `decode_together`.
        broken_off: why the latest `frames` ended before the end of the file; "" when it did not.
        may_together: several pictures can be decoded at once, see `decode_together`.
        long_way: behind a key frame, in pictures, from which on that is quicker.
        device: that decodes, as FFmpeg calls it; "" for the processor.
        notes: what was chosen, changed or repaired so far, a line each, with the name of the file.

    Raises:
        UsageError: there is no such file or stream.
        SourceError: it is empty, no video, cut off before its index, of an unknown codec, or holds sound only.
    """

    container: av.container.InputContainer
    stream: av.VideoStream
    _alone: Decoder
    _decoder: Decoder

    def __init__(self, path: Path, stream: int | None = None, *, hardware: bool = False) -> None:
        self.path = path
        self.device = ""
        self._tries_hardware = hardware
        self.damaged = 0
        self.is_unsure = False
        self.broken_off = ""
        self.notes: list[str] = []
        self._number = stream
        self._as_seen = AsSeen()
        self._form: tuple[int, int, Fraction] | None = None
        self._coded_aspect: Fraction | None = None
        self._aspect: Fraction | None = None
        self._changes = 0
        self._interlaced = False
        self._together: TogetherDecoder | None = None
        self.may_together = works_together()
        check_readable(path)
        self._open()
        self.long_way = long_way(self.stream.width, self.stream.height)

    def packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Packets from the container's present position on; the last one, empty, asks the decoder for what it holds."""
        self.broken_off = ""
        try:
            yield from demuxed(self.container, self.stream)
        except (av.FFmpegError, OSError) as error:
            self.broken_off = error.strerror or str(error)

    def decode(self, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame] | None:
        """What a packet completes, as it is stored: see `whole`; None where it did not decode."""
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            self.is_unsure |= self.is_together
            return None
        if self.is_together:
            self.is_unsure |= any(frame.is_corrupt for frame in frames)
        return frames

    @property
    def is_together(self) -> bool:
        """Several pictures are decoded at once since the last jump."""
        return self._decoder is self._together

    def decode_together(self) -> None:
        """Decode several pictures at once until the next jump, where that works and is quicker.

        To be called after a jump, before the first packet is decoded, where `can_hurry` holds.
        """
        self.make_together()
        if self._together is not None and self.may_together:
            self._together.begin()
            self._decoder = self._together

    def make_together(self) -> bool:
        """Make what `decode_together` needs, which takes a moment for a long film; returns whether it was missing."""
        if self._together is not None or not self.may_together:
            return False
        try:
            self._together = TogetherDecoder(self.path, self.stream)
        except (av.FFmpegError, OSError, IndexError):  # deleted, or another by now: what is open can be read
            self.may_together = False
        return True

    def _decode_alone(self) -> None:
        self._decoder, self.is_unsure = self._alone, False

    @property
    def can_hurry(self) -> bool:
        """Pictures that no other picture needs can be told before they are decoded, and all others come out the same.

        So it is in H.264 (`nal_ref_idc` is 0, ITU-T H.264, 7.4.1), and in H.265 where there is one temporal layer, as
        an MP4 or Matroska file says (ISO/IEC 14496-15, 8.3.2.1). Two halves of a picture are left as they are.
        """
        context = self.stream.codec_context
        if self._interlaced or context.field_order > 1 or self.device:
            return False
        if context.name != "hevc":
            return context.name == "h264"
        head = context.extradata or b""
        return len(head) > _LAYERS_AT and head[0] == 1 and head[_LAYERS_AT] >> 3 & 7 == 1

    @contextmanager
    def only_what_is_needed(self) -> Iterator[None]:
        """Meanwhile `decode` leaves out pictures that no other picture needs; see `can_hurry`."""
        context = self._decoder.context
        context.skip_frame = "NONREF"
        try:
            yield
        finally:
            context.skip_frame = "DEFAULT"

    def frames(self) -> Iterator[av.VideoFrame]:
        """Frames from the container's present position on, made whole where they are interlaced; see `picture`."""
        stored = (frame for packet in self.packets() for frame in self.decode(packet) or ())
        for _, frame in self.whole(stored, lambda frame: frame):
            yield frame

    def whole(
        self, items: Iterator[_Item], frame_of: Callable[[_Item], av.VideoFrame]
    ) -> Iterator[tuple[_Item, av.VideoFrame]]:
        """Make frames whole where they are interlaced, and note when they change their size.

        Args:
            items: in order of time, from one run through the file.
            frame_of: the frame of an item, as `decode` gave it.

        Returns:
            each item and its frame, which `picture` takes.
        """
        self._form = None
        order = self.stream.codec_context.field_order
        for item, frame, changed in deinterlaced(items, frame_of, order):
            if not self._interlaced and (changed or says_interlaced(frame, order)):
                self._interlaced = True
                self._tell("says that it is interlaced; pictures that show combs are made whole (bwdif)")
            self._look_for_changes(frame)
            yield item, frame

    @property
    def needs_before_s(self) -> float:
        """How far before a picture to begin, seconds, so that it is the same as when played from the start."""
        rate = self.stream.average_rate
        return float(2 / rate) if self._interlaced and rate else 0.0  # it is made whole with the one before it

    def pictures(self) -> Iterator[AvPicture]:
        """As `frames`, as they are to be seen."""
        for frame in self.frames():
            yield self.picture(frame)

    def picture(self, frame: av.VideoFrame) -> AvPicture:
        """The latest of `frames` as it is to be seen: upright, of standard range, with the sides of its pixels."""
        count = len(self._as_seen.notes)
        seen = self._as_seen.of(frame)
        for note in self._as_seen.notes[count:]:
            self._tell(note)
        return AvPicture(seen, self.sample_aspect)

    @property
    def sample_aspect(self) -> Fraction:
        """Width ÷ height of one pixel of the latest `picture`."""
        aspect = self._pixel_aspect()
        return 1 / aspect if aspect != 1 and self._as_seen.orientation.swaps_sides else aspect

    def _pixel_aspect(self) -> Fraction:
        """Width ÷ height of the latest frame's stored pixels; of a change, early by the frames the decoder holds."""
        coded = self._decoder.context.sample_aspect_ratio
        if self._aspect is None:
            self._coded_aspect = coded
            self._aspect = _aspect(self.stream.sample_aspect_ratio)  # of the container, where it says one
        elif coded != self._coded_aspect:
            self._coded_aspect = coded
            self._aspect = _aspect(coded)
        return self._aspect

    def _look_for_changes(self, frame: av.VideoFrame) -> None:
        form = (frame.width, frame.height, self._pixel_aspect())
        before, self._form = self._form, form
        if before is None or form == before or self._changes >= _MOST_CHANGES:
            return
        more = "; further changes are not told" if self._changes == _MOST_CHANGES - 1 else ""
        if self._tell(f"changes from {_described(before)} to {_described(form)}{self._at(frame)}{more}"):
            self._changes += 1

    def _at(self, frame: av.VideoFrame) -> str:
        if frame.pts is None or frame.time_base is None:
            return ""
        start_s = max(0.0, (self.container.start_time or 0) / av.time_base)
        return f" at {float(frame.pts * frame.time_base) - start_s:.2f} s"

    def _tell(self, note: str) -> bool:
        """Whether this is new."""
        line = printable(f"{self.path.name}: {note}")
        if line in self.notes:
            return False
        self.notes.append(line)
        return True

    def seek(self, pts: int) -> None:
        """Go to the last key frame at or before a time of the stream; to the start where the file cannot be sought in.

        Args:
            pts: in units of the stream's time base.
        """
        self._decode_alone()
        try:
            self.container.seek(pts, stream=self.stream, backward=True)
        except av.FFmpegError:
            self.restart()

    def seek_byte(self, position: int) -> None:
        """Go to a packet that is known to begin at a byte of the file; to the start where that cannot be."""
        self._decode_alone()
        try:
            self.container.seek(position, unsupported_byte_offset=True)
        except av.FFmpegError:
            self.restart()

    def restart(self) -> None:
        """Go to the start, by opening the file again; one that is gone by now is read on from what is open.

        Raises: SourceError, UsageError: neither can be done.
        """
        before = self.container
        self._decode_alone()
        try:
            self._open()
        except (SourceError, UsageError):
            if self.container is not before:
                before.close()
                raise
            try:
                # transport streams find a time only about; from before the start they begin at the start
                before.seek((before.start_time or 0) - _BEFORE_START_S * av.time_base)
            except av.FFmpegError:
                before.close()
                raise SourceError(f"{self.path}: cannot be read any more; was it moved or deleted?") from None
        else:
            before.close()

    def close(self) -> None:
        """Close the file. Safe to call again."""
        self.container.close()
        if self._together is not None:
            self._together.close()

    def _open(self) -> None:
        try:
            self.container = open_input(self.path)
            if _may_be_still(self.container):
                films = _holds_several(self.container)
                self.container.close()
                if not films:
                    raise SourceError(f"{self.path}: is not a video")
                self.container = open_input(self.path)
        except av.FFmpegError as error:
            raise SourceError(
                f"{self.path}: is not a video this program can read, or is cut off before its index "
                f"({error.strerror}); try to play it, or copy it again from the camera"
            ) from error
        try:
            self.stream, notes = choose_stream(self.container, self.path, self._number)
        except (SourceError, UsageError):
            self.container.close()
            raise
        self.notes += [line for line in map(printable, notes) if line not in self.notes]
        if self._tries_hardware:
            self._tries_hardware = False
            check = check_file(self.path, self.stream.index)
            self.device = check.device
            if check.problem:
                self._tell(f"hardware decoding does not work here ({check.problem}); the processor decodes it")
        if self.device:
            self._use_device()
        # with few cores the pipeline's own threads keep them busy; frame threads would only add hand-overs
        self.stream.thread_type = "NONE" if usable_cores() <= FEW_CORES else "AUTO"
        self._decoder = self._alone = Decoder(self.stream)

    def _use_device(self) -> None:
        """It has decoded this file before; should it not be begun again, the processor goes on."""
        try:
            container = open_input(self.path, hwaccel=acceleration(self.device))
        except (av.FFmpegError, OSError, RuntimeError) as error:
            self._tell(f"hardware decoding ({self.device}) stopped ({error}); the processor goes on")
            self.device = ""
            return
        self.container.close()
        self.container = container
        self.stream, _ = choose_stream(container, self.path, self._number)


def _may_be_still(container: av.container.InputContainer) -> bool:
    """FFmpeg takes a text file for terminal art, and a picture for a film of one frame."""
    name = container.format.name
    return name in ("tty", "image2") or name.endswith("_pipe")


def _holds_several(container: av.container.InputContainer) -> bool:
    """Whether pictures follow each other in a file, as in raw Motion JPEG."""
    if container.format.name in ("tty", "image2") or not container.streams.video:
        return False
    count = 0
    for packet in demuxed(container, container.streams.video[0]):
        try:
            count += len(packet.decode())
        except av.FFmpegError:
            continue
        if count > 1:
            return True
    return False


def _aspect(said: Fraction | None) -> Fraction:
    return Fraction(said) if said and said > 0 else Fraction(1)


def _described(form: tuple[int, int, Fraction]) -> str:
    width, height, aspect = form
    return f"{width}×{height}" + (f" (pixels {aspect.numerator}:{aspect.denominator})" if aspect != 1 else "")
