"""The English lines that the rooms below the window can hand it, read from their source, with marks for values."""

from __future__ import annotations

import ast
import builtins
import importlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import seg_viewer

ROOT = Path(seg_viewer.__file__).parent
ROOMS = ("core", "media", "sources", "engines", "pipeline", "sinks", "jobs", "player")

NO_WINDOW = frozenset(
    {
        # what only commands do
        "jobs/bench.py", "jobs/bulk.py", "jobs/bulk_processes.py", "jobs/cluster.py", "jobs/doctor.py",
        "jobs/output_names.py", "jobs/piece.py", "jobs/record.py", "jobs/record_carla.py", "jobs/spread.py",
        "jobs/style.py", "jobs/options.py", "sources/losses.py", "engines/nvidia/ahead.py", "engines/nvidia/explain.py",
        "core/golden.py",
        "core/carla_tags.py", "sinks/truth_report.py", "core/scores.py", "core/errors.py",
        # what stands in files
        "sinks/report_page.py", "sinks/report_chart.py", "sinks/report.py", "sinks/coco.py",
        "sinks/summary.py", "jobs/labelled.py", "core/paint.py", "core/page.py", "core/page_style.py",
    }
)  # fmt: skip
"""Modules none of whose sentences a window shows."""

_WORDS = re.compile(r"[A-Za-z][a-z']*(?: [A-Za-z'(][A-Za-z'-]*){2,}")
_COMMANDS = ("pip install", "apt-get install")
_LOGGED = {"debug", "info", "warning", "error", "exception"}
_MARK = "⟦{}⟧"


@dataclass(frozen=True)
class Line:
    """One sentence of the source.

    Args:
        where: file and line.
        parts: what stands around its values; "" on a side where a value begins or ends it.
        values: text of those values that are constants of the module, None for the others; one less than `parts`.
    """

    where: str
    parts: tuple[str, ...]
    values: tuple[str | None, ...]

    def samples(self) -> Iterator[str]:
        """The line with marks for its values; also with some of them empty, as optional halves of a sentence are."""
        free = [number for number, value in enumerate(self.values) if value is None]
        for count in range(min(len(free), 3) + 1):
            for empty in itertools.combinations(free, count):
                yield self.parts[0] + "".join(
                    (value if value is not None else "" if number in empty else _MARK.format(number)) + part
                    for number, (value, part) in enumerate(zip(self.values, self.parts[1:], strict=True))
                )

    def left_in(self, text: str) -> list[str]:
        """What of its English stands in a text still."""
        whole = [value for value in self.values if value is not None]
        english = [words for part in (*self.parts, *whole) for words in _WORDS.findall(part)]
        return [words for words in english if words in text and not words.startswith(_COMMANDS)]


def lines() -> list[Line]:
    """Every sentence of three words or more in the rooms below the window, but for logs and errors of the code."""
    found = []
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if name not in NO_WINDOW:
                found += _lines_of(file, name)
    return found


def _lines_of(file: Path, name: str) -> Iterator[Line]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module = importlib.import_module("seg_viewer." + name.removesuffix(".py").replace("/", "."))
    nodes = list(ast.walk(tree))
    skipped = set(_skipped(nodes))
    for node in nodes:
        if id(node) in skipped or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        parts, values = _taken_apart(node, module)
        if any(_WORDS.search(part) for part in parts):
            yield Line(f"{name}:{node.lineno}", parts, values)


def _skipped(nodes: list[ast.AST]) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)  # a docstring
        elif isinstance(node, ast.JoinedStr):
            yield from (id(each) for each in node.values)
        elif (isinstance(node, ast.Call) and _is_for_nobody(node)) or isinstance(node, ast.Assert):
            yield from (id(each) for each in ast.walk(node))


def _is_for_nobody(call: ast.Call) -> bool:
    """A log entry, a pattern, or an error that only code can cause."""
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value
        return (call.func.attr in _LOGGED and "log" in ast.dump(owner)) or ast.unparse(call.func) == "re.compile"
    error = getattr(builtins, call.func.id, None) if isinstance(call.func, ast.Name) else None
    return isinstance(error, type) and issubclass(error, Exception)


