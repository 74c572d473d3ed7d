"""What stays out of the frozen program, on each system."""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assets.packaging import slim
from seg_viewer.gui.words import AUTO, ENGLISH, LANGUAGES
from tests.house import ROOT


@pytest.mark.parametrize(
    ("path", "stays"),
    [
        ("openvino/libs/libopenvino_onnx_frontend.so.2641", True),
        ("openvino/libs/libopenvino_ir_frontend.so.2641", True),
        ("openvino/libs/libopenvino_intel_cpu_plugin.so", True),
        ("openvino/libs/libtbb.so.12", True),
        ("openvino\\libs\\openvino_onnx_frontend.dll", True),
        ("openvino/libs/libopenvino_tensorflow_frontend.so.2641", False),
        ("openvino/libs/libopenvino_tensorflow_lite_frontend.2641.dylib", False),
        ("openvino\\libs\\openvino_pytorch_frontend.dll", False),
        ("openvino\\libs\\openvino_auto_batch_plugin.dll", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqwayland.so", True),
        ("PySide6/Qt/plugins/platforms/libqcocoa.dylib", True),
        ("PySide6\\plugins\\platforms\\qwindows.dll", True),
        ("PySide6/Qt/plugins/platforms/libqlinuxfb.so", False),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/imageformats/libqsvg.so", True),
        ("PySide6/Qt/plugins/imageformats/libqjpeg.so", True),
        ("PySide6/Qt/plugins/imageformats/libqwebp.so", False),
        ("PySide6/Qt/plugins/iconengines/libqsvgicon.so", True),
        ("PySide6/Qt/lib/libQt6Widgets.so.6", True),
        ("PySide6/Qt/lib/libQt6Qml.so.6", False),
        ("PySide6/Qt/lib/libQt6QuickControls2.so.6", False),
        ("PySide6/Qt/lib/libQt6WebEngineCore.so.6", False),
        ("PySide6\\Qt6Qml.dll", False),
        ("PySide6/QtNetwork.abi3.so", False),
        ("PySide6/QtDBus.abi3.so", True),
        ("PySide6/Qt/lib/libQt6DBus.so.6", True),
        ("libmvec.so.1", False),
        *((f"PySide6/Qt/translations/qtbase_{code}.qm", True) for code in LANGUAGES if code not in (AUTO, ENGLISH)),
        ("PySide6/Qt/translations/qtbase_fr.qm", False),
        ("PySide6/Qt/translations/designer_de.qm", False),
        ("cv2\\opencv_videoio_ffmpeg500_64.dll", False),
        ("cv2/cv2.abi3.so", True),
        ("assets/i18n/de.toml", True),
        ("av-18.1.0.dist-info/METADATA", True),
        ("av-18.1.0.dist-info/licenses/LICENSE.txt", True),
        ("av-18.1.0.dist-info/RECORD", False),
        ("onnx-1.23.2.dist-info/sboms/sbom.cdx.json", False),
        ("onnx/onnx_ml_pb2.py", True),
    ],
)
def test_what_stays(path: str, stays: bool) -> None:
    assert slim.stays(path) is stays
    assert [entry[0] for entry in slim.slim([(path, path, "BINARY")])] == ([path] if stays else [])


@pytest.mark.parametrize(
    "path",
    ["openvino/libs/libopenvino_intel_gpu_plugin.so", "openvino\\libs\\openvino_intel_npu_plugin.dll",
     "openvino/libs/cache.json", "libOpenCL.so.1"],
)  # fmt: skip
def test_intel_gpus_are_a_choice(path: str) -> None:
    assert slim.stays(path) and not slim.stays(path, slim.INTEL_GPU)


def test_libraries_that_nobody_needs_go_and_links_to_them_too() -> None:
    links = {"/q/libqxcb.so": ["libxkbcommon.so.0"], "/q/libxkbcommon.so.0": ["libdeep.so.1"], "/l/av.so": ["libav.so"]}
    entries = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/q/libqxcb.so", "BINARY"),
        ("libxkbcommon.so.0", "/q/libxkbcommon.so.0", "BINARY"),
        ("libdeep.so.1", "/q/libdeep.so.1", "BINARY"),
        ("libgtk-3.so.0", "/q/libgtk-3.so.0", "BINARY"),
        ("libX11.so.6", "/q/libX11.so.6", "BINARY"),
        ("av/av.so", "/l/av.so", "EXTENSION"),
        ("av.libs/libav.so", "/l/libav.so", "BINARY"),
        ("libav.so", "av.libs/libav.so", "SYMLINK"),
        ("x.libs/libgone.so", "/l/libgone.so", "BINARY"),
        ("libgone.so", "x.libs/libgone.so", "SYMLINK"),
        ("LICENSE", "/LICENSE", "DATA"),
    ]
    kept = [entry[0] for entry in slim.reached(entries, lambda file: links.get(file, []))]
    assert [entry[0] for entry in entries if entry[0] not in kept] == [
        "libgtk-3.so.0",
        "x.libs/libgone.so",
        "libgone.so",
    ]


