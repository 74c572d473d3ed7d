"""Polygons as YOLO's text files, one a frame."""

from __future__ import annotations

import re
from contextlib import suppress

from seg_viewer.core.frame import Shot
from seg_viewer.core.outlines import pieces
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sinks.whole import FolderSink, FrameNames, as_json, picture_size

_OURS = re.compile(r"labels[/\\]frame_\d+\.txt|classes\.txt|data\.yaml|frames\.csv")
_NO_PICTURES = "{}: holds the polygons only; put the pictures beside them, as images/NAME.jpg"


class YoloFolder(FolderSink):
    """Ultralytics' layout for segmentation: `labels/frame_000012.txt`, `classes.txt`, `data.yaml`; no pictures.

    A line for each piece of each class that the style shows: number of the class in `classes.txt`, then x y x y …,
    0…1 of the picture. A frame in which there is nothing has an empty file.

    Args:
        request: what is asked for.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request, lambda path: _OURS.fullmatch(str(path)) is not None)
        self._shown = request.style.shown(request.labels)
        self._names = FrameNames(request.frame_count)
        names = [label.name for label in self._shown]
        with self._explained():
            (self.part / "labels").mkdir()
            (self.part / "classes.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
            (self.part / "data.yaml").write_text(_data_yaml(names), encoding="utf-8")
            self._table = (self.part / "frames.csv").open("w", encoding="utf-8")
            self._table.write("file,frame,pts,time_s\n")
        self.notes = (_NO_PICTURES.format(request.path),)

    def _add(self, shot: Shot) -> None:
        size = picture_size(self.request, shot)
        name = f"labels/{self._names.next(shot)}.txt"
        lines = []
        for number, label in enumerate(self._shown):
            if not shot.stats.pixels[label.name]:
                continue
            for piece in pieces(shot.classes, label.id, size):
                shares = (piece.ring / (size.width, size.height)).clip(0, 1).ravel()
                lines.append(" ".join([str(number), *(f"{share:.5f}" for share in shares)]) + "\n")
        (self.part / name).write_text("".join(lines), encoding="utf-8")
        self._table.write(f"{name},{shot.frame.index},{shot.frame.id.pts},{shot.frame.time_s:.6f}\n")

    def _complete(self) -> None:
        self._table.close()

    def _drop(self) -> None:
        with suppress(OSError):
            self._table.close()


def _data_yaml(names: list[str]) -> str:
    """Text in JSON's quotes is YAML, too."""
    lines = ["# the polygons only: the pictures belong into images/, under the names of the files in labels/"]
    lines += ["path: .", "train: images", "val: images", "names:"]
    return "\n".join([*lines, *(f"  {number}: {as_json(name)}" for number, name in enumerate(names)), ""])


SINK = SinkKind(
    "YOLO",
    (".yolo/",),
    "a folder of polygons as YOLO's text files",
    YoloFolder,
    is_folder=True,
    plan=lambda request: (_NO_PICTURES.format(request.path),),
)
