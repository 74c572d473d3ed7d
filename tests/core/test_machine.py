import os
import subprocess
import sys
from pathlib import Path

import pytest

from seg_viewer.core.machine import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process to cores")
def test_cores_that_others_keep_do_not_count() -> None:
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{one}}})\n"
    code += "from seg_viewer.core.machine import usable_cores; print(usable_cores())"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=200)
    assert done.stdout.strip() == "1", done.stderr
    assert usable_cores() == len(os.sched_getaffinity(0))
