"""Video files through PyAV (FFmpeg)."""

from __future__ import annotations

import bisect
import os
import time
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.filter

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import Frame
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.sources.base import SourceInfo, SourceKind, file_fingerprint

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp")

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


class VideoFile:
    """A video file: frames by presentation time, rotation applied, frame-accurate seek.

    Frames that do not decode are skipped and told in `warnings`.

    Args:
        path: file of any container and codec that FFmpeg reads.

    Raises:
        UsageError: there is no such file.
        SourceError: it is empty, no video, cut off before its index, or holds sound only.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        check_readable(self.path)
        self.warnings: list[str] = []
        self._open()
        stream = self._stream
        self._origin_s = max(0.0, (self._container.start_time or 0) / av.time_base)
        self._rate = float(stream.average_rate or stream.guessed_rate or 0) or None
        self._seek_to: float | None = None
        self._ended = False
        self._graph: av.filter.Graph | None = None
        self._numbers = _Numbers()
        self._fingerprint = file_fingerprint([self.path])
        self._damaged = 0
        self._warned = False
        first = self._peek()
        self._first_s = first.time_s
        self.info = SourceInfo(
            name=self.path.name,
            width=first.picture.width,
            height=first.picture.height,
            rate=self._rate,
            duration_s=self._duration(),
            frame_count=stream.frames or None,
            can_seek=True,
            has_audio=bool(self._container.streams.audio),
            path=self.path,
            codec=stream.codec_context.codec.canonical_name,
            time_base=Fraction(stream.time_base or Fraction(1, 90000)),
            sample_aspect=Fraction(stream.sample_aspect_ratio or 1),
            fingerprint=self._fingerprint,
        )

    def __iter__(self) -> Iterator[Frame]:
        if self._ended and self._seek_to is None:
            self._seek_to = 0.0
        self._ended = False
        whole = True  # frames are counted against the header only where the run began at the start
        delivered = 0
        while True:
            target, self._seek_to = self._seek_to, None
            whole = whole and not target
            frames = self._from(target) if target is not None else self._frames
            for frame in frames:
                delivered += 1
                yield frame
                if self._seek_to is not None:
                    break
            else:
                break
        self._ended = True
        self._tell_damage(delivered if whole else None)

    def seek(self, time_s: float) -> None:
        """See `Source.seek`. Times beyond the ends mean the first or the last frame."""
        self._seek_to = max(0.0, time_s)

    def close(self) -> None:
        self._container.close()

    def _open(self) -> None:
        try:
            self._container = av.open(str(self.path), metadata_errors="replace")
        except av.FFmpegError as error:
            raise SourceError(
                f"{self.path}: is not a video this program can read, or is cut off before its index "
                f"({error.strerror}); try to play it, or copy it again from the camera"
            ) from error
        if self._container.format.name in _NOT_VIDEO_FORMATS:
            self._container.close()
            raise SourceError(f"{self.path}: is not a video")
        streams = [s for s in self._container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            kinds = ", ".join(sorted({s.type for s in self._container.streams if s.type != "video"})) or "no"
            self._container.close()
            raise SourceError(f"{self.path}: holds no video, only {kinds} streams")
        self._stream = streams[0]
        # with few cores the pipeline's own threads keep them busy; frame threads would only add hand-overs
        self._stream.thread_type = "NONE" if (os.cpu_count() or 1) <= 4 else "AUTO"
        self._frames = self._decode()

    def _peek(self) -> Frame:
        """The first frame, which stays in line to be delivered."""
        try:
            first = next(self._frames)
        except StopIteration:
            self._container.close()
            raise SourceError(
                f"{self.path}: no picture of its {self._stream.codec_context.name} video can be decoded; "
                "copy it again from the camera"
            ) from None
        rest = self._frames

        def all_frames() -> Iterator[Frame]:
            yield first
            yield from rest

        self._frames = all_frames()
        return first

    def _duration(self) -> float | None:
        stream = self._stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if self._container.duration:
            return self._container.duration / av.time_base
        return None

    def _decode(self) -> Iterator[Frame]:
        """Frames from the container's present position on."""
        last_s = -1.0
        last_pts: int | None = None
        tick_s = float(self._stream.time_base or Fraction(1, 90000))
        self._numbers.jump()
        for frame in self._decoded_frames():
            arrived_s = time.perf_counter()
            if frame.pts is not None and frame.time_base is not None:
                time_s = float(frame.pts * frame.time_base) - self._origin_s
            else:
                time_s = last_s + 1 / (self._rate or 25) if last_s >= 0 else 0.0
            if time_s <= last_s:  # broken muxers repeat times; a picture without a place of its own is kept, just after
                time_s = last_s + 0.5 / (self._rate or 25)
            last_s = time_s
            pts = frame.pts if frame.pts is not None else round((time_s + self._origin_s) / tick_s)
            if last_pts is not None and pts <= last_pts:
                pts = max(last_pts + 1, round((time_s + self._origin_s) / tick_s))
            last_pts = pts
            index = self._numbers.of(pts, round(time_s * self._rate) if self._rate else 0)
            yield Frame(
                index,
                time_s,
                AvPicture(self._upright(frame)),
                arrived_s=arrived_s,
                pts=pts,
                source=self._fingerprint,
            )

    def _decoded_frames(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError) as error:
                self.warnings.append(
                    f"{self.path.name}: reading stopped early ({error.strerror}); kept what came before"
                )
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._damaged += 1
                continue
            yield from frames

    def _from(self, target_s: float) -> Iterator[Frame]:
        """Frames from the one shown at `target_s` on."""
        half_tick = 0.5 * float(self._stream.time_base or 0)
        back_s, reopened = 0.0, False
        self._jump(target_s)
        while True:
            held: Frame | None = None
            frames = self._decode()
            for frame in frames:
                if frame.time_s > target_s + half_tick:
                    break
                held = frame
            else:
                frame = None
            if held is not None or (frame is not None and frame.time_s <= self._first_s + half_tick):
                break
            # the container's index pointed behind the target
            if target_s > back_s:
                back_s = max(1.0, back_s * 4)
                self._jump(max(0.0, target_s - back_s))
            elif not reopened:
                reopened = True
                self._container.close()
                self._open()
            else:
                break
        self._frames = _chain([f for f in (held, frame) if f is not None], frames)
        return self._frames

    def _jump(self, time_s: float) -> None:
        self._graph = None
        assert self._stream.time_base is not None
        pts = int((time_s + self._origin_s) / self._stream.time_base)
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except av.FFmpegError:
            self._container.close()
            self._open()

    def _upright(self, frame: av.VideoFrame) -> av.VideoFrame:
        turns = _FILTERS.get(frame.rotation % 360)
        if turns is None:
            return frame
        if self._graph is None:
            self._graph = av.filter.Graph()
            assert self._stream.time_base is not None
            chain = [
                self._graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=self._stream.time_base
                )
            ]
            chain += [self._graph.add(name, arguments or None) for name, arguments in turns]
            self._graph.link_nodes(*chain, self._graph.add("buffersink")).configure()
        self._graph.push(frame)
        turned = self._graph.pull()
        assert isinstance(turned, av.VideoFrame)
        turned.colorspace, turned.color_range = frame.colorspace, frame.color_range
        return turned

    def _tell_damage(self, frames: int | None) -> None:
        if self._warned:
            return
        declared = self._stream.frames
        if self._damaged:
            self._warned = True
            self.warnings.append(f"{self.path.name}: {self._damaged} damaged pieces did not decode and were left out")
        if frames is not None and frames < declared:
            self._warned = True
            self.warnings.append(f"{self.path.name}: declares {declared} frames, but holds {frames}; kept these")


class _Numbers:
    """Numbers the pictures of a file: exactly as far as they were counted from the start, beyond that as estimated."""

    def __init__(self) -> None:
        self._counted = array("q")  # pts of pictures 0, 1, 2, …
        self._last: int | None = None

    def jump(self) -> None:
        """What comes next does not follow what came last, unless nothing has come yet."""
        self._last = -1 if not self._counted else None

    def of(self, pts: int, estimate: int) -> int:
        """Number of the next picture.

        Args:
            pts: of the picture, larger than that of the picture before unless `jump` was called.
            estimate: its number where nothing else is known.
        """
        place = bisect.bisect_left(self._counted, pts)
        if place < len(self._counted):
            number = place
        elif self._last is None:
            number = max(len(self._counted), estimate)
        else:
            number = self._last + 1
            if number == len(self._counted):
                self._counted.append(pts)
        self._last = number
        return number


def _chain(first: list[Frame], rest: Iterator[Frame]) -> Iterator[Frame]:
    yield from first
    yield from rest


SOURCE = SourceKind(
    "video file",
    lambda _text: True,
    lambda text: VideoFile(Path(text).expanduser()),
    forms=(("a video file", ""),),
    suffixes=VIDEO_SUFFIXES,
)
