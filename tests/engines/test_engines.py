from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError, ModelFileError, UsageError
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import available_engines, load_engine, openvino
from seg_viewer.engines.base import DeviceFailure, EngineReport, segment_all, summarize_precision
from seg_viewer.engines.fallback import FallbackEngine
from tests.house import ROOT
from tests.models import BLUE, GREEN, GREY, RED, color_margin, color_model
from tests.waiting import wait_until

ENGINES = ("openvino", "onnxruntime")


def _quarters() -> np.ndarray:
    """Top: background, road; bottom: car, person."""
    rgb = np.zeros((32, 64, 3), np.uint8)
    rgb[:16, :32], rgb[:16, 32:], rgb[16:, :32], rgb[16:, 32:] = GREY, GREEN, BLUE, RED
    return rgb


@pytest.mark.parametrize("mode", ["throughput", "latency", "background"])
@pytest.mark.parametrize("name", ENGINES)
def test_segments(model: Path, name: str, mode: str) -> None:
    engine = load_engine(model, name, mode=mode)
    classes = engine.segment(_quarters())
    assert classes.dtype == np.uint8 and classes.shape == (32, 64)
    assert [int(classes[y, x]) for y, x in ((5, 5), (5, 50), (25, 5), (25, 50))] == [0, 1, 2, 3]
    engine.close()


@pytest.mark.parametrize("name", ENGINES)
def test_order_is_kept_with_frames_in_flight(model: Path, name: str) -> None:
    engine = load_engine(model, name)
    pictures = [np.full((32, 64, 3), color, np.uint8) for color in (RED, BLUE, GREEN, GREY) * 5]
    assert [int(classes[0, 0]) for classes in segment_all(engine, iter(pictures))] == [3, 2, 1, 0] * 5
    engine.close()


@pytest.mark.parametrize("mode", ["throughput", "latency", "background"])
@pytest.mark.parametrize("name", ENGINES)
def test_a_picture_that_is_alone_gets_the_same_answer(sure_model: Path, name: str, mode: str) -> None:
    engine = load_engine(sure_model, name, mode=mode)
    rng = np.random.default_rng(7)
    pictures = [rng.integers(0, 256, (32, 64, 3), dtype=np.uint8) for _ in range(4)]
    wanted = []
    for picture in pictures:
        wanted.append((engine.segment(picture), engine.margin))
    for _ in range(2):  # the first time, what a picture alone is for is only being made
        for picture, (classes, margin) in zip(pictures, wanted, strict=True):
            engine.submit(picture, alone=True)
            for other in pictures[: engine.slots - 1]:  # those after it go the usual way, and keep their order
                engine.submit(other, alone=True)
            assert (engine.collect() == classes).all() and 0 < engine.inference_s < 5
            assert engine.margin is not None and margin is not None and (engine.margin == margin).all()
            for others, _margin in wanted[: engine.slots - 1]:
                assert (engine.collect() == others).all()
        wait_until(lambda: not _compiling(), "the model to be compiled once more")
    if name == "openvino" and mode == "throughput" and engine.slots > 2:
        assert engine._alone.made is not None  # type: ignore[attr-defined]
    engine.close()


def test_an_engine_that_is_closed_while_it_compiles_leaves_no_thread(sure_model: Path) -> None:
    engine = load_engine(sure_model, "openvino")
    engine.submit(_quarters(), alone=True)
    engine.close()
    assert not _compiling()


def _compiling() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "seg-alone"]


@pytest.mark.parametrize("name", ENGINES)
def test_class_maps_belong_to_the_caller(model: Path, name: str) -> None:
    engine = load_engine(model, name)
    first = engine.segment(np.full((32, 64, 3), RED, np.uint8))
    engine.segment(np.full((32, 64, 3), BLUE, np.uint8))
    assert (first == 3).all()
    assert 0 < engine.inference_s < 5
    engine.close()


