import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seg_viewer.core.machine import step_back, usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process to cores")
def test_cores_that_others_keep_do_not_count() -> None:
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{one}}})\n"
    code += "from seg_viewer.core.machine import usable_cores; print(usable_cores())"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=200)
    assert done.stdout.strip() == "1", done.stderr
    assert usable_cores() == len(os.sched_getaffinity(0))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_what_steps_back_takes_along_what_it_starts_and_nothing_else() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    found: dict[str, int] = {}

    def first() -> None:
        step_back(3)
        found["first"] = priority()
        second = threading.Thread(target=lambda: found.update(second=priority()))
        second.start()
        second.join()

    own = priority()
    thread = threading.Thread(target=first)
    thread.start()
    thread.join()
    most = 19
    assert found == {"first": min(most, own + 3), "second": min(most, own + 3)} and priority() == own
