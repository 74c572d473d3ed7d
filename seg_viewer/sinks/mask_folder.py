"""A folder of masks: one indexed PNG a frame, in which the value of a pixel is its class."""

from __future__ import annotations

import csv
import re
from contextlib import suppress

import av

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot
from seg_viewer.core.labels import IGNORE_ID, LabelSet
from seg_viewer.core.paint import ids_gray
from seg_viewer.core.part_file import explain
from seg_viewer.media.palette_png import PalettePng
from seg_viewer.sinks.base import SinkKind, SinkRequest
from seg_viewer.sinks.whole import FolderSink, FrameNames, as_json, picture_size

TABLE, LABELS, LABEL_MAP = "frames.csv", "labels.json", "labels.toml"
_OURS = re.compile(rf"frame_\d+\.png|{re.escape(TABLE)}|{re.escape(LABELS)}|{re.escape(LABEL_MAP)}")


class MaskFolder(FolderSink):
    """`frame_000012.png` for each frame, at the size of the source's picture; all classes, shown or not.

    Beside them: `frames.csv` (file, pts, time), `labels.json` (id, name, colour) and `labels.toml`, a label map for the
    trainer. Colours, those of the PNG files too, are those of the style.

    Args:
        request: what is asked for.
    """

    def __init__(self, request: SinkRequest) -> None:
        super().__init__(request, lambda path: _OURS.fullmatch(str(path)) is not None)
        labels = request.style.colored(request.labels)
        self._png = PalettePng(labels.palette())
        self._names = FrameNames(request.frame_count)
        with self._explained():
            (self.part / LABELS).write_text(_lines(labels), encoding="utf-8")
            (self.part / LABEL_MAP).write_text(label_map(labels), encoding="utf-8")
            self._file = (self.part / TABLE).open("w", newline="", encoding="utf-8")
            self._table = csv.writer(self._file)
            self._table.writerow(["file", "frame", "pts", "time_s"])

    def _add(self, shot: Shot) -> None:
        name = f"{self._names.next(shot)}.png"
        try:
            data = self._png.encode(ids_gray(shot.classes, picture_size(self.request, shot)))
        except av.FFmpegError as error:
            raise ExportError(explain(self.path / name, error)) from error
        (self.part / name).write_bytes(data)
        self._table.writerow([name, shot.frame.index, shot.frame.id.pts, f"{shot.frame.time_s:.6f}"])

    def _complete(self) -> None:
        self._file.close()

    def _drop(self) -> None:
        with suppress(OSError):
            self._file.close()


def label_map(labels: LabelSet, title: str = "Masks that seg-viewer export wrote") -> str:
    """The classes as a label map that `seg-trainer --labels` reads: TOML, ids as they stand."""
    names = {label.id: as_json(label.name) for label in labels}
    lines = [f"title = {as_json(title)}", "", "[classes]"]
    lines += [f"{names[label.id]} = {list(label.color)}" for label in labels]
    lines += [
        "",
        "[values]",
        *(f"{name} = [{class_id}]" for class_id, name in names.items()),
        f"ignore = [{IGNORE_ID}]",
    ]
    if len({label.color for label in labels}) == len(labels):  # many editors save a palette's colours, not its indices
        lines += ["", "[colors]", *(f"{names[label.id]} = [{list(label.color)}]" for label in labels)]
    return "\n".join([*lines, ""])


def _lines(labels: LabelSet) -> str:
    return "[\n" + ",\n".join(f"  {as_json(item)}" for item in labels.to_json()) + "\n]\n"


SINK = SinkKind("masks", ("/",), "a folder of PNG masks: the value of a pixel is its class", MaskFolder, is_folder=True)
