"""A painted PNG of each second of a video.

python docs/examples/paint_frames.py VIDEO [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

import seg_viewer


def main(source: str, folder: str = "painted", model: str | None = None) -> None:
    Path(folder).mkdir(exist_ok=True)
    second = 0
    for shot in seg_viewer.open(source, model=model, size="720p"):
        if shot.time_s < second:
            continue
        second = int(shot.time_s) + 1
        painted = shot.overlay(opacity=0.6, outline=True)  # RGB; OpenCV writes BGR
        name = Path(folder, f"{shot.index:06d}.png")
        cv2.imwrite(str(name), cv2.cvtColor(painted, cv2.COLOR_RGB2BGR))
        print(name, shot)


if __name__ == "__main__":
    main(*sys.argv[1:])
