"""What an export is to do, as a value."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

from seg_viewer import __version__
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Size
from seg_viewer.core.part_file import check_target, explain
from seg_viewer.core.redact import redact
from seg_viewer.core.zone import Zone
from seg_viewer.jobs.options import RunOptions
from seg_viewer.media.codecs import USUAL_QUALITY, VideoChoice
from seg_viewer.media.segments import segment_at
from seg_viewer.pipeline.segmenter import Segmenter
from seg_viewer.sinks import sink_for
from seg_viewer.sinks.base import SinkKind
from seg_viewer.sources import is_live
from seg_viewer.sources.base import SourceInfo
from seg_viewer.sources.between import Selection

_LEAST_FREE_BYTES = 8 << 20


class Output(NamedTuple):
    """One of the things that an export makes.

    Args:
        path: of the file or folder.
        kind: what makes it.
    """

    path: Path
    kind: SinkKind


@dataclass(frozen=True)
class Wanted:
    """A size that is wanted; the shape of the picture is kept in any case.

    Args:
        width: columns at most, or None.
        height: rows at most, or None.
    """

    width: int | None = None
    height: int | None = None

    @classmethod
    def read(cls, text: str) -> Wanted:
        """From "1280x720", "1280x", "x720" or "720p". Raises: UsageError."""
        lower = text.strip().lower()
        parts = ["", lower[:-1]] if lower.endswith("p") else lower.split("x")
        if len(parts) != 2 or not any(parts) or not all(not part or part.isdigit() for part in parts):
            raise UsageError(f"size '{text}': write 1280x720, 1280x, x720 or 720p")
        sides = [int(part) if part else None for part in parts]
        if any(side is not None and not 16 <= side <= 16384 for side in sides):
            raise UsageError(f"size '{text}': choose sides from 16 to 16384")
        return cls(*sides)

    @classmethod
    def given(cls, size: str | tuple[int, int] | None) -> Wanted | None:
        """From a text, see `read`, or (1280, 720); None for None. Raises: UsageError."""
        if size is None:
            return None
        return cls.read(size if isinstance(size, str) else "x".join(map(str, size)))

    def of(self, size: Size) -> Size:
        """Of a picture, with even sides, as video wants them."""
        factors = [want / have for want, have in zip((self.width, self.height), size, strict=True) if want]
        return Size(*(max(2, 2 * round(side * min(factors) / 2)) for side in size))


@dataclass(frozen=True)
class ExportJob:
    """Files to make of the frames of a source; a plain value that can be kept, sent and run elsewhere.

    Args:
        source: what `open_source` takes; not live.
        out: the files; the end of a name says what it holds, see `seg_viewer.sinks.sink_for`.
        options: model, engine, look.
        crf, preset: instead of those of `quality`, see `VideoChoice`.
        overwrite: what is there may be replaced, once the new one is whole.
        selection: which frames.
        size: of the pictures, or None as they are.
        resume: go on with what an earlier run of the same job left behind.
        manifest: write what was made, of what and how, beside the first file.
        codec, quality, hardware: of video, see `VideoChoice`.
        stats: write time, shares and numbers into the painted picture.
        stream: which video stream of a file that has several, counted from 1; None for the usual one.
        zone: that is watched, where an output is of that; None for the usual one.
    """

    source: str | Path
    out: str | Path | tuple[str | Path, ...]
    options: RunOptions = field(default_factory=RunOptions)
    crf: int | None = None
    preset: str | None = None
    overwrite: bool = False
    selection: Selection = field(default_factory=Selection)
    size: Wanted | None = None
    resume: bool = False
    manifest: bool = True
    codec: str | None = None
    quality: str = USUAL_QUALITY
    hardware: bool = False
    stats: bool = False
    stream: int | None = None
    zone: Zone | None = None

    @property
    def video(self) -> VideoChoice:
        """How video is encoded."""
        return VideoChoice(self.codec, self.quality, self.crf, self.preset, self.hardware)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Raises: UsageError for a name that says nothing, and for two that are the same."""
        names = self.out if isinstance(self.out, tuple) else (self.out,)
        if not names:
            raise UsageError("nothing to write: name a file by -o")
        made = tuple(Output(Path(name), sink_for(name)) for name in names)
        seen: set[str] = set()
        for path, _kind in made:
            if (real := os.path.realpath(path)) in seen:
                raise UsageError(f"{path}: is named twice; choose another name for one of them")
            seen.add(real)
        return made

    @property
    def first(self) -> Path:
        """The file by which the job goes."""
        return self.outputs[0].path

    def check(self) -> None:
        """Raises: UsageError for what cannot be meant, as far as it can be told without opening anything."""
        text = str(self.source)
        # a camera is not switched on, and no network asked, for a refusal; what a web server has may have an end
        if is_live(text) and not text.lower().startswith(("http://", "https://")):
            self._refuse_live(redact(str(self.source)))
        for path, kind in self.outputs:
            kind.check(path, self.video)

    @property
    def unheeded(self) -> tuple[str, ...]:
        """What was chosen and concerns none of the outputs, a line for a person, or nothing."""
        chosen: dict[str, object] = {}
        if not any(kind.heeds_codec for _path, kind in self.outputs):
            chosen = {"codec": self.codec, "crf": self.crf, "preset": self.preset, "hardware": self.hardware or None}
        if not any(kind.heeds_stats for _path, kind in self.outputs):
            chosen["stats"] = self.stats or None
        if not any(kind.heeds_zone for _path, kind in self.outputs):
            chosen["zone"] = self.zone
        names = ", ".join(name for name, value in chosen.items() if value is not None)
        return (f"without effect: {names}; none of the outputs is a video that takes it",) if names else ()

    def check_outputs(self, info: SourceInfo, to_be_made: Container[Path] = ()) -> None:
        """Raises: UsageError, ExportError for what cannot be written, now that the source is known.

        Args:
            info: of the source.
            to_be_made: folders that will be there by then; nothing in them is in the way.
        """
        if info.live:
            self._refuse_live(info.name)
        sources = (info.path,) if info.path else ()
        for path, kind in self.outputs:
            if path.parent in to_be_made:
                continue
            try:
                check_target(path, overwrite=self.overwrite, sources=sources, folder=kind.is_folder)
            except OSError as error:  # a name that is too long, a loop of links
                raise ExportError(explain(path, error)) from error
            inside = any(source.is_dir() and _lies_in(path, source) for source in sources)
            if inside and path.exists() and not kind.is_folder:
                raise UsageError(f"{path}: is part of the input; choose another output")
            disk = shutil.disk_usage(path.parent)
            if disk.total and disk.free < _LEAST_FREE_BYTES:
                raise ExportError(f"{path.parent}: the disk is full; free some space or choose another folder")

    @staticmethod
    def _refuse_live(name: str) -> NoReturn:
        raise UsageError(f"{name}: is live and never ends; use 'seg-viewer record' (in the window, R)")

    def with_steady(self, segmenter: Segmenter, start_s: float) -> Segmenter:
        """The same, with calm class maps where that is wanted; with each segment they begin anew.

        So what is made of a segment depends on nothing before it: not on where an export went on, nor on who makes it.

        Args:
            segmenter: of the model, with or without a cache.
            start_s: the source's time at which segment 0 begins, seconds.
        """
        return self.options.with_steady(segmenter, lambda frame: segment_at(frame.time_s - start_s))

    def key(self, fingerprint: str, model: str) -> str:
        """The same for jobs that make the same, hexadecimal.

        Args:
            fingerprint: of the source.
            model: hash of the model file.
        """
        style = self.options.style
        facts = (
            __version__, fingerprint, model, self.options.engine, self.options.device,
            style.opacity, sorted(style.hidden), style.outline,
            style.hatched, style.palette, sorted(style.colors.items()), style.smooth,
            [os.path.abspath(path) for path, _kind in self.outputs],
            self.video, self.selection, self.size, self.stats, self.stream, self.zone, bool(self.options.steady),
        )  # fmt: skip
        return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether it is that folder, or anywhere in it, whatever links lead there."""
    real, around = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return around == real or around in real.parents
