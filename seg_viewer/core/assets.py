"""Where the files that ship are: models, the demo clip, icons."""

from __future__ import annotations

import sys
from pathlib import Path

from seg_viewer.core.errors import SegViewerError, UsageError
from seg_viewer.core.typed_path import typed_path

FAST_MODEL, FINE_MODEL = "driving-fast", "driving-fine"
"""The one for processors, and the one with a larger input, for GPUs and exports."""


def asset_path(*parts: str) -> Path:
    """Path of a file or folder below `assets/`: in a packaged program, a checkout, or an installed wheel.

    Raises:
        SegViewerError: it is in none of these places.
    """
    package = Path(__file__).resolve().parents[1]
    # a wheel; a checkout. In this order: beside an installed package, `assets` would be somebody else's
    roots = [package / "assets", package.parent / "assets"]
    packaged = getattr(sys, "_MEIPASS", None)
    if packaged:
        roots.insert(0, Path(packaged) / "assets")
    for root in roots:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise SegViewerError(f"'{'/'.join(parts)}' did not come with this installation; install seg-viewer again")


def shipped_models() -> list[Path]:
    """The .onnx files that ship, by name; empty when there is none."""
    try:
        return sorted(asset_path("models").glob("*.onnx"))
    except SegViewerError:
        return []


def find_model(name_or_path: str) -> Path:
    """The file of a shipped model's name ("driving-fast"), or the path itself.

    Raises:
        UsageError: it is neither the name of a model that ships nor a path.
    """
    shipped = shipped_models()
    for path in shipped:
        if path.stem == name_or_path:
            return path
    path = typed_path(name_or_path)
    if path.exists() or path.suffix == ".onnx" or len(path.parts) > 1:
        return path
    names = ", ".join(path.stem for path in shipped) or "none"
    raise UsageError(f"model '{name_or_path}': no such name; what ships is {names}; or give the path of an .onnx file")
