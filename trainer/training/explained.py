"""What backends say of memory, disks and files, as errors of ours."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from seg_viewer.core.errors import ExportError, SegViewerError, SourceError
from seg_viewer.core.part_file import explain
from trainer.recipe import Recipe


class OutOfMemory(SegViewerError):
    """The batch does not fit."""


@contextlib.contextmanager
def explained(recipe: Recipe, run: Path) -> Iterator[None]:
    """Turn the backends' errors of memory, disks and files into ours.

    Args:
        recipe: what is trained.
        run: the folder that is written to.

    Raises:
        ExportError: the disk is full.
        OutOfMemory: the batch does not fit.
        SourceError: a file is damaged.
    """
    try:
        yield
    except SegViewerError:
        raise
    except Exception as error:
        text = f"{type(error).__name__} {error}"
        # TensorFlow calls a full disk, and too many open files, an exhausted resource too
        number = getattr(error, "errno", None)
        for code in (errno.ENOSPC, errno.EDQUOT):
            if number == code or os.strerror(code) in text:
                raise ExportError(explain(run, OSError(code, os.strerror(code)))) from error
        for code in (errno.EMFILE, errno.ENFILE):
            if number == code or os.strerror(code) in text:
                raise ExportError(f"{run}: {os.strerror(code).lower()}; allow more (ulimit -n) and go on") from error
        if isinstance(error, MemoryError) or any(
            mark in text for mark in ("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory", "OOM when allocating")
        ):
            width, height = recipe.crop
            raise OutOfMemory(
                f"out of memory with batches of {recipe.run.batch_size} pictures of {width}x{height}: lower"
                f" --batch-size to {max(1, recipe.run.batch_size // 2)} (with --accumulate 2 the updates stay the"
                " same), or --size, --crop, --width, or use --precision mixed_bfloat16"
            ) from error
        if "SourceError: " in text:  # from within tf.data
            raise SourceError(text.split("SourceError: ")[1].splitlines()[0]) from error
        raise
