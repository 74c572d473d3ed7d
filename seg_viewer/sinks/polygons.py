"""Polygons for other people's tools: COCO (one JSON file) and YOLO (one text file a frame)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from seg_viewer.core.frame import Shot
from seg_viewer.core.frame_stats import is_countable
from seg_viewer.core.outlines import Piece, pieces
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.whole import FileSink, FolderSink, FrameNames, as_json, picture_size, source_facts

_OURS = re.compile(r"labels[/\\]frame_\d+\.txt|classes\.txt|data\.yaml|frames\.csv")
_PICTURE = ".jpg"


class CocoFile(FileSink):
    """COCO's instance format (cocodataset.org, "data format", "object detection").

    One annotation for each piece of a countable class, one for all pieces of any other class in a frame; classes that
    the style does not show have none. Annotations are written as they come, pictures after them.

    Args:
        request: what is asked for.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request)
        self._shown = request.style.shown(request.labels)
        self._names = FrameNames(request.frame_count)
        self._count = self._annotations = 0
        with self._explained():
            self._images = tempfile.TemporaryFile("w+", encoding="utf-8", dir=request.path.parent)  # noqa: SIM115
            self._file = self.part.open("w", encoding="utf-8")
            info = {"description": request.name, "source": source_facts(request), "about": dict(request.about)}
            self._file.write(f'{{"info": {as_json(info)},\n"licenses": [],\n"categories": [')
            self._file.write(",\n".join(as_json(item) for item in self._categories()))
            self._file.write('],\n"annotations": [')

    def _categories(self) -> Iterable[dict[str, Any]]:
        """COCO counts categories from 1; 0 is nobody's."""
        for label in self._shown:
            kind = "thing" if is_countable(label.name) else "stuff"
            yield {"id": label.id + 1, "name": label.name, "supercategory": kind, "color": list(label.color)}

    def _add(self, shot: Shot) -> None:
        size = picture_size(self.request, shot)
        self._count += 1
        image = {
            "id": self._count,
            "file_name": self._names.next(shot) + _PICTURE,
            "width": size.width,
            "height": size.height,
            "frame": shot.frame.index,
            "pts": shot.frame.id.pts,
            "time_s": round(shot.frame.time_s, 6),
        }
        self._images.write(("," if self._count > 1 else "") + f"\n{as_json(image)}")
        for label in self._shown:
            if not shot.stats.pixels[label.name]:
                continue
            found = pieces(shot.classes, label.id, size)
            for group in ([piece] for piece in found) if is_countable(label.name) else [found]:
                if group:
                    self._annotate(label.id, group)

    def _annotate(self, class_id: int, group: list[Piece]) -> None:
        first = "," if self._annotations else ""
        self._annotations += 1
        left, top = (min(piece.box[axis] for piece in group) for axis in (0, 1))
        right, bottom = (max(piece.box[axis] + piece.box[axis + 2] for piece in group) for axis in (0, 1))
        annotation = {
            "id": self._annotations,
            "image_id": self._count,
            "category_id": class_id + 1,
            "segmentation": [piece.ring.round(2).ravel().tolist() for piece in group],
            "area": round(sum(piece.area for piece in group), 2),
            "bbox": [round(value, 2) for value in (left, top, right - left, bottom - top)],
            "iscrowd": 0,
        }
        self._file.write(f"{first}\n{as_json(annotation)}")

    def _complete(self) -> None:
        self._images.seek(0)
        self._file.writelines(chain(['],\n"images": ['], self._images, ["]}\n"]))
        self._file.close()
        self._images.close()

    def _drop(self) -> None:
        for file in (self._file, self._images):
            with suppress(OSError):
                file.close()


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
        self.notes = (f"{request.path}: holds the polygons only; put the pictures beside them, as images/NAME.jpg",)

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


def _make(request: SinkRequest) -> Sink[Shot]:
    return CocoFile(request) if request.path.name.lower().endswith(".json") else YoloFolder(request)


SINK = SinkKind("polygons", (".coco.json", ".yolo/"), "polygons of the classes: COCO, or YOLO's text files", _make)
