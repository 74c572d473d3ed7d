"""NVIDIA GPUs through TensorRT or TensorRT for RTX: which of the two is a value, the way is one.

TensorRT builds the plan of a model on the GPU that it is for. TensorRT for RTX makes one ahead, without a GPU, for
all RTX cards, and compiles the kernels when the plan first runs on a card. Either way the plan is verified on the
card, and kept in the user's cache.
"""

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
from seg_viewer.engines.nvidia.library import TENSORRT, NvidiaRuntime, may_run, require
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plan_cache import Card, PlanCache, PlanKey, plan_beside, write_plan
from seg_viewer.engines.nvidia.verify import check_precisions, layer_precisions, verify_plan

if TYPE_CHECKING:
    from seg_viewer.engines.nvidia.ahead import Kernels
    from seg_viewer.engines.nvidia.cuda import Gpu
    from seg_viewer.engines.nvidia.run import PlanRunner

_SLOTS = {"throughput": 2, "latency": 1}


@dataclass(frozen=True)
class MadePlan:
    """A plan as it was written, and what became known of it.

    Args:
        path: of the plan.
        key: what it depends on.
        size: bytes.
        seconds: that the build took.
        layers: of the network that was built.
        checks: see `verify_plan`; empty for a plan that was made ahead: it is verified where it first runs.
    """

    path: Path
    key: PlanKey
    size: int
    seconds: float
    layers: int
    checks: dict[str, Any]


@dataclass(frozen=True)
class _Running:
    """A plan that runs, and how it came to that.

    Args:
        runner: runs it.
        plan: serialised engine.
        key: what it depends on.
        note: for people; "" when it was there and verified already.
        seconds: that a build took; 0 when there was none.
        layers: of the network that was built; 0 when none was.
        checks: see `verify_plan`.
        path: where it lies; None where it could not be kept.
        unkept: why not.
    """

    runner: PlanRunner
    plan: bytes
    key: PlanKey
    note: str
    seconds: float = 0.0
    layers: int = 0
    checks: dict[str, Any] | None = None
    path: Path | None = None
    unkept: EngineError | None = None


def devices(runtime: NvidiaRuntime) -> list[str]:
    """ "GPU.0", … that it can run on. Raises: EngineError that says what is missing."""
    require(runtime)
    from seg_viewer.engines.nvidia.cuda import Gpu, gpu_names

    names = gpu_names()
    if not runtime.ahead:
        return names
    reasons = []
    for name in list(names):
        gpu = Gpu(name)
        try:
            _check_card(runtime, gpu)
        except EngineError as error:
            reasons.append(str(error))
            names.remove(name)
        finally:
            gpu.close()
    if not names:
        raise EngineError("; ".join(dict.fromkeys(reasons)))
    return names


def plan_key(runtime: NvidiaRuntime, spec: ModelSpec, options: PlanOptions, gpu: Gpu | None) -> PlanKey:
    """What a plan of a model depends on: on the GPU that it is built on, or ahead on the cards that it is made for."""
    chosen = {name: value for name, value in asdict(options).items() if name not in ("precision", "capabilities")}
    assert gpu is not None or runtime.ahead
    card = Card("RTX cards", " ".join(options.capabilities), "any") if runtime.ahead or gpu is None else card_of(gpu)
    return PlanKey(
        model=spec.name,
        model_sha256=spec.sha256,
        tensorrt=runtime.version(),
        gpu=card.gpu,
        capability=card.capability,
        driver=card.driver,
        precision=target_precision(spec, options.precision),
        options=chosen,
        runtime=runtime.name,
    )


def card_of(gpu: Gpu) -> Card:
    """What is known of a GPU."""
    return Card(gpu.name, gpu.capability, gpu.driver)


def make_plan(
    model: str | Path | ModelSpec,
    options: PlanOptions | None = None,
    *,
    device: str | None = None,
    output: Path | None = None,
    progress: LoadProgress | None = None,
    cache: PlanCache | None = None,
    runtime: NvidiaRuntime = TENSORRT,
) -> MadePlan:
    """Build and verify a model's plan on this machine's GPU, and keep it in the cache, where the viewer finds it.

    Args:
        model: the model file.
        options: of the builder.
        device: "GPU.0", …, or None for the first.
        output: also written there, with its sidecar (.json) and its layers (.layers.json) beside it.
        progress: called with how far it is; its answer False stops.
        cache: the user's by default.
        runtime: that builds it.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: the runtime is missing, refuses the graph, or the plan fails its checks; nothing is written then.
    """
    require(runtime)
    from seg_viewer.engines.nvidia.cuda import Gpu

    spec = model if isinstance(model, ModelSpec) else read_model_file(model)
    options, cache = options or PlanOptions(), cache or PlanCache()
    gpu = Gpu(device)
    try:
        made = _build(runtime, spec, options, gpu, cache, 1, progress)
        layers = made.runner.layers()
        made.runner.close()
    finally:
        gpu.close()
    path = made.path
    if output is not None:
        write_plan(output, made.key, made.plan, layers, made.checks or {})
        path = output
    if path is None:
        assert made.unkept is not None
        raise made.unkept
    return MadePlan(path, made.key, len(made.plan), made.seconds, made.layers, made.checks or {})


