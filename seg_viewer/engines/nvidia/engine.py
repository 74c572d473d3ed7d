"""TensorRT: NVIDIA GPUs. The plan of a model is built once for a GPU, verified, and kept in the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.base import READY, EngineKind, EngineReport, LoadProgress, is_one_of
from seg_viewer.engines.nvidia.graph import prepare_graph, target_precision
from seg_viewer.engines.nvidia.library import require_tensorrt
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plan_cache import PlanCache, PlanKey, sidecar_json, write_whole
from seg_viewer.engines.nvidia.verify import check_precisions, layer_precisions, verify_plan

if TYPE_CHECKING:
    from seg_viewer.engines.nvidia.build import BuiltPlan
    from seg_viewer.engines.nvidia.cuda import Gpu
    from seg_viewer.engines.nvidia.run import PlanRunner

_SLOTS = {"throughput": 2, "latency": 1, "background": 1}


@dataclass(frozen=True)
class MadePlan:
    """A plan as it was written, and what became known of it.

    Args:
        path: of the plan.
        key: what it depends on.
        size: bytes.
        seconds: that the build took.
        checks: see `verify_plan`.
    """

    path: Path
    key: PlanKey
    size: int
    seconds: float
    checks: dict[str, Any]


@dataclass(frozen=True)
class _Running:
    """A plan that was just built: running, and in the cache at `path` unless it could not be kept."""

    runner: PlanRunner
    built: BuiltPlan
    checks: dict[str, Any]
    path: Path | None
    unkept: EngineError | None


def devices() -> list[str]:
    """ "GPU.0", …. Raises: EngineError that says what is missing."""
    require_tensorrt()
    from seg_viewer.engines.nvidia.cuda import gpu_names

    return gpu_names()


def plan_key(spec: ModelSpec, options: PlanOptions, gpu: Gpu) -> PlanKey:
    """What a plan of a model depends on, on a GPU."""
    import tensorrt as trt

    return PlanKey(
        model=spec.name,
        model_sha256=spec.sha256,
        tensorrt=str(trt.__version__),
        gpu=gpu.name,
        capability=gpu.capability,
        driver=gpu.driver,
        precision=target_precision(spec, options.precision),
        options={name: value for name, value in asdict(options).items() if name != "precision"},
    )


def make_plan(
    model: str | Path | ModelSpec,
    options: PlanOptions | None = None,
    *,
    device: str | None = None,
    output: Path | None = None,
    progress: LoadProgress | None = None,
    cache: PlanCache | None = None,
) -> MadePlan:
    """Build and verify a model's plan on this machine's GPU, and keep it in the cache, where the viewer finds it.

    Args:
        model: the model file.
        options: of the builder.
        device: "GPU.0", …, or None for the first.
        output: also written there, with its sidecar (.json) and its layers (.layers.json) beside it.
        progress: called with how far it is; its answer False stops.
        cache: the user's by default.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: TensorRT is missing, refuses the graph, or the plan fails its checks; nothing is written then.
    """
    require_tensorrt()
    from seg_viewer.engines.nvidia.cuda import Gpu

    spec = model if isinstance(model, ModelSpec) else read_model_file(model)
    options, cache = options or PlanOptions(), cache or PlanCache()
    gpu = Gpu(device)
    try:
        key = plan_key(spec, options, gpu)
        made = _build(spec, options, gpu, cache, 1, progress)
        made.runner.close()
    finally:
        gpu.close()
    plan, path = made.built.plan, made.path
    if output is not None:
        write_whole(output.with_suffix(".layers.json"), made.built.layers.encode())
        write_whole(output.with_suffix(".json"), sidecar_json(key, plan, made.checks))
        write_whole(output, plan)
        path = output
    if path is None:
        assert made.unkept is not None
        raise made.unkept
    return MadePlan(path, key, len(plan), made.built.seconds, made.checks)


def _build(
    spec: ModelSpec, options: PlanOptions, gpu: Gpu, cache: PlanCache, slots: int, progress: LoadProgress | None
) -> _Running:
    """Build, verify, keep."""
    from seg_viewer.engines.nvidia.build import build_plan
    from seg_viewer.engines.nvidia.run import PlanRunner

    key = plan_key(spec, options, gpu)
    graph = prepare_graph(spec, options.precision)
    built = build_plan(graph.data, spec, options, cache.load_timings(key), progress)
    runner = PlanRunner(built.plan, spec, gpu, slots)
    try:
        checks = verify_plan(runner, built.layers, spec, graph.precision, graph.convolutions, progress)
        path, unkept = None, None
        try:
            cache.store_timings(key, built.timings)
            path = cache.store(key, built.plan, built.layers, checks)
        except EngineError as error:  # a full disk is no reason not to run
            unkept = error
    except BaseException:
        runner.close()
        raise
    return _Running(runner, built, checks, path, unkept)


class TensorRtEngine:
    """See `Engine`. A plan that is not in the cache is built and verified first, which takes seconds to minutes.

    Args:
        model: the model file.
        device: "GPU.0", "GPU.1", …, or None for the first GPU.
        mode: one of `MODES`.
        progress: called with how far the build is; its answer False stops it.
        options: of the builder.
        cache: the user's by default.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: TensorRT is missing, there is no such GPU, or no plan can be made.
        DeviceFailure: the GPU has no memory for it.
    """

    def __init__(
        self,
        model: str | Path | ModelSpec,
        device: str | None = None,
        mode: str = "throughput",
        progress: LoadProgress | None = None,
        options: PlanOptions | None = None,
        cache: PlanCache | None = None,
    ) -> None:
        require_tensorrt()
        from seg_viewer.engines.nvidia.cuda import Gpu

        self.spec = model if isinstance(model, ModelSpec) else read_model_file(model)
        self.slots = _SLOTS[mode]
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        options = options or PlanOptions()
        gpu = Gpu(device)
        try:
            key = plan_key(self.spec, options, gpu)
            self._runner, note = _open(self.spec, options, gpu, cache or PlanCache(), self.slots, progress)
        except BaseException:
            gpu.close()
            raise
        self._gpu: Gpu | None = gpu
        self.report = EngineReport(
            name="tensorrt",
            version=key.tensorrt,
            device=f"{gpu.label} ({gpu.name})",
            precision=_running_precision(self._runner, self.spec, options, key),
            note=note,
        )

    @property
    def wake(self) -> Callable[[], None]:
        return self._runner.wake

    @wake.setter
    def wake(self, call: Callable[[], None]) -> None:
        self._runner.wake = call

    def submit(self, rgb: ByteArray) -> None:
        self._runner.submit(rgb)

    def ready(self) -> bool:
        return self._runner.ready()

    def collect(self) -> ByteArray:
        classes = self._runner.collect()
        self.inference_s, self.margin = self._runner.inference_s, self._runner.margin
        return classes

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        """Plan first, the GPU's context last; again is fine."""
        self._runner.close()
        if self._gpu is not None:
            self._gpu.close()
            self._gpu = None


