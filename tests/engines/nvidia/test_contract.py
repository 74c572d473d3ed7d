"""Our code against the real libraries' own word.

The APIs of TensorRT, TensorRT for RTX and PyCUDA are recorded as type stubs: the first two from real bindings wheels,
the last from PyCUDA's sources. mypy then holds every class, method, enum member and keyword that we use against them,
and the stand-ins that other tests run on are held against them too.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.engines.nvidia.conftest import STANDIN
from tests.engines.nvidia.record import (
    RECORDED,
    RTX,
    TENSORRT,
    Family,
    compiler,
    import_environment,
    installed_bindings,
    make_stub,
    recorded_stub,
)
from tests.engines.nvidia.record import recorded_versions as versions

ROOT = Path(__file__).parents[3]
ENGINES = ROOT / "seg_viewer" / "engines" / "nvidia"
OURS = sorted(ENGINES.glob("*.py"))
PYCUDA = RECORDED / "pycuda" / "driver.pyi"


# -- the record against the real bindings ------------------------------------------------------------------------------


def _comparable(stub: str) -> str:
    """Without what differs between the wheels of two versions of Python."""
    modules = r"(typing_extensions|collections\.abc|types)"
    stub = re.sub(rf"^import {modules}\n|^ +def __(release_)?buffer__\(.*\n", "", stub, flags=re.MULTILINE)
    return re.sub(rf"\b{modules}\.(Buffer|CapsuleType)", r"\2", stub)


@pytest.mark.parametrize("family", [TENSORRT, RTX], ids=lambda family: family.package)
def test_the_record_is_what_the_real_bindings_say(family: Family) -> None:
    if compiler() is None and not family.whole:
        pytest.skip("no C compiler (cc) to make the libraries that the bindings link against")
    found = installed_bindings(family)
    if found is None:
        pytest.skip(f"{family.package} is not installed; there is no wheel for this system")
    folder, number = found
    version = family.prefix + number
    assert version in versions(), f"record it: python -m tests.engines.nvidia.record (wheel of {version})"
    made = _comparable(make_stub(folder, number, family))
    assert made == _comparable(recorded_stub(version).read_text(encoding="utf-8"))


def test_each_generation_is_recorded_with_their_wheels() -> None:
    wheels = json.loads((RECORDED / "wheels.json").read_text(encoding="utf-8"))
    assert {version.split(".")[0] for version in wheels} == {"10", "11", "rtx-1"}
    for version, entry in wheels.items():
        number = version.removeprefix("rtx-")
        assert number in entry["wheel"] and re.fullmatch("[0-9a-f]{64}", entry["sha256"])
        title = "TensorRT for RTX" if _is_rtx(version) else "TensorRT"
        assert f"bindings of {title} {number}" in recorded_stub(version).read_text(encoding="utf-8")


def test_the_record_knows_what_tensorrt_11_removed() -> None:
    flags = {version.split(".")[0]: _members(recorded_stub(version), "BuilderFlag") for version in versions()}
    assert {"FP16", "INT8"} <= flags["10"] and not {"FP16", "INT8"} & (flags["11"] | flags["rtx-1"])


REAL = """
import sys, tensorrt_bindings as trt
sys.modules["tensorrt"] = trt
from seg_viewer.core.errors import EngineError
from seg_viewer.engines.nvidia import build, log, run
from seg_viewer.engines.nvidia.library import TENSORRT
print("version", trt.__version__)
told = log.log_of(TENSORRT)
told.logger.log(trt.ILogger.Severity.ERROR, "first\\nsecond")
told.logger.log(trt.ILogger.Severity.INFO, "third")
print("logged", told.take())
print("shape", log.dims_tuple(trt.Dims((1, 32, 64, 3))))
print("type", trt.DataType.INT32.name in run._OUTPUT_TYPES)
told = []
monitor = build.new_monitor(TENSORRT, lambda what, share: told.append(share) or True)
monitor.phase_start("build", None, 2)
print("goes on", monitor.step_complete("build", 0), told)
monitor.phase_finish("build")
for step in (lambda: run.load_plan(TENSORRT, b"plan"), lambda: build.build_plan(TENSORRT, b"", None, None)):
    try:
        step()
    except EngineError as error:
        print("refused:", error)
