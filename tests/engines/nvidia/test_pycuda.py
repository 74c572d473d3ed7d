"""The real PyCUDA where there is no GPU: the tests marked gpu run on a CUDA driver made of host memory.

They show that the helper's calls are what PyCUDA takes; what a GPU makes of them is for `make test-gpu` to show.
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


@pytest.fixture
def host_driver(tmp_path: Path) -> Path:
    """A libcuda.so.1 for the installed PyCUDA: what host_driver.c has, and "not supported" for all else."""
    spec = importlib.util.find_spec("pycuda")
    if spec is None or spec.origin is None:
        pytest.skip("PyCUDA is not installed: it compiles where the CUDA toolkit is")
    cc, nm = compiler(), shutil.which("nm")
    if cc is None or nm is None or sys.platform != "linux":
        pytest.skip("no C compiler (cc, nm) to make the driver")
    (native,) = Path(spec.origin).parent.glob("_driver*.so")
    needed = re.findall(
        r" U (cu[A-Z]\w*)",
        subprocess.run([nm, "-D", str(native)], capture_output=True, encoding="utf-8", check=True).stdout,
    )
    there = set(re.findall(r"^int (cu\w+)\(", SOURCE.read_text(encoding="utf-8"), re.MULTILINE))
    rest = tmp_path / "rest.c"
    rest.write_text("".join(f"int {name}(void) {{ return 801; }}\n" for name in sorted(set(needed) - there)))
    library = tmp_path / "libcuda.so.1"
    command = [cc, "-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o", str(library), str(SOURCE), str(rest)]
    subprocess.run(command, check=True, capture_output=True)
    return library


def test_the_helper_drives_the_real_pycuda(host_driver: Path) -> None:
    environ = os.environ | {"LD_PRELOAD": str(host_driver), "LD_LIBRARY_PATH": str(host_driver.parent)}
    tests = [f"tests/engines/nvidia/{name}.py" for name in ("test_gpu", "test_contract")]
    chosen = ["-k", "bytes or pinned or lanes or waiter or memory or again or tells_what or recorded_pycuda"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *chosen, *tests],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 9 and "SKIPPED" not in done.stdout, done.stdout
