"""Where training runs: on one device, on all GPUs of this machine, or on the machines that TF_CONFIG names."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError


def cluster_size() -> int:
    """Machines that TF_CONFIG names (1 without it). Raises: UsageError when it is no JSON."""
    text = os.environ.get("TF_CONFIG", "")
    try:
        return max(1, len(json.loads(text)["cluster"]["worker"])) if text else 1
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f'TF_CONFIG is not of the form {{"cluster": {{"worker": […]}}, "task": …}}: {error}'
        ) from error


def worker_index() -> int:
    """Which of the machines of TF_CONFIG this is; 0 without it, and for the first, which writes the files."""
    if cluster_size() == 1:
        return 0
    try:
        return int(json.loads(os.environ["TF_CONFIG"])["task"]["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"TF_CONFIG does not say which machine this is (task: index): {error}") from error


@functools.cache
def strategy() -> Any:
    """TensorFlow's: over the machines of TF_CONFIG, all GPUs here, or one device. Ask for it before all else."""
    import tensorflow as tf

    if cluster_size() > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def has_gpu() -> bool:
    """Whether the backend in use computes on something else than the processor."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if backend == "jax":
        import jax

        return bool(jax.default_backend() != "cpu")
    return False


def best_precision() -> str:
    """mixed_bfloat16 where the hardware multiplies in bfloat16, else float32."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
            return "mixed_bfloat16" if capability >= (8, 0) else "mixed_float16"
    elif keras.backend.backend() == "jax":
        import jax

        if jax.default_backend() != "cpu":
            return "mixed_bfloat16"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "float32"
    return "mixed_bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


def is_imitated(precision: str) -> bool:
    """Whether the device has no arithmetic of its own for a `precision` of recipes, which then takes much longer."""
    return precision.startswith("mixed_") and not has_gpu() and precision != best_precision()
