"""Label maps by name: the files that ship, and CARLA's."""

from __future__ import annotations

from trainer.files import shipped_or_own
from trainer.labels.carla import carla_maps
from trainer.labels.label_map import LabelMap
from trainer.labels.map_file import SHIPPED, read_map_file


def shipped_maps() -> dict[str, str]:
    """Name → title of the label maps that ship, CARLA's among them."""
    files = (read_map_file(file, file.stem) for file in SHIPPED.glob("*.toml"))
    return dict(sorted((made.name, made.title) for made in (*files, *carla_maps())))


def read_label_map(name: str) -> LabelMap:
    """Read a label map.

    Args:
        name: path of a TOML file, or the name of one that ships.

    Raises:
        UsageError: there is none, or it says something that means nothing.
    """
    of_carla = next((made for made in carla_maps() if made.name == name), None) if name.startswith("carla-") else None
    if of_carla:
        return of_carla
    return read_map_file(shipped_or_own(name, SHIPPED), name)
