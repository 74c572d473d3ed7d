"""A table of how much of the picture people cover, and in how many places, twice a second.

python docs/examples/count_people.py VIDEO [TABLE.csv]
"""

from __future__ import annotations

import csv
import sys

import cv2
import numpy as np

import seg_viewer

SMALLEST = 12
"""Pixels of the class map that a group of people covers at least; what is smaller is taken for noise."""


def main(source: str, table: str = "people.csv", model: str | None = None) -> None:
    with seg_viewer.open(source, model=model) as shots, open(table, "w", newline="", encoding="utf-8") as file:
        every = max(1, round((shots.info.rate or 2) / 2))
        rows = csv.writer(file)
        rows.writerow(["frame", "time_s", "groups", "share"])
        for shot in shots:
            if shot.index % every:
                continue
            people = shot.mask("person").astype(np.uint8)
            _count, _labels, stats, _centres = cv2.connectedComponentsWithStats(people)
            groups = int((stats[1:, cv2.CC_STAT_AREA] >= SMALLEST).sum())
            rows.writerow([shot.index, f"{shot.time_s:.3f}", groups, f"{people.mean():.4f}"])
    print(f"{table}: written with {shots.model.name} on {shots.engine}")


if __name__ == "__main__":
    main(*sys.argv[1:])
