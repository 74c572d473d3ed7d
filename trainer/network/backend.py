"""The start of Keras and its backend: without their chatter, on the cores that are ours."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

from seg_viewer.core.errors import UsageError
from seg_viewer.core.machine import usable_cores
from trainer.network.devices import strategy


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
