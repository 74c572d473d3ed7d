"""What stays out of the frozen program, and what is made smaller: `build.spec` calls `slim`.

Paths are as in the program. A file that one of `LEFT_OUT` names goes. On Linux so do the libraries that nobody who
stays needs: those of Qt's GTK theme, for instance, are half of GTK; three large ones get small ones in their place
(`stand_ins`), and all lose their debugging symbols and the folders of this machine in which they look for others.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from assets.packaging.stand_ins import LANGUAGES, Entry, stand_ins

EXCLUDED = (
    # the trainer's and the development tools'
    "IPython", "keras", "matplotlib", "nncf", "pandas", "PIL", "pytest", "scipy", "setuptools", "sklearn",
    "tensorflow", "tf2onnx", "tkinter", "torch", "trainer",
    # extras; NVIDIA's libraries are large, and fit one kind of card
    "onnxruntime", "ray", "carla", "jax", "pyarrow",
    "tensorrt", "tensorrt_bindings", "tensorrt_rtx", "tensorrt_rtx_bindings", "pycuda", "cuda",
    # parts of what is needed, for what the program does not do
    "openvino.frontend.pytorch", "openvino.frontend.tensorflow", "openvino.frontend.jax",
    "openvino.tools", "PySide6.QtNetwork", "PySide6.QtQml", "PySide6.QtQuick",
    # numpy imports these when somebody asks for them, and neither we nor the rest of it do (a test reads its source)
    "numpy.f2py", "numpy.fft", "numpy.matlib", "numpy.polynomial", "numpy.random", "numpy.testing",
    "numpy._core._multiarray_tests", "numpy.distutils",
    # model files are read with ONNX's messages alone (`seg_viewer.core.onnx_messages`), which `build.spec` adds; its
    # checker and shape inference are C++, and need more number types
    "onnx", "ml_dtypes",
    "yaml", "charset_normalizer", "pygments", "markdown_it", "attr", "readline",
    # Python's own for developers, named where nothing of ours passes: documentation, tests, the debugger
    "doctest", "pdb", "pydoc", "pydoc_data", "unittest", "xmlrpc",
)  # fmt: skip
"""Modules that PyInstaller leaves out."""
INTEL_GPU = (r"libs/(lib)?openvino_intel_[gn]pu_", r"libs/cache\.json$", r"^libOpenCL\.")
"""OpenVINO's plug-ins for Intel GPUs and NPUs: 60 MB; `make app INTEL_GPU=1` keeps them."""
LEFT_OUT = (
    # OpenVINO: models come as ONNX, compiled ones as IR; devices are named, never AUTO, BATCH or HETERO
    r"libs/(lib)?openvino_(gguf|jax|paddle|pytorch|tensorflow|tensorflow_lite)_frontend",
    r"libs/(lib)?openvino_(auto|auto_batch|hetero)_plugin",
    r"libs/(lib)?openvino_c\.",
    r"libs/.*\.(pc|lib|cmake)$",
    # Qt: what a window of widgets has no use for. The GTK theme would take half of GTK along; the desktop's portal
    # opens the same dialogs
    r"/(lib)?Qt6?(Qml|Quick|WebEngine|Pdf|VirtualKeyboard|Network|EglFS)\w*(\.|$)",
    r"PySide6/Qt(Network|Qml|Quick)\.",
    rf"/translations/(?!qtbase_({'|'.join(LANGUAGES)})\.qm$)",
    r"/plugins/(egldeviceintegrations|generic|networkinformation|tls)/",
    # OpenCV reads the pictures that somebody opens, WebP too; Qt those of the window: SVG, PNG, JPEG
    r"/plugins/imageformats/(lib)?q(icns|pdf|tga|tiff|wbmp|webp)\b",
    r"/plugins/platforms/(lib)?q(eglfs|linuxfb|minimalegl|vkkhrdisplay|vnc|direct2d)\b",
    r"/plugins/platformthemes/(lib)?qgtk3\b",
    r"/opengl32sw\.dll$",
    # OpenCV reads pictures and cameras; PyAV reads videos
    r"cv2/(opencv_videoio_ffmpeg\w*\.dll|data/|gapi/)",
    # lists for pip and its like; versions and licences stay
    r"\.dist-info/(RECORD$|INSTALLER$|REQUESTED$|WHEEL$|sboms/)",
    # part of the C library, of which each system has its own
    r"^libmvec\.so\.1$",
)
# asked for by name while the program runs: no file says that it needs them
_BY_NAME = re.compile(r"^lib(X|xcb|openvino|tbb|python)")
_FFMPEG = re.compile(r"(lib(?:av|sw)[a-z]+)-[0-9a-f]{8}\.so\.(\d+)\.(\d+)\.(\d+)")


