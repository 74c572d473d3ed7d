"""Video files through PyAV (FFmpeg): opened, decoded in order, turned upright."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.filter

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.machine import usable_cores
from seg_viewer.media.av_picture import AvPicture

# FFmpeg takes a text file for terminal art and a picture for a film of one frame
_NOT_VIDEO_FORMATS = {"tty", "image2", "png_pipe", "jpeg_pipe", "bmp_pipe", "webp_pipe", "tiff_pipe"}
_FILTERS = {90: (("transpose", "cclock"),), 180: (("hflip", ""), ("vflip", "")), 270: (("transpose", "clock"),)}


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


class VideoReader:
    """The first video stream of a file, decoded; what does not decode is left out and counted.

    Args:
        path: file of any container and codec that FFmpeg reads.

    Attributes:
        container: the open file.
        stream: the stream that is decoded, never a cover picture.
        damaged: pieces that did not decode so far.
        broken_off: why the latest `frames` ended before the end of the file; "" when it did not.

    Raises:
        UsageError: there is no such file.
        SourceError: it is empty, no video, cut off before its index, or holds sound only.
    """

    container: av.container.InputContainer
    stream: av.VideoStream

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.broken_off = ""
        self._graph: av.filter.Graph | None = None
        check_readable(path)
        self._open()

    def packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Packets from the container's present position on; the last one, empty, asks the decoder for what it holds."""
        self.broken_off = ""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, IndexError):  # PyAV's error at the end where streams began that were not announced
                return
            except (av.FFmpegError, OSError) as error:
                self.broken_off = error.strerror or str(error)
                return
            yield packet

    def decode(self, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame] | None:
        """What a packet completes, as it is stored: see `upright`; None where it did not decode."""
        try:
            return packet.decode()
        except av.FFmpegError:
            self.damaged += 1
            return None

    def frames(self) -> Iterator[av.VideoFrame]:
        """Frames from the container's present position on, as they are stored: see `upright`."""
        for packet in self.packets():
            yield from self.decode(packet) or ()

    def pictures(self) -> Iterator[AvPicture]:
        """As `frames`, upright, as whoever shows them asks for them."""
        for frame in self.frames():
            yield AvPicture(self.upright(frame))

    def upright(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A frame as it is to be seen: turned by the quarter turns that the file asks for."""
        turns = _FILTERS.get(frame.rotation % 360)
        if turns is None:
            return frame
        if self._graph is None:
            self._graph = av.filter.Graph()
            time_base = self.stream.time_base or Fraction(1, 90_000)
            chain = [
                self._graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)
            ]
            chain += [self._graph.add(name, arguments or None) for name, arguments in turns]
            self._graph.link_nodes(*chain, self._graph.add("buffersink")).configure()
        self._graph.push(frame)
        turned = cast(av.VideoFrame, self._graph.pull())
        turned.colorspace, turned.color_range = frame.colorspace, frame.color_range
        return turned

    def seek(self, pts: int) -> None:
        """Go to the last key frame at or before a time of the stream; to the start where the file cannot be sought in.

        Args:
            pts: in units of the stream's time base.
        """
        self._graph = None
        try:
            self.container.seek(pts, stream=self.stream, backward=True)
        except av.FFmpegError:
            self.restart()

    def seek_byte(self, position: int) -> None:
        """Go to a packet that is known to begin at a byte of the file; to the start where that cannot be."""
        self._graph = None
        try:
            self.container.seek(position, unsupported_byte_offset=True)
        except av.FFmpegError:
            self.restart()

    def restart(self) -> None:
        """Go to the start, by opening the file again."""
        self._graph = None
        self.container.close()
        self._open()

    def close(self) -> None:
        """Close the file. Safe to call again."""
        self.container.close()

    def _open(self) -> None:
        try:
            self.container = av.open(str(self.path), metadata_errors="replace")
        except av.FFmpegError as error:
            raise SourceError(
                f"{self.path}: is not a video this program can read, or is cut off before its index "
                f"({error.strerror}); try to play it, or copy it again from the camera"
            ) from error
        if self.container.format.name in _NOT_VIDEO_FORMATS:
            self.container.close()
            raise SourceError(f"{self.path}: is not a video")
        streams = [s for s in self.container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            kinds = ", ".join(sorted({s.type for s in self.container.streams if s.type != "video"})) or "no"
            self.container.close()
            raise SourceError(f"{self.path}: holds no video, only {kinds} streams")
        self.stream = streams[0]
        # with few cores the pipeline's own threads keep them busy; frame threads would only add hand-overs
        self.stream.thread_type = "NONE" if usable_cores() <= 4 else "AUTO"
