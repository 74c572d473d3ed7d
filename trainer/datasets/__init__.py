"""The data sets by name, and where each lies below the data folder."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.errors import SourceError, UsageError
from trainer.datasets import camvid, carla, carvana, folder, idd, penn_fudan
from trainer.datasets.base import DataSet, Pair

__all__ = ["FORMATS", "DataSet", "Pair", "find"]

FORMATS = {
    "camvid": camvid.find,
    "carla": carla.find,
    "carvana": carvana.find,
    "folder": folder.find,
    "idd": idd.find,
    "penn_fudan": penn_fudan.find,
}


def find(kind: str, root: Path, name: str | None = None) -> DataSet:
    """The data set of a format below a folder.

    Args:
        kind: a key of `FORMATS`.
        root: its folder.
        name: what to call it; the format's own name when not given.

    Raises:
        UsageError: there is no such format.
        SourceError: the folder is missing or incomplete.
    """
    if kind not in FORMATS:
        raise UsageError(f"no data set format '{kind}'; there are {', '.join(sorted(FORMATS))}")
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder for the data set '{name or kind}'")
    found = FORMATS[kind](root)
    return DataSet(name or found.name, found.train, found.held_out, found.read_mask)