@pytest.mark.parametrize(
    ("opencv", "shared"),
    [
        ("libavcodec-c4204469.so.62.28.101", True),
        ("libavcodec-c4204469.so.62.28.102", True),
        ("libavcodec-c4204469.so.62.29.0", False),  # newer than PyAV's: may have what that has not
        ("libavcodec-c4204469.so.61.28.101", False),
        ("libavformat-c4204469.so.62.1.0", False),  # PyAV's is not there
        ("libaom-a0d22147.so.3.14.1", False),
    ],
)
def test_opencv_takes_the_ffmpeg_of_pyav_where_that_fits(opencv: str, shared: bool) -> None:
    ours = ("av.libs/libavcodec-5e6b81c2.so.62.28.102", "/a", "BINARY")
    theirs = (f"opencv_python_headless.libs/{opencv}", "/b", "BINARY")
    assert slim.one_ffmpeg([theirs, ours]) == [
        (theirs[0], f"../{ours[0]}", "SYMLINK") if shared else theirs,
        ours,
    ]


def _imported_at_once(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield from (f"numpy.{name}" for name in re.findall(r"\bnp\.([a-z_]+)", line))  # numpy imports these when asked
        if found := re.match(r"from ([\w.]+) import (.*)|import ([\w.]+)", line):
            module, names, alone = found.groups()
            yield module or alone
            yield from (f"{module}.{name}" for name in re.findall(r"\w+", names or ""))


def test_nothing_is_left_out_that_the_viewer_imports_when_it_starts() -> None:
    # NVIDIA's files are imported where its libraries are
    files = [file for file in (ROOT / "seg_viewer").rglob("*.py") if file.parent.name != "nvidia"]
    imported = {name: file for file in files for name in _imported_at_once(file)}
    assert {"PySide6.QtDBus", "numpy", "numpy.linalg"} <= set(imported)
    missing = [
        f"{file}: {name}"
        for name, file in imported.items()
        if any(f"{name}.".startswith(f"{left_out}.") for left_out in slim.EXCLUDED)
        or not slim.stays(f"{name.replace('.', '/')}.abi3.so")
    ]
    assert missing == []


@pytest.mark.skipif(not all(map(shutil.which, ("strip", "objdump", "gcc"))), reason="binutils are Debian's")
def test_stripping_leaves_what_it_would_spoil_or_not_make_smaller(tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text("int answer(void) { return 42; }", encoding="utf-8")
    large, bare = tmp_path / "large.so", tmp_path / "bare.so"
    subprocess.run(["gcc", "-shared", "-g", "-o", large, source], check=True)
    subprocess.run(["gcc", "-shared", "-s", "-o", bare, source], check=True)
    scratch = tmp_path / "scratch"
    path, copy, _ = slim.stripped(("x/large.so", str(large), "BINARY"), scratch)
    assert path == "x/large.so" and Path(copy).stat().st_size < large.stat().st_size
    for entry in (("bare.so", str(bare), "BINARY"), ("a.c", str(source), "BINARY"), ("d", str(large), "DATA")):
        assert slim.stripped(entry, scratch) == entry


def test_nothing_is_left_out_that_the_viewer_imports_later() -> None:
    """What a function imports; not the files that call what only the program for Python has."""
    for_python_alone = (
        "engines/nvidia/", "engines/onnxruntime.py", "engines/float16.py", "jobs/cluster.py", "sinks/table.py",
        "sources/carla/",
    )  # fmt: skip
    missing = []
    for file in (ROOT / "seg_viewer").rglob("*.py"):
        if any(part in file.as_posix() for part in for_python_alone):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            missing += [
                f"{file}: {name}" for name in names for out in slim.EXCLUDED if f"{name}.".startswith(f"{out}.")
            ]
    assert missing == []


def _asks_for(tree: ast.AST) -> Iterator[str]:
    """Modules that are imported, and parts that are taken of numpy, anywhere in a file; not what its texts say."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            yield f"numpy.{node.attr}"


@pytest.mark.parametrize("package", ["numpy", "cv2", "av", "openvino", "rich"])
def test_what_is_left_out_of_numpy_is_asked_for_by_nobody_who_stays(package: str) -> None:
    """numpy imports its parts when they are asked for: only a call would fail."""
    out = tuple(f"{name}." for name in slim.EXCLUDED if name.startswith("numpy."))
    root = Path(importlib.util.find_spec(package).origin).parent
    asked = []
    for file in root.rglob("*.py"):
        name = ".".join(file.relative_to(root.parent).with_suffix("").parts)
        gone = any(f"{name}.".startswith(f"{each}.") for each in slim.EXCLUDED)
        if (
            gone
            or ".tests." in name
            or name in ("numpy.__init__", "numpy.conftest", "numpy._pytesttester", "numpy.ma.testutils")
        ):
            continue
        wanted = _asks_for(ast.parse(file.read_text(encoding="utf-8")))
        asked += [f"{name}: {each}" for each in wanted if f"{each}.".startswith(out)]
    assert asked == []


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strip"), reason="the wheels of Linux, and binutils")
def test_numpys_linear_algebra_works_without_what_strip_empties(tmp_path: Path) -> None:
    folder = Path(np.__file__).parents[1] / "numpy.libs"
    large = next(iter(folder.glob("libscipy_openblas64_*.so")), None)
    if large is None:
        pytest.skip("this numpy has no OpenBLAS of its own")
    for other in folder.iterdir():
        (tmp_path / "numpy.libs").mkdir(exist_ok=True)
        (tmp_path / "numpy.libs" / other.name).symlink_to(other)
    path, small, _ = slim.stripped((f"numpy.libs/{large.name}", str(large), "BINARY"), tmp_path / "scratch")
    assert Path(small).stat().st_size < large.stat().st_size - 1e6
    (tmp_path / path).unlink()
    shutil.copy(small, tmp_path / path)
    code = (
        "import ctypes, sys, numpy as np\n"
        "a = np.asfortranarray(np.random.default_rng(0).standard_normal((300, 300)))\n"
        "wanted = np.linalg.solve(a, np.ones(300))\n"
        "solve = ctypes.CDLL(sys.argv[1]).scipy_dgesv_64_\n"
        "x, info = np.ones(300), np.full(1, 9, np.int64)\n"
        "n, one, pivots = (np.array(v, np.int64) for v in (300, 1, np.zeros(300)))\n"
        "solve(*(v.ctypes.data_as(ctypes.c_void_p) for v in (n, one, a, n, pivots, x, n, info)))\n"
        "print(info[0], np.abs(x - wanted).max() < 1e-9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / path], capture_output=True, text=True, check=False)
    assert done.stdout == "0 True\n", done.stderr


def test_python_starts_with_its_modules_compressed(tmp_path: Path) -> None:
    source = tmp_path / "base_library.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for name in ("encodings/utf_8.pyc", "enum.pyc"):
            archive.writestr(name, b"x" * 5000)
    path, small, kind = slim.packed(("base_library.zip", str(source), "DATA"), tmp_path / "scratch")
    assert (path, kind) == ("base_library.zip", "DATA") and Path(small).stat().st_size < 6000
    with zipfile.ZipFile(small) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"x" * 5000] * 2
        ways = {item.filename: item.compress_type for item in archive.infolist()}
    assert ways == {"encodings/utf_8.pyc": zipfile.ZIP_STORED, "enum.pyc": zipfile.ZIP_DEFLATED}
    other = ("other.zip", str(source), "DATA")
    assert slim.packed(other, tmp_path) == other


@pytest.mark.skipif(not all(map(shutil.which, ("gcc", "objdump"))), reason="a C compiler and objdump")
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("/home/somebody/python/lib", "$ORIGIN///////////////lib"),
        ("$ORIGIN/../a:/usr/local/lib", "$ORIGIN/../a:$ORIGIN////lib"),
        ("$ORIGIN/../a", "$ORIGIN/../a"),
        ("/a/lib", "/a/lib"),  # too short
    ],
)
def test_no_library_looks_into_folders_of_the_machine_that_built_it(tmp_path: Path, given: str, wanted: str) -> None:
    library = tmp_path / "some.so"
    command = ["gcc", "-shared", f"-Wl,-rpath,{given}", "-o", library, "-xc", "-"]
    subprocess.run(command, input="int seven(void) { return 7; }", text=True, check=True)
    entry = ("python3.11/lib-dynload/some.so", str(library), "EXTENSION")
    path, made, kind = slim.at_home(entry, tmp_path / "made")
    assert (path, kind) == (entry[0], entry[2]) and (made == entry[1]) is (given == wanted)
    header = subprocess.run(["objdump", "-p", made], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"R(?:UN)?PATH +(\S+)", header)
    assert found == [wanted] and ctypes.CDLL(made).seven() == 7