"""


def test_our_modules_run_on_the_real_bindings(tmp_path: Path) -> None:
    """As far as that goes without the native libraries: our subclasses, enums and shapes, and what is said then."""
    found = installed_bindings()
    if compiler() is None or found is None:
        pytest.skip("needs tensorrt-cu13-bindings and a C compiler (cc)")
    folder, version = found
    environ = import_environment(tmp_path, folder, version)
    environ["PYTHONPATH"] += f":{ROOT}:{tmp_path}"
    (tmp_path / "pycuda").symlink_to(STANDIN / "pycuda")  # PyCUDA is not what is looked at here
    (tmp_path / "standin_state.py").symlink_to(STANDIN / "standin_state.py")
    done = subprocess.run([sys.executable, "-c", REAL], env=environ, capture_output=True, encoding="utf-8", timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"version {version}",
        "logged first second",
        "shape (1, 32, 64, 3)",
        "type True",
        "goes on True [0.0, 0.5]",
        "refused: TensorRT cannot make a runtime: no reason given",
        "refused: TensorRT cannot make a builder: no reason given",
    ]


# -- our code against the record ---------------------------------------------------------------------------------------


def _is_rtx(version: str) -> bool:
    return version.startswith("rtx-")


def _held(version: str) -> list[Path]:
    """Our files that are to fit a version."""
    return [path for path in OURS if path.name != "ahead.py" or _is_rtx(version)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy has found of numpy and the like, which no version changes."""
    return tmp_path_factory.mktemp("mypy")


