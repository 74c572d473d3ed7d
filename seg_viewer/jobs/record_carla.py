"""Records a data set for the trainer in CARLA: several drives, each with its own town, weather and traffic."""

from __future__ import annotations

import random
import threading
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.sinks.carla_pairs import CarlaPairs, TaggedPicture
from seg_viewer.sources.carla.address import CarlaOptions, parse_carla
from seg_viewer.sources.carla.process import DriveProcess

WEATHERS = (
    "ClearNoon",
    "CloudyNoon",
    "WetNoon",
    "HardRainNoon",
    "ClearSunset",
    "WetCloudySunset",
    "MidRainSunset",
    "ClearNight",
)
_MOST_TRAFFIC = (60, 80)
_PAIRS_PER_DRIVE = 125
_KEYS = {"town": str, "weather": str, "vehicles": int, "walkers": int, "seed": int, "pairs": int}


@dataclass(frozen=True)
class PlannedDrive:
    """One drive: where, in which weather and traffic, and how much of it is kept.

    Args:
        town, weather: as CARLA calls them; "" keeps what there is.
        vehicles, walkers: how many to add.
        seed: of everything that is left to chance.
        pairs: of picture and mask to keep.
    """

    town: str
    weather: str
    vehicles: int
    walkers: int
    seed: int
    pairs: int


@dataclass(frozen=True)
class Recorded:
    """What was recorded.

    Args:
        folder: that holds `CameraRGB` and `CameraMask`.
        pairs: in it.
        drives: that were begun.
        is_whole: the plan was carried out to its end.
        warnings: a line each.
    """

    folder: Path
    pairs: int
    drives: int
    is_whole: bool
    warnings: tuple[str, ...]


