"""The first two minutes of a video with its overlay; goes on where it was broken off.

python docs/examples/export_with_progress.py VIDEO [OUT.mp4]
"""

from __future__ import annotations

import sys

import seg_viewer


def show(progress: seg_viewer.ExportProgress) -> None:
    left = "" if progress.time_left_s is None else f", {progress.time_left_s:.0f} s left"
    print(f"\r{progress.frames}/{progress.total or '?'} frames, {progress.rate:.0f}/s{left}  ", end="", file=sys.stderr)


def main(source: str, out: str = "out.mp4", model: str | None = None) -> None:
    try:
        result = seg_viewer.export(
            source, out, model=model, end="2:00", size="1280x", hide=["road"], resume=True, on_progress=show
        )
    except seg_viewer.SegViewerError as error:
        sys.exit(f"{error}")  # one line that says what to do
    print(f"\n{result.path}: {result.frames} frames in {result.seconds:.1f} s, sound: {result.audio}")
    for line in result.warnings:
        print(f"  {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
