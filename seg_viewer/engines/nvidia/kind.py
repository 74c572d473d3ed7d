"""What the registry knows of NVIDIA's engines; what runs them is imported when one is asked for."""

from __future__ import annotations

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import Engine, EngineKind, LoadProgress, is_one_of
from seg_viewer.engines.nvidia.library import NvidiaRuntime, cuda_driver, has_driver, has_pycuda, require


def devices(runtime: NvidiaRuntime) -> list[str]:
    """ "GPU.0", … that it can run on. Raises: EngineError that says what is missing."""
    require(runtime)
    from seg_viewer.engines.nvidia.cuda import Gpu, gpu_names
    from seg_viewer.engines.nvidia.plans import check_card

    names = gpu_names()
    if not runtime.ahead:
        return names
    reasons = []
    for name in list(names):
        gpu = Gpu(name)
        try:
            check_card(runtime, gpu)
        except EngineError as error:
            reasons.append(str(error))
            names.remove(name)
        finally:
            gpu.close()
    if not names:
        raise EngineError("; ".join(dict.fromkeys(reasons)))
    return names


def may_run(runtime: NvidiaRuntime) -> bool:
    """Whether there is something of NVIDIA's here, so that a failure of this runtime is worth telling; cheap."""
    if has_driver():
        return True
    if not (runtime.installed and has_pycuda()):
        return False  # NVIDIA's own bindings load that same driver: importing them to hear it costs 60 ms
    try:
        cuda_driver(runtime)
        from seg_viewer.engines.nvidia.cuda import gpu_names

        return bool(gpu_names())
    except EngineError:
        return False


def engine_kind(runtime: NvidiaRuntime) -> EngineKind:
    """The engine of a runtime, for the registry."""

    def make(spec: ModelSpec, device: str | None, mode: str, progress: LoadProgress | None) -> Engine:
        from seg_viewer.engines.nvidia.engine import NvidiaEngine

        return NvidiaEngine(runtime, spec, device, mode, progress)

    return EngineKind(
        runtime.name,
        runtime.title,
        runtime.package,
        lambda: devices(runtime),
        make,
        lambda device: device is None or is_one_of(device, ("GPU",)),
        lambda: may_run(runtime),
    )