def make_plan(count: int, towns: tuple[str, ...], seed: int = 0) -> tuple[PlannedDrive, ...]:
    """Drives of about 125 pairs, `count` in all: towns and weathers in turn, traffic from none to dense.

    Args:
        count: pairs, at least 1.
        towns: to drive in; ("",) stays in the one there is.
        seed: of the choice of traffic, and of the drives.
    """
    chance = random.Random(seed)
    drives = max(1, min(count, round(count / _PAIRS_PER_DRIVE)))
    plan = []
    for number in range(drives):
        most_vehicles, most_walkers = _MOST_TRAFFIC
        plan.append(
            PlannedDrive(
                towns[number * len(towns) // drives],  # loading a map is slow: one after the other
                WEATHERS[number % len(WEATHERS)],
                chance.randint(0, most_vehicles),
                chance.randint(0, most_walkers),
                seed + number,
                count * (number + 1) // drives - count * number // drives,
            )
        )
    return tuple(plan)


def read_plan(path: Path, count: int | None) -> tuple[PlannedDrive, ...]:
    """The drives of a TOML file: tables `[[drive]]` with town, weather, vehicles, walkers, seed and pairs.

    Args:
        path: of the file.
        count: pairs in all, shared out evenly among the drives that do not say `pairs`; None: all of them must.

    Raises: UsageError, naming the file, the drive and the key.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("drive", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a plan: {error}") from None
    if not isinstance(tables, list) or not tables:
        raise UsageError(f"{path}: holds no drives; write [[drive]] tables with {', '.join(_KEYS)}")
    for number, table in enumerate(tables, start=1):
        _check(path, number, table)
    asked = sum(table.get("pairs", 0) for table in tables)
    open_drives = [table for table in tables if "pairs" not in table]
    left = 0 if count is None else count - asked
    if open_drives and left < len(open_drives):
        raise UsageError(
            f"{path}: {counted(len(open_drives), 'drive')} without 'pairs', and -n leaves {max(0, left)} for them"
        )
    shares = iter(left * (k + 1) // len(open_drives) - left * k // len(open_drives) for k in range(len(open_drives)))
    return tuple(
        PlannedDrive(
            table.get("town", ""),
            table.get("weather", ""),
            table.get("vehicles", 0),
            table.get("walkers", 0),
            table.get("seed", number),
            table["pairs"] if "pairs" in table else next(shares),
        )
        for number, table in enumerate(tables)
    )


@dataclass(frozen=True)
class RecordCarlaJob:
    """A data set to record; a plain value that can be kept, sent and run elsewhere.

    Args:
        url: `carla://HOST:PORT?…`; what the plan says wins.
        folder: for the data set.
        plan: the drives, in order.
        every: ticks from one pair to the next; neighbouring pictures teach little.
    """

    url: str
    folder: Path
    plan: tuple[PlannedDrive, ...]
    every: int = 10


def run_record_carla(
    job: RecordCarlaJob,
    *,
    stop: threading.Event | None = None,
    on_progress: Callable[[int, PlannedDrive], None] = lambda _pairs, _drive: None,
) -> Recorded:
    """Drive the plan and write what the cameras see.

    Args:
        job: what is to be done.
        stop: set it, from any thread, to end early; what is there stays.
        on_progress: called after each pair with their number so far.

    Raises:
        UsageError: the address, a town or a weather cannot be meant, or the folder holds a recording already.
        SourceError: the simulator does not answer. ExportError: the folder cannot be written to.
    """
    options, stop, folder = parse_carla(job.url), stop or threading.Event(), job.folder
    pairs = CarlaPairs(folder)
    begun: list[dict[str, Any]] = []
    warnings: list[str] = []
    for drive in job.plan:
        if stop.is_set():
            break
        before = pairs.count
        with _Ride(_merged(options, drive), stop) as process:
            if not process.board():
                break
            begun.append(asdict(drive) | {"town": process.town, "first": before, "pairs": 0})
            pairs.describe(process.version, begun, process.tags)
            try:
                for _ in range(drive.pairs):
                    pair = process.next_pair(job.every)
                    if pair is None:
                        break
                    pairs.write(TaggedPicture(pair.rgb, pair.tags))
                    on_progress(pairs.count, drive)
            except SourceError as error:
                whole, stay = counted(pairs.count, "whole pair"), "stays" if pairs.count == 1 else "stay"
                raise SourceError(f"{error}. {whole} {stay} in {folder}") from None
            finally:
                begun[-1]["pairs"] = pairs.count - before
                pairs.describe(process.version, begun, process.tags)
        warnings += [text for text in process.warnings if text not in warnings]
    return Recorded(folder, pairs.count, len(begun), not stop.is_set(), tuple(warnings))


class _Ride:
    """A drive that ends when `stop` is set, and is closed in any case."""

    def __init__(self, options: CarlaOptions, stop: threading.Event) -> None:
        self._process = DriveProcess(options)
        self._stop = stop
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._watch_stop, name="seg-stop", daemon=True)

    def __enter__(self) -> DriveProcess:
        self._watch.start()
        return self._process

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._watch.join()
        self._process.close()

    def _watch_stop(self) -> None:
        while not self._ended.wait(0.05):
            if self._stop.is_set():
                self._process.interrupt()
                return


def _merged(options: CarlaOptions, drive: PlannedDrive) -> CarlaOptions:
    return replace(
        options,
        town=drive.town or options.town,
        weather=drive.weather or options.weather,
        vehicles=drive.vehicles,
        walkers=drive.walkers,
        seed=drive.seed,
    )


def _check(path: Path, number: int, table: Any) -> None:
    for key, value in table.items():
        if key not in _KEYS:
            raise UsageError(f"{path}: drive {number}: there is no '{key}'; it has {', '.join(_KEYS)}")
        kind = _KEYS[key]
        if not isinstance(value, kind) or isinstance(value, bool) or (kind is int and value < (key == "pairs")):
            what = "a text" if kind is str else f"a whole number from {int(key == 'pairs')}"
            raise UsageError(f"{path}: drive {number}: {key} = {value!r}: give {what}")