_IN_A_BARE_CHROOT = """
mount -t tmpfs none /sys && mount -t tmpfs none /proc || exit 77
exec "$0" -m seg_viewer doctor --engine openvino
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="namespaces are Linux's")
def test_without_proc_and_sys_the_doctor_says_what_cannot_be_read() -> None:
    """OpenVINO's library would never come back."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _IN_A_BARE_CHROOT, sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=200, check=False)
    if "unshare" in done.stderr or done.returncode == 77:
        pytest.skip(f"no namespaces here: {done.stderr}")
    assert "OpenVINO needs /proc/cpuinfo" in " ".join(done.stdout.replace("│", " ").split()), done.stdout


@pytest.mark.parametrize(
    ("cpu_info", "caches", "fits"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_openvino_is_loaded_where_it_can_learn_about_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpu_info: bool, caches: bool, fits: bool
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(openvino, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(openvino, "_CPU_FOLDERS", tmp_path)
    if cpu_info:
        (tmp_path / "cpuinfo").write_text("processor: 0", encoding="ascii")
    if caches:
        (tmp_path / "cpu0" / "cache" / "index0").mkdir(parents=True)
    if fits:
        assert openvino.import_openvino().Core
    else:
        with pytest.raises(EngineError, match=r"needs .*cpuinfo, which cannot be read here"):
            openvino.import_openvino()


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    code = "from seg_viewer.engines.openvino import devices; print(devices())"
    environ = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, encoding="utf-8", timeout=200)
    assert "CPU" in done.stdout, done.stderr
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name", ENGINES)
def test_the_report_is_the_runtimes_own_word(model: Path, name: str) -> None:
    report = load_engine(model, name).report
    assert report.name == name
    assert report.version == {"openvino": _openvino_version, "onnxruntime": _onnxruntime_version}[name]()
    assert report.device.startswith("CPU")
    assert report.precision in ("float32", "bf16", "float16")  # as the processor has it


def _openvino_version() -> str:
    import openvino

    return openvino.__version__.split("-")[0]


def _onnxruntime_version() -> str:
    import onnxruntime

    return onnxruntime.__version__


@pytest.mark.parametrize("name", ENGINES)
def test_a_wrong_picture_is_refused(model: Path, name: str) -> None:
    engine = load_engine(model, name)
    with pytest.raises(EngineError, match=r"shape \(32, 64, 3\), got uint8 \(10, 10, 3\)"):
        engine.segment(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(EngineError, match="float32"):
        engine.segment(np.zeros((32, 64, 3), np.float32))
    with pytest.raises(EngineError, match="no frame is in flight"):
        engine.collect()
    engine.close()


@pytest.mark.parametrize("name", ENGINES)
def test_too_many_in_flight_is_refused(model: Path, name: str) -> None:
    engine = load_engine(model, name)
    for _ in range(engine.slots):
        engine.submit(_quarters())
    with pytest.raises(EngineError, match="in flight"):
        engine.submit(_quarters())
    engine.close()


@pytest.mark.parametrize("name", ENGINES)
def test_an_unknown_device_names_those_there_are(model: Path, name: str) -> None:
    with pytest.raises(EngineError, match=r"no device QUANTUM here; there is .*CPU"):
        load_engine(model, name, "quantum")


def test_auto_takes_the_first_that_works(model: Path) -> None:
    assert load_engine(model).report.name == "openvino"


def test_auto_tells_why_it_fell_back(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    engine = load_engine(model)
    assert engine.report.name == "onnxruntime"
    assert "OpenVINO is not installed" in engine.report.note


def test_nothing_works(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineError, match="no engine can run") as caught:
        load_engine(model)
    assert "seg-viewer[onnxruntime]" in str(caught.value)
    problems = {choice.name: choice.problem for choice in available_engines()}
    assert "pip install" in problems["openvino"] and "seg-viewer[onnxruntime]" in problems["onnxruntime"]


def test_unknown_names(model: Path) -> None:
    with pytest.raises(UsageError, match="choose one of auto, tensorrt-rtx, tensorrt, openvino"):
        load_engine(model, "caffe")
    with pytest.raises(UsageError, match="throughput, latency"):
        load_engine(model, mode="warp")
    with pytest.raises(ModelFileError):
        load_engine(Path("nothing.onnx"))


def test_a_spec_is_enough(model: Path) -> None:
    spec = read_model_file(model)
    assert load_engine(spec, "openvino").spec is spec


def test_precision_summary() -> None:
    assert summarize_precision({"int8": 24}) == "int8"
    assert summarize_precision({"int8": 22, "bf16": 2}) == "int8 (22 of 24 convolutions; bf16 2)"
    assert summarize_precision({}) == "unknown"


@pytest.fixture(scope="module")
def sure_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says how sure it is."""
    return color_model(tmp_path_factory.mktemp("sure") / "sure.onnx", margin=True)


@pytest.mark.parametrize("mode", ["throughput", "latency"])
@pytest.mark.parametrize("name", ENGINES)
def test_how_sure_comes_with_its_own_frame(sure_model: Path, name: str, mode: str) -> None:
    engine = load_engine(sure_model, name, mode=mode)
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 256, (32, 64, 3), np.uint8) for _ in range(8)]
    kept = []
    for number, _classes in enumerate(segment_all(engine, pictures)):
        assert engine.margin is not None and engine.margin.dtype == np.uint8 and engine.margin.shape == (32, 64)
        kept.append(engine.margin)  # the caller's own: later frames do not change it
        assert len({kept_one.tobytes() for kept_one in kept}) == number + 1
    for picture, margin in zip(pictures, kept, strict=True):
        off = np.abs(margin.astype(int) - color_margin(picture))
        assert off.max() <= (4 if engine.report.precision == "bf16" else 1)
    engine.close()


@pytest.mark.parametrize("name", ENGINES)
def test_a_model_that_does_not_say_how_sure_it_is_has_no_margin(model: Path, name: str) -> None:
    engine = load_engine(model, name)
    engine.segment(_quarters())
    assert engine.margin is None
    engine.close()


def test_how_sure_survives_the_device(sure_model: Path) -> None:
    """What was in flight on a device that is lost comes from the processor, with its own margin."""
    spec = read_model_file(sure_model)

    class Lost:
        def __init__(self) -> None:
            self.spec, self.slots, self.inference_s, self.margin = spec, 2, 0.0, None
            self.report = EngineReport("gpu", "1", "GPU.0", "int8")
            self.wake = lambda: None

        def submit(self, _rgb: np.ndarray, *, alone: bool = False) -> None: ...

        def ready(self) -> bool:
            return True

        def collect(self) -> np.ndarray:
            raise DeviceFailure("gone")

        def close(self) -> None: ...

    engine = FallbackEngine(Lost, lambda: load_engine(spec, "onnxruntime"))  # type: ignore[arg-type]
    pictures = [_quarters(), np.full((32, 64, 3), 77, np.uint8)]
    for picture in pictures:
        engine.submit(picture)
    for picture in pictures:
        engine.collect()
        assert engine.margin is not None
        assert np.abs(engine.margin.astype(int) - color_margin(picture)).max() <= 1
    engine.close()


def test_what_does_not_need_nvidias_engines_does_not_import_them() -> None:
    """Every start pays for what `--help` needs: names of engines come without what runs them."""
    code = (
        "import sys; import seg_viewer.cli.main; from seg_viewer.engines import load_engine; "
        "print([name for name in sys.modules if name.startswith(('seg_viewer.engines.nvidia.', 'cuda', 'tensorrt'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=True)
    imported = {name.rpartition(".")[2] for name in ast.literal_eval(done.stdout)}
    assert imported == {"kind", "library", "rtx", "tensorrt"}
