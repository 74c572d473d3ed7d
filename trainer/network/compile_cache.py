"""What JAX compiled, kept in a run folder, so that a run that goes on does not compile again."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

COMPILED = "compiled"

_AT_LEAST_S = "jax_persistent_cache_min_compile_time_secs"
_FOLDER = "jax_compilation_cache_dir"


@contextlib.contextmanager
def kept_compilations(run: Path) -> Iterator[None]:
    """Keep what JAX compiles in compiled/DEVICE of a run folder, and use what is there; under other backends nothing.

    One folder for each kind of device: code for one processor may crash another. A folder that the environment names
    (JAX_COMPILATION_CACHE_DIR) stays in use.

    Args:
        run: the run folder.
    """
    import keras

    if keras.backend.backend() != "jax" or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        yield
        return
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    before = {name: getattr(jax.config, name) for name in (_FOLDER, _AT_LEAST_S)}
    compilation_cache.reset_cache()
    jax.config.update(_FOLDER, str(run.resolve() / COMPILED / _device()))
    jax.config.update(_AT_LEAST_S, 0.5)
    try:
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()


def _device() -> str:
    """A folder's name for the kind of device, for a processor with what it can do."""
    import jax

    device = jax.devices()[0]
    text = f"{device.platform} {device.device_kind}"
    if device.platform == "cpu":
        with contextlib.suppress(OSError):
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{device.platform}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
