"""Steady classes in figures: how much flickers, what comes late and for how long, and what the ground truth says of it.

    python -m benchmarks.steady CLIP… [--model NAME]… [--truth FILE] [--frames N]

A CLIP is a file, or "demo". `changed` is the share of still pixels that change class (`trainer/scoring/flicker.py`),
for the model's own answers and for steady ones; `late` the share of all pixels that show another class than the model's
latest answer, with how many frames in a row that lasted. --truth is a video of one CLIP's class ids, grey and lossless
(assets/demo/street_truth.mkv): its own flicker is shown then, and the agreement of both with it. `cost` is the CPU time
of the filter as a share of the model's.
"""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import av
import click
import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.scores import Scores, confusion_matrix
from seg_viewer.core.steady import CONFIRMED, Steadied, steadied
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import open_source
from trainer.scoring.flicker import Flicker


def truth_of(path: Path, width: int, height: int) -> list[ByteArray]:
    """Class ids of each frame of a grey video, at a size (nearest neighbour)."""
    with av.open(str(path)) as file:
        return [
            np.asarray(cv2.resize(frame.to_ndarray(format="gray"), (width, height), interpolation=cv2.INTER_NEAREST))
            for frame in file.decode(video=0)
        ]


class Late:
    """How long steady classes differ from the model's.

    Attributes:
        share: of all pixels, 0…1.
        lasting: how often it was over after so many frames, shape (CONFIRMED + 1,).
    """

    def __init__(self) -> None:
        self.lasting = np.zeros(CONFIRMED + 1, np.int64)
        self._late = self._all = 0
        self._runs: NDArray[np.int64] | None = None

    @property
    def share(self) -> float:
        return self._late / max(1, self._all)

    def add(self, raw: ByteArray, made: ByteArray) -> None:
        differs = raw != made
        self._late += int(np.count_nonzero(differs))
        self._all += differs.size
        if self._runs is None:
            self._runs = np.zeros(raw.shape, np.int64)
        ended = self._runs[~differs & (self._runs > 0)]
        self.lasting += np.bincount(ended, minlength=len(self.lasting))  # fails where one lasted longer than it may
        self._runs = np.where(differs, self._runs + 1, 0)


def measure(clip: str, model: str, truth: Path | None, frames: int | None) -> list[str]:
    """Lines about a clip."""
    options = RunOptions(model)
    spec = options.read_spec()
    engine, source = options.load(spec, "latency"), open_source(clip)
    known = [] if truth is None else truth_of(truth, spec.width, spec.height)
    flicker = {name: Flicker(spec.labels) for name in ("model", "steady", "truth")}
    matrix = dict.fromkeys(("model", "steady"), np.zeros((len(spec.labels),) * 2, np.int64))
    late, count = Late(), 0
    before: Steadied | None = None
    spent_s = {"model": 0.0, "steady": 0.0}
    try:
        for count, frame in enumerate(islice(source, frames), 1):
            picture = frame.picture.scaled_rgb(spec.width, spec.height)
            begun_s = time.process_time()  # the model works on threads of its own
            raw = engine.segment(picture)
            done_s, thread_s = time.process_time(), time.thread_time()
            before = steadied(before, raw, picture, frame.time_s)
            spent_s["model"] += done_s - begun_s
            spent_s["steady"] += time.thread_time() - thread_s
            made = {"model": raw, "steady": before.ids}
            late.add(raw, before.ids)
            if count <= len(known):
                flicker["truth"].add(picture, known[count - 1])
            for name, ids in made.items():
                flicker[name].add(picture, ids)
                if count <= len(known):
                    matrix[name] = matrix[name] + confusion_matrix(known[count - 1], ids, len(spec.labels))
    finally:
        source.close()
        engine.close()
    changed = {name: one.to_json()["changed"] for name, one in flicker.items()}
    ended = ", ".join(
        f"{number}: {share:.0%}" for number, share in enumerate(late.lasting / max(1, late.lasting.sum()))
    )
    lines = [
        f"{clip}, {model}, {count} frames: changed {_percent(changed['model'])} → {_percent(changed['steady'])}, "
        f"late {late.share:.2%} (frames in a row, {ended}), cost {spent_s['steady'] / spent_s['model']:.1%}"
    ]
    if known:
        lines.append(f"  the truth itself: changed {_percent(changed['truth'])}")
        for name, counted in matrix.items():
            scores = Scores(count, counted, spec.labels)
            lines.append(f"  {name}: mIoU {scores.miou:.2%}, accuracy {scores.accuracy:.3%}")
    return lines


def _percent(share: float | None) -> str:
    return "nothing stands still" if share is None else f"{share:.3%}"


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, required=True)
@click.option("--model", "models", multiple=True, default=("driving-fast",))
@click.option("--truth", type=click.Path(exists=True, path_type=Path))
@click.option("--frames", type=int)
def main(clips: tuple[str, ...], models: tuple[str, ...], truth: Path | None, frames: int | None) -> None:
    for clip in clips:
        for model in models:
            for line in measure(clip, model, truth, frames):
                click.echo(line)


if __name__ == "__main__":
    main()
