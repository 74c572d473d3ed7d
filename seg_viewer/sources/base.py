"""What every source is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, runtime_checkable
from uuid import uuid4

from seg_viewer.core.frame import BT709, Colours, Frame


@dataclass(frozen=True)
class SourceInfo:
    """What is known before the first frame.

    Args:
        name: short name for titles; holds no credentials.
        width: columns of the picture as shown (rotation applied), pixels.
        height: rows, pixels.
        rate: average frames per second, or None when the source does not say.
        duration_s: length, seconds, or None.
        frame_count: number of frames the source declares (it may hold fewer), or None.
        live: frames arrive whether or not they are fetched.
        can_seek: `seek` works.
        has_audio: there is sound that an export can copy.
        is_container: `path` is a media file, whose sound, subtitles and so on can be taken along.
        stream: index, within `path`, of the video stream that the frames are, or None.
        is_animation: each picture has a duration of its own, and the last one's counts.
        path: file or folder, or None.
        codec: name of the video codec, or the picture format.
        decoder: what decodes it, "processor" or a device as FFmpeg calls it; "" where nobody can choose.
        time_base: unit of the frames' pts, seconds; None means 1/TICKS s.
        sample_aspect: width ÷ height of one pixel.
        colours: of the first picture's `yuv420`.
        fingerprint: tells sources apart, see `file_fingerprint` and `session_fingerprint`; "" for none.
    """

    name: str
    width: int
    height: int
    rate: float | None = None
    duration_s: float | None = None
    frame_count: int | None = None
    live: bool = False
    can_seek: bool = False
    has_audio: bool = False
    is_container: bool = False
    is_animation: bool = False
    stream: int | None = None
    path: Path | None = None
    codec: str = ""
    decoder: str = ""
    time_base: Fraction | None = None
    sample_aspect: Fraction = Fraction(1)
    colours: Colours = BT709
    fingerprint: str = ""

    @property
    def file_stem(self) -> str:
        """What files made from this source are called: that of its own file, or its name made fit."""
        if self.path is not None:
            return self.path.resolve().stem
        if not self.live:
            return Path(self.name).stem
        return re.sub(r"[^\w-]+", "_", self.name.rpartition("://")[2]).strip("_") or "live"


class Source(Protocol):
    """Frames in order of time. Iterated on one thread; `close()` at the end, also on error.

    After the last frame, iterating again starts over, or where `seek` said.
    """

    info: SourceInfo
    warnings: list[str]
    """One line for each thing that was wrong with the source but did not end it."""

    def __iter__(self) -> Iterator[Frame]: ...

    def seek(self, time_s: float) -> None:
        """The next frame is the one on the screen at `time_s`: the last whose time is not later.

        Called on the thread that iterates, between two frames.

        Raises:
            SourceError: this source cannot seek.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Stepping(Source, Protocol):
    """A source that keeps frames it has read, so that steps are exact and quick; all methods as `Source.seek`."""

    def keep(self, most_bytes: int, jump_s: float = 0.0) -> None:
        """Keep frames around the one read last, before it is iterated.

        Args:
            most_bytes: of their pictures, at most.
            jump_s: how far the jumps usually go that `prepare` makes quick, seconds; 0 for none.
        """
        ...

    def step(self, frame: Frame, count: int) -> None:
        """The next frame is the one so many after `frame`, or before it where negative.

        Where there are not so many, it is the last, or the first. `keep` was called.
        """
        ...

    def prepare(self) -> bool:
        """Read a little of what steps and jumps back will want. Returns whether there may be more to read."""
        ...


@dataclass(frozen=True)
class SourceKind:
    """A kind of source that can be asked for; each source's module carries one, named SOURCE.

    Args:
        name: for people, e.g. "camera".
        matches: whether a text asks for this kind; the first kind in the list that says so opens it.
        open: opens what a text asks for. Raises: UsageError, SourceError.
        forms: how it is written, and which options it takes, for --help; (form, options) each.
        live: its frames arrive whether or not they are fetched.
        check: reads a text without opening anything. Raises: UsageError.
        suffixes: of its files, with the dot, in lower case, for file dialogs; a kind that has none opens no files.
        open_stream: as `open`, with the number of the stream that is asked for; None where there is only one.
        open_by_hardware: as `open_stream`, or without a number, decoded by hardware where that works; None where
            nobody can choose.
    """

    name: str
    matches: Callable[[str], bool]
    open: Callable[[str], Source]
    forms: tuple[tuple[str, str], ...] = ()
    live: bool = False
    check: Callable[[str], object] = str
    suffixes: tuple[str, ...] = ()
    open_stream: Callable[[str, int], Source] | None = None
    open_by_hardware: Callable[[str, int | None], Source] | None = None


def file_fingerprint(paths: Iterable[Path], part: str = "") -> str:
    """The same for the same files, untouched: their paths, sizes and times of change; hexadecimal.

    Args:
        paths: of files, in order; one that is missing counts by its path.
        part: which of the pictures in them are meant, where there are several kinds.
    """
    digest = hashlib.sha256(part.encode())
    for path in paths:
        digest.update(f"{path.resolve()}\0".encode("utf-8", "surrogateescape"))
        try:
            state = path.stat()
        except OSError:
            continue
        digest.update(f"{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:32]


def session_fingerprint() -> str:
    """Another one at each call: what is live is never seen twice; hexadecimal."""
    return uuid4().hex
