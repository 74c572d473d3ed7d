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
        made = Opening(runtime, spec, options, gpu, cache, 1, progress).build()
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


@dataclass(frozen=True)
class Opening:
    """What is needed to get a plan of a model to run.

    Args:
        runtime: that runs it.
        spec: of the model.
        options: of the builder.
        gpu: where it is to run.
        cache: of plans.
        slots: frames in flight.
        progress: called with how far a build is; its answer False stops it.
    """

    runtime: NvidiaRuntime
    spec: ModelSpec
    options: PlanOptions
    gpu: Gpu
    cache: PlanCache
    slots: int
    progress: LoadProgress | None

    def open(self) -> RunningPlan:
        """The plan running: from the cache, from beside the model, or built now. Raises: EngineError, LoadStopped."""
        from seg_viewer.engines.nvidia.log import PlanRefused

        check_card(self.runtime, self.gpu)
        again = ""
        for plan in self._plans_there():
            try:
                return self._run(plan)
            except PlanRefused as error:
                self.cache.remove(self._key)
                again = f" again, because {error}"
        made = self.build(again)
        if self.progress is not None:
            self.progress(READY, 1.0)
        return made

    def build(self, again: str = "") -> RunningPlan:
        """Build, verify, keep. Raises: EngineError, LoadStopped."""
        from seg_viewer.engines.nvidia.build import build_plan

        check_card(self.runtime, self.gpu)
        key, cache, ahead = self._key, self.cache, self.runtime.ahead
        graph = prepare_graph(self.spec, self.options.precision)
        timings = cache.load_timings(key)
        built = build_plan(self.runtime, graph.data, self.spec, self.options, timings, self.progress)
        runner = self._runner(built.plan)
        try:
            checks = self._verify(runner)
            path, unkept = None, None
            try:
                if built.timings:
                    cache.store_timings(key, built.timings)
                path = cache.store(key, built.plan, runner.layers(), {} if ahead else checks)
                if ahead:
                    cache.store_checks(key, card_of(self.gpu), checks)
            except EngineError as error:  # a full disk is no reason not to run
                unkept = error
        except BaseException:
            runner.close()
            raise
        note = f"plan built{again} in {built.seconds:.0f} s" + (f", but not kept: {unkept}" if unkept else "")
        return RunningPlan(runner, built.plan, key, note, built.seconds, built.layers, checks, path, unkept)

    @property
    def _key(self) -> PlanKey:
        return plan_key(self.runtime, self.spec, self.options, self.gpu)

    def _plans_there(self) -> list[bytes]:
        """What may be loaded instead of building: only ever plans of this very model, version and kind of card."""
        from seg_viewer.engines.nvidia.ahead import serves

        found = [self.cache.load(self._key)]
        if self.runtime.ahead:
            card = self.gpu.capability
            found.append(plan_beside(self.spec.path, self._key, lambda capabilities: serves(capabilities, card)))
        return [plan for plan in found if plan is not None]

    def _run(self, plan: bytes) -> RunningPlan:
        """A plan that was there; where it was made ahead, it is verified the first time that it runs on a card."""
        key, card = self._key, card_of(self.gpu)
        runner = self._runner(plan)
        if not self.runtime.ahead or self.cache.checks_on(key, card) is not None:
            return RunningPlan(runner, plan, key, "")
        try:
            checks = self._verify(runner)
        except BaseException:
            runner.close()
            raise
        note = f"plan verified on this card: {100 * checks['agreement']:.2f} % as ONNX Runtime"
        try:
            self.cache.store_checks(key, card, checks)
        except EngineError as error:
            note += f", but that was not kept: {error}"
        if self.progress is not None:
            self.progress(READY, 1.0)
        return RunningPlan(runner, plan, key, note, checks=checks)

    def _runner(self, plan: bytes) -> PlanRunner:
        from seg_viewer.engines.nvidia.ahead import Kernels
        from seg_viewer.engines.nvidia.run import PlanRunner

        kept = self.cache.kernel_file(self._key, card_of(self.gpu))
        kernels = Kernels(self.runtime, kept) if self.runtime.ahead else None
        return PlanRunner(self.runtime, plan, self.spec, self.gpu, self.slots, kernels)

    def _verify(self, runner: PlanRunner) -> dict[str, Any]:
        runtime, spec = self.runtime, self.spec
        graph = prepare_graph(spec, self.options.precision)
        return verify_plan(
            runner, runner.layers(), spec, graph.precision, graph.convolutions, self.progress, title=runtime.title,
            fused=runtime.ahead,
        )  # fmt: skip
