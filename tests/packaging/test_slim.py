"""What stays out of the frozen program, on each system."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

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
        if name.startswith(slim.EXCLUDED) or not slim.stays(f"{name.replace('.', '/')}.abi3.so")
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