def slim(entries: Iterable[Entry], left_out: tuple[str, ...] = LEFT_OUT, scratch: Path | None = None) -> list[Entry]:
    """The entries that stay, some of them replaced by smaller ones.

    Args:
        entries: all files.
        left_out: patterns of paths that go.
        scratch: folder for what takes the place of larger files; None leaves all other files as they are.
    """
    kept = [entry for entry in entries if stays(entry[0], left_out)]
    if scratch is None:
        return kept
    entries = [packed(entry, scratch) for entry in stand_ins(kept, scratch / "stand-ins")]
    small = (stripped(entry, scratch) for entry in reached(one_ffmpeg(entries), _needed))
    return [at_home(entry, scratch) for entry in small]


def stays(path: str, left_out: tuple[str, ...] = LEFT_OUT) -> bool:
    """Whether no pattern names it."""
    return not any(re.search(pattern, _posix(path)) for pattern in left_out)


def one_ffmpeg(entries: list[Entry]) -> list[Entry]:
    """OpenCV's FFmpeg replaced by links to PyAV's, where that is the same major version and no older: 30 MB."""
    ours = {}
    for path, _, _ in entries:
        place = PurePosixPath(_posix(path))
        if str(place.parent) == "av.libs" and (found := _version(place.name)):
            ours[found[0]] = (found[1], place)
    return [_shared(entry, ours) for entry in entries]


def _shared(entry: Entry, ours: dict[str, tuple[tuple[int, ...], PurePosixPath]]) -> Entry:
    place = PurePosixPath(_posix(entry[0]))
    found = _version(place.name)
    if str(place.parent) != "opencv_python_headless.libs" or not found or found[0] not in ours:
        return entry
    version, twin = ours[found[0]]
    return (entry[0], f"../{twin}", "SYMLINK") if version[0] == found[1][0] and version >= found[1] else entry


def _version(name: str) -> tuple[str, tuple[int, ...]] | None:
    """Of "libavcodec-c4204469.so.62.28.101": "libavcodec", (62, 28, 101)."""
    found = _FFMPEG.fullmatch(name)
    return (found[1], tuple(int(part) for part in found.groups()[1:])) if found else None


