"""Exports that are broken off and gone on with; sinks that keep no segments, as stand-ins for all such."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from seg_viewer import sinks
from seg_viewer.core.frame import Shot
from seg_viewer.core.part_file import write_text
from seg_viewer.jobs.export import ExportJob, ExportResult, run_export
from seg_viewer.media import segments
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from tests.worked_examples import example

RATE = 25
SHORT_S = 1.0
"""Length of a segment in these tests: 25 frames."""
Packet = tuple[int, Fraction, Fraction | None, Fraction, bytes]


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_S", SHORT_S)


def moving(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """A car that drives over a road, so that encoders have to look back and ahead."""
    picture = np.full((height, width, 3), (0, 200, 0), np.uint8)
    left = index * 3 % (width - 12)
    picture[height // 3 : height // 2, left : left + 12] = (0, 0, 200)
    picture[:4] = (index * 2) % 80
    return picture


def noise(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


def packets(path: Path) -> list[Packet]:
    """All that players see of a file: stream, times and content of each packet, stream by stream."""
    found: list[Packet] = []
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                base = packet.time_base
                found.append(
                    (packet.stream_index, packet.dts * base, None if packet.pts is None else packet.pts * base,
                     (packet.duration or 0) * base, bytes(packet))
                )  # fmt: skip
    return sorted(found, key=lambda each: each[:2])


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def after(frames: int, error: Callable[[], BaseException] = KeyboardInterrupt) -> Callable[[], bool]:
    """Asked after every frame: raises when so many are written."""
    count = 0

    def cancelled() -> bool:
        nonlocal count
        count += 1
        if count == frames:
            raise error()
        return False

    return cancelled


def break_off(job: ExportJob, frames: int) -> str:
    """Run a job as if Ctrl-C came after so many frames. Returns what is said."""
    with pytest.raises(KeyboardInterrupt) as caught:
        run_export(job, cancelled=after(frames))
    return str(caught.value)


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.parts"))


def hidden(folder: Path) -> list[str]:
    """What is there and should not be once all is done."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


class _Means(Sink[Shot]):
    """A line for each shot: times, pixels of each class, mean colour of the picture."""

    def __init__(self, request: SinkRequest) -> None:
        self._request = request
        self._lines: list[str] = []

    def write(self, item: Shot) -> None:
        frame, picture = item.frame, item.frame.picture
        counts = np.bincount(item.classes.ravel(), minlength=4).tolist()
        mean = picture.rgb().mean(axis=(0, 1)).round(3).tolist()
        self._lines.append(
            f"{frame.index} {frame.time_s} {frame.pts} {frame.duration_s} {frame.id.source} {picture.width} "
            f"{picture.height} {counts} {mean} {item.maps[0].model} {item.labels.names}"
        )

    def finish(self) -> None:
        write_text(self._request.path, "\n".join(self._lines) + "\n", overwrite=self._request.overwrite)
        self.files = (self._request.path,)

    def abandon(self) -> None:
        self._lines.clear()


class _Folder(Sink[Shot]):
    """A folder with the class map of each shot."""

    def __init__(self, request: SinkRequest) -> None:
        self._request = request

    def write(self, item: Shot) -> None:
        self._request.path.mkdir(exist_ok=True)
        np.save(self._request.path / f"{item.frame.index:06d}.npy", item.classes)

    def finish(self) -> None:
        self.files = (self._request.path,)

    def abandon(self) -> None:
        for path in self._request.path.glob("*.npy"):
            path.unlink()


def _module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(f"seg_viewer.sinks.{name}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sinks, "MODULES", [*sinks.MODULES, module.__name__])
    return module


@pytest.fixture
def more_sinks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`.jsonl` as contributing.md has it, `.means` and `.maps/`, none of which keeps segments."""
    lines = _module("json_lines", monkeypatch)
    exec(example("Add a sink").text, vars(lines))  # noqa: S102 - the page is ours
    _module("means", monkeypatch).__dict__["SINK"] = SinkKind("means", (".means",), "means", _Means)
    _module("maps", monkeypatch).__dict__["SINK"] = SinkKind("maps", (".maps/",), "maps", _Folder, is_folder=True)
    return


def gone_on(job: ExportJob) -> ExportResult:
    result = run_export(job)
    assert any("were done already" in line for line in result.warnings), result.warnings
    return result
