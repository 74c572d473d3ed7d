"""CARLA's semantic tags by version of the server: number, name, colour, and which of our classes each is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tag:
    """One value of the red channel of a semantic camera's picture.

    Args:
        id: the value, 0…255.
        name: lower-case, words apart.
        color: (red, green, blue) of CARLA's city palette, each 0…255.
    """

    id: int
    name: str
    color: tuple[int, int, int]


_TAGS_0_8 = (
    Tag(0, "unlabeled", (0, 0, 0)),
    Tag(1, "building", (70, 70, 70)),
    Tag(2, "fence", (190, 153, 153)),
    Tag(3, "other", (250, 170, 160)),
    Tag(4, "pedestrian", (220, 20, 60)),
    Tag(5, "pole", (153, 153, 153)),
    Tag(6, "road line", (157, 234, 50)),
    Tag(7, "road", (128, 64, 128)),
    Tag(8, "sidewalk", (244, 35, 232)),
    Tag(9, "vegetation", (107, 142, 35)),
    Tag(10, "vehicle", (0, 0, 142)),
    Tag(11, "wall", (102, 102, 156)),
    Tag(12, "traffic sign", (220, 220, 0)),
)

# 0.9.10 added 13 to 22 and gave "fence" and "other" new colours; before it these tags do not occur
_TAGS_0_9_0 = (
    *_TAGS_0_8[:2],
    Tag(2, "fence", (100, 40, 40)),
    Tag(3, "other", (55, 90, 80)),
    *_TAGS_0_8[4:],
    Tag(13, "sky", (70, 130, 180)),
    Tag(14, "ground", (81, 0, 81)),
    Tag(15, "bridge", (150, 100, 100)),
    Tag(16, "rail track", (230, 150, 140)),
    Tag(17, "guard rail", (180, 165, 180)),
    Tag(18, "traffic light", (250, 170, 30)),
    Tag(19, "static", (110, 190, 160)),
    Tag(20, "dynamic", (170, 120, 50)),
    Tag(21, "water", (45, 60, 150)),
    Tag(22, "terrain", (145, 170, 100)),
)

_TAGS_0_9_14 = (
    Tag(0, "unlabeled", (0, 0, 0)),
    Tag(1, "road", (128, 64, 128)),
    Tag(2, "sidewalk", (244, 35, 232)),
    Tag(3, "building", (70, 70, 70)),
    Tag(4, "wall", (102, 102, 156)),
    Tag(5, "fence", (190, 153, 153)),
    Tag(6, "pole", (153, 153, 153)),
    Tag(7, "traffic light", (250, 170, 30)),
    Tag(8, "traffic sign", (220, 220, 0)),
    Tag(9, "vegetation", (107, 142, 35)),
    Tag(10, "terrain", (152, 251, 152)),
    Tag(11, "sky", (70, 130, 180)),
    Tag(12, "pedestrian", (220, 20, 60)),
    Tag(13, "rider", (255, 0, 0)),
    Tag(14, "car", (0, 0, 142)),
    Tag(15, "truck", (0, 0, 70)),
    Tag(16, "bus", (0, 60, 100)),
    Tag(17, "train", (0, 80, 100)),
    Tag(18, "motorcycle", (0, 0, 230)),
    Tag(19, "bicycle", (119, 11, 32)),
    Tag(20, "static", (110, 190, 160)),
    Tag(21, "dynamic", (170, 120, 50)),
    Tag(22, "other", (55, 90, 80)),
    Tag(23, "water", (45, 60, 150)),
    Tag(24, "road line", (157, 234, 50)),
    Tag(25, "ground", (81, 0, 81)),
    Tag(26, "bridge", (150, 100, 100)),
    Tag(27, "rail track", (230, 150, 140)),
    Tag(28, "guard rail", (180, 165, 180)),
)

# Unreal Engine 5: the same numbers and colours (ObjectLabel.h and CityScapesPalette.h of the branch ue5-dev), and one
# more, which came into that branch after the release of 0.10.0
_TAGS_0_10 = (*_TAGS_0_9_14, Tag(29, "rock", (180, 130, 70)))

TAGS: dict[str, tuple[Tag, ...]] = {
    "0.8": _TAGS_0_8,
    "0.9.0": _TAGS_0_9_0,
    "0.9.14": _TAGS_0_9_14,
    "0.10": _TAGS_0_10,
}
"""The tables, by the first version that each is true for (CARLA's documentation, "Semantic segmentation camera")."""

# our class ids; "train" runs on rails, a "bicycle" has no motor: background
_CLASS_IDS = {
    "road": 1,
    "road line": 1,
    "vehicle": 2,
    "car": 2,
    "truck": 2,
    "bus": 2,
    "motorcycle": 2,
    "pedestrian": 3,
    "rider": 3,
}


def table_version(version: str) -> str:
    """Which key of `TAGS` holds for a CARLA server that says it is `version`, such as "0.9.16" or "0.9.15-dirty".

    Raises:
        ValueError: no version number in it, one before 0.8, or one after 0.10: nobody knows its tags yet.
    """
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    number = tuple(int(part or 0) for part in found.groups()) if found else ()
    if not number or not (0, 8, 0) <= number < (0, 11, 0):
        raise ValueError(f"'{version}' is no version of CARLA whose tags are known; there are {', '.join(TAGS)}")
    if number < (0, 9, 0):
        return "0.8"
    if number >= (0, 10, 0):
        return "0.10"
    return "0.9.0" if number < (0, 9, 14) else "0.9.14"


RECORD_FILE = "carla.json"
"""Beside the folders of a recording: the version of the server, town, weather and traffic of each drive."""


def recorded_version(folder: Path) -> str:
    """The version of CARLA whose tags the masks of a recording hold; "0.8" where no `RECORD_FILE` says otherwise.

    A table that somebody chose when it was recorded wins over what the server called itself.

    Raises:
        ValueError: the file there does not say, naming it.
    """
    file = folder / RECORD_FILE
    if not file.exists():
        return "0.8"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        version = str(said.get("tags") or said["carla_version"])
        table_version(version)
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: does not say of which version of CARLA the masks are ({error})") from None
    return version


@dataclass(frozen=True)
class RecordedDrive:
    """One drive of a recording.

    Args:
        town: without the folders and the suffix of its map, such as "Town03".
        first: number of its first pair.
        pairs: how many it has.
    """

    town: str
    first: int
    pairs: int


def recorded_drives(folder: Path) -> list[RecordedDrive]:
    """The drives that the `RECORD_FILE` of a recording names; none where there is no such file, or it names none.

    Raises:
        ValueError: the file there names drives in a way that means nothing.
    """
    file = folder / RECORD_FILE
    if not file.exists():
        return []
    try:
        drives = json.loads(file.read_text(encoding="utf-8")).get("drives", [])
        return [
            RecordedDrive(
                str(drive["town"]).rsplit("/", 1)[-1].removesuffix("_Opt"), int(drive["first"]), int(drive["pairs"])
            )
            for drive in drives
        ]
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: does not say which drives there are ({error!r})") from None


def carla_lookup(version: str = "0.8") -> NDArray[np.uint8]:
    """Our class id for each tag of that CARLA version, shape (256,), uint8; what is none of ours is background.

    Without a version: the numbers of 0.8, which 0.9.0 to 0.9.13 only add to.

    Raises:
        ValueError: as `table_version`.
    """
    table = np.zeros(256, np.uint8)
    for tag in TAGS[table_version(version)]:
        table[tag.id] = _CLASS_IDS.get(tag.name, 0)
    return table


def carla_palette(version: str) -> NDArray[np.uint8]:
    """Colour of each tag of that CARLA version, shape (256, 3), uint8, RGB; numbers without a tag are black.

    Raises:
        ValueError: as `table_version`.
    """
    table = np.zeros((256, 3), np.uint8)
    for tag in TAGS[table_version(version)]:
        table[tag.id] = tag.color
    return table