def reached(entries: list[Entry], needed: Callable[[str], Iterable[str]]) -> list[Entry]:
    """Without the libraries that nobody needs; links to them go, too.

    Args:
        entries: as PyInstaller lists them.
        needed: path of a file here → names of the libraries that it is linked with.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(PurePosixPath(_posix(entry[0])).name, []).append(entry)
    paths = {_posix(entry[0]) for entry in entries}
    waiting = [
        PurePosixPath(_posix(path)).name for path, _, kind in entries if kind != "SYMLINK" and _is_root(path, kind)
    ]
    seen = set(waiting)
    while waiting:
        for path, source, kind in by_name.get(waiting.pop(), ()):
            target = PurePosixPath(_posix(path)).parent / source
            names = [target.name] if kind == "SYMLINK" else [] if kind == "DATA" else list(needed(source))
            new = {name for name in names if name in by_name} - seen
            seen |= new
            waiting += new
    kept = {path for path in paths if PurePosixPath(path).name in seen}
    return [entry for entry in entries if _posix(entry[0]) in kept and (entry[2] != "SYMLINK" or _leads(entry, kept))]


def _leads(entry: Entry, kept: set[str]) -> bool:
    parts: list[str] = []
    for part in (*PurePosixPath(_posix(entry[0])).parent.parts, *PurePosixPath(_posix(entry[1])).parts):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts) in kept


def _is_root(path: str, kind: str) -> bool:
    """A module, a plug-in or no library at all, as against a library that lies there for others."""
    place = PurePosixPath(_posix(path))
    is_library = str(place.parent) in (".", "PySide6/Qt/lib") or place.parts[0].endswith(".libs")
    return kind == "DATA" or not is_library or _BY_NAME.match(place.name) is not None or ".cpython-" in place.name


def _needed(file: str) -> Iterator[str]:
    yield from re.findall(r"NEEDED +(\S+)", _output("objdump", "-p", file))


def stripped(entry: Entry, scratch: Path) -> Entry:
    """A copy of a library without debugging symbols, where that makes it smaller and leaves it fit to be loaded."""
    path, source, kind = entry
    if kind not in ("BINARY", "EXTENSION"):
        return entry
    copy = scratch / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, copy)
    done = subprocess.run(["strip", "--strip-unneeded", str(copy)], capture_output=True, check=False)
    if done.returncode:
        return entry
    _forget_empty_parts(copy)
    if copy.stat().st_size >= Path(source).stat().st_size or not _can_be_loaded(copy):
        return entry
    return (path, str(copy), kind)


def _forget_empty_parts(file: Path) -> None:
    """Have the loader pass over parts that `strip` has emptied, as they lie where it refuses to load them.

    numpy's OpenBLAS has two: copies of its names that patchelf left behind when it made a third. Layout: elf(5), 64
    bits, little-endian.
    """
    data = bytearray(file.read_bytes())
    if data[:6] != b"\x7fELF\2\1":
        return
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for at in range(table, table + size * count, size):
        (kind,), (in_file, in_memory) = struct.unpack_from("<I", data, at), struct.unpack_from("<QQ", data, at + 32)
        if kind == _LOADED and in_file == in_memory == 0:
            struct.pack_into("<I", data, at, _NULL)
    file.write_bytes(data)


_NULL, _LOADED = 0, 1
"""PT_NULL and PT_LOAD."""


def packed(entry: Entry, scratch: Path) -> Entry:
    """PyInstaller's archive of the modules that Python itself starts with, compressed: 0.6 MB.

    What is imported before zlib can be stays as it is: the codecs.
    """
    path, source, kind = entry
    if path != "base_library.zip":
        return entry
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / path
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(copy, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            item.compress_type = zipfile.ZIP_STORED if _EARLY.match(item.filename) else zipfile.ZIP_DEFLATED
            new.writestr(item, data)
    return (path, str(copy), kind)


_EARLY = re.compile(r"(encodings/(__init__|aliases|utf_8|ascii|latin_1|cp437|cp1252|mbcs)|codecs|io|abc)\.pyc$")


def at_home(entry: Entry, scratch: Path) -> Entry:
    """A copy of a library that looks for others in the program only, where it names folders of this machine.

    Those of a Python that was built here do. The new path is as long as the old one, and ends alike, as the linker may
    have put another text into its end.
    """
    path, source, kind = entry
    found = _SEARCHED.search(_output("objdump", "-p", source)) if kind in ("BINARY", "EXTENSION") else None
    if found is None or (new := ":".join(map(_inside, found[1].split(":")))) == found[1]:
        return entry
    copy = scratch / "at-home" / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    data = Path(source).read_bytes()
    copy.write_bytes(data.replace(f"\0{found[1]}\0".encode(), f"\0{new}\0".encode(), 1))
    shutil.copymode(source, copy)
    return (path, str(copy), kind)


_SEARCHED = re.compile(r"^ +R(?:UN)?PATH +(\S+)$", re.MULTILINE)
_HERE = "$ORIGIN"


def _inside(folder: str) -> str:
    """ "/usr/local/lib" becomes "$ORIGIN////lib"; one that is too short for that stays."""
    name = "/" + PurePosixPath(folder).name
    room = len(folder) - len(_HERE) - len(name)
    return folder if folder.startswith("$") or room < 0 else f"{_HERE}{'/' * room}{name}"


def _can_be_loaded(file: Path) -> bool:
    """Whether each part lies in the file as in memory, a page's width apart: older `strip`s lost that for some."""
    header = _output("objdump", "-p", str(file))
    parts = re.findall(r"LOAD off +0x(\w+) vaddr 0x(\w+) paddr 0x\w+ align 2\*\*(\d+)", header)
    return bool(parts) and all((int(at, 16) - int(to, 16)) % 2 ** int(bits) == 0 for at, to, bits in parts)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _posix(path: str) -> str:
    return path.replace("\\", "/")
