"""Makes docs/demo.webp of the clip that ships: python docs/make_moving_picture.py. Needs the trainer's Pillow."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import seg_viewer

OUT = Path(__file__).parent / "demo.webp"
RATE = 8
SECONDS = 4


def main() -> None:
    source_rate = 16
    with seg_viewer.open("demo", size="640x", end=SECONDS, every=source_rate // RATE) as shots:
        pictures = [Image.fromarray(shot.overlay()) for shot in shots]
    pictures[0].save(
        OUT, save_all=True, append_images=pictures[1:], duration=1000 // RATE, loop=0, quality=60, method=6
    )
    print(f"{OUT}: {len(pictures)} pictures, {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