def make_plan_ahead(
    model: str | Path | ModelSpec,
    runtime: NvidiaRuntime,
    options: PlanOptions | None = None,
    *,
    output: Path | None = None,
    progress: LoadProgress | None = None,
    cache: PlanCache | None = None,
) -> MadePlan:
    """Make a model's plan for the cards in `options.capabilities`, on any machine; the viewer verifies it on its card.

    Args:
        model: the model file.
        runtime: that builds it; one that does so ahead.
        options: of the builder.
        output: written there, with its sidecar (.json) beside it, instead of into the cache.
        progress: called with how far it is; its answer False stops.
        cache: the user's by default.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: the runtime is missing, or refuses the graph; nothing is written then.
    """
    from seg_viewer.engines.nvidia.build import build_plan

    spec = model if isinstance(model, ModelSpec) else read_model_file(model)
    options, cache = options or PlanOptions(), cache or PlanCache()
    key = plan_key(runtime, spec, options, None)
    built = build_plan(runtime, prepare_graph(spec, options.precision).data, spec, options, b"", progress)
    if output is not None:
        write_plan(output, key, built.plan, None, {})
        path = output
    else:
        path = cache.store(key, built.plan, None, {})
    return MadePlan(path, key, len(built.plan), built.seconds, built.layers, {})


