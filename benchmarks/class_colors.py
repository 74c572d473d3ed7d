"""What the look of classes costs: milliseconds to paint a picture, and hatched and outlined as ratios to plain.

python -m benchmarks.class_colors [--repeats 30]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from seg_viewer.core.frame import ByteArray, YuvPlanes
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay, OverlayStyle

SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
STYLES = {
    "plain": OverlayStyle(),
    "other colours": OverlayStyle(palette="okabe-ito", colors={"car": (250, 10, 200)}),
    "hatched": OverlayStyle(hatched=True),
    "outlined": OverlayStyle(outline=True),
}


def street() -> ByteArray:
    """A class map like that of a street, shape (288, 512)."""
    classes = np.zeros((288, 512), np.uint8)
    classes[150:, 60:450] = DRIVING.by_name("road").id
    classes[120:200, 100:200] = DRIVING.by_name("car").id
    classes[130:220, 300:330] = DRIVING.by_name("person").id
    return classes


def least_ms(call: Callable[[], object], repeats: int) -> float:
    """Of so many runs the fastest, which other programs disturb least."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return 1000 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    rng, classes = np.random.default_rng(0), street()
    print(f"{'picture':>11} {'look':>14} {'YUV (export)':>18} {'RGB (screenshot)':>18} {'mask (window)':>18}")
    for width, height in SIZES:
        half = (height // 2, width // 2)
        planes = YuvPlanes(*(rng.integers(0, 256, size, dtype=np.uint8) for size in ((height, width), half, half)))
        rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        first: list[float] = []
        for name, style in STYLES.items():
            overlay = Overlay(DRIVING, style)
            found = [
                least_ms(lambda: overlay.paint_yuv(planes, classes), repeats),  # noqa: B023
                least_ms(lambda: overlay.paint_rgb(rgb, classes), repeats),  # noqa: B023
                least_ms(lambda: overlay.mask_bgra(classes), repeats),  # noqa: B023
            ]
            first = first or found
            cells = "".join(f"{ms:8.2f} ms {ms / plain:5.2f}×" for ms, plain in zip(found, first, strict=True))
            print(f"{width:>6}×{height:<4} {name:>14} {cells}")


if __name__ == "__main__":
    main()
