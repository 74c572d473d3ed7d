"""The start of Keras and its backend: without their chatter, on the cores that are ours."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from seg_viewer.core.errors import UsageError
from seg_viewer.core.machine import usable_cores
from trainer.network.devices import strategy

_UNUSED = ("matplotlib", "pandas", "sklearn")
"""What Keras imports where it is installed, for what nobody here uses; it does not depend on it."""

_alone = False


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what native code writes to standard error, and show it only when an exception passes."""
    sys.stderr.flush()
    try:
        screen = os.dup(2)
    except OSError:  # nobody listens
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(screen, 2)
            kept.seek(0)
            os.write(2, kept.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


def be_alone() -> None:
    """Nobody but us uses Keras in this process: `start_backend` takes three fifths of the time.

    It comes without scikit-learn's wrappers, pandas' tables and pictures shown by pyplot, then. These packages can be
    imported as ever.
    """
    global _alone
    _alone = True


@contextlib.contextmanager
def _without_unused() -> Iterator[None]:
    """As if packages that Keras and TensorFlow only look for were not installed; those that are loaded stay so."""
    names = {*_UNUSED, *(("jax",) if not _wants_jax() else ())}

    class Without(PathFinder):
        @classmethod
        def find_spec(
            cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            return None if fullname in names else PathFinder.find_spec(fullname, path, target)

    before = list(sys.meta_path)
    sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in before]
    try:
        yield
    finally:
        sys.meta_path[:] = [PathFinder if finder is Without else finder for finder in sys.meta_path]


def _wants_jax() -> bool:
    """Whether Keras may be told to use JAX, by the environment or its own file; TensorFlow only looks for it."""
    told = os.environ.get("KERAS_BACKEND", "")
    with contextlib.suppress(OSError):
        told += (Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "keras.json").read_text(
            "utf-8", "ignore"
        )
    return "jax" in told


def start_backend() -> None:
    """Import Keras with its backend and give TensorFlow as many threads as this process may use cores.

    Several machines of TF_CONFIG must find each other before TensorFlow does anything else, so call this first.

    Raises:
        UsageError: Keras or its backend is not installed, or TF_CONFIG is wrong.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # tf2onnx asks numpy for a name that is going away
    warnings.filterwarnings("ignore", message=".*np.object.*", category=FutureWarning)
    with _quiet():
        try:
            with _without_unused() if _alone else contextlib.nullcontext():
                import keras
        except ImportError as error:
            raise UsageError(
                f"{error.name or error} is not installed: pip install 'seg-viewer[trainer]'"
                + ("; or, with JAX, set KERAS_BACKEND=jax" if error.name == "tensorflow" else "")
            ) from error
        if keras.backend.backend() != "tensorflow":
            return
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # already started; then it keeps what it has
            tf.config.threading.set_intra_op_parallelism_threads(usable_cores())
            tf.config.threading.set_inter_op_parallelism_threads(usable_cores())
        strategy()
