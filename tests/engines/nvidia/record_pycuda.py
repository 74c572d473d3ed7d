"""Records the API of PyCUDA as type stubs from the sources in its sdist, without CUDA.

Its native module is declared in C++ with Boost.Python: names of classes, methods, functions, enum members and, where
they are given, keywords are read from there; what is written in Python is read from its syntax tree. Argument and
result types are not declared in a form that could be read and are `Any`.

python -m tests.engines.nvidia.record_pycuda SDIST      writes recorded/pycuda/*.pyi and the sdist's hash
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded" / "pycuda"
SOURCES = RECORDED / "sdist.json"
_WRAPPER = "src/wrapper/wrap_cudadrv.cpp"
_HEADER = "# Generated from the sources of {name} by tests/engines/nvidia/record_pycuda.py; do not edit.\n"
_IMPORTS = "import builtins\nfrom typing import Any, ClassVar\n\n"


def record(sdist: Path) -> None:
    """Write the stubs of a source distribution, and its hash beside them."""
    with tarfile.open(sdist) as archive:
        files = {name.split("/", 1)[-1]: name for name in archive.getnames()}

        def read(name: str) -> str:
            found = archive.extractfile(files[name])
            assert found is not None
            return found.read().decode()

        wrapper, driver, compiler = read(_WRAPPER), read("pycuda/driver.py"), read("pycuda/compiler.py")
    header = _HEADER.format(name=sdist.name) + _IMPORTS
    RECORDED.mkdir(parents=True, exist_ok=True)
    (RECORDED / "__init__.pyi").write_text(_HEADER.format(name=sdist.name))
    (RECORDED / "driver.pyi").write_text(header + native_stub(wrapper) + python_stub(driver))
    (RECORDED / "compiler.pyi").write_text(header + python_stub(compiler))
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    SOURCES.write_text(json.dumps({"sdist": sdist.name, "sha256": digest}, indent=2) + "\n")


# -- C++ ---------------------------------------------------------------------------------------------------------------


def native_stub(source: str) -> str:
    """Stub of what a Boost.Python module declares."""
    source = re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL)
    source = source[source.index("BOOST_PYTHON_MODULE") :]
    source = re.sub(r"^#.*(?:\\\n.*)*\n", "\n", source, flags=re.MULTILINE)
    lines: list[str] = []
    for statement in _joined(source.split(";")):
        lines += _exception(statement) or _enum(statement) or _class(statement) or _function(statement)
    return "\n".join(lines) + "\n"


def _joined(statements: list[str]) -> list[str]:
    """A class that is held in a variable goes on in the next statement, with the variable's name."""
    joined: list[str] = []
    variable = ""
    for statement in statements:
        if variable and re.match(rf"\s*{variable}\s*\.", statement):
            joined[-1] += statement
            continue
        declared = re.search(r"py::class_<[^\"]*>\s*(\w+)\s*\(", statement)
        variable = declared[1] if declared else ""
        joined.append(statement)
    return joined


def _exception(statement: str) -> list[str]:
    match = re.search(r"DECLARE_EXC\((\w+), (NULL|Cuda(\w+)\.get\(\))\)", statement)
    return [f"class {match[1]}({match[3] or 'Exception'}): ..."] if match else []


def _enum(statement: str) -> list[str]:
    match = re.search(r"py::enum_<.*?>\(\"(\w+)\"\)", statement)
    if not match:
        return []
    members = re.findall(r"\.value\(\"(\w+)\"", statement)
    return [f"class {match[1]}(int):", *(f"    {name}: ClassVar[{match[1]}]" for name in members), "    ..."]


def _class(statement: str) -> list[str]:
    match = re.search(r"py::class_<.*?>\s*(?:\w+)?\s*\(\s*\"(\w+)\"", statement, re.DOTALL)
    if not match:
        return []
    static = set(re.findall(r"\.staticmethod\(\"(\w+)\"\)", statement))
    body: dict[str, str] = {}
    constructor = re.search(r"py::init<(.*)>\s*\((.*?)\)\)", statement, re.DOTALL)
    if constructor:
        body["__init__"] = _signature("__init__", constructor[2], "self", all_optional="optional" in constructor[1])
    for kind, name, rest in _calls(statement):
        if kind in ("def", "DEF_SIMPLE_METHOD", "DEF_SIMPLE_METHOD_WITH_ARGS"):
            if name in body and kind == "def":
                body[name] = _signature(name, "", "self")  # overloaded: whatever it is called with
            else:
                body.setdefault(name, _signature(name, rest, "" if name in static else "self"))
        elif kind in ("add_property", "def_readwrite", "def_readonly"):
            body[name] = f"{name}: Any"
    lines = [f"class {match[1]}:"]
    for name, text in body.items():
        lines += ["    @staticmethod"] if name in static else []
        lines.append(f"    {text}")
    return [*lines, "    ..."]


def _function(statement: str) -> list[str]:
    match = re.search(r"\bpy::def\(\s*\"(\w+)\"(.*)\)\s*$", statement, re.DOTALL)
    if match:
        return [_signature(match[1], match[2], "")]
    match = re.search(r"\bDEF_SIMPLE_FUNCTION(?:_WITH_ARGS)?\(\s*(\w+)(.*)\)\s*$", statement, re.DOTALL)
    return [_signature(match[1], match[2], "")] if match else []


def _calls(statement: str) -> Iterator[tuple[str, str, str]]:
    """(method of class_, name, rest of the arguments) of each call in a chain."""
    for match in re.finditer(r"\.(def|DEF_SIMPLE_METHOD(?:_WITH_ARGS)?|add_property|def_read\w+)\s*\(", statement):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(statement[end], 0)
            end += 1
        first, _, rest = statement[match.end() : end - 1].partition(",")
        name = first.strip().strip('"')
        if re.fullmatch(r"\w+", name):
            yield match[1], name, rest


def _signature(name: str, declared: str, first: str, all_optional: bool = False) -> str:
    """A `def` with the keywords that are declared; with `*args` where none are."""
    found: list[str] = []
    for match in re.finditer(r"py::arg\(\"(\w+)\"\)(\s*=)?|py::args\(([^)]*)\)(\s*=)?|^\s*\((\"[^)]*)\)", declared):
        names = [match[1]] if match[1] else re.findall(r"\"(\w+)\"", match[3] or match[5])
        default = " = ..." if match[2] or match[4] or all_optional else ""
        found += [f"{item}: Any{default}" for item in names if item != "self"]
    parts = [first] if first else []
    parts += found or ([] if "py::arg" in declared else ["*args: Any"])
    return f"def {name}({', '.join(parts)}) -> {'None' if name == '__init__' else 'Any'}: ..."


# -- Python ------------------------------------------------------------------------------------------------------------


def python_stub(source: str) -> str:
    """Stub of the functions and classes of a Python module."""
    lines: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            lines.append(_python_def(node))
        elif isinstance(node, ast.ClassDef):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            lines.append(f"class {node.name}({bases}):")
            members = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            lines += [f"    {_python_def(item)}" for item in members] + ["    ..."]
    return "\n".join(lines) + "\n"


def _python_def(node: ast.FunctionDef) -> str:
    arguments = node.args
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    arguments.kw_defaults = [default and ast.Constant(...) for default in arguments.kw_defaults]
    result = "None" if node.name == "__init__" else "Any"
    for argument in [*arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument is not None and argument.arg != "self":
            argument.annotation = ast.Name("Any")
    return f"def {node.name}({ast.unparse(arguments)}) -> {result}: ..."


if __name__ == "__main__":
    record(Path(sys.argv[1]))
