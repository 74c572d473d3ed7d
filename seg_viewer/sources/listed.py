"""What stands for several sources: playlist files, and folders of videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted

from seg_viewer.core.printable import printable
from seg_viewer.core.typed_path import is_file, typed_path
from seg_viewer.sources.folder import PICTURE_SUFFIXES
from seg_viewer.sources.video_file import VIDEO_SUFFIXES

LIST_SUFFIXES = (".m3u", ".m3u8", ".txt")
"""Of playlist files: one source a line, `#` begins a comment; paths are relative to the list."""

MOST_SOURCES = 2000
_MOST_BYTES = 1 << 20
_DEEPEST = 3
_CARLA_PICTURES = "CameraRGB"
_STREAM_TAGS = ("#EXT-X-TARGETDURATION", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA")


@dataclass(frozen=True)
class Listing:
    """Sources, one after the other.

    Args:
        sources: each as `open_source` takes it.
        notes: what was left out, one line each.
    """

    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_sources(texts: Iterable[str]) -> Listing:
    """Every source that texts stand for, in order: a playlist file and a folder of videos stand for what they hold.

    A folder that holds no videos, or more pictures than videos, is one source: a folder of pictures. What cannot be
    read stays as it is: opening it says why. Reads folders and small files.
    """
    sources: list[str] = []
    notes: list[str] = []
    for source in _each(texts, notes, 0):
        if len(sources) == MOST_SOURCES:
            notes.append(f"more than {MOST_SOURCES} things to open: the first {MOST_SOURCES} are in the playlist")
            break
        sources.append(source)
    return Listing(tuple(sources), tuple(notes))


def is_list(text: str) -> bool:
    """Whether a text names a playlist file; an HLS manifest is a stream, and none."""
    path = typed_path(text)
    if path.suffix.lower() not in LIST_SUFFIXES or not is_file(text):
        return False
    head = _read(path)
    return head is not None and "\0" not in head and not any(tag in head for tag in _STREAM_TAGS)


def _each(texts: Iterable[str], notes: list[str], depth: int) -> Iterator[str]:
    for text in texts:
        path = typed_path(text)
        if _is_folder(path):
            yield from _in_folder(text, path, notes)
        elif is_list(text) and depth < _DEEPEST:
            found = list(_lines(path))
            if not found:
                notes.append(f"{printable(path.name)}: this playlist names nothing to open")
            yield from _each(found, notes, depth + 1)
        else:
            yield text


def _in_folder(text: str, folder: Path, notes: list[str]) -> Iterator[str]:
    try:
        names = [each.name for each in folder.iterdir() if not each.name.startswith(".")]
    except OSError:
        names = []
    videos = [name for name in names if name.lower().endswith(VIDEO_SUFFIXES)]
    pictures = sum(name.lower().endswith(tuple(PICTURE_SUFFIXES)) for name in names)
    if not videos or _CARLA_PICTURES in names or pictures > len(videos):
        if videos:
            one = f"{printable(folder.name)}: opened as a folder of pictures; its one video is not"
            many = f"{printable(folder.name)}: opened as a folder of pictures; its {len(videos)} videos are not"
            notes.append(one if len(videos) == 1 else many)
        yield text
        return
    if pictures:
        one = f"{printable(folder.name)}: its videos are opened; its one picture is not"
        many = f"{printable(folder.name)}: its videos are opened; its {pictures} pictures are not"
        notes.append(one if pictures == 1 else many)
    yield from (str(folder / name) for name in natsorted(videos))


def _lines(path: Path) -> Iterator[str]:
    from seg_viewer.sources import is_live

    for line in (_read(path) or "").splitlines():
        text = line.strip().lstrip("\ufeff")
        if not text or text.startswith("#"):
            continue
        yield text if is_live(text) else str(path.parent / typed_path(text))


def _read(path: Path) -> str | None:
    """The beginning of a text file, as far as it is of any use; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # what .m3u was before .m3u8


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
