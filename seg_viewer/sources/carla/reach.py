"""How a simulator is reached, and what is looked for there first. Given the `carla` package by `client.py`."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.core.errors import SourceError
from seg_viewer.sources.carla import journal, orphans
from seg_viewer.sources.carla.address import CarlaOptions

_OTHER_CLOCK_S = 1.0


def connected(carla: Any, options: CarlaOptions) -> Any:
    """A client of it. Raises: SourceError where no server answers."""
    where = options.where
    try:
        client = carla.Client(options.host, options.port)
        client.set_timeout(options.timeout_s)
        client.set_files_base_folder(str(user_cache_path("seg-viewer") / "carla"))
        client.get_server_version()
    except RuntimeError as error:
        why = f"within {options.timeout_s:g} s" if "time-out" in str(error) else f"({one_line(error)})"
        raise SourceError(
            f"{options.name}: no CARLA server answers at {where} {why};"
            " start it (CarlaUE4.sh) or name where it runs: carla://HOST:PORT"
        ) from None
    return client


def moves(world: Any, timeout_s: float) -> bool:
    """Whether time goes on there; only what was seen to move says who is in it."""
    waiting_s = _OTHER_CLOCK_S if world.get_settings().synchronous_mode else timeout_s
    try:
        world.wait_for_tick(waiting_s)
    except RuntimeError:
        return False
    return True


def swept(
    carla: Any, client: Any, world: Any, options: CarlaOptions, moving: bool, also_of: Sequence[str] = ()
) -> list[str]:
    """Remove what killed drives of ours left; a line for each. Raises: RuntimeError of the client library."""
    stands = not moving and world.get_settings().synchronous_mode
    if stands:
        world.tick(options.timeout_s)  # nobody else does, and without it nobody knows who is there
    elif not moving:
        return []
    lines = orphans.sweep(carla, client, world, options.name, options.where, also_of)
    if orphans.put_back_clock(carla, client, world, options.where, orphans.find(world), stands):
        lines.append(f"{options.name}: settings are as they were before a drive that was killed")
    journal.forget_old()
    return lines


def number_of(version: str) -> str:
    """Of a version, without what stands behind it: "0.9.16"."""
    found = re.match(r"\d+(\.\d+)*", version)
    return found.group() if found else version


def short(town: str) -> str:
    """Its name without the folders before it."""
    return town.rsplit("/", 1)[-1]


def free_port() -> int:
    """For a traffic manager, which lives in this process: 8000 may be another client's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one_line(error: BaseException) -> str:
    """What an error says."""
    return " ".join(str(error).split()) or type(error).__name__
