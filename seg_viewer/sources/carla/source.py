"""CARLA as a live source: every frame brings its ground truth."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from seg_viewer.core.carla_tags import carla_lookup
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import Frame
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sources.base import SourceInfo, SourceKind, session_fingerprint
from seg_viewer.sources.carla.address import CarlaOptions, is_carla, parse_carla
from seg_viewer.sources.carla.process import DriveProcess
from seg_viewer.sources.live import LiveStatus


class CarlaSource:
    """A drive as live frames, no faster than real time; see `LiveSource`.

    Args:
        options: of the drive.

    Raises: as `DriveProcess` and its `board`.
    """

    def __init__(self, options: CarlaOptions) -> None:
        self._drive = DriveProcess(options)
        if not self._drive.board():
            self._drive.close()
            left = SourceError(f"{options.name}: was left before it answered")
            for line in self._drive.warnings:
                left.add_note(line)
            raise left
        self._lookup = carla_lookup(self._drive.tags)
        self._stop = threading.Event()
        self._count = 0
        self._reported: Counter[str] = Counter()
        self._start_s: float | None = None
        self.status = LiveStatus()
        self.on_drop: Callable[[str], None] = lambda _cause: None
        self.packets = None
        self.warnings = self._drive.warnings
        self.info = SourceInfo(
            fingerprint=session_fingerprint(),
            name=f"{self._drive.town} at {options.name}",
            width=options.width,
            height=options.height,
            rate=options.fps,
            live=True,
            codec=f"CARLA {self._drive.version}",
        )

    def __iter__(self) -> Iterator[Frame]:
        step_s = 1 / self._drive.options.fps
        due_s = time.perf_counter()
        while not self._stop.wait(max(0.0, due_s - time.perf_counter())):
            # never faster than real time, and no catching up after a slow tick
            due_s = max(due_s + step_s, time.perf_counter())
            pair = self._drive.next_pair()
            if pair is None:
                return
            self._report_drops()
            if self._start_s is None:
                self._start_s = pair.time_s
            self._count += 1
            yield Frame(
                self._count - 1,
                pair.time_s - self._start_s,
                RgbPicture(pair.rgb),
                self._lookup[pair.tags],
                pair.arrived_s,
                source=self.info.fingerprint,
            )

    def _report_drops(self) -> None:
        news = Counter(self._drive.drops) - self._reported
        self._reported += news
        for cause in news.elements():
            self.on_drop(cause)

    def seek(self, time_s: float) -> None:
        raise SourceError(f"{self.info.name}: is live and cannot seek")

    def interrupt(self) -> None:
        self._stop.set()
        self._drive.leave()

    def close(self) -> None:
        self._stop.set()
        self._drive.close()


SOURCE = SourceKind(
    "CARLA",
    is_carla,
    lambda text: CarlaSource(parse_carla(text)),
    forms=(("carla://HOST:2000", "?town=Town03&weather=WetNoon&vehicles=30&walkers=40&ego=…&fps=20&…"),),
    live=True,
    check=parse_carla,
)