def _open(
    spec: ModelSpec, options: PlanOptions, gpu: Gpu, cache: PlanCache, slots: int, progress: LoadProgress | None
) -> tuple[PlanRunner, str]:
    """The plan running, from the cache or built now, and a note for people."""
    from seg_viewer.engines.nvidia.run import PlanRefused, PlanRunner

    key = plan_key(spec, options, gpu)
    plan = cache.load(key)
    reason = ""
    if plan is not None:
        try:
            return PlanRunner(plan, spec, gpu, slots), ""
        except PlanRefused as error:
            cache.remove(key)
            reason = f" again, because {error}"
    made = _build(spec, options, gpu, cache, slots, progress)
    if progress is not None:
        progress(READY, 1.0)
    note = f"plan built{reason} in {made.built.seconds:.0f} s"
    return made.runner, note if made.unkept is None else f"{note}, but not kept: {made.unkept}"


def _running_precision(runner: PlanRunner, spec: ModelSpec, options: PlanOptions, key: PlanKey) -> str:
    """Asked of the plan that was loaded, not of its sidecar."""
    convolutions = prepare_graph(spec, options.precision).convolutions
    return check_precisions(layer_precisions(runner.layers(), convolutions), key.precision, spec.name)


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
            f"  {key.model} {key.precision} · TensorRT {key.tensorrt} · {key.gpu} ({key.capability}) · {key.driver}"
            f" · {plan.size / 1e6:.1f} MB"
            + (f" · agreement {100 * agreement:.2f} %" if agreement is not None else "")
            + (f" · {latency:.2f} ms" if latency is not None else "")
            + state
        )
    return lines


ENGINE = EngineKind(
    "tensorrt",
    "TensorRT",
    "tensorrt",
    devices,
    lambda spec, device, mode, progress: TensorRtEngine(spec, device, mode, progress),
    lambda device: device is None or is_one_of(device, ("GPU",)),
)
