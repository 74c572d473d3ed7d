"""What recordings are called, and into what container each kind of stream goes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from seg_viewer.core.encoded import PacketRing, SoundFormat
from seg_viewer.core.long_names import joined
from seg_viewer.core.user_folders import videos_folder
from seg_viewer.media.live_sound import is_copied
from seg_viewer.sources.base import SourceInfo

_CONTAINERS = {".mp4": "mp4", ".mkv": "matroska"}
_IN_MP4 = ("h264", "hevc", "av1")
"""Pictures that players know in MP4."""


def usual_folder() -> Path:
    """Videos/seg-viewer: for recordings that nobody named a place for."""
    return videos_folder() / "seg-viewer"


def holds_sound(suffix: str, sound: SoundFormat) -> bool:
    """Whether files of a suffix take sound of a stream as it comes."""
    return is_copied(_CONTAINERS[suffix.lower()], sound)


def suffix_for_source(packets: PacketRing | None, *, sound: bool = True, wish: str = ".mp4") -> str:
    """The suffix of a file that can hold a stream as it comes in.

    Args:
        packets: of the stream.
        sound: whether that is to be in it, too.
        wish: is taken where it can.
    """
    if packets is None:
        return wish
    fits = packets.codec in _IN_MP4 and (not sound or packets.sound is None or holds_sound(wish, packets.sound))
    return wish if fits else ".mkv"


def free_path(folder: Path, info: SourceInfo, suffix: str) -> Path:
    """A name by source and time, in a folder, that neither a recording nor the file beside one has."""
    stem = f"{info.file_stem}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    number, name = 1, stem
    while any((folder / joined(name, f"{more}{s}")).exists() for more in ("", "_source") for s in _CONTAINERS):
        number += 1
        name = f"{stem}_{number}"
    return folder / f"{name}{suffix}"
