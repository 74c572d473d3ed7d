"""What int8 is worth on the processor that the tests run on."""

from __future__ import annotations

import platform
from pathlib import Path


def sums_int8_exactly() -> bool:
    """Whether int8 sums are exact here.

    Without VNNI (AMD before Zen 4, Intel before Ice Lake) two products are added in 16 bits, which hold only some of
    what 255 × 127 twice is: sums of large values come out too small (`docs/engines.md`). So it is in OpenVINO, and in
    ONNX Runtime where it computes in int8.
    """
    cpu = Path("/proc/cpuinfo")
    if platform.machine() not in ("x86_64", "AMD64") or not cpu.exists():
        return True
    return "vnni" in cpu.read_text(encoding="utf-8")
