"""seg_viewer: segments driving video in real time and paints what it finds.

From Python:

    import seg_viewer

    for shot in seg_viewer.open("drive.mp4"):
        print(shot.time_s, shot.shares())
    seg_viewer.export("drive.mp4", "drive_seg.mp4")

What there is stands in `seg_viewer.api`. It is imported with its first use, so that `import seg_viewer` costs nothing;
`__init__.pyi` says the same to type checkers and editors.
"""

from importlib import import_module

__version__ = "0.1.0"

_API = frozenset(
    (
        "EngineError",
        "ExportError",
        "ExportProgress",
        "ExportResult",
        "ModelFileError",
        "ModelSpec",
        "SegViewerError",
        "Shot",
        "Shots",
        "SourceError",
        "UsageError",
        "export",
        "models",
        "open",
        "read_model",
    )
)


def __getattr__(name: str) -> object:
    if name in _API:
        return getattr(import_module("seg_viewer.api"), name)
    raise AttributeError(f"module 'seg_viewer' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
