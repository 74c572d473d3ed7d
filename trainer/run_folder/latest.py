"""The average of now, beside the checkpoint, in files small enough to be sent away while a run goes on."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.part_file import write_bytes

LATEST = "latest"
PART_BYTES = 16_000_000
HALVED = 4096
"""Arrays of more values are kept as float16: kernels. Biases and batch norm stay as they are."""

_NAME = re.compile(r"(\d+)-(\d+)of(\d+)")


def save_latest(run: Path, weights: Sequence[NDArray[Any]], step: int) -> None:
    """Write weights as latest/STEP-KofN, each at most `PART_BYTES`; those of earlier steps go when all are there.

    Raises: ExportError.
    """
    folder = run / LATEST
    buffer = io.BytesIO()
    arrays = {f"{index:04}": _halved(value) for index, value in enumerate(weights)}
    np.savez(buffer, **arrays, step=np.array(step))  # type: ignore[arg-type]
    data = buffer.getvalue()
    count = -(-len(data) // PART_BYTES)
    try:
        folder.mkdir(exist_ok=True)
        older = list(folder.iterdir())
    except OSError as error:
        raise ExportError(f"{folder}: cannot be written to ({error.strerror})") from error
    made = [folder / f"{step:08}-{place + 1}of{count}" for place in range(count)]
    for place, path in enumerate(made):
        write_bytes(path, data[place * PART_BYTES : (place + 1) * PART_BYTES])
    for path in older:
        if _NAME.fullmatch(path.name) and path not in made:
            with contextlib.suppress(OSError):
                path.unlink()


def _halved(value: NDArray[Any]) -> NDArray[Any]:
    return value.astype(np.float16) if value.dtype == np.float32 and value.size > HALVED else value


def load_latest(run: Path) -> tuple[list[NDArray[Any]], int] | None:
    """The newest weights of which all parts are there, float32, and their step; None without any.

    Raises: UsageError when they are damaged.
    """
    found: dict[tuple[int, int], dict[int, Path]] = {}
    folder = run / LATEST
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := _NAME.fullmatch(path.name):
            step, place, count = map(int, match.groups())
            found.setdefault((step, count), {})[place] = path
    for (step, count), parts in sorted(found.items(), reverse=True):
        if sorted(parts) != list(range(1, count + 1)):
            continue
        try:
            data = b"".join(parts[place].read_bytes() for place in sorted(parts))
            with np.load(io.BytesIO(data)) as file:
                values = [file[key] for key in sorted(file.files) if key != "step"]
        except Exception as error:  # NumPy raises many kinds for bytes that are no .npz of ours
            raise UsageError(f"{folder}: the parts of step {step} are damaged ({error}); copy them anew") from error
        return [v.astype(np.float32) if v.dtype == np.float16 else v for v in values], step
    return None
