"""On a real NVIDIA GPU: the CUDA helper, and where TensorRT or TensorRT for RTX is installed the whole path.

Run them with `make test-gpu`. Elsewhere they are skipped, and what they cover runs on the stand-ins instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.errors import EngineError
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.base import DeviceFailure, segment_all
from seg_viewer.engines.nvidia.kind import devices
from seg_viewer.engines.nvidia.library import RTX, TENSORRT, NvidiaRuntime, cuda_driver

pytestmark = pytest.mark.gpu


@pytest.fixture
def gpu() -> Iterator[Any]:
    """A real GPU, its context current on this thread."""
    try:
        cuda_driver()
    except EngineError as error:
        pytest.skip(str(error))
    from seg_viewer.engines.nvidia.cuda import Gpu

    try:
        opened = Gpu()
    except EngineError as error:
        pytest.skip(str(error))
    yield opened
    opened.close()


@pytest.fixture(params=[TENSORRT, RTX], ids=lambda runtime: runtime.name)
def runtime(request: pytest.FixtureRequest) -> NvidiaRuntime:
    """A runtime with its native libraries, CUDA's bindings, and a GPU that it serves."""
    try:
        devices(request.param)
    except EngineError as error:
        pytest.skip(str(error))
    return request.param


def _through(lane: Any, rgb: np.ndarray) -> np.ndarray:
    """A picture up, moved within the GPU's memory to where the output is, and down."""
    from seg_viewer.engines.nvidia.cuda import cuda

    lane.upload(rgb)
    source, target = lane.addresses
    cuda.memcpy_dtod_async(target, source, rgb.nbytes, lane._stream)
    lane.download()
    return lane.wait()[0][0].copy()


def _bytes(seed: int, shape: tuple[int, ...] = (288, 512, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


# -- CUDA through PyCUDA -----------------------------------------------------------------------------------------------


def test_the_gpu_tells_what_it_is(gpu: Any) -> None:
    assert gpu.name and gpu.capability.count(".") == 1 and "CUDA " in gpu.driver
    free, total = gpu.memory()
    assert 0 < free <= total


def test_bytes_come_back_as_they_went(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import FrameLane

    lane = FrameLane((288, 512, 3), (288, 512, 3), np.uint8)
    for seed in range(4):
        np.testing.assert_array_equal(_through(lane, _bytes(seed)), _bytes(seed))
    lane.release()


def test_host_memory_is_pinned_and_streams_are_apart(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import FrameLane, cuda

    lanes = [FrameLane((8, 8, 3), (8, 8, 3), np.uint8) for _ in range(2)]
    for lane in lanes:
        assert isinstance(lane._picture.base, cuda.PagelockedHostAllocation)
    assert lanes[0].stream_handle != lanes[1].stream_handle
    assert len({address for lane in lanes for address in lane.addresses}) == 4
    for lane in lanes:
        lane.release()


def test_two_lanes_do_not_mix(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import FrameLane

    lanes = [FrameLane((288, 512, 3), (288, 512, 3), np.uint8) for _ in range(2)]
    for number in range(20):
        np.testing.assert_array_equal(_through(lanes[number % 2], _bytes(number)), _bytes(number))
    for lane in lanes:
        lane.release()


def test_the_waiter_tells_when_a_frame_is_done(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import EventWaiter, FrameLane

    done = threading.Event()
    waiter = EventWaiter(gpu, done.set)
    lane = FrameLane((288, 512, 3), (288, 512, 3), np.uint8)
    lane.upload(_bytes(1))
    lane.download()
    waiter.watch(lane)
    assert done.wait(60) and lane.done
    waiter.close()
    lane.release()


def test_released_memory_is_free_again(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import FrameLane

    size = (64, 2**20, 4)  # 256 MiB
    FrameLane((8, 8, 3), (8, 8), np.int32).release()
    before, _ = gpu.memory()
    lane = FrameLane(size, (8, 8), np.int32)
    held, _ = gpu.memory()
    assert before - held >= 2**27
    lane.release()
    after, _ = gpu.memory()
    assert after - held >= 2**27


def test_too_much_memory_is_an_error_that_names_the_step(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import cuda, cuda_step

    _, total = gpu.memory()
    with (
        pytest.raises(DeviceFailure, match="memory is used up: CUDA could not take too much"),
        cuda_step("take too much"),
    ):
        cuda.mem_alloc(2 * total)
    assert gpu.memory()[0] > 0  # the context lives


def test_a_gpu_can_be_opened_again_on_another_thread(gpu: Any) -> None:
    from seg_viewer.engines.nvidia.cuda import FrameLane, Gpu

    answers: list[np.ndarray] = []

    def other() -> None:
        opened = Gpu()
        lane = FrameLane((8, 8, 3), (8, 8, 3), np.uint8)
        answers.append(_through(lane, _bytes(3, (8, 8, 3))))
        lane.release()
        opened.close()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(60)
    np.testing.assert_array_equal(answers[0], _bytes(3, (8, 8, 3)))


# -- TensorRT ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", shipped_models(), ids=lambda path: path.stem)
def test_a_model_that_ships_is_built_verified_and_run(runtime: NvidiaRuntime, path: Path) -> None:
    spec = read_model_file(path)
    engine = load_engine(spec, runtime.name)
    reference = load_engine(spec, "onnxruntime", "CPU")
    assert engine.report.name == runtime.name and engine.report.fallback == "", engine.report
    frames = golden_frames(spec)
    shares = [
        np.mean(classes == reference.segment(frame))
        for classes, frame in zip(segment_all(engine, frames), frames, strict=True)
    ]
    engine.close()
    assert np.mean(shares) >= 0.995


def test_a_float32_file_runs_in_float16_and_the_second_start_loads_it(runtime: NvidiaRuntime, model: Path) -> None:
    first = load_engine(model, runtime.name)
    assert "float16" in first.report.precision or "unknown" in first.report.precision, first.report
    classes = first.segment(_bytes(7, (32, 64, 3)))
    first.close()
    second = load_engine(model, runtime.name)
    assert second.report.note == ""
    np.testing.assert_array_equal(second.segment(_bytes(7, (32, 64, 3))), classes)
    second.close()


def test_onnx_runtimes_gpu_providers(model: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime is no GPU build: pip install onnxruntime-gpu")
    engine = load_engine(model, "onnxruntime", "CUDA")
    reference = load_engine(model, "onnxruntime", "CPU")
    assert (engine.report.device == "CUDA") is (engine.report.fallback == "")
    picture = _bytes(9, (32, 64, 3))
    assert np.mean(engine.segment(picture) == reference.segment(picture)) > 0.99