def _taken_apart(
    node: ast.Constant | ast.JoinedStr, module: ModuleType
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    if isinstance(node, ast.Constant):
        return ((node.value,), ()) if isinstance(node.value, str) else (("",), ())
    parts, values = [""], []
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts[-1] += str(each.value)
        elif isinstance(each, ast.FormattedValue):
            value = vars(module).get(each.value.id) if isinstance(each.value, ast.Name) else None
            values.append(value if isinstance(value, str) else None)
            parts.append("")
    return tuple(parts), tuple(values)


NEVER_SHOWN = frozenset({
    # kinds of files as the command line lists them, patterns, what stands in files, commands and names
    "a video file", "an animated WebP", "a picture, a folder of pictures", ", / (a folder of masks),", "side by side",
    "out of memory", "Masks that seg-viewer export wrote", "TensorRT for RTX", "NVIDIA's own package index",
    "# the polygons only: the pictures belong into images/, under the names of the files in labels/",
    "pip install 'seg-viewer[{}]'", "uv tool install", "apt-get install libportaudio2",
    "ffmpeg -i ADDRESS -c copy -f mpegts 'udp://127.0.0.1:5000?pkt_size=1316'",
    "no safety function: the network misses people and cars", "# ego zone of {}, corners {}; {}\n{}\n",
})  # fmt: skip
"""Sentences that no window shows; "{}" is a value."""

IN_WHOLES: Mapping[str, str] = {
    "{}; the world is as before it": "carla://box:2000: removed what a drive that was killed had left there: "
    "vehicle 1, sensor 2; the world is as before it",
    " of a codec that this program does not know": "a.mov: has no video stream 3; it has 1 video "
    "stream: 0 (640×360 h264)",
    "{} s of silence in its place": "sound 2 (eng): 3 packets could not be decoded: 0.25 s of silence in its place",
    "of a codec that this program does not know": "a.mov: its video is of a codec that this program does not know; "
    "convert it to H.264 with what made it, then open that",
    "; further changes are not told": "a.mp4: changes from 640×360 to 320×180 at 1.5 s; further changes are not told",
    "; it ends at {} s": "a.mp4: holds no frame in that part; it ends at 2.0 s",
    "fits more than one camera": "camera:cam: fits more than one camera: camera:0 is cam",
    "there is no such camera": "camera:9: there is no such camera: camera:0 is cam",
    "the cars there are called {}": "carla://h: no car has the role name 'x'; the cars there are called hero",
    "there are no cars": "carla://h: no car has the role name 'x'; there are no cars",
    "{}: no car has the role name '{}'; {}": "carla://h: no car has the role name 'x'; there are no cars",
    "no engine can run this model here. ": "no engine can run this model here. tensorrt: CUDA finds no NVIDIA GPU here",
    "{}: {} cannot build a plan of it": "m.onnx: TensorRT cannot build a plan of it: no reason given",
    ", which pip fetches from {}": "TensorRT for RTX's native library x.so is missing: the package p brings it, which "
    "pip fetches from pypi.nvidia.com: pip install 'seg-viewer[rtx]'",
    "; its libraries come from {}, so pip must reach that too": "TensorRT is not installed: pip install x (an NVIDIA "
    "GPU is needed; its libraries come from pypi.nvidia.com, so pip must reach that too)",
    ", but not kept: {}": "plan built in 12.5 s, but not kept: /x: cannot be written: No space left on device",
    ", but that was not kept: {}": "plan verified on this card: 99.9 % as ONNX Runtime, but that was not kept: /x: "
    "the disk is full; free some space or choose another folder",
    ", of which something is missing here": "ONNX Runtime fell back from cuda to cpu: cuda needs an NVIDIA GPU and "
    "CUDA 12 with cuDNN, of which something is missing here; the model stays driving-fast",
    "ONNX Runtime fell back from {} to {}: {} needs an NVIDIA GPU and {}": "ONNX Runtime fell back from cuda to cpu: "
    "cuda needs an NVIDIA GPU and CUDA with cuDNN, of which something is missing here",
    ", and TensorRT's libraries": "ONNX Runtime fell back from trt to cpu: trt needs an NVIDIA GPU and CUDA 12 with "
    "cuDNN, and TensorRT's libraries, of which something is missing here",
    " (replaces what is there)": "/x/a.mp4: video with the overlay, the source's times, its sound and all else that it "
    "holds (replaces what is there)",
    "all; the source does not say how many": "frames: all; the source does not say how many, from 1.50 s on, every 2",
    "{} % of the video has been looked at": "No person > 0.5 % further on yet: 12 % of the video has been looked at",
}
"""A part of a sentence → a whole one with it."""

MORE_WHOLES = (
    "left out: sound 2 (eng) (cannot be decoded), subtitles (not stored), tag artist",
    "sound: aac (44100 Hz) encoded as aac (48000 Hz), 5.1 as stereo",
    "2 tracks: aac copied, mp3 encoded as aac",
    "a.mp4: 640×360, h264, 25.00 frames/s, 2.0 s; model driving-fast (512×288)",
    "frames: 50, from 1.50 s on",
    "a.mp4: 3 pictures came with a time out of order; sorted",
    "a.mp4: 1 picture at the start could not be read; left out",
    "a.mp4: its clock jumps 2 times (at 1.00, 2.00 s); the pieces were put end to end",
    "/x/a_seg.mp4: export stopped; nothing was written; the first 20 s are kept; exporting again goes on with them",
    "fell back to the processor: the NVIDIA driver is missing (libcuda.so.1): install it, then try again; the model "
    "stays driving-fast",
    "/x/m.onnx: not a seg_viewer model: has no output 'classes' (there is none); metadata 'labels' is missing. Export "
    "it with 'seg-trainer export'.",
    "Cache: stopped by an unexpected error: OSError: x",
    "rtsp://h: no answer within 5 s; check address and network",
)
"""Whole lines that are put together of several sentences."""
