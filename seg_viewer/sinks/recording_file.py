"""One file of a recording: packets copied or shots painted and encoded, and the sound beside them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from seg_viewer.core.counted import counted
from seg_viewer.core.encoded import EncodedPacket, SoundFormat
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import TICKS, Shot, YuvPlanes
from seg_viewer.core.long_names import joined
from seg_viewer.core.part_file import PartFile, explain, sync
from seg_viewer.media.av_file import open_output
from seg_viewer.media.h264 import H264Track
from seg_viewer.media.live_sound import EncodedTrack, Heard, SoundTrack, add_sound
from seg_viewer.media.packets import add_packet_stream
from seg_viewer.media.playable import cut_to_whole_fragments, pictures_in, sample_aspect_of, why_unplayable

GAP_S = 1.0
"""A longer time without a picture is told."""
_SILENT_S = 0.5
_TICK = Fraction(1, TICKS)
_LEAST_TICKS = TICKS // 1000  # Matroska counts in milliseconds
_MUXED_TOGETHER_US = "500000"


@dataclass(frozen=True)
class RecordedFile:
    """What a person is told of a file of a recording.

    Args:
        path: its name.
        seconds: from its first picture to the end of the last.
        pictures: in it.
        sound: "aac copied", "pcm_alaw encoded as aac", "no sound", …
        missing: what is not in it, half a line each.
    """

    path: Path
    seconds: float
    pictures: int
    sound: str
    missing: tuple[str, ...] = ()

    def line(self) -> str:
        """All of it."""
        missing = "".join(f"; {each}" for each in self.missing)
        return f"{self.path}: {self.seconds:.1f} s, {counted(self.pictures, 'picture')}, {self.sound}{missing}"


class RecordingFile(ABC):
    """A file that is being written under a hidden name beside its own.

    Args:
        path: its name.
        first: its first picture.

    Attributes:
        start: time of the first picture, ticks on the clock of the source.
        latest: of the latest.
        refused: sound that it cannot hold.
    """

    def __init__(self, path: Path, first: EncodedPacket | Shot) -> None:
        self.path = path
        self.problem = ""
        """What went wrong when it was finished, one line."""
        self.pictures = 0
        self.start = self.latest = item_ticks(first)
        self.sound: SoundTrack | None = None
        self.refused: SoundFormat | None = None
        self._why_no_sound = ""
        self._sound_failed = False
        self._gaps: list[float] = []
        self._step = 0
        self._sound_end = 0
        self._part = PartFile(path, overwrite=False, keep=True)
        # fragments make an MP4 that is cut off playable; closed well, it becomes one that every player knows
        options = {"flush_packets": "1", "max_interleave_delta": _MUXED_TOGETHER_US}
        options |= {"movflags": "+hybrid_fragmented"} if path.suffix.lower() == ".mp4" else {}
        try:
            self._out = open_output(self._part.part, options=options)
        except (av.FFmpegError, OSError) as error:
            self._part.discard()
            raise ExportError(explain(path, error)) from error
        self._out.metadata["creation_time"] = _wall_clock(first)
        self._failed = False

    def add_sound(self, first: Heard) -> None:
        """Make room for sound, before anything is written; what cannot be held is told at the end."""
        try:
            self.sound = add_sound(self._out, first, may_encode=self.may_encode)
        except (av.FFmpegError, ValueError) as error:
            self.refused = first.packet.format
            way_out = "" if self.may_encode else "; name it .mkv"
            self._why_no_sound = f"without its sound: {error}{way_out}"

    def expect_sound(self, form: SoundFormat) -> None:
        """As `add_sound`, for sound that is known, and has not come yet: it is encoded, whatever it turns out to be."""
        with suppress(av.FFmpegError, ValueError):
            self.sound = EncodedTrack(self._out, form)

    @property
    def may_encode(self) -> bool:
        """Whether sound that the container cannot hold is encoded anew rather than refused."""
        return True

    def holds(self, form: SoundFormat) -> bool:
        """Whether sound of a format needs no other file."""
        return self._sound_failed or form == self.refused or (self.sound is not None and self.sound.takes(form))

    def write(self, item: EncodedPacket | Shot) -> None:
        """Raises: ExportError."""
        now = item_ticks(item)
        step = now - self.latest
        if self.pictures and step > max(GAP_S * TICKS, 3 * self._step):
            self._gaps.append(step / TICKS)
        elif step > 0:
            self._step = step
        self.latest = max(self.latest, now)
        self._mux(self._packets(item))
        self.pictures += 1

    def write_sound(self, heard: Heard) -> None:
        """Sound of the time that the file is of; another format is left out. Raises: ExportError."""
        if self.sound is not None and not self._sound_failed and self.sound.takes(heard.packet.format):
            try:
                packets = self.sound.put(heard, self.start)
            except (av.FFmpegError, ValueError) as error:  # an encoder that gave up; the pictures go on
                self._sound_failed, self._why_no_sound = True, f"the sound ends early ({error})"
                return
            self._mux(packets)
            self._sound_end = max(self._sound_end, heard.packet.pts + heard.packet.duration)

    def length_s(self, item: EncodedPacket | Shot) -> float:
        """From the first item to this one."""
        return (item_ticks(item) - self.start) / TICKS if self.pictures else 0.0

    def size(self) -> int:
        return self._part.part.stat().st_size

    def report(self, path: Path) -> RecordedFile:
        """What is told of it, under the name that it got."""
        seconds = (self.latest - self.start + self._step) / TICKS
        missing, pictures = [], self.pictures
        if self._failed:  # what the disk did not take any more
            pictures, seconds = pictures_in(path)
            if pictures < self.pictures:
                missing.append(
                    f"without the last {counted(self.pictures - pictures, 'picture')}, which could not be written"
                )
        if self._gaps:
            gaps = "a gap" if len(self._gaps) == 1 else f"{len(self._gaps)} gaps"
            missing.append(f"{gaps} of {sum(self._gaps):.1f} s without a picture")
        if self.sound is None:
            return RecordedFile(path, seconds, pictures, self._why_no_sound or "no sound", tuple(missing))
        silent_s = seconds - sum(self._gaps) - self.sound.seconds
        if silent_s > _SILENT_S:
            missing.append(f"{silent_s:.1f} s without sound")
        behind_s = (self._sound_end - self.latest - self._step) / TICKS
        if behind_s > GAP_S:
            missing.append(f"{behind_s:.1f} s of sound behind the last picture")
        missing += [*self.sound.missing(), *filter(None, [self._why_no_sound])]
        return RecordedFile(path, seconds, pictures, f"sound: {self.sound.told}", tuple(missing))

    def finish(self) -> Path | None:
        """Close it and give it its name; one that failed keeps what is whole. `problem` says what went wrong.

        Returns:
            the name it has, None where there is nothing to keep, or it could not have one.
        """
        self._end()
        part = self._part.part
        try:
            if not self.pictures or not part.stat().st_size:
                self._part.discard()
                return None
            if self._failed and self.path.suffix.lower() == ".mp4":
                cut_to_whole_fragments(part)
            with suppress(OSError):
                sync(part)
            reason = why_unplayable(part)
            if not reason:
                return self._part.commit()
            kept = self._part.commit(self.path.with_name(joined(self.path.stem, f"_unplayable{self.path.suffix}")))
            self._note(f"{self.path}: was recorded but cannot be played ({reason}); what there is lies in {kept}")
        except ExportError as error:
            self._note(str(error))
        except OSError as error:
            self._part.leave()
            if part.exists():
                self._note(f"{explain(self.path, error)}; what was written is in {part}")
            else:
                self._note(f"{self.path}: was removed while it was written; nothing of it is left")
        return None

    def discard(self) -> None:
        """Nothing was written."""
        with suppress(av.FFmpegError, OSError):
            self._out.close()
        self._part.discard()

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        try:
            self._out.mux(packets)
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise ExportError(explain(self.path, error)) from error

    def _end(self) -> None:
        try:
            if not self._failed:
                self._out.mux([*self._rest(), *(self.sound.rest() if self.sound is not None else ())])
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            self._note(explain(self.path, error))
        try:
            self._out.close()
        except (av.FFmpegError, OSError) as error:
            if not self._failed:
                self._note(explain(self.path, error))
            self._failed = True

    def _note(self, text: str) -> None:
        self.problem = "; ".join(filter(None, [self.problem, text]))

    @abstractmethod
    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet[Any]]: ...

    def _rest(self) -> list[av.Packet[Any]]:
        return []


class PacketFile(RecordingFile):
    """Packets copied as they are."""

    def __init__(self, path: Path, first: EncodedPacket) -> None:
        super().__init__(path, first)
        try:
            self._stream = add_packet_stream(self._out, first)
        except ValueError:
            self.discard()
            raise UsageError(f"{path}: {path.suffix} cannot hold {first.format.codec} video; name it .mkv") from None
        self._last_dts: int | None = None
        self._aspect = first.format.sample_aspect

    @property
    def may_encode(self) -> bool:
        return self.path.suffix.lower() == ".mkv"  # there is no other container to be pointed to

    def report(self, path: Path) -> RecordedFile:
        report = super().report(path)
        if self._aspect != 1 and sample_aspect_of(path) != self._aspect:  # PyAV has no way to say it in Matroska
            text = f"it does not say that pixels are {self._aspect.numerator}:{self._aspect.denominator}; name it .mp4"
            report = replace(report, missing=(*report.missing, text))
        return report

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet[Any]]:
        assert isinstance(item, EncodedPacket)
        packet = av.Packet(item.data)
        dts = item.dts - self.start
        if self._last_dts is not None:
            dts = max(dts, self._last_dts + _LEAST_TICKS)
        self._last_dts = dts
        packet.dts, packet.pts = dts, max(dts, item.pts - self.start)
        packet.time_base = _TICK
        packet.is_keyframe = item.keyframe
        packet.stream = self._stream
        return [packet]


class ShotFile(RecordingFile):
    """Shots painted and encoded."""

    def __init__(
        self,
        path: Path,
        paint: Callable[[YuvPlanes, Shot], None],
        rate: float | None,
        sample_aspect: Fraction,
        first: Shot,
    ) -> None:
        super().__init__(path, first)
        self._paint = paint
        self._start_s = first.frame.time_s
        rated = Fraction(rate or 25).limit_denominator(1000)
        self._track = H264Track(
            self._out,
            first.frame.picture.yuv420(),
            rate=rated,
            time_base=_TICK,
            sample_aspect=sample_aspect,
            options={"crf": "20", "preset": "superfast", "bf": "0", "g": str(round(2 * rated))},
        )

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet[Any]]:
        assert isinstance(item, Shot)
        planes = item.frame.picture.yuv420()
        self._paint(planes, item)
        return self._track.encode(planes, item.frame.time_s - self._start_s)

    def _rest(self) -> list[av.Packet[Any]]:
        return self._track.flush()


def item_ticks(item: EncodedPacket | Shot) -> int:
    """When it is shown, ticks on the clock of the source."""
    return item.pts if isinstance(item, EncodedPacket) else round(item.frame.time_s * TICKS)


def _wall_clock(item: EncodedPacket | Shot) -> str:
    """When a picture was taken, or came, as containers keep it: UTC, ISO 8601."""
    taken_s = item.taken_s if isinstance(item, EncodedPacket) else item.frame.captured_s or item.frame.arrived_s
    ago_s = max(0.0, time.perf_counter() - taken_s) if taken_s else 0.0
    return datetime.fromtimestamp(time.time() - ago_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
