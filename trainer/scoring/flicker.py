"""How much class maps flicker: what changes its class although the picture stands still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.counted import counted
from seg_viewer.core.frame import Picture
from seg_viewer.core.labels import LabelSet
from trainer.scoring.evaluate import MeasuredModel

STILL = 2
"""Grey levels of 255 that luma may change by where a picture still counts as standing still."""

LARGEST = 3


class Flicker:
    """Share of still pixels whose class changes from one frame of a clip to the next.

    Luma (ITU-R BT.601) of the network's input is blurred with a box of 5×5. A pixel is still when the largest absolute
    difference of that luma to the frame before, in its 3×3 neighbourhood, is at most 2 grey levels. Luma and blur are
    rounded to whole levels; at the border the picture is mirrored. Pairs of frames that are the same in every value are
    left out: a frame that came twice says nothing about flicker.

    Args:
        labels: names of the classes; None where the model does not say, then ids stand for them.
    """

    def __init__(self, labels: LabelSet | None) -> None:
        self._labels = labels
        self._last: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._frames = self._pairs = self._repeated = self._all = self._still = 0
        self._changes = np.zeros((256, 256), np.int64)
        self._over_time: list[float | None] = []

    def add(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8]) -> None:
        """Count the next frame.

        Args:
            picture: (H, W, 3) uint8 RGB as the network got it; kept until the next one.
            class_map: (H, W) uint8 class ids, its answer; kept too.

        Raises:
            ValueError: a size differs from the picture's or from the frame's before.
        """
        if picture.shape[:2] != class_map.shape:
            raise ValueError(f"picture is {picture.shape}, class map {class_map.shape}")
        luma = cv2.blur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (5, 5))
        last, self._last = self._last, (picture, luma, class_map)
        self._frames += 1
        if last is None:
            return
        before, luma_before, map_before = last
        if before.shape != picture.shape:
            raise ValueError(f"frame is {picture.shape}, the one before was {before.shape}")
        if np.array_equal(picture, before):
            self._repeated += 1
            return
        still = cv2.dilate(cv2.absdiff(luma, luma_before), np.ones((3, 3), np.uint8)) <= STILL
        self._pairs += 1
        self._all += still.size
        count = int(np.count_nonzero(still))
        self._still += count
        changed = still & (class_map != map_before)
        self._over_time.append(_share(int(np.count_nonzero(changed)), count))
        codes = map_before[changed].astype(np.int64) * 256 + class_map[changed]
        self._changes += np.bincount(codes, minlength=256 * 256).reshape(256, 256)

    def to_json(self) -> dict[str, Any]:
        """{"frames", "pairs", "repeated", "still", "changed", "by_classes", "over_time"}.

        `frames`: read; `pairs`: compared; `repeated`: left out; `still`: share of all pixels that are still; `changed`:
        share of the still pixels whose class changes; `by_classes`: the three pairs of classes that change most,
        "NAME<->NAME" → share of the still pixels, both directions together; `over_time`: `changed` of each pair, in
        order. Shares of 1, rounded to 6 places, None where there is nothing to take a share of.
        """
        both = np.triu(self._changes + self._changes.T, 1)
        largest = sorted(zip(*np.nonzero(both), strict=True), key=lambda pair: -both[pair])[:LARGEST]
        return {
            "frames": self._frames,
            "pairs": self._pairs,
            "repeated": self._repeated,
            "still": _share(self._still, self._all),
            "changed": _share(int(both.sum()), self._still),
            "by_classes": {
                f"{self._name(one)}<->{self._name(other)}": _share(int(both[one, other]), self._still)
                for one, other in largest
            },
            "over_time": list(self._over_time),
        }

    def _name(self, class_id: int) -> str:
        if self._labels is None or class_id >= len(self._labels):
            return str(class_id)
        return str(self._labels[int(class_id)].name)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def measure_flicker(models: Sequence[MeasuredModel], pictures: Iterable[Picture]) -> list[dict[str, Any]]:
    """`Flicker.to_json` of each model on one clip, decoded once.

    Args:
        models: what segments it, each at its own size.
        pictures: frames of the clip, in order.

    Raises:
        SourceError: a frame cannot be read.
    """
    found = [Flicker(model.labels) for model in models]
    for picture in pictures:
        for model, flicker in zip(models, found, strict=True):
            frame = picture.scaled_rgb(*model.size)
            flicker.add(frame, model.predict(frame))
    return [flicker.to_json() for flicker in found]


def short(flicker: Mapping[str, Any]) -> dict[str, Any]:
    """What a model file holds of it: frames, still, changed."""
    return {key: flicker[key] for key in ("frames", "still", "changed")}


def flicker_text(name: str, measured: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lines about one clip, in percent; a line for each model.

    Args:
        name: of the clip.
        measured: model's name → its `Flicker.to_json`.
    """
    lines: list[str] = []
    width = max(map(len, measured))
    for model, flicker in measured.items():
        if not lines:
            still = "no pair of frames" if flicker["still"] is None else f"{flicker['still'] * 100:.1f} % of the pixels"
            again = f", {flicker['repeated']} of them repeated" if flicker["repeated"] else ""
            lines.append(f"{name}: {counted(flicker['frames'], 'frame')}{again}, still {still}")
        if flicker["changed"] is None:
            lines.append(f"  {model:{width}}  nothing stands still")
            continue
        by_classes = ", ".join(f"{pair} {share * 100:.3f}" for pair, share in flicker["by_classes"].items())
        lines.append(
            f"  {model:{width}}  of these change class {flicker['changed'] * 100:.3f} %  {by_classes}".rstrip()
        )
    return lines
