"""What every sink is, and what a file name chooses one by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from seg_viewer.core.frame import Shot, Size
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.part_folder import PartFolder
from seg_viewer.core.zone import Zone
from seg_viewer.media.codecs import VideoChoice

Item_contra = TypeVar("Item_contra", contravariant=True)


class Sink(ABC, Generic[Item_contra]):
    """Takes items in order: shots, or what else its type says.

    Use it as a context manager: leaving the block well finishes what was begun, an error abandons it.
    """

    files: tuple[Path, ...] = ()
    """What it has made so far, under the names that the files really have."""
    notes: tuple[str, ...] = ()
    """What a person has to know of that, a line each: another name than asked for, something left out."""
    sound: str = "none"
    """What was done with the source's sound: "aac copied", "pcm_s16le encoded as aac", …"""

    @abstractmethod
    def write(self, item: Item_contra) -> None:
        """Take one item. Raises: ExportError when it cannot be stored."""

    def make_whole(self) -> None:
        """Do of `finish` what may fail, all but the name; `finish` does it where nobody did. Raises: ExportError.

        So that of several files each has its name, or none. Nothing can be written after.
        """

    @abstractmethod
    def finish(self) -> None:
        """Make what was written whole and give it its name; nothing can be written after. Raises: ExportError."""

    @abstractmethod
    def abandon(self) -> None:
        """Give up: nothing that is not whole is left behind under its name; again, or after `finish`, is fine."""

    def pause(self) -> None:
        """Make the segment under way whole, and nothing else: somebody goes on with it elsewhere.

        Only where `SinkKind.keeps_parts` says that there are segments. Raises: ExportError.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps no segments")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abandon()
            return
        try:
            self.finish()
        except BaseException:
            self.abandon()
            raise


@dataclass(frozen=True)
class SinkRequest:
    """What a file is to be made of, and how; each sink takes what concerns it.

    Args:
        path: the file to make.
        labels: the classes of the maps.
        style: how they are painted.
        overwrite: a file of that name is replaced once the new one is whole.
        rate: average frames per second of the source, or None.
        time_base: unit of the frames' times, seconds, or None for 1/TICKS s.
        sample_aspect: width ÷ height of one pixel.
        sound_from: file whose sound and all else beside the picture belongs to the frames, or None.
        start_s: the source's time that is 0 in a video, seconds: the source is taken from there on.
        end_s: the source is taken up to there, seconds, or None for its end.
        ends_early: the source goes on behind the last shot, even where nobody knows yet when that is.
        parts: folder for what is not whole yet, shared by all outputs of a job; None: each makes its own.
        part_name: of this output within that folder.
        animated: each picture has a duration of its own, and the last one's counts.
        video: codec and quality of video.
        stats: write time, shares and numbers into the painted picture.
        zone: that is watched.
        picture_stream: which stream of `sound_from` the frames are, by its index there; None for the usual one.
        name: of the source, for titles; holds no credentials.
        size: columns and rows of the source's picture, or None.
        frame_count: how many frames are expected, or None.
        duration_s: length of the source, seconds, or None.
        about: what a person wants to know of how it was made (model, engine, program, …), name → text, in order.
        warnings: asked at the end: what was wrong with the source or the engine, a line each.
        split_s: start another file after as many seconds, or None.
        split_bytes: start another file after as many bytes, or None.
    """

    path: Path
    labels: LabelSet
    style: OverlayStyle = field(default_factory=OverlayStyle)
    overwrite: bool = False
    rate: float | None = None
    time_base: Fraction | None = None
    sample_aspect: Fraction = Fraction(1)
    sound_from: Path | None = None
    start_s: float = 0.0
    end_s: float | None = None
    ends_early: bool = False
    parts: PartFolder | None = None
    part_name: str = "0"
    animated: bool = False
    video: VideoChoice = field(default_factory=VideoChoice)
    stats: bool = False
    zone: Zone = field(default_factory=Zone)
    picture_stream: int | None = None
    name: str = ""
    size: Size | None = None
    frame_count: int | None = None
    duration_s: float | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    warnings: Callable[[], Sequence[str]] = tuple
    split_s: float | None = None
    split_bytes: int | None = None


@dataclass(frozen=True)
class SinkKind:
    """A kind of file that shots can go to.

    Args:
        name: for people: "video".
        suffixes: how names end that choose it, lower case: ".mp4", ".overlay.mov", "/" for a folder. The longest end
            that fits wins, over all kinds.
        help: one line for people.
        make: makes the sink. Raises: UsageError, ExportError.
        live: it is for what is live and ends at any time; otherwise, for what has an end.
        keeps_parts: its work is kept in segments, see `seg_viewer.media.segments`; others are shown all shots again
            when an export goes on.
        is_folder: it makes a folder rather than a file.
        check: of a path and what was chosen for video. Raises: UsageError for what does not go together.
        heeds_stats: numbers can be written into its pictures.
        heeds_zone: it watches a zone.
        heeds_codec: what was chosen for video (codec, rate factor, preset, hardware) concerns it.
        plan: what is to be told before it begins (codec, sound, what is left out), a line each; writes nothing.
    """

    name: str
    suffixes: tuple[str, ...]
    help: str
    make: Callable[[SinkRequest], Sink[Shot]]
    live: bool = False
    keeps_parts: bool = False
    is_folder: bool = False
    check: Callable[[Path, VideoChoice], object] = lambda _path, _choice: None
    heeds_codec: bool = False
    heeds_stats: bool = False
    heeds_zone: bool = False
    plan: Callable[[SinkRequest], Sequence[str]] = lambda _request: ()
