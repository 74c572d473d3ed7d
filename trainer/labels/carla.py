"""Label maps of CARLA's semantic tags, for each table of tags."""

from __future__ import annotations

import dataclasses

from seg_viewer.core.carla_tags import TAGS, carla_lookup
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from trainer.labels.label_map import LabelMap
from trainer.labels.map_file import SHIPPED, read_map_file

_UNTIL = {
    "0.8": "CARLA 0.8",
    "0.9.0": "CARLA 0.9.0 to 0.9.13",
    "0.9.14": "CARLA 0.9.14 to 0.9.16",
    "0.10": "CARLA 0.10 (Unreal Engine 5)",
}


def carla_map(version: str, driving: bool) -> LabelMap:
    """The map of CARLA's tags, by number and by colour of its city palette.

    Args:
        version: key of `seg_viewer.core.carla_tags.TAGS`.
        driving: to our four classes instead of CARLA's own.
    """
    tags = TAGS[version]
    colors = {tag.color: tag.id for tag in tags}
    until = _UNTIL[version]
    if driving:
        lookup = carla_lookup(version)
        return LabelMap(
            f"carla-{version}-driving",
            f"{until} as background, road (lines too), car, person",
            DRIVING,
            {tag.id: int(lookup[tag.id]) for tag in tags},
            {color: int(lookup[tag]) for color, tag in colors.items()},
            tolerance=24,
        )
    labels = LabelSet([Label(tag.id, tag.name, tag.color, painted=tag.id != 0) for tag in tags])
    own = {tag.id: tag.id for tag in tags}
    return LabelMap(f"carla-{version}", f"{until}, its {len(tags)} tags", labels, own, colors, tolerance=24)


_CARLA_STREETS = {
    "building": "building",
    "fence": "fence",
    "pedestrian": "pedestrian",
    "rider": "bicyclist",
    "pole": "pole",
    "road line": "road",
    "road": "road",
    "sidewalk": "pavement",
    "vegetation": "tree",
    "wall": "wall",
    "traffic sign": "sign",
    "traffic light": "sign",
    "guard rail": "fence",
    "sky": "sky",
    **dict.fromkeys(("vehicle", "car", "truck", "bus", "motorcycle"), "car"),
}


def carla_streets_map(version: str) -> LabelMap:
    """CARLA's tags as street classes; what has no class of its own is some background."""
    driving, streets = carla_map(version, driving=True), read_map_file(SHIPPED / "streets.toml", "streets")
    ids = {label.name: label.id for label in streets.labels}
    ids |= {name: len(streets.labels) + index for index, (name, _) in enumerate(streets.unions)}
    by_tag = {tag.id: ids[_CARLA_STREETS.get(tag.name, "background")] for tag in TAGS[version]}
    return dataclasses.replace(
        driving,
        name=f"carla-{version}-streets",
        title=driving.title.split(" as ")[0] + " as street classes",
        labels=streets.labels,
        values=by_tag,
        colors={tag.color: by_tag[tag.id] for tag in TAGS[version]},
        unions=streets.unions,
        folds=streets.folds,
    )


def carla_maps() -> list[LabelMap]:
    """All of them: of each table its own classes, ours, and street classes."""
    return [
        made
        for version in TAGS
        for made in (carla_map(version, False), carla_map(version, True), carla_streets_map(version))
    ]
