"""Polygons as COCO's instance format, one JSON file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from seg_viewer.core.frame import Shot
from seg_viewer.core.frame_stats import is_countable
from seg_viewer.core.outlines import Piece, pieces
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sinks.whole import FileSink, FrameNames, as_json, picture_size, source_facts

_ascii = partial(as_json, ascii_only=True)  # COCO's own reader asks the system for the encoding

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
            self._file.write(f'{{"info": {_ascii(info)},\n"licenses": [],\n"categories": [')
            self._file.write(",\n".join(_ascii(item) for item in self._categories()))
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
        self._images.write(("," if self._count > 1 else "") + f"\n{_ascii(image)}")
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
        self._file.write(f"{first}\n{_ascii(annotation)}")

    def _complete(self) -> None:
        self._images.seek(0)
        self._file.writelines(chain(['],\n"images": ['], self._images, ["]}\n"]))
        self._file.close()
        self._images.close()

    def _drop(self) -> None:
        for file in (self._file, self._images):
            with suppress(OSError):
                file.close()


SINK = SinkKind("COCO", (".coco.json",), "polygons of the classes in COCO's format", CocoFile)