class NvidiaEngine:
    """See `Engine`. A plan that is neither in the cache nor beside the model is built and verified first.

    Args:
        runtime: TensorRT, which builds for seconds to minutes, or TensorRT for RTX, which takes seconds.
        model: the model file.
        device: "GPU.0", "GPU.1", …, or None for the first GPU.
        mode: "throughput" or "latency".
        progress: called with how far the build is; its answer False stops it.
        options: of the builder.
        cache: the user's by default.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: the runtime is missing, there is no such GPU, or no plan can be made.
        DeviceFailure: the GPU has no memory for it.
    """

    def __init__(
        self,
        runtime: NvidiaRuntime,
        model: str | Path | ModelSpec,
        device: str | None = None,
        mode: str = "throughput",
        progress: LoadProgress | None = None,
        options: PlanOptions | None = None,
        cache: PlanCache | None = None,
    ) -> None:
        require(runtime)
        from seg_viewer.engines.nvidia.cuda import Gpu

        self.spec = model if isinstance(model, ModelSpec) else read_model_file(model)
        self.slots = _SLOTS[mode]
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        options = options or PlanOptions()
        gpu = Gpu(device)
        try:
            running = _open(runtime, self.spec, options, gpu, cache or PlanCache(), self.slots, progress)
            self._runner = running.runner
            precision = _running_precision(runtime, running, self.spec, options)
        except BaseException:
            gpu.close()
            raise
        self._gpu: Gpu | None = gpu
        self.report = EngineReport(
            name=runtime.name,
            version=running.key.tensorrt,
            device=f"{gpu.label} ({gpu.name})",
            precision=precision,
            note=running.note,
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


def _check_card(runtime: NvidiaRuntime, gpu: Gpu) -> None:
    """Raises: EngineError where the runtime serves no such card."""
    from seg_viewer.engines.nvidia.ahead import CAPABILITIES, serves

    if runtime.ahead and not serves(tuple(CAPABILITIES), gpu.capability):
        raise EngineError(
            f"{gpu.name} (compute {gpu.capability}) is no card that {runtime.title} serves "
            f"({', '.join(CAPABILITIES)} and newer); {TENSORRT.title} runs on it: {TENSORRT.install}"
        )


def _open(
    runtime: NvidiaRuntime,
    spec: ModelSpec,
    options: PlanOptions,
    gpu: Gpu,
    cache: PlanCache,
    slots: int,
    progress: LoadProgress | None,
) -> _Running:
    """The plan running: from the cache, from beside the model, or built now."""
    from seg_viewer.engines.nvidia.log import PlanRefused

    _check_card(runtime, gpu)
    key = plan_key(runtime, spec, options, gpu)
    again = ""
    for plan in _plans_there(runtime, spec, key, gpu, cache):
        try:
            return _run(runtime, spec, options, gpu, cache, slots, key, plan, progress)
        except PlanRefused as error:
            cache.remove(key)
            again = f" again, because {error}"
    made = _build(runtime, spec, options, gpu, cache, slots, progress, again)
    if progress is not None:
        progress(READY, 1.0)
    return made


def _plans_there(runtime: NvidiaRuntime, spec: ModelSpec, key: PlanKey, gpu: Gpu, cache: PlanCache) -> list[bytes]:
    """What may be loaded instead of building: only ever plans of this very model, version and kind of card."""
    from seg_viewer.engines.nvidia.ahead import serves

    found = [cache.load(key)]
    if runtime.ahead:
        found.append(plan_beside(spec.path, key, lambda capabilities: serves(capabilities, gpu.capability)))
    return [plan for plan in found if plan is not None]


def _run(
    runtime: NvidiaRuntime,
    spec: ModelSpec,
    options: PlanOptions,
    gpu: Gpu,
    cache: PlanCache,
    slots: int,
    key: PlanKey,
    plan: bytes,
    progress: LoadProgress | None,
) -> _Running:
    """A plan that was there; where it was made ahead, it is verified the first time that it runs on a card."""
    from seg_viewer.engines.nvidia.run import PlanRunner

    runner = PlanRunner(runtime, plan, spec, gpu, slots, _kernels(runtime, key, gpu, cache))
    if not runtime.ahead or cache.checks_on(key, card_of(gpu)) is not None:
        return _Running(runner, plan, key, "")
    try:
        checks = _verify(runtime, runner, spec, options, progress)
    except BaseException:
        runner.close()
        raise
    note = f"plan verified on this card: {100 * checks['agreement']:.2f} % as ONNX Runtime"
    try:
        cache.store_checks(key, card_of(gpu), checks)
    except EngineError as error:
        note += f", but that was not kept: {error}"
    if progress is not None:
        progress(READY, 1.0)
    return _Running(runner, plan, key, note, checks=checks)


def _build(
    runtime: NvidiaRuntime,
    spec: ModelSpec,
    options: PlanOptions,
    gpu: Gpu,
    cache: PlanCache,
    slots: int,
    progress: LoadProgress | None,
    again: str = "",
) -> _Running:
    """Build, verify, keep."""
    from seg_viewer.engines.nvidia.build import build_plan
    from seg_viewer.engines.nvidia.run import PlanRunner

    _check_card(runtime, gpu)
    key = plan_key(runtime, spec, options, gpu)
    graph = prepare_graph(spec, options.precision)
    built = build_plan(runtime, graph.data, spec, options, cache.load_timings(key), progress)
    runner = PlanRunner(runtime, built.plan, spec, gpu, slots, _kernels(runtime, key, gpu, cache))
    try:
        checks = _verify(runtime, runner, spec, options, progress)
        path, unkept = None, None
        try:
            if built.timings:
                cache.store_timings(key, built.timings)
            path = cache.store(key, built.plan, runner.layers(), {} if runtime.ahead else checks)
            if runtime.ahead:
                cache.store_checks(key, card_of(gpu), checks)
        except EngineError as error:  # a full disk is no reason not to run
            unkept = error
    except BaseException:
        runner.close()
        raise
    note = f"plan built{again} in {built.seconds:.0f} s" + (f", but not kept: {unkept}" if unkept else "")
    return _Running(runner, built.plan, key, note, built.seconds, built.layers, checks, path, unkept)


def _verify(
    runtime: NvidiaRuntime, runner: PlanRunner, spec: ModelSpec, options: PlanOptions, progress: LoadProgress | None
) -> dict[str, Any]:
    graph = prepare_graph(spec, options.precision)
    return verify_plan(
        runner, runner.layers(), spec, graph.precision, graph.convolutions, progress, title=runtime.title,
        fused=runtime.ahead,
    )  # fmt: skip


def _kernels(runtime: NvidiaRuntime, key: PlanKey, gpu: Gpu, cache: PlanCache) -> Kernels | None:
    from seg_viewer.engines.nvidia.ahead import Kernels

    return Kernels(runtime, cache.kernel_file(key, card_of(gpu))) if runtime.ahead else None


def _running_precision(runtime: NvidiaRuntime, running: _Running, spec: ModelSpec, options: PlanOptions) -> str:
    """Asked of the plan that was loaded, not of its sidecar."""
    convolutions = prepare_graph(spec, options.precision).convolutions
    counts = layer_precisions(running.runner.layers(), convolutions)
    return check_precisions(counts, running.key.precision, spec.name, title=runtime.title, fused=runtime.ahead)


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


def engine_kind(runtime: NvidiaRuntime) -> EngineKind:
    """The engine of a runtime, for the registry."""
    return EngineKind(
        runtime.name,
        runtime.title,
        runtime.package,
        lambda: devices(runtime),
        lambda spec, device, mode, progress: NvidiaEngine(runtime, spec, device, mode, progress),
        lambda device: device is None or is_one_of(device, ("GPU",)),
        lambda: may_run(runtime),
    )


ENGINE = engine_kind(TENSORRT)
