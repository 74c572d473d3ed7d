from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer import __version__
from seg_viewer.cli.console import StatusLine
from seg_viewer.cli.main import main
from seg_viewer.core.assets import shipped_models
from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import Label, LabelSet
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import EngineChoice
from seg_viewer.engines.base import DeviceFailure
from seg_viewer.engines.load_bar import LoadBar
from seg_viewer.engines.onnxruntime import OnnxRuntimeEngine
from seg_viewer.jobs.doctor import write_golden
from seg_viewer.jobs.options import default_text
from seg_viewer.media.hardware import check_file
from seg_viewer.sources.devices import CameraDevice
from tests.cameras import DEVICE
from tests.clips import make_clip
from tests.models import color_model


def _run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["seg-viewer", *arguments])
    try:
        main()
    except SystemExit as done:
        return int(done.code or 0)
    return 0


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["--version"], monkeypatch) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("command", ["view", "export", "record", "bench", "doctor", "devices", "models"])
def test_help(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([command, "--help"], monkeypatch) == 0
    assert "Usage:" in capsys.readouterr().out


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys, runpy; sys.argv = ['seg-viewer', '--help']\n"
        "try: runpy.run_module('seg_viewer', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([m for m in ('openvino', 'PySide6', 'onnx', 'tensorflow', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=200)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["export", "gone.mp4", "-o", "out.mp4"], 2, "gone.mp4: no such file"),
        (["export", "CLIP"], 2, "-o"),
        (["export", "CLIP", "-o", "CLIP"], 2, "is the input itself"),
        (["export", "CLIP", "-o", "out.mp4", "--model", "gone.onnx"], 1, "gone.onnx: no such model file"),
        (["export", "CLIP", "-o", "out.mp4", "--model", "driving-fat"], 2, "what ships is driving-fast"),
        (["doctor", "--model", "unet"], 2, "model 'unet': no such name"),
        (["view", "CLIP", "--model", "unet"], 2, "model 'unet': no such name"),
        (["bench", "CLIP", "--model", "unet"], 2, "model 'unet': no such name"),
        (["record", "screen", "-o", "out.mp4", "--model", "unet"], 2, "model 'unet': no such name"),
        (["export", "CLIP", "-o", "out.mp4", "--engine", "caffe"], 2, "caffe"),
        (["export", "CLIP", "-o", "out.mp4", "--device", "QUANTUM"], 1, "no device QUANTUM"),
        (["export", "CLIP", "-o", "out.mp4", "--hide", "tram"], 2, "background, road, car, person"),
        (["export", "CLIP", "-o", "out.mp4", "--opacity", "7"], 2, "0<=x<=1"),
        (["export", "CLIP", "-o", "out.mp4", "--color", "tram=#ff0000"], 2, "background, road, car, person"),
        (["export", "CLIP", "-o", "out.mp4", "--color", "road"], 2, "CLASS=#rrggbb"),
        (["export", "CLIP", "-o", "out.mp4", "--color", "=#ff0000"], 2, "CLASS=#rrggbb"),
        (["export", "CLIP", "-o", "out.mp4", "--color", "road=green"], 2, "'green' is no colour"),
        (["export", "CLIP", "-o", "out.mp4", "--palette", "neon"], 2, "'classic', 'okabe-ito'"),
        (["record", "CLIP", "-o", "out.mp4"], 2, "is not live"),
        (["record", "camera:0", "-o", "out.avi"], 2, ".mp4 or .mkv"),
        (["record", "screen", "-o", "out.mp4", "--duration", "soon"], 2, "90s, 10min or 1.5h"),
        (["record", "screen", "-o", "out.mp4", "--deadline", "80"], 2, "'80': write a deadline as 80ms or 0.1s"),
        (["view", "screen", "--deadline", "1ms"], 2, "'1ms': a deadline is between 10ms and 10s"),
        (["view", *["screen"] * 5], 2, "at most 4 live sources are shown beside each other, 5 were named"),
        (["view", "screen", "screen", "--deadline", "80ms"], 2, "--deadline is for one live SOURCE"),
        (["view", "CLIP", "--deadline", "80ms"], 2, "--deadline is for live sources; "),
        (["record", "screen", "-o", "o.mp4", "--what", "source", "--deadline", "1s"], 2, "for what is painted"),
        (["record", "screen", "-o", "out.mp4", "--split", "half"], 2, "a time (10min) or a size (500MB)"),
        (["bench", "http://joe:hush@127.0.0.1:1/x"], 1, "http://127.0.0.1:1/x: connection refused"),
        (["export", "http://joe:hush@127.0.0.1:1/x", "-o", "out.mp4"], 1, "http://127.0.0.1:1/x: connection refused"),
        (["export", "camera:0", "-o", "out.mp4", "--dry-run"], 2, "camera:0: is live and never ends"),
        (["export", "screen", "-o", "out.mp4"], 2, "screen: is live and never ends"),
        (["export", "carla://127.0.0.1:1", "-o", "out.mp4"], 2, "is live and never ends"),
        (["export", "CLIP", "-o", "out.mp4", "--start", ""], 2, "is no place in a video"),
        (["export", "CLIP", "-o", "out.mp4", "--end", ""], 2, "is no place in a video"),
        (["export", "CLIP", "-o", "out.mp4", "--end", "0"], 2, "the end is not after the start"),
        (["export", "CLIP", "-o", "out.mp4", "--end", "0f"], 2, "the end is not after the start"),
        (["export", "CLIP", "-o", "out.mp4", "--size", ""], 2, "write 1280x720"),
        (["export", "CLIP", "-o", "out.mp4", "--classes", " , "], 2, "--classes is empty"),
        (["export", "CLIP", "-o", "out.mp4", "--classes", "car", "--hide", "car"], 2, "--hide car: --classes names it"),
        (["export", "CLIP", "-o", "out.avi"], 2, "out.avi: its end does not say what to write; choose"),
        (["bench", "gone.mp4"], 2, "gone.mp4: no such file"),
        (["paint"], 2, "paint"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = make_clip(tmp_path / "clip.mp4", frames=3)
    filled = [str(clip) if a == "CLIP" else a for a in arguments]
    if arguments[0] in ("export", "bench") and "--model" not in arguments:
        filled += ["--model", str(model)]
    assert _run(filled, monkeypatch) == code
    errors = capsys.readouterr().err
    assert message in errors and "Traceback" not in errors and "hush" not in errors
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4"]


def test_export(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=10, audio="aac")
    out = tmp_path / "out.mp4"
    assert _run(["export", str(clip), "-o", str(out), "--model", str(model)], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert f"{out}: 10 frames" in printed and "aac copied" in printed and "openvino" in printed


def test_bench_prints_and_writes_its_figures(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    arguments = ["bench", str(clip), "--model", str(model), "--frames", "50", "--json", str(tmp_path / "b.json")]
    assert _run(arguments, monkeypatch) == 0
    printed = capsys.readouterr().out
    figures = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert set(figures["cpu_s"]) == {"decode", "convert", "inference", "overlay"}
    assert all(seconds > 0 for seconds in figures["cpu_s"].values())
    assert figures["limit"] == pytest.approx(figures["cores"] / sum(figures["cpu_s"].values()))
    assert figures["ratio"] == pytest.approx(figures["rate"] / figures["limit"])
    assert figures["drops"] == {}
    for word in ("decode", "convert", "inference", "overlay", "limit", "ratio", "first shot"):
        assert word in printed


@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_bench_of_an_export_encodes_too(
    codec: str, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    arguments = ["bench", str(clip), "--model", str(model), "--frames", "50", "--json", str(tmp_path / "b.json")]
    assert _run([*arguments, "--export", "--codec", codec, "--quality", "fast"], monkeypatch) == 0
    printed = capsys.readouterr().out
    figures = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert set(figures["cpu_s"]) == {"decode", "convert", "inference", "overlay", "encode"}
    assert all(seconds > 0 for seconds in figures["cpu_s"].values())
    assert figures["encoder"] == {"h264": "libx264 fast", "vp9": "libvpx-vp9 fast"}[codec]
    assert figures["bytes_per_frame"] > 0 and figures["whole_cpu_s"] > 0
    assert figures["encoder"] in printed and "encode " in printed and "kB a frame" in printed


def test_models_tells_all_that_the_files_say(
    two_shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measures = {
        "heights": {
            "camvid": {
                "person": [
                    {"from": 0.0, "to": 0.05, "objects": 12, "iou": 0.312, "recall": 0.4},
                    {"from": 0.05, "to": None, "objects": 0, "iou": None, "recall": None},
                ]
            }
        },
        "calm": {"motorway": {"frames": 143, "still": 0.81, "changed": 0.0021}},
    }
    provenance = {"recipe": "fine", "steps": 900, "terms": {"camvid": "CC BY-NC 4.0"}, "parity": {"OpenVINO": 0.998}}
    metadata = {"measures": measures, "provenance": provenance, "trained_on": ["camvid"]}
    texts = {f"seg_viewer.{key}": json.dumps(value) for key, value in metadata.items()}
    color_model(two_shipped / "driving-fine.onnx", 96, 64, name="driving-fine", metadata=texts)
    monkeypatch.setenv("COLUMNS", "150")
    assert _run(["models"], monkeypatch) == 0
    fast, fine = capsys.readouterr().out.split("driving-fine")
    assert "driving-fast  64×32" in fast and "no held-out scores" in fast and "person" in fast
    for row in (("camvid", "person", "31.2 (12)", "– (0)"), ("motorway", "143", "81.0", "0.210")):
        assert any(all(cell in line for cell in row) for line in fine.splitlines()), row
    assert "< 5" in fine and "≥ 5" in fine
    for line in ("trained on: camvid", "recipe: fine", "steps: 900", "camvid: CC BY-NC 4.0", "parity: OpenVINO 0.998"):
        assert line in fine


def test_models_lists_what_ships(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["models"], monkeypatch) == 0
    printed = capsys.readouterr().out
    for word in ("driving-fast", "512×288", "int8", "road", "car", "person", "camvid"):
        assert word in printed.lower()


@pytest.mark.parametrize("command", ["view", "export", "record", "bench", "doctor"])
def test_help_says_the_default_model(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [path.stem for path in shipped_models()]
    assert _run([command, "--help"], monkeypatch) == 0
    printed = " ".join(capsys.readouterr().out.split())
    told = f"{', '.join(names)} or an .onnx file. [default: {default_text(names)}]"
    assert told.replace(" ", "") in printed.replace(" ", "")  # lines also break at hyphens


NAMES = ("[/x]", "[red]x[/red]", "[bold]", "<b>x</b>", "a & b", ":car:", "[link=http://x]", "back\\")


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")


@pytest.mark.parametrize("name", NAMES)
def test_models_shows_every_name_as_it_is(
    name: str, two_shipped: Path, wide: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = LabelSet([Label(i, f"{name}class{i}", (i, i, i), painted=i > 0) for i in range(4)])
    bands = [{"from": 0.0, "to": None, "objects": 12, "iou": 0.3, "recall": 0.4}]
    metadata = {
        "metrics": {f"{name}set": {"pictures": f"{name}many", "miou": 0.5, "iou": {f"{name}class1": 0.5}}},
        "measures": {
            "heights": {f"{name}heights": {f"{name}tall": bands}},
            "calm": {f"{name}clip": {"frames": 143, "still": 0.81, "changed": 0.0021}},
        },
        "trained_on": [f"{name}data"],
        "provenance": {f"{name}key": f"{name}value", "terms": {f"{name}whose": f"{name}licence"}},
    }
    texts = {f"seg_viewer.{key}": json.dumps(value) for key, value in metadata.items()}
    texts["seg_viewer.producer"] = f"{name}producer"
    color_model(two_shipped / "driving-fine.onnx", 96, 64, labels=labels, name=f"{name}name", metadata=texts)
    assert _run(["models"], monkeypatch) == 0
    printed = capsys.readouterr().out
    for what in ("name", "producer", "set", "many", "heights", "tall", "clip", "data", "key", "value", "whose",
                 "licence", "class0", "class1", "class2", "class3"):  # fmt: skip
        assert f"{name}{what}" in printed, what


@pytest.mark.parametrize("name", NAMES)
def test_doctor_and_devices_show_every_name_as_it_is(
    name: str, tmp_path: Path, wide: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = color_model(tmp_path / "named.onnx", name=f"{name}name")
    missing = EngineChoice("tensorrt", (), f"{name}is missing")
    monkeypatch.setattr(
        "seg_viewer.jobs.doctor.available_engines", lambda: [EngineChoice("openvino", ("CPU",)), missing]
    )
    assert _run(["doctor", "--model", str(model)], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert f"Engines for {name}name (64×32" in printed and f"{name}is missing" in printed
    camera = CameraDevice(0, f"{name}camera", f"/dev/{name}video")
    monkeypatch.setattr("seg_viewer.sources.devices.list_cameras", lambda: [camera])
    monkeypatch.setattr("seg_viewer.sources.devices.obstacle", lambda _device: f"is in use by {name}zoom")
    monkeypatch.setattr("seg_viewer.sources.screen.list_screens", lambda: [])
    assert _run(["devices"], monkeypatch) == 0
    printed = capsys.readouterr().out
    for what in (f"{name}camera", f"/dev/{name}video", f"by {name}zoom"):
        assert what in printed


@pytest.mark.parametrize("name", [name.replace("/", "|") for name in NAMES])
def test_the_bar_of_an_export_shows_the_name_as_it_is(
    name: str,
    tmp_path: Path,
    model: Path,
    wide: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=40).rename(tmp_path / f"{name}.mp4")
    monkeypatch.setattr("seg_viewer.jobs.export._REPORT_EVERY_S", 0.0)
    assert _run(["export", str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(model)], monkeypatch) == 0
    assert f"{name}.mp4" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_bars_and_status_lines_show_names_as_they_are(
    name: str, wide: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # as in a terminal, which alone shows them
    status = StatusLine(f"{name} begins")
    status.show(f"{name} goes on")
    status.stop()
    assert f"{name} goes on" in capsys.readouterr().err
    bar = LoadBar()
    bar(f"{name} is built", 0.5)
    bar.stop()
    assert f"{name} is built" in capsys.readouterr().err


def test_doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["doctor"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert '"auto" takes openvino' in printed
    assert "TensorRT" in printed
    assert "Default model here: driving-fast, since" in printed
    assert "✓ driving-fast: openvino agrees with the stored answer of ONNX Runtime on 99." in printed
    assert "Sound in the window: " in printed
    assert "Hardware decoding" in printed and "cuda" in printed.split("Hardware decoding")[1]


def test_doctor_checks_every_model_that_ships(
    two_shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_golden(read_model_file(two_shipped / "driving-fine.onnx"))
    wrong = np.zeros((32, 64), np.uint8)
    cv2.imwrite(str(two_shipped / "driving-fast.golden.png"), wrong + 3)
    assert _run(["doctor", "--model", "driving-fine"], monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "Engines for driving-fine (96×64, float32)" in printed
    assert "Default model here: driving-fast, since a processor runs it; on a GPU" in printed
    assert "✓ driving-fine: openvino agrees with the stored answer of ONNX Runtime on 100.00 %" in printed
    assert "✗ driving-fast: openvino agrees" in printed and "less than the 98.5 % needed" in printed


@pytest.mark.parametrize(("name", "size"), [("driving-fast", "64×32"), ("driving-fine", "96×64")])
def test_a_shipped_model_by_its_name(
    name: str, size: str, two_shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(two_shipped / "clip.mp4", frames=4)
    out = two_shipped / "out.mp4"
    assert _run(["export", str(clip), "-o", str(out), "--model", name], monkeypatch) == 0
    assert f"model {name} ({size})" in capsys.readouterr().out


def test_an_export_on_a_gpu_that_is_not_there_keeps_the_finer_model_and_says_so(
    two_shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ONNX Runtime installed for CUDA, without a GPU: it falls back."""
    clip = make_clip(two_shipped / "clip.mp4", frames=4)

    class NoGpu(OnnxRuntimeEngine):
        def __init__(self, *_: object) -> None:
            raise DeviceFailure("no CUDA-capable device is detected")

    monkeypatch.setattr("seg_viewer.engines.onnxruntime.OnnxRuntimeEngine", NoGpu)
    arguments = ["export", str(clip), "-o", str(two_shipped / "out.mp4"), "--engine", "onnxruntime", "--device", "CUDA"]
    assert _run(arguments, monkeypatch) == 0
    printed = capsys.readouterr()
    assert "fell back to the processor: no CUDA" in printed.err and "the model stays driving-fine" in printed.err
    assert "model driving-fine (96×64)" in printed.out and "openvino" in printed.out


def test_an_unexpected_failure_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("seg_viewer.cli.models.shipped_models", lambda: 1 / 0)
    assert _run(["models"], monkeypatch) == 1
    errors = capsys.readouterr().err
    assert "unexpected ZeroDivisionError" in errors and "--debug" in errors and "Traceback" not in errors


def test_devices_lists_what_to_type(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("seg_viewer.sources.devices.list_cameras", lambda: [DEVICE])
    monkeypatch.setattr("seg_viewer.sources.devices.obstacle", lambda _device: "is in use by zoom (process 7)")
    monkeypatch.setattr("seg_viewer.sources.screen.list_screens", lambda: [(1, 1920, 1080)])
    assert _run(["devices"], monkeypatch) == 0
    printed = capsys.readouterr().out
    for word in ("camera:0", "Toy Cam", "in use by zoom", "screen:1", "1920×1080"):
        assert word in printed


def test_devices_where_there_are_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("seg_viewer.sources.devices.list_cameras", lambda: [])
    monkeypatch.setattr("seg_viewer.sources.screen.list_screens", lambda: [])
    assert _run(["devices"], monkeypatch) == 1
    assert "no camera and no screen" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a\nb.mp4", "\x1b[31mred.mp4", "back\bspace.mp4"])
def test_an_error_is_one_line_whatever_the_file_is_called(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["export", name, "-o", "out.mp4"], monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable() and line.endswith("no such file or folder")


@pytest.mark.parametrize("name", ["a\nb.mp4", "\x1b[31mred.mp4"])
def test_the_result_is_one_line_whatever_the_file_is_called(
    name: str, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=3)
    assert _run(["export", str(clip), "-o", str(tmp_path / name), "--model", str(model)], monkeypatch) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isprintable() and ": 3 frames in " in line and (tmp_path / name).exists()


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("kind", [ValueError, SourceError])
def test_no_error_shows_credentials(
    debug: list[str], kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise kind("rtsp://joe:hush@host/cam: is broken")

    monkeypatch.setattr("seg_viewer.cli.models.shipped_models", fail)
    assert _run([*debug, "models"], monkeypatch) == 1
    errors = capsys.readouterr().err
    assert "rtsp://host/cam: is broken" in errors and "hush" not in errors
    assert ("Traceback" in errors) == bool(debug)


def test_an_export_by_hardware_says_why_the_processor_decodes_and_gives_the_same(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=6)
    files = [tmp_path / f"{choice}.mp4" for choice in ("off", "auto")]
    for out in files:
        assert (
            _run(["export", str(clip), "-o", str(out), "--model", str(model), "--hwaccel", out.stem], monkeypatch) == 0
        )
    printed = " ".join(capsys.readouterr()).replace("\n", " ")
    assert files[0].read_bytes() == files[1].read_bytes()
    problem = check_file(clip, 0).problem
    assert printed.count("hardware decoding does not work here") == (1 if problem else 0)
