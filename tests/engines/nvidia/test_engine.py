"""The TensorRT engine on the stand-ins: build, verify, cache, load, frames in flight, failures."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import Engine, LoadStopped, available_engines, load_engine
from seg_viewer.engines.base import segment_all
from seg_viewer.engines.nvidia.plan_cache import PlanCache
from seg_viewer.engines.nvidia.plans import make_plan
from tests.models import BLUE, GREEN, GREY, RED, color_margin, color_model


def _solid(color: tuple[int, int, int]) -> np.ndarray:
    return np.full((32, 64, 3), color, np.uint8)


def _noise(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, (32, 64, 3), np.uint8) for _ in range(count)]


def _open(model: Path, **choices: Any) -> Engine:
    return load_engine(model, "tensorrt", **choices)


# -- running -----------------------------------------------------------------------------------------------------------


def test_it_is_offered_with_its_gpus(machine: Any) -> None:
    machine.devices = 2
    choice = next(choice for choice in available_engines() if choice.name == "tensorrt")
    assert choice.devices == ("GPU.0", "GPU.1") and choice.problem == ""


@pytest.mark.parametrize("mode", ["throughput", "latency"])
def test_class_maps_are_those_of_onnx_runtime(machine: Any, model: Path, mode: str) -> None:
    engine = _open(model, mode=mode)
    reference = load_engine(model, "onnxruntime")
    for picture in [*_noise(6), *map(_solid, (GREY, GREEN, BLUE, RED))]:
        classes = engine.segment(picture)
        assert classes.dtype == np.uint8 and classes.flags.owndata
        np.testing.assert_array_equal(classes, reference.segment(picture))
    engine.close()


def test_how_sure_comes_down_with_the_classes(machine: Any, tmp_path: Path) -> None:
    model = color_model(tmp_path / "sure.onnx", margin=True)
    engine = _open(model)
    pictures = _noise(5)
    machine.journal.clear()
    for picture, classes in zip(pictures, segment_all(engine, pictures), strict=True):
        assert classes.shape == (32, 64) and engine.margin is not None and engine.margin.flags.owndata
        off = np.abs(engine.margin.astype(int) - color_margin(picture))
        assert off.max() <= 2  # computed in float16
    assert machine.names().count("memcpy_dtoh_async") == 2 * len(pictures)
    assert all(call.detail for call in machine.calls("memcpy_dtoh_async"))  # both through pinned memory
    engine.close()
    assert engine.margin is not None  # the caller's own, whatever became of the engine


def test_the_report_is_the_runtimes_word(machine: Any, model: Path) -> None:
    engine = _open(model)
    report = engine.report
    assert (report.name, report.version, report.device) == ("tensorrt", "11.4.0.106", "GPU.0 (Stand-in GPU)")
    assert report.precision == "float16"  # the file is float32
    assert report.note.startswith("plan built in") and report.fallback == ""
    engine.close()


def test_an_unknown_gpu_names_those_there_are(machine: Any, model: Path) -> None:
    with pytest.raises(EngineError, match=r"no device GPU\.3 here; there is GPU\.0"):
        _open(model, device="gpu.3")


def test_no_gpu_is_told(machine: Any, model: Path) -> None:
    machine.devices = 0
    with pytest.raises(EngineError, match="no NVIDIA GPU"):
        _open(model)


def test_two_frames_are_in_flight_each_on_a_stream_of_its_own(machine: Any, model: Path) -> None:
    engine = _open(model)
    machine.journal.clear()
    machine.gate.clear()  # the GPU is busy
    for color in (RED, BLUE):
        engine.submit(_solid(color))
    assert machine.names().count("execute") == 2 and "run network" not in machine.names()
    lanes = [call.detail for call in machine.calls("execute")]
    assert len({context for context, _ in lanes}) == len({stream for _, stream in lanes}) == 2
    assert not engine.ready()
    with pytest.raises(EngineError, match="more than 2 frames in flight"):
        engine.submit(_solid(GREY))
    machine.gate.set()
    assert [int(engine.collect()[0, 0]) for _ in range(2)] == [3, 2]
    engine.close()


def test_latency_mode_takes_one_frame_at_a_time(machine: Any, model: Path) -> None:
    engine = _open(model, mode="latency")
    engine.submit(_solid(RED))
    with pytest.raises(EngineError, match="more than 1 frame in flight"):
        engine.submit(_solid(RED))
    engine.close()


def test_each_frame_goes_up_is_computed_and_comes_down_through_pinned_memory(machine: Any, model: Path) -> None:
    engine = _open(model)
    machine.journal.clear()
    engine.segment(_solid(RED))
    order = [name for name in machine.names() if name in ("memcpy_htod_async", "execute", "memcpy_dtoh_async")]
    assert order == ["memcpy_htod_async", "execute", "memcpy_dtoh_async"]
    assert [name for name in machine.names() if name.startswith("run ")] == ["run up", "run network", "run down"]
    assert all(call.detail for name in order for call in machine.calls(name) if name != "execute")
    engine.close()


def test_order_is_kept_and_pictures_may_change_after_submit(machine: Any, model: Path) -> None:
    engine = _open(model)
    picture = _solid(GREY)
    answers = []
    for number, color in enumerate((RED, BLUE, GREEN, GREY) * 4):
        if number >= engine.slots:
            answers.append(int(engine.collect()[0, 0]))
        picture[:] = color
        engine.submit(picture.copy())
    answers += [int(engine.collect()[0, 0]) for _ in range(engine.slots)]
    assert answers == [3, 2, 1, 0] * 4
    engine.close()


def test_it_wakes_whoever_waits(machine: Any, model: Path) -> None:
    engine = _open(model)
    woken = threading.Event()
    engine.wake = woken.set
    engine.submit(_solid(RED))
    assert woken.wait(60) and engine.ready()
    engine.collect()
    assert engine.inference_s == pytest.approx(0.00125)  # on the GPU's own clock
    engine.close()


def test_all_is_used_and_freed_on_the_thread_that_made_it(machine: Any, model: Path) -> None:
    engine = _open(model)
    list(segment_all(engine, _noise(5)))
    engine.close()
    here = threading.get_ident()
    ours = ("mem_alloc", "pagelocked_empty", "execute", "record", "free", "free pinned", "memcpy_htod_async")
    assert {call.thread for name in ours for call in machine.calls(name)} == {here}
    waiters = {call.thread for call in machine.calls("retain")} - {here}
    assert waiters, "the thread that waits takes a hold of its own of the context"
    for thread in (here, *waiters):
        pushed = [call.name for call in machine.journal if call.thread == thread and call.name in ("push", "pop")]
        assert pushed == ["push", "pop"] * (len(pushed) // 2)


def test_closing_frees_everything_in_order(machine: Any, model: Path) -> None:
    engine = _open(model)
    engine.submit(_solid(RED))  # still in flight
    machine.journal.clear()
    engine.close()
    freed = ("~IExecutionContext", "~ICudaEngine", "~Runtime", "free", "free pinned", "pop")
    here = threading.get_ident()
    names = [call.name for call in machine.journal if call.name in freed and call.thread == here]
    assert names[:4] == ["~IExecutionContext"] * 2 + ["~ICudaEngine", "~Runtime"]
    assert sorted(names[4:-1]) == ["free"] * 4 + ["free pinned"] * 4 and names[-1] == "pop"
    assert machine.memory == {}
    assert "seg-cuda-wait" not in [thread.name for thread in threading.enumerate()]
    engine.close()  # again is fine


# -- the cache ---------------------------------------------------------------------------------------------------------


def test_the_second_start_loads_what_the_first_built(machine: Any, model: Path) -> None:
    _open(model).close()
    machine.journal.clear()
    engine = _open(model)
    assert "build" not in machine.names() and engine.report.note == ""
    assert engine.report.precision == "float16"
    engine.close()


def test_another_driver_gpu_or_tensorrt_builds_again(
    machine: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pycuda.driver
    import tensorrt

    _open(model).close()
    for change in (
        lambda: monkeypatch.setattr(pycuda.driver, "get_driver_version", lambda: 13020),
        lambda: monkeypatch.setattr(pycuda.driver.Device, "name", lambda self: "Another GPU"),
        lambda: monkeypatch.setattr(pycuda.driver.Device, "compute_capability", lambda self: (12, 0)),
        lambda: monkeypatch.setattr(tensorrt, "__version__", "11.5.0.1"),
    ):
        change()
        machine.journal.clear()
        _open(model).close()
        assert "build" in machine.names()
    assert len(PlanCache().plans()) == 5


def test_a_damaged_plan_is_built_again(machine: Any, model: Path) -> None:
    _open(model).close()
    (plan,) = PlanCache().folder.glob("*.plan")
    plan.write_bytes(plan.read_bytes()[:-20])
    machine.journal.clear()
    engine = _open(model)
    assert "build" in machine.names()
    assert int(engine.segment(_solid(RED))[0, 0]) == 3
    engine.close()


def test_a_plan_that_tensorrt_refuses_is_built_again(machine: Any, model: Path) -> None:
    _open(model).close()
    cache = PlanCache()
    (kept,) = cache.plans()
    cache.store(kept.key, b"not what TensorRT wrote", "{}", kept.checks)
    engine = _open(model)
    assert "built again, because TensorRT cannot load the plan: Serialization assertion" in engine.report.note
    engine.close()


def test_timings_of_one_build_help_the_next(machine: Any, model: Path) -> None:
    _open(model).close()
    (timings,) = PlanCache().folder.glob("*.timings")
    before = timings.read_bytes()
    for plan in PlanCache().folder.glob("*.plan"):
        plan.unlink()
    machine.journal.clear()
    _open(model).close()
    assert [call.detail for call in machine.calls("timings")] == [before]
    assert timings.read_bytes() != before


def test_foreign_timings_are_left_out(machine: Any, model: Path) -> None:
    _open(model).close()
    (timings,) = PlanCache().folder.glob("*.timings")
    timings.write_bytes(b"foreign")
    for plan in PlanCache().folder.glob("*.plan"):
        plan.unlink()
    machine.journal.clear()
    _open(model).close()
    assert [call.detail for call in machine.calls("timings")] == [b"foreign", b""]


def test_a_plan_that_cannot_be_kept_runs_all_the_same(machine: Any, model: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "seg-viewer").write_text("a file where the folder should be")
    engine = _open(model)
    assert "but not kept" in engine.report.note and str(tmp_path) in engine.report.note
    assert int(engine.segment(_solid(RED))[0, 0]) == 3
    engine.close()
    with pytest.raises(EngineError, match="cannot be written"):
        make_plan(model)
    made = make_plan(model, output=tmp_path / "elsewhere.plan")
    assert made.path.read_bytes().startswith(b"STAND-IN PLAN")


# -- building ----------------------------------------------------------------------------------------------------------


def test_the_network_is_strongly_typed_and_the_builder_told_what_to_do(machine: Any, model: Path) -> None:
    import tensorrt

    _open(model).close()
    (flags,) = [call.detail for call in machine.calls("create_network")]
    assert flags == 1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    assert [call.detail for call in machine.calls("workspace")] == [2048 * 2**20]
    (shapes,) = [call.detail for call in machine.calls("profile")]
    assert [[tuple(dims) for dims in three] for three in shapes.values()] == [[(1, 32, 64, 3)] * 3]
    layers = json.loads(next(PlanCache().folder.glob("*.layers.json")).read_text(encoding="utf-8"))["Layers"]
    assert {"Name", "LayerType", "Inputs", "Outputs"} <= set(layers[0])


def test_progress_is_told_and_never_goes_back(machine: Any, model: Path) -> None:
    told: list[tuple[str, float]] = []
    _open(model, progress=lambda what, share: told.append((what, share)) or True).close()
    building = [share for what, share in told if "comparing" not in what and what != "ready"]
    assert building == sorted(building) and building[-1] == 1.0
    assert any("Timing tactics" in what for what, _ in told)
    assert told[-1] == ("ready", 1.0)


@pytest.mark.parametrize("stop_at", [1, 3, 9])
def test_a_build_can_be_stopped(machine: Any, model: Path, stop_at: int) -> None:
    told: list[str] = []

    def progress(what: str, share: float) -> bool:
        told.append(what)
        return len(told) < stop_at

    with pytest.raises(LoadStopped, match="stopped"):
        _open(model, progress=progress)
    assert PlanCache().plans() == [] and machine.memory == {}


def test_ctrl_c_in_a_call_back_does_not_travel_through_tensorrt(machine: Any, model: Path) -> None:
    def progress(what: str, share: float) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _open(model, progress=progress)
    assert machine.names().count("build") == 1


def test_every_error_of_the_parser_is_told(machine: Any, model: Path) -> None:
    machine.faults["parse"] = "no such operator|shape of weights\ndoes not fit"
    with pytest.raises(EngineError) as caught:
        _open(model)
    text = str(caught.value)
    assert "node node0: no such operator; node node1: shape of weights does not fit" in text
    assert str(model) in text and "\n" not in text


def test_a_failed_build_says_what_tensorrt_logged(machine: Any, model: Path) -> None:
    machine.faults["build"] = "Error Code 10: no implementation for node conv"
    with pytest.raises(EngineError, match="cannot build a plan of it: Error Code 10: no implementation for node conv"):
        _open(model)
    assert PlanCache().plans() == []


@pytest.mark.parametrize("fault", ["wrong classes", "wrong precision"])
def test_a_plan_that_fails_its_checks_is_refused(machine: Any, model: Path, fault: str) -> None:
    if fault == "wrong classes":
        machine.wrong_classes = True
        expected = r"% of the pixels ONNX Runtime's class, 99\.5 % are needed; the plan is not used"
    else:
        machine.inspected = "Row major linear FP32"
        expected = "built it in float32 though float16 was asked for; the plan is not used"
    with pytest.raises(EngineError, match=expected):
        _open(model)
    assert PlanCache().plans() == [] and machine.memory == {}


def test_a_file_with_bytes_first_is_given_to_tensorrt_cast_first(machine: Any) -> None:
    """The model that ships transposes bytes, which TensorRT refuses, and so does the stand-in."""
    from seg_viewer.core.assets import find_model

    spec = read_model_file(find_model("driving-fast"))
    engine = load_engine(spec, "tensorrt")
    precision = engine.report.precision
    engine.close()
    assert precision == "int8", "every convolution"


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_gpu_lost_while_running_hands_over_to_the_processor(machine: Any, model: Path) -> None:
    engine = _open(model)
    woken = []
    engine.wake = lambda: woken.append(True)
    pictures = [_solid(color) for color in (RED, BLUE, GREEN)]
    engine.submit(pictures[0])
    engine.submit(pictures[1])
    machine.faults["Event.synchronize"] = "an illegal memory access was encountered"
    answers = [int(engine.collect()[0, 0])]
    answers.append(int(engine.collect()[0, 0]))
    engine.submit(pictures[2])
    answers.append(int(engine.collect()[0, 0]))
    assert answers == [3, 2, 1]
    report = engine.report
    assert report.name == "openvino" and report.device.startswith("CPU")
    assert "fell back to the processor: CUDA could not run the model" in report.fallback
    assert "illegal memory access" in report.fallback
    assert woken
    engine.close()
    assert "seg-cuda-wait" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("call", "text", "step"),
    [
        ("memcpy_htod_async", "unspecified launch failure", "CUDA could not copy a picture to the GPU"),
        ("memcpy_dtoh_async", "unspecified launch failure", "CUDA could not copy a class map from the GPU"),
        ("execute", "Error Code 1: Cuda Runtime (an illegal memory access)", "TensorRT could not run the model"),
    ],
)
def test_a_failure_names_the_step(machine: Any, model: Path, call: str, text: str, step: str) -> None:
    engine = _open(model)
    machine.faults[call] = text
    assert [int(classes[0, 0]) for classes in segment_all(engine, map(_solid, (RED, BLUE, GREEN, GREY)))] == [
        3,
        2,
        1,
        0,
    ]
    assert f"{step}: " in engine.report.fallback and text in engine.report.fallback
    engine.close()


@pytest.mark.parametrize(("reason", "name"), [("CUDA initialization failure with error: 35", "openvino"), ("odd", "")])
def test_a_builder_that_cannot_be_made_is_told(machine: Any, model: Path, reason: str, name: str) -> None:
    machine.faults["Builder"] = reason
    if not name:
        with pytest.raises(EngineError, match="TensorRT cannot make a builder: odd"):
            _open(model)
        return
    engine = _open(model)
    assert engine.report.name == name and f"cannot make a builder: {reason}" in engine.report.fallback
    engine.close()


@pytest.mark.parametrize("where", ["at the start", "while loading the plan", "while building"])
def test_without_memory_the_processor_takes_over(machine: Any, model: Path, where: str) -> None:
    if where == "at the start":
        machine.memory_limit = 1000
    elif where == "while loading the plan":
        machine.faults["create_execution_context"] = "Error Code 2: OutOfMemory (requested 9 bytes)"
    else:
        machine.faults["build"] = "Error Code 2: OutOfMemory (no GPU memory)"
    engine = _open(model)
    assert engine.report.name == "openvino" and "fell back to the processor" in engine.report.fallback
    assert "emory" in engine.report.fallback
    assert int(engine.segment(_solid(RED))[0, 0]) == 3
    engine.close()
    assert machine.memory == {}


def test_when_nothing_can_take_over_both_reasons_are_told(
    machine: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _open(model)
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    machine.faults["execute"] = "device lost"
    with pytest.raises(EngineError, match=r"device lost; and no engine on the processor .* OpenVINO is not installed"):
        engine.submit(_solid(RED))


def test_an_error_that_is_not_the_gpus_does_not_fall_back(machine: Any, model: Path) -> None:
    engine = _open(model)
    with pytest.raises(EngineError, match=r"shape \(32, 64, 3\)"):
        engine.segment(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(EngineError, match="no frame is in flight"):
        engine.collect()
    assert engine.report.name == "tensorrt"
    engine.close()
