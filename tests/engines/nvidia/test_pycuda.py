"""The real bindings where there is no GPU: the tests marked gpu run on a CUDA driver made of host memory.

They show that the helper's calls are what PyCUDA and cuda-bindings take; what a GPU makes of them is for
`make test-gpu` to show.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines.nvidia.record import compiler

SOURCE = Path(__file__).with_name("host_driver.c")
ROOT = Path(__file__).parents[3]


CHOSEN = "bytes or pinned or lanes or waiter or memory or again or tells_what or recorded_pycuda"


def _host_driver(folder: Path, needed: set[str]) -> Path:
    """A libcuda.so.1: what host_driver.c has, and "not supported" for all else that is needed."""
    cc = compiler()
    if cc is None or sys.platform != "linux":
        pytest.skip("no C compiler (cc) to make the driver")
    there = set(re.findall(r"^int (cu\w+)\(", SOURCE.read_text(encoding="utf-8"), re.MULTILINE))
    rest = folder / "rest.c"
    rest.write_text("".join(f"int {name}(void) {{ return 801; }}\n" for name in sorted(needed - there)))
    library = folder / "libcuda.so.1"
    command = [cc, "-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o", str(library), str(SOURCE), str(rest)]
    subprocess.run(command, check=True, capture_output=True)
    return library


def _run(driver: Path, chosen: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """The tests marked gpu on that driver, after a line of Python."""
    environ = os.environ | {"LD_PRELOAD": str(driver), "LD_LIBRARY_PATH": str(driver.parent)}
    tests = [f"tests/engines/nvidia/{name}.py" for name in ("test_gpu", "test_contract")]
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, pytest; {before}; sys.exit(pytest.main(sys.argv[1:]))",
            "-q",
            "-rA",
            "-p",
            "no:cacheprovider",
            "-k",
            chosen,
            *tests,
        ],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
    )


def test_the_helper_drives_the_real_pycuda(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("pycuda")
    if spec is None or spec.origin is None:
        pytest.skip("PyCUDA is not installed: it compiles where the CUDA toolkit is")
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("no nm to see what PyCUDA needs")
    (native,) = Path(spec.origin).parent.glob("_driver*.so")
    listed = subprocess.run([nm, "-D", str(native)], capture_output=True, encoding="utf-8", check=True).stdout
    done = _run(_host_driver(tmp_path, set(re.findall(r" U (cu[A-Z]\w*)", listed))), CHOSEN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 9 and "SKIPPED" not in done.stdout, done.stdout


def test_the_helper_drives_nvidias_own_bindings(tmp_path: Path) -> None:
    pytest.importorskip(
        "cuda.bindings.driver", reason="cuda-bindings is not installed; there is no wheel for this system"
    )
    # where PyCUDA is installed too it would be taken
    done = _run(
        _host_driver(tmp_path, set()), CHOSEN.removesuffix(" or recorded_pycuda"), "sys.modules['pycuda'] = None"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 8 and "SKIPPED" not in done.stdout, done.stdout
