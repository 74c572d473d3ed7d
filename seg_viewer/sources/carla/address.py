"""`carla://HOST:PORT?…` as a person types it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from seg_viewer.core.carla_tags import TAGS
from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact
from seg_viewer.sources.address import number, read_options

DEFAULT_PORT = 2000
_PREFIX = "carla://"
_DEFAULTS = {
    "town": "",
    "weather": "",
    "vehicles": "0",
    "walkers": "0",
    "autopilot": "1",
    "fps": "20",
    "size": "1280x720",
    "fov": "90",
    "mount": "1.3,0,1.6,0",
    "ego": "",
    "tick": "1",
    "seed": "0",
    "timeout": "10",
    "tags": "",
}
_LEAST_FPS = 4  # CARLA's physics wants substeps below 1/60 s, and takes at most 16 of them for a tick
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Mount:
    """Where the cameras sit on the car: metres ahead of, to the right of and above its middle, and degrees upwards."""

    x: float = 1.3
    y: float = 0.0
    z: float = 1.6
    pitch: float = 0.0


@dataclass(frozen=True)
class CarlaOptions:
    """One drive.

    Args:
        host, port: of the simulator's RPC.
        town: map to load, such as "Town03"; "" keeps the one there is.
        weather: name of one of CARLA's presets, such as "WetSunset"; "" keeps it.
        vehicles, walkers: how many to add.
        autopilot: the car that is spawned drives by itself.
        fps: ticks per simulated second, which are also the frames.
        width, height: of the pictures, pixels.
        fov: horizontal field of view, degrees.
        mount: of the cameras.
        ego: role name of a car that somebody else spawned, to ride on; "" spawns one.
        tick: set the pace of the simulation; False leaves settings and ticks to another client.
        seed: of everything that is left to chance.
        timeout_s: how long to wait for an answer or a picture, seconds.
        tags: which table of `seg_viewer.core.carla_tags.TAGS` the server follows; "" goes by its version.
    """

    host: str = "localhost"
    port: int = DEFAULT_PORT
    town: str = ""
    weather: str = ""
    vehicles: int = 0
    walkers: int = 0
    autopilot: bool = True
    fps: float = 20.0
    width: int = 1280
    height: int = 720
    fov: float = 90.0
    mount: Mount = Mount()
    ego: str = ""
    tick: bool = True
    seed: int = 0
    timeout_s: float = 10.0
    tags: str = ""

    @property
    def name(self) -> str:
        return f"{_PREFIX}{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


def is_carla(text: str) -> bool:
    """Whether a source is meant to be a simulator."""
    return text.lower().startswith(_PREFIX)


def parse_carla(text: str) -> CarlaOptions:
    """Read `carla://HOST[:PORT][?key=value&…]`.

    Raises: UsageError, naming the part that is wrong and what it may be.
    """
    address, _, query = text.partition("?")
    if not is_carla(address):
        raise UsageError(f"{redact(address)}: names no CARLA server; write carla://HOST:2000")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{address}: is no address; write carla://HOST:2000") from None
    if not host or parts.path.strip("/"):
        raise UsageError(f"{address}: names no host; write carla://HOST:2000?town=Town03&vehicles=30")
    name = f"{_PREFIX}{host}:{port or DEFAULT_PORT}"
    given = read_options(name, query, _DEFAULTS)
    width, height = _size(name, given["size"])
    return CarlaOptions(
        host,
        port or DEFAULT_PORT,
        given["town"],
        given["weather"],
        round(number(name, "vehicles", given["vehicles"], 0, 500)),
        round(number(name, "walkers", given["walkers"], 0, 500)),
        _switch(name, "autopilot", given["autopilot"]),
        number(name, "fps", given["fps"], _LEAST_FPS, 100),
        width,
        height,
        number(name, "fov", given["fov"], 10, 170),
        _mount(name, given["mount"]),
        given["ego"],
        _switch(name, "tick", given["tick"]),
        round(number(name, "seed", given["seed"], 0, 2**31 - 1)),
        number(name, "timeout", given["timeout"], 0.5, 600),
        _table(name, given["tags"]),
    )


def _size(name: str, text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,4})[x×](\d{2,4})", text)
    if not match or not all(32 <= int(part) <= 4096 for part in match.groups()):
        raise UsageError(f"{name}: size '{text}': give WIDTHxHEIGHT from 32x32 to 4096x4096, such as 1280x720")
    return int(match.group(1)), int(match.group(2))


def _switch(name: str, key: str, text: str) -> bool:
    if text.lower() not in _SWITCHES:
        raise UsageError(f"{name}: {key} '{text}': give 1 or 0")
    return _SWITCHES[text.lower()]


def _table(name: str, text: str) -> str:
    if text and text not in TAGS:
        raise UsageError(f"{name}: tags '{text}': there are the tables {', '.join(TAGS)}, each from that version on")
    return text


def _mount(name: str, text: str) -> Mount:
    parts = text.split(",")
    if len(parts) != 4:
        raise UsageError(f"{name}: mount '{text}': give x,y,z in metres and the pitch in degrees, such as 1.3,0,1.6,0")
    x, y, z, pitch = (number(name, "mount", part, -90, 90) for part in parts)
    return Mount(x, y, z, pitch)
