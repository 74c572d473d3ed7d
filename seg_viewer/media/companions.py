"""What a file holds beside its picture: sound, subtitles, chapters, tags, data, covers, fonts."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.stream import AttachmentStream, Discard, Disposition, Stream

from seg_viewer import __version__
from seg_viewer.media import tags
from seg_viewer.media.beside import EARLIEST_S, BesideReader, CannotTravel, Span, Travels, first_packets, open_source
from seg_viewer.media.covers import CoverTrack, cover_track
from seg_viewer.media.side_tracks import data_track, subtitle_track
from seg_viewer.media.sound import Heard, sound_track
from seg_viewer.media.timeline import Timeline
from seg_viewer.media.trial import lost_tags

if TYPE_CHECKING:
    from av.container.core import Chapter

_FAILURES = (av.FFmpegError, OSError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)

_DECODER_RUN_UP_S = 0.25
"""Sound that is decoded is read from as much before the wanted part: some codecs begin with a fade-in."""


class Companions:
    """What a file holds beside its picture, for another file with the same times.

    Nothing that is wrong with any of it raises an error: it is mended, or left out, and told.

    Args:
        path: of the file.
        container: FFmpeg's name of the target's format: "mp4", "mov", "matroska", "webm".
        timeline: of the file.
        start_s: only what is later is wanted; it comes out from 0, seconds.
        end_s: only what is earlier is wanted, seconds from the file's start, or None for all.
        picture: index of the video stream that is shown, or None for FFmpeg's choice.

    Attributes:
        sound: what becomes of the sound: "aac copied", "2 tracks: ac3 copied, vorbis encoded as aac", "none".
    """

    def __init__(
        self,
        path: Path,
        container: str,
        *,
        timeline: Timeline,
        start_s: float = 0.0,
        end_s: float | None = None,
        picture: int | None = None,
    ) -> None:
        self.sound = "none"
        self._path, self._container, self._timeline = path, container, timeline
        self._span = Span(start_s, end_s)
        self._tracks: list[tuple[str, Stream, Travels]] = []
        self._fonts: list[AttachmentStream] = []
        self._told: list[str] = []
        self._left_out: list[str] = []
        self._lost: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._tags_need_room = False
        self._chapters: list[Chapter] = []
        self._timecode = ""
        self._file: av.container.InputContainer | None = None
        self._picture: Stream | None = None
        try:
            self._file = open_source(path)
            self._look(self._file, picture)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._left_out.append(f"all beside the picture ({getattr(error, 'strerror', None) or error})")

    def _look(self, file: av.container.InputContainer, picture: int | None) -> None:
        self._picture = file.streams.best("video") if picture is None else file.streams[picture]
        first = first_packets(file, {stream.index for stream in file.streams if stream is not self._picture})
        for stream in file.streams:
            if stream is self._picture:
                continue
            label = _label(stream, [each for each in file.streams if _kind(each) == _kind(stream)])
            try:
                self._find_way(stream, label, first[stream.index])
            except CannotTravel as why:
                self._left_out.append(f"{label} ({why})" if str(why) else label)
        self._describe(file)
        ways = [track.told for _label, stream, track in self._tracks if stream.type == "audio"]
        self.sound = ", ".join(ways) or "none"
        if len(ways) > 1:
            self.sound = f"{len(ways)} tracks: {self.sound}"

    def _find_way(self, stream: Stream, label: str, first: list[av.Packet[Any]]) -> None:
        kind = _kind(stream)
        track: Travels
        if kind == "sound":
            track = self._sound(stream, first)
        elif kind == "subtitles":
            track = subtitle_track(stream, self._reader(stream), self._container, first)
            if " as " in track.told:
                self._told.append(f"{label}: {track.told}")
        elif kind == "cover":
            track = cover_track(stream, self._container, first)
        elif kind == "attachment":
            self._attach(stream)
            return
        elif kind == "data":
            if stream.discard == Discard.all and self._file is not None and self._file.chapters():
                return  # the text of the chapters, which are written anew
            if "timecode" in stream.metadata:
                self._timecode = stream.metadata["timecode"]
                return
            track = data_track(stream, stream.name or "data", self._reader(stream), self._container, first)
        else:
            raise CannotTravel("a second picture" if kind == "video track" else "")
        self._tracks.append((label, stream, track))
        lost = [] if kind == "cover" else lost_tags(self._container, track, stream)
        if lost:
            self._left_out.append(f"{' and '.join(lost)} of {label}")

    def _reader(self, stream: Stream, run_up_s: float = 0.0) -> BesideReader:
        return BesideReader(self._path, stream.index, self._timeline, self._span, run_up_s)

    def _sound(self, stream: Stream, first: list[av.Packet[Any]]) -> Travels:
        if not isinstance(stream, av.AudioStream) or stream.codec_context is None:
            raise CannotTravel("unknown codec")
        context = stream.codec_context
        whole, lead_s = self._span.start_s == 0, 0.0
        if whole and first and first[0].pts is not None:
            lead_s = -float(first[0].pts * first[0].time_base) - self._timeline.shift_s(first[0])
            lead_s = lead_s if 0 < lead_s <= EARLIEST_S else 0.0
        name, pieces = context.codec.canonical_name, self._timeline.pieces
        gapless = stream.container.format.name == "avi"
        heard = Heard(stream, name, context.sample_rate, context.layout, first, gapless, pieces, lead_s)
        copying = self._reader(stream, EARLIEST_S if whole else 0.0)
        decoding = self._reader(stream, _DECODER_RUN_UP_S)
        return sound_track(heard, copying, decoding, self._container, self._span.length_s)

    def _attach(self, stream: Stream) -> None:
        if self._container != "matroska" or not isinstance(stream, AttachmentStream) or not stream.data:
            raise CannotTravel("")
        self._fonts.append(stream)

    def add_to(self, out: av.container.OutputContainer) -> None:
        """Add streams, tags and chapters to a file that has its picture's stream, and no header yet."""
        for _label, source, track in self._tracks:
            made = track.add_to(out)
            if source.type != "video":
                tags.describe(made, source, self._container)
        for font in self._fonts:
            out.add_attachment(font.name or "attachment", font.mimetype or "application/octet-stream", font.data)
        if self._picture is not None and out.streams.video:
            shown = out.streams.video[0].metadata
            shown.update(tags.stream_tags(self._picture.metadata, self._container))
            shown.pop("timecode", None)
            if self._timecode:  # the muxers of MP4 and MOV make a track of it
                shown["timecode"] = self._timecode
        out.metadata.update(self._tags)
        out.metadata["encoding_tool"] = f"seg_viewer {__version__}"
        if self._tags_need_room:
            tags.keep_all_tags(out)
        if self._chapters:
            out.set_chapters(self._chapters)

    def _describe(self, file: av.container.InputContainer) -> None:
        self._tags = tags.file_tags(file.metadata, self._container)
        picture = self._picture.metadata if self._picture is not None else {}
        timecode = self._timecode or picture.get("timecode", "") or self._tags.get("timecode", "")
        self._tags.pop("timecode", None)
        if timecode and self._span.start_s:
            self._left_out.append("timecode")  # it is that of another picture
        self._timecode = "" if self._span.start_s else timecode
        odd = tags.odd_tags(self._container, self._tags)
        if any(isinstance(track, CoverTrack) for _label, _stream, track in self._tracks) and odd:
            self._tags = {key: text for key, text in self._tags.items() if key not in odd}
            # MP4's form for them has no place for a cover
            self._left_out += [f"tag {key}" for key in odd if not tags.is_place(key)]
        self._tags_need_room = bool(tags.odd_tags(self._container, self._tags))
        self._chapters = tags.cut_chapters(file.chapters(), self._timeline.origin_s, self._span)

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        """What to mux, in order of time, with the seconds of each dts; read as it is asked for."""
        return heapq.merge(*(self._guarded(label, track) for label, _stream, track in self._tracks), key=_time)

    def _guarded(self, label: str, track: Travels) -> Iterator[tuple[float, av.Packet[Any]]]:
        try:
            yield from track.packets()
        except _FAILURES as error:  # the picture goes on, and the line says what was lost
            self._lost[label] = getattr(error, "strerror", None) or str(error) or type(error).__name__

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed, mended or left out so far, a line each."""
        lines = [*self._told]
        for label, _stream, track in self._tracks:
            lines += [f"{label}: {note}" for note in track.notes()]
        lines += [f"{label}: ends early: {why}" for label, why in self._lost.items()]
        if self._left_out:
            lines.append(f"left out: {', '.join(self._left_out)}")
        return tuple(lines)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._picture = None, None
        self._fonts.clear()


_time: Callable[[tuple[float, av.Packet[Any]]], float] = lambda timed: timed[0]  # noqa: E731


def _kind(stream: Stream) -> str:
    if stream.type == "video":
        attached = stream.disposition & Disposition.attached_pic
        return "cover" if attached and not stream.disposition & Disposition.timed_thumbnails else "video track"
    return {"audio": "sound", "subtitle": "subtitles"}.get(stream.type, stream.type)


def _label(stream: Stream, alike: list[Stream]) -> str:
    """What a person calls a stream: "sound", "sound 2 (eng)", "subtitles (fra)", "data (gpmd)"."""
    kind = _kind(stream)
    number = f" {alike.index(stream) + 1}" if len(alike) > 1 else ""
    about = stream.language if stream.language not in (None, "und") else ""
    if kind == "data":
        about = stream.metadata.get("handler_name", "").strip() or stream.name or ""
    elif kind == "attachment":
        about = stream.name or ""
    return f"{kind}{number}{f' ({about})' if about else ''}"
