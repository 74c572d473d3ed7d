"""Records the API of a real TensorRT bindings wheel as a type stub, without TensorRT's native libraries.

The wheel's module links against three libraries of which it uses nine C symbols. Libraries with just these symbols,
compiled here, let it be imported; mypy's stubgen then writes down what pybind11's docstrings say: every class, method,
enum member and keyword.

python -m tests.engines.nvidia.record WHEEL…      writes recorded/VERSION/tensorrt.pyi and the wheel's hash
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"
WHEELS = RECORDED / "wheels.json"


@dataclass(frozen=True)
class Family:
    """One of NVIDIA's two runtimes, as its wheels are called.

    Args:
        title: for people.
        package: with the bindings.
        module: that it installs.
        native: the compiled part of that.
        whole: whether the native libraries are installed with it, from the same index.
        prefix: of the folder of a record.
    """

    title: str
    package: str
    module: str
    native: str
    whole: bool
    prefix: str = ""


TENSORRT = Family("TensorRT", "tensorrt-cu13-bindings", "tensorrt_bindings", "tensorrt", whole=False)
RTX = Family(
    "TensorRT for RTX", "tensorrt-rtx-cu13-bindings", "tensorrt_rtx_bindings", "tensorrt_rtx", whole=True, prefix="rtx-"
)
_LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
_SYMBOLS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "getBuilderPluginRegistry",
    "getPluginRegistry",
    "getNvOnnxParserVersion",
    "initLibNvInferPlugins",
)
_HEADER = "# Generated from the bindings of {title} {version} by tests/engines/nvidia/record.py; do not edit.\n"


def compiler() -> str | None:
    """The C compiler, or None."""
    return shutil.which("cc") or shutil.which("gcc")


def recorded_versions() -> list[str]:
    return sorted(json.loads(WHEELS.read_text(encoding="utf-8")))


def recorded_stub(version: str) -> Path:
    """Of one of `recorded_versions`; those of TensorRT for RTX begin with "rtx-". Each is for a module `tensorrt`."""
    return RECORDED / version / "tensorrt.pyi"


def installed_bindings(family: Family = TENSORRT) -> tuple[Path, str] | None:
    """Folder that holds the installed bindings, and their version; None when they are not installed."""
    try:
        found = distribution(family.package)
    except PackageNotFoundError:
        return None
    return Path(str(found.locate_file("."))), found.version


def import_environment(folder: Path, bindings: Path, version: str) -> dict[str, str]:
    """Environment in which a subprocess can import the bindings that lie in a folder.

    Args:
        folder: where the libraries are made.
        bindings: folder that holds `tensorrt_bindings`.
        version: of the bindings; its first number is the libraries'.
    """
    source = folder / "symbols.c"
    source.write_text("".join(f"void *{symbol}(void) {{ return 0; }}\n" for symbol in _SYMBOLS))
    for name in _LIBRARIES:
        library = folder / f"lib{name}.so.{version.split('.')[0]}"
        subprocess.run(
            [str(compiler()), "-shared", "-fPIC", "-o", str(library), str(source)], check=True, capture_output=True
        )
    return os.environ | {"LD_LIBRARY_PATH": str(folder), "PYTHONPATH": str(bindings)}


def make_stub(bindings: Path, version: str, family: Family = TENSORRT) -> str:
    """The API of the bindings that lie in a folder, as the text of a type stub for the module `tensorrt`."""
    module = family.module
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = os.environ | {"PYTHONPATH": str(bindings)}
        subprocess.run(
            [
                *(sys.executable, "-c", "from mypy.stubgen import main; main()", "--inspect-mode", "--quiet"),
                *("-m", module, "-m", f"{module}.{family.native}", "-o", str(folder)),
            ],
            env=environ if family.whole else import_environment(folder, bindings, version),
            check=True,
            capture_output=True,
        )
        native = (folder / module / f"{family.native}.pyi").read_text(encoding="utf-8")
        package = (folder / module / "__init__.pyi").read_text(encoding="utf-8")
    native = _mend(native)
    additions = re.sub(r"^(from|import) .*\n", "", package, flags=re.MULTILINE)
    # TensorRT has a data type of the name `bool`, which hides Python's own within the module
    native = re.sub(r"(?<![\w.])bool\b(?!: DataType)", "builtins.bool", native)
    text = (
        _HEADER.format(title=family.title, version=version)
        + "import builtins\n"
        + native.rstrip()
        + "\n"
        + additions.rstrip()
        + "\n"
    )
    return text.replace(f"{module}.{family.native}.", "").replace("nvinfer1::", "")


def _mend(stub: str) -> str:
    """The few signatures that are no Python, with a default before a parameter that has none, become open ones."""
    lines = stub.split("\n")
    while True:
        try:
            ast.parse("\n".join(lines))
            return "\n".join(lines)
        except SyntaxError as error:
            if error.lineno is None or "*args" in lines[error.lineno - 1]:
                raise
            lines[error.lineno - 1] = re.sub(r"\(self, .*\) ->", "(self, *args, **kwargs) ->", lines[error.lineno - 1])


def record(wheel: Path) -> Path:
    """Write the stub of a wheel's API, and the wheel's hash beside it.

    Those of TensorRT for RTX need its libraries, which are installed with it.
    """
    version = wheel.name.split("-")[1]
    family = RTX if "rtx" in wheel.name else TENSORRT
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        text = make_stub(Path(folder), version, family)
    version = family.prefix + version
    stub = recorded_stub(version)
    stub.parent.mkdir(parents=True, exist_ok=True)
    stub.write_text(text)
    wheels = json.loads(WHEELS.read_text(encoding="utf-8")) if WHEELS.exists() else {}
    wheels[version] = {"wheel": wheel.name, "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    WHEELS.write_text(json.dumps(wheels, indent=2, sort_keys=True) + "\n")
    return stub


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(record(Path(argument)))
