"""The manifest of an export: what was made, of what, by what and how. A JSON file beside the first output.

Keys: `format` (1), `program`, `made` (UTC, ISO 8601), `key` (see `ExportJob.key`), `source` (name, path, size in bytes,
sha256 of a file), `model` (name, file, sha256, precision, labels), `engine` (what really ran), `options`, `frames`,
`outputs` (path, kind, size in bytes), `sound`, `warnings`, `left_out`, `versions` of the libraries.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from seg_viewer import __version__
from seg_viewer.core.long_names import joined
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.palette import color_text
from seg_viewer.core.part_file import write_text
from seg_viewer.engines.base import EngineReport
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.sources.base import SourceInfo

FORMAT = 1
LEFT_OUT = "left out: "
"""How a line begins that says what of the source is not in the result."""
LIBRARIES = (
    "av", "numpy", "opencv-python-headless", "openvino", "onnxruntime", "onnxruntime-gpu",
    # the library itself, and what came with it or calls it
    "tensorrt", "tensorrt-cu13", "tensorrt-cu13-bindings", "tensorrt-cu13-libs", "pycuda",
    "tensorrt-rtx-cu13", "tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu13-libs", "cuda-bindings",
)  # fmt: skip
"""Distributions, as pip names them, whose versions are kept where they are installed: what decodes and computes."""
_PIECE = 1 << 20


def manifest_path(out: Path) -> Path:
    """Beside a file: `NAME.mp4.manifest.json`."""
    return out.with_name(joined(out.name, ".manifest.json"))


class SourceHash:
    """The SHA-256 of a file, worked out on a thread of its own while the export runs.

    Args:
        path: a file; for anything else there is no hash.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._found: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="seg-hash", daemon=True)
        self._thread.start()

    def wait(self) -> str | None:
        """Hexadecimal; None where there is none."""
        self._thread.join()
        return self._found

    def close(self) -> None:
        """Stop it; again is fine."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        if self._path is None or not self._path.is_file():
            return
        digest = hashlib.sha256()
        try:
            with self._path.open("rb") as file:
                while piece := file.read(_PIECE):
                    if self._stop.is_set():
                        return
                    digest.update(piece)
        except OSError:
            return
        self._found = digest.hexdigest()


def write_manifest(
    job: ExportJob,
    key: str,
    info: SourceInfo,
    spec: ModelSpec,
    report: EngineReport | None,
    *,
    files: Sequence[Path],
    frames: int,
    sound: str,
    warnings: Sequence[str],
    source_sha256: str | None,
) -> Path:
    """Write it beside the first of `files`. Returns its path. Raises: ExportError."""
    path = manifest_path(files[0])
    style, wanted = job.options.style, job.selection
    content = {
        "format": FORMAT,
        "program": f"seg_viewer {__version__}",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "key": key,
        "source": {
            "name": info.name,
            "path": str(info.path) if info.path else None,
            "bytes": info.path.stat().st_size if info.path and info.path.is_file() else None,
            "sha256": source_sha256,
        },
        "model": {
            "name": spec.name,
            "file": str(spec.path),
            "sha256": spec.sha256,
            "precision": spec.precision,
            "classes": {str(label.id): label.name for label in spec.labels},
        },
        "engine": None
        if report is None
        else {
            "name": report.name,
            "version": report.version,
            "device": report.device,
            "precision": report.precision,
            "notes": report.notes(),
        },
        "options": {
            "opacity": style.opacity,
            "hidden": sorted(style.hidden),
            "outline": style.outline,
            "hatched": style.hatched,
            "smooth": style.smooth,
            "steady": bool(job.options.steady),
            "palette": style.palette,
            "colors": {label.name: color_text(style.color_of(label)) for label in style.shown(spec.labels)},
            "start": _place(wanted.start),
            "end": _place(wanted.end),
            "every": wanted.every,
            "size": None if job.size is None else [job.size.width, job.size.height],
            "codec": job.codec,
            "quality": job.quality,
            "crf": job.crf,
            "preset": job.preset,
            "hardware": job.hardware,
            "stats": job.stats,
            "stream": job.stream,
            "zone": None if job.zone is None else str(job.zone),
        },
        "frames": frames,
        "outputs": [
            {"path": file.name, "kind": kind.name, "bytes": _size(file)}
            for file, (_path, kind) in zip(files, job.outputs, strict=False)
        ],
        "sound": sound,
        "warnings": [line for line in warnings if not line.startswith(LEFT_OUT)],
        "left_out": [line.removeprefix(LEFT_OUT) for line in warnings if line.startswith(LEFT_OUT)],
        "versions": _versions(),
    }
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return path


def read_manifest(out: Path) -> dict[str, Any] | None:
    """Of a file; None where there is none that can be read."""
    try:
        content = json.loads(manifest_path(out).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def is_done(job: ExportJob, key: str) -> bool:
    """Whether a manifest says that this very job was done, and all that it made is still there, as large as then."""
    content = read_manifest(job.first)
    if content is None or content.get("key") != key:
        return False
    try:
        made = [(each["path"], each["bytes"]) for each in content["outputs"]]
        return made == [(path.name, _size(path)) for path, _kind in job.outputs]
    except (KeyError, TypeError, OSError):  # it is damaged, or something is gone
        return False


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _place(moment: Any) -> str | float | None:
    if moment is None:
        return None
    return f"{moment.frame}f" if moment.frame is not None else moment.time_s


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
