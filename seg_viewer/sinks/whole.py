"""What sinks share that make one file or one folder: nothing has its name before it is whole."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot, Size
from seg_viewer.core.new_folder import NewFolder
from seg_viewer.core.part_file import PartFile, explain, remove_left_behind, sync
from seg_viewer.sinks.base import Sink, SinkRequest

_LEAST_DIGITS = 6


class _WholeSink(Sink[Shot]):
    """Calls `_add` for each shot and `_complete` at the end; an OSError becomes one line."""

    def __init__(self, request: SinkRequest, part: PartFile | NewFolder) -> None:
        self.request = request
        self.path = request.path
        self._whole = part
        self._is_whole = False

    @property
    def part(self) -> Path:
        """Where to write until it is whole."""
        return self._whole.part

    def write(self, item: Shot) -> None:
        with self._explained():
            self._add(item)

    def make_whole(self) -> None:
        if self._is_whole:
            return
        with self._explained():
            self._complete()
            self._sync()
        self._is_whole = True

    def finish(self) -> None:
        self.make_whole()
        made = self._whole.commit()
        self.files = (made,)
        if made != self.path:
            self.notes += (f"{self.path}: was made by somebody else meanwhile; this one is {made}",)

    def abandon(self) -> None:
        try:
            self._drop()
        finally:
            self._whole.discard()

    @abstractmethod
    def _add(self, shot: Shot) -> None:
        """Take a shot."""

    @abstractmethod
    def _complete(self) -> None:
        """Write what is still missing, and close what is open."""

    def _drop(self) -> None:
        """Close what is open; again, or after an error, is fine."""

    def _sync(self) -> None:
        """Reach the disk."""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error


class FileSink(_WholeSink):
    """Makes one file.

    Args:
        request: what is asked for.

    Raises:
        ExportError: it cannot be made.
    """

    def __init__(self, request: SinkRequest) -> None:
        remove_left_behind(request.path)
        super().__init__(request, PartFile(request.path, overwrite=request.overwrite))

    def _sync(self) -> None:
        sync(self.part)


class FolderSink(_WholeSink):
    """Makes one folder.

    Args:
        request: what is asked for.
        ours: told the path, within the folder, of a file: whether a folder of this kind holds such a file. Only a
            folder with nothing else in it is ever replaced.

    Raises:
        UsageError: there is something of that name that may not be replaced. ExportError: it cannot be made.
    """

    def __init__(self, request: SinkRequest, ours: Callable[[Path], bool]) -> None:
        super().__init__(request, NewFolder(request.path, overwrite=request.overwrite, ours=ours))


class FrameNames:
    """A name for each shot, the same for all outputs of one run: `frame_000012`, by the number of the frame.

    Names never repeat and sort as the frames do, also where numbers are worked out from a rate that varies.

    Args:
        expected: how many frames will come, or None.
    """

    def __init__(self, expected: int | None) -> None:
        self._expected = expected or 0
        self._digits = 0
        self._last = -1

    def next(self, shot: Shot) -> str:
        """The name of the next shot."""
        self._last = max(shot.frame.index, self._last + 1)
        self._digits = self._digits or max(_LEAST_DIGITS, len(str(self._last + self._expected)))
        return f"frame_{self._last:0{self._digits}}"


def picture_size(request: SinkRequest, shot: Shot) -> Size:
    """Of the source; the picture itself is asked only where the source does not say, since it may be decoded for it."""
    return request.size or Size(shot.frame.picture.width, shot.frame.picture.height)


def source_facts(request: SinkRequest) -> Mapping[str, Any]:
    """What is known of the source, for people and programs; None where it does not say."""
    width, height = request.size or (None, None)
    return {
        "name": request.name,
        "width": width,
        "height": height,
        "rate": request.rate,
        "duration_s": request.duration_s,
        "frame_count": request.frame_count,
    }


def as_json(value: Any, *, ascii_only: bool = False) -> str:
    """JSON on one line, any writing as it is. Raises: ValueError for what JSON has no word for (NaN).

    Args:
        value: what JSON can hold.
        ascii_only: escape all other writing: for readers that open a file in whatever encoding the system has.
    """
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)


def expected_s(request: SinkRequest) -> float | None:
    """How long what is written will be, seconds, or None."""
    if request.frame_count and request.rate:
        return request.frame_count / request.rate
    return request.duration_s
