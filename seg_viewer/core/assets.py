"""Where the files that ship are: models, the demo clip, icons."""

from __future__ import annotations

import sys
from pathlib import Path

from seg_viewer.core.errors import SegViewerError

DEFAULT_MODEL = "driving-fast"


def asset_path(*parts: str) -> Path:
    """Path of a file or folder below `assets/`: in a packaged program, a checkout, or an installed wheel.

    Raises:
        SegViewerError: it is in none of these places.
    """
    roots = [Path(__file__).resolve().parents[2] / "assets", Path(sys.prefix) / "share" / "seg-viewer"]
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


def find_model(name_or_path: str | None) -> Path:
    """The file of a shipped model's name ("driving-fast"), or the path itself; None means the default model."""
    name = name_or_path or DEFAULT_MODEL
    for path in shipped_models():
        if path.stem == name:
            return path
    return Path(name)