def _mypy(version: str, folder: Path, kept: Path, changed: dict[Path, str] | None = None) -> str:
    """What mypy says of our files, held against one version's API; "" when nothing.

    Which of the two libraries they use is a value; here it is the one that is recorded.
    """
    shadows = {}
    for path in _held(version):
        text = (changed or {}).get(path) or path.read_text(encoding="utf-8")
        text = re.sub(r"trt = [\w.]+\.module\(\)", "import tensorrt as trt", text)
        text = text.replace("import tensorrt_rtx as trt", "import tensorrt as trt")
        text = text.replace("  # type: ignore[misc,name-defined]", "")
        shadows[path] = folder / path.name
        shadows[path].write_text(text, encoding="utf-8")
    config = folder / "mypy.ini"
    paths = f"{recorded_stub(version).parent}:{RECORDED}"
    config.write_text(
        f"[mypy]\nstrict = true\nwarn_return_any = false\nmypy_path = {paths}\npython_version = 3.11\n"
        "[mypy-tensorrt.*,pycuda.*]\nignore_errors = true\nfollow_imports = silent\n"
        "[mypy-cuda.*,tensorrt_rtx.*,onnx.*,onnxruntime.*,openvino.*,cv2.*,google.*]\n"
        "ignore_missing_imports = true\nfollow_imports = skip\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(kept)]
    for original, shadow in shadows.items():
        command += ["--shadow-file", str(original), str(shadow)]
    done = subprocess.run(
        [*command, *map(str, _held(version))], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=200
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("version", versions())
def test_all_we_use_is_there(version: str, tmp_path: Path, kept: Path) -> None:
    assert _mypy(version, tmp_path, kept) == ""


MISSPELT = {
    "build.py": [
        ("builder.create_network(", "builder.create_netwrk("),  # a method
        ("ignore_mismatch=False)", "ignore_mismatches=False)"),  # a keyword
        ("trt.MemoryPoolType.WORKSPACE", "trt.MemoryPoolType.WORKSPCE"),  # an enum member
        ("trt.OnnxParser(", "trt.OnxParser("),  # a class
        ("config.progress_monitor = monitor", "config.progres_monitor = monitor"),  # a property
        ("config.add_optimization_profile(profile)", "config.add_optimization_profile(profile, 1)"),  # its arguments
        ("error.node_name()", "error.nodename()"),  # a method of what an untyped call gives
    ],
    "run.py": [
        ("context.execute_async_v3(", "context.execute_async_v2("),  # removed in TensorRT 10
        ("engine.get_tensor_shape(name)", "engine.get_binding_shape(name)"),
        ("trt.LayerInformationFormat.JSON", "trt.LayerInformationFormat.YAML"),
    ],
    "ahead.py": [
        ("config.set_compute_capability(", "config.set_compute_capabilty("),
        ("config.set_runtime_cache(", "config.set_cache("),
        ("trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE", "trt.CudaGraphStrategy.WHOLE_GRAPH"),
        ("loader.get_engine_validity(", "loader.engine_validity("),
    ],
    "cuda.py": [
        ("cuda.memcpy_htod_async(", "cuda.memcpy_htod_asink("),
        ("native.retain_primary_context()", "native.retain_primary_contxt()"),
        ("cuda.MemoryError", "cuda.OutOfMemoryError"),
        ("self._down.synchronize()", "self._down.synchronise()"),
    ],
}


@pytest.mark.parametrize("version", versions())
def test_every_misspelt_name_is_found(version: str, tmp_path: Path, kept: Path) -> None:
    changed, wanted = {}, []
    for file, pairs in MISSPELT.items():
        if ENGINES / file not in _held(version):
            continue
        text = (ENGINES / file).read_text(encoding="utf-8")
        for right, wrong in pairs:
            assert right in text, f"{file} does not use {right} any more"
            text = text.replace(right, wrong)
            if not right.startswith("def "):
                wanted.append((file, wrong, {n for n, line in enumerate(text.splitlines(), 1) if wrong in line}))
        changed[ENGINES / file] = text
    complaints = {
        (Path(file).name, int(line))
        for file, line in re.findall(r"^(\S+\.py):(\d+): error", _mypy(version, tmp_path, kept, changed), re.MULTILINE)
    }
    for file, wrong, lines in wanted:
        assert any((file, line) in complaints for line in lines), f"{file}: {wrong} was not noticed"


@pytest.mark.parametrize("version", versions())
def test_what_tensorrt_calls_back_has_its_names(version: str) -> None:
    """Methods that TensorRT calls on our objects: a misspelt one would never be called."""
    monitor = _methods(ENGINES / "build.py", "Monitor")
    assert {name: args for name, args in monitor.items() if not name.startswith("_")} == {
        name: args for name, args in _methods(recorded_stub(version), "IProgressMonitor").items() if name[0] != "_"
    }
    # the interface's own `log` is purely virtual and not told; that of the logger that TensorRT brings is
    assert _methods(ENGINES / "log.py", "TensorRtLog")["log"] == _methods(recorded_stub(version), "Logger")["log"]


# -- the stand-ins against the record ----------------------------------------------------------------------------------


@cache
def _tree(path: Path) -> dict[str, ast.ClassDef | ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    outer = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    within = [item for node in outer.values() if isinstance(node, ast.FunctionDef) for item in node.body]
    return outer | {node.name: node for node in within if isinstance(node, ast.ClassDef)}


def _methods(path: Path, name: str) -> dict[str, list[list[str]]]:
    """Names of the arguments of each overload of each method of a class."""
    node = _tree(path)[name]
    assert isinstance(node, ast.ClassDef)
    found: dict[str, list[list[str]]] = {}
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            found.setdefault(item.name, []).append(_arguments(item))
    return found


def _arguments(node: ast.FunctionDef) -> list[str]:
    starred = [f"*{node.args.vararg.arg}"] if node.args.vararg else []
    return [argument.arg for argument in node.args.args] + starred


def _members(path: Path, name: str) -> set[str]:
    """All that a class has, inherited members of the same file included."""
    node = _tree(path)[name]
    assert isinstance(node, ast.ClassDef)
    found: set[str] = set()
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in _tree(path):
            found |= _members(path, base.id)
    for item in node.body:
        match item:
            case ast.FunctionDef(name=own) | ast.ClassDef(name=own):
                found.add(own)
            case ast.AnnAssign(target=ast.Name(id=own)) | ast.Assign(targets=[ast.Name(id=own)]):
                found.add(own)
    attributes = [item for item in ast.walk(node) if isinstance(item, ast.Attribute)]
    return found | {
        item.attr
        for item in attributes
        if isinstance(item.ctx, ast.Store) and isinstance(item.value, ast.Name) and item.value.id == "self"
    }


def _strange(standin: Path, real: Path) -> list[str]:
    """What a stand-in has that the real library has not, or has otherwise."""
    strange = []
    offered = _tree(real)
    for name, node in _tree(standin).items():
        if name.startswith("_"):
            continue
        if name not in offered:
            strange.append(name)
        elif isinstance(node, ast.FunctionDef):
            theirs = offered[name]
            assert isinstance(theirs, ast.FunctionDef)
            if not _fits(_arguments(node), [_arguments(theirs)]):
                strange.append(f"{name}{_arguments(node)}")
        else:
            public = {member for member in _members(standin, name) if not member.startswith("_")}
            strange += [f"{name}.{member}" for member in sorted(public - _members(real, name))]
            overloads = _methods(real, name)
            for method, (arguments, *_) in _methods(standin, name).items():
                operator = method.startswith("__") and method != "__init__"  # called by position only
                if method in overloads and not operator and not _fits(arguments, overloads[method]):
                    strange.append(f"{name}.{method}{arguments}")
    return strange


def _fits(arguments: list[str], overloads: list[list[str]]) -> bool:
    """The same names; anything where the real one declares none."""
    return any(arguments == other or other[-1:] == ["*args"] for other in overloads)


@pytest.mark.parametrize("version", versions())
def test_the_tensorrt_stand_in_is_like_the_real_one(version: str) -> None:
    assert _strange(STANDIN / "tensorrt.py", recorded_stub(version)) == []


def test_the_stand_in_for_rtx_is_like_the_real_one() -> None:
    (version,) = filter(_is_rtx, versions())
    assert _strange(STANDIN / "tensorrt_rtx.py", recorded_stub(version)) == []


def test_our_cuda_calls_through_nvidias_own_bindings_have_pycudas_names() -> None:
    """The helper is written against PyCUDA's; what stands in for it offers nothing else, and nothing otherwise."""
    assert _strange(ENGINES / "cuda_python.py", PYCUDA) == []
    used = set(re.findall(r"\bcuda\.(\w+)", (ENGINES / "cuda.py").read_text(encoding="utf-8"))) - {"driver"}
    assert used <= set(_tree(ENGINES / "cuda_python.py")), used - set(_tree(ENGINES / "cuda_python.py"))


def test_the_pycuda_stand_in_is_like_the_real_one() -> None:
    assert _strange(STANDIN / "pycuda" / "driver.py", PYCUDA) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("def get_tensor_mode(self, name)", "def get_tensor_modus(self, name)"),
        ("def parse(self, model, path", "def parse(self, data, path"),
        ("    WORKSPACE = 0", "    WORKPLACE = 0"),
        ("class EngineInspector:", "class Inspector:"),
        ("self.builder_optimization_level", "self.builder_optimisation_level"),
    ],
)
def test_a_stand_in_that_differs_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    text = (STANDIN / "tensorrt.py").read_text(encoding="utf-8")
    assert right in text
    changed = tmp_path / "tensorrt.py"
    changed.write_text(text.replace(right, wrong))
    assert len(_strange(changed, recorded_stub(versions()[-1]))) == 1


def test_recorded_pycuda_is_the_installed_one() -> None:
    driver = pytest.importorskip(
        "pycuda.driver", reason="PyCUDA is not installed, or has no NVIDIA driver here", exc_type=ImportError
    )
    for name, node in _tree(PYCUDA).items():
        assert hasattr(driver, name)
        if isinstance(node, ast.ClassDef) and not name.startswith(("jit_", "compute_")):
            assert {member for member in _members(PYCUDA, name) if not hasattr(getattr(driver, name), member)} == set()
