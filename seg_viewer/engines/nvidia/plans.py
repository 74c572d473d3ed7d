"""Plans of NVIDIA's runtimes: found or built, verified, kept, and running."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.base import READY, LoadProgress
from seg_viewer.engines.nvidia.graph import prepare_graph, target_precision
from seg_viewer.engines.nvidia.library import TENSORRT, NvidiaRuntime, require
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plan_cache import Card, PlanCache, PlanKey, plan_beside, write_plan
from seg_viewer.engines.nvidia.verify import verify_plan

if TYPE_CHECKING:
    from seg_viewer.engines.nvidia.ahead import Kernels
    from seg_viewer.engines.nvidia.cuda import Gpu
    from seg_viewer.engines.nvidia.run import PlanRunner


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
class RunningPlan:
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


def check_card(runtime: NvidiaRuntime, gpu: Gpu) -> None:
    """Raises: EngineError where the runtime serves no such card."""
    from seg_viewer.engines.nvidia.ahead import CAPABILITIES, serves

    if runtime.ahead and not serves(tuple(CAPABILITIES), gpu.capability):
        raise EngineError(
            f"{gpu.name} (compute {gpu.capability}) is no card that {runtime.title} serves "
            f"({', '.join(CAPABILITIES)} and newer); {TENSORRT.title} runs on it: {TENSORRT.install}"
        )


def open_plan(
    runtime: NvidiaRuntime,
    spec: ModelSpec,
    options: PlanOptions,
    gpu: Gpu,
    cache: PlanCache,
    slots: int,
    progress: LoadProgress | None,
) -> RunningPlan:
    """The plan running: from the cache, from beside the model, or built now."""
    from seg_viewer.engines.nvidia.log import PlanRefused

    check_card(runtime, gpu)
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
) -> RunningPlan:
    """A plan that was there; where it was made ahead, it is verified the first time that it runs on a card."""
    from seg_viewer.engines.nvidia.run import PlanRunner

    runner = PlanRunner(runtime, plan, spec, gpu, slots, _kernels(runtime, key, gpu, cache))
    if not runtime.ahead or cache.checks_on(key, card_of(gpu)) is not None:
        return RunningPlan(runner, plan, key, "")
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
    return RunningPlan(runner, plan, key, note, checks=checks)


def _build(
    runtime: NvidiaRuntime,
    spec: ModelSpec,
    options: PlanOptions,
    gpu: Gpu,
    cache: PlanCache,
    slots: int,
    progress: LoadProgress | None,
    again: str = "",
) -> RunningPlan:
    """Build, verify, keep."""
    from seg_viewer.engines.nvidia.build import build_plan
    from seg_viewer.engines.nvidia.run import PlanRunner

    check_card(runtime, gpu)
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
    return RunningPlan(runner, built.plan, key, note, built.seconds, built.layers, checks, path, unkept)


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
