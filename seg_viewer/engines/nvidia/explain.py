"""What there is of NVIDIA's here, for people: cards, which runtime serves them, and the plans that are kept."""

from __future__ import annotations

from seg_viewer.core.errors import EngineError
from seg_viewer.engines.nvidia.library import RTX, TENSORRT, cuda_driver
from seg_viewer.engines.nvidia.plan_cache import PlanCache

_TITLES = {runtime.name: runtime.title for runtime in (TENSORRT, RTX)}


def explain_cards() -> list[str]:
    """Each NVIDIA card here and which runtime serves it, a line each; none where there is no card."""
    from seg_viewer.engines.nvidia.ahead import CAPABILITIES, serves

    try:
        cuda_driver()
        from seg_viewer.engines.nvidia.cuda import Gpu, gpu_names

        names = gpu_names()
    except EngineError:
        return []
    lines = []
    for name in names:
        gpu = Gpu(name)
        try:
            fitting = [RTX, TENSORRT] if serves(tuple(CAPABILITIES), gpu.capability) else [TENSORRT]
            told = ", ".join(f"{item.title} ({'installed' if item.installed else item.install})" for item in fitting)
            free, total = gpu.memory()
            lines.append(
                f"{name}: {gpu.name}, compute {gpu.capability}, driver {gpu.driver}, "
                f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free · served by {told}"
            )
        finally:
            gpu.close()
    return lines


def explain_cache(cache: PlanCache | None = None) -> list[str]:
    """What lies in the cache, a line each."""
    cache = cache or PlanCache()
    plans = cache.plans()
    if not plans:
        return [f"TensorRT plans: none in {cache.folder}"]
    lines = [
        f"TensorRT plans: {len(plans)}, {cache.size / 1e6:.1f} of {cache.size_cap / 1e6:.0f} MB, in {cache.folder}"
    ]
    for plan in plans:
        key, checks = plan.key, plan.checks
        state = "" if plan.whole else " · damaged, will be built again"
        agreement = checks.get("agreement")
        latency = checks.get("latency_ms", {}).get("p50")
        lines.append(
            f"  {key.model} {key.precision} · {_TITLES.get(key.runtime, key.runtime)} {key.tensorrt}"
            f" · {key.gpu} ({key.capability}) · {key.driver}"
            f" · {plan.size / 1e6:.1f} MB"
            + (f" · agreement {100 * agreement:.2f} %" if agreement is not None else "")
            + (f" · {latency:.2f} ms" if latency is not None else "")
            + state
        )
    return lines
