"""The world behind the server: actors, settings, time. Knows no sockets."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.carla_server import wire
from tests.carla_server.scene import Scene
from tests.carla_server.town import TOWNS, blueprints, opendrive, spawn_points
from tests.carla_server.wire import Transform

FREE_STEP_S = 0.05
"""Step of a world that nobody ticks, seconds."""

_WORLD_STREAM = 1
_FIRST_ACTOR = 20
_SPAWN_CLEARANCE_M = 2.0
_SENSORS = {
    "sensor.camera.rgb": wire.SCENE_CAMERA,
    "sensor.camera.semantic_segmentation": wire.SEMANTIC_CAMERA,
}
# a car-like box: half length, half width, half height, metres
_VEHICLE_EXTENT, _WALKER_EXTENT = (2.3, 1.0, 0.8), (0.2, 0.2, 0.9)

SETTINGS = [False, False, [False], True, 0.01, 10, 0.0, True, 3000.0, 2000.0, True]
"""rpc/EpisodeSettings.h, as a fresh server has them: asynchronous, variable step."""

CLEAR_NOON = [5.0, 0.0, 0.0, 10.0, -1.0, 45.0, 2.0, 0.75, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0]


class Refusal(Exception):
    """What the server answers instead of a value."""


@dataclass
class Actor:
    """One actor; `description` as it came with the request to spawn it."""

    id: int
    description: list[Any]
    transform: Transform
    parent: int = 0
    autopilot: bool = False
    controls: int = 0
    """Commands that steered it."""

    @property
    def type_id(self) -> str:
        return str(self.description[1])

    def attribute(self, name: str, default: str) -> str:
        return next((str(value) for key, _kind, value in self.description[2] if key == name), default)

    @property
    def is_camera(self) -> bool:
        return self.type_id in _SENSORS


@dataclass
class World:
    """One server's world.

    Args:
        scene: what its cameras see.
        mute: blueprints whose cameras never send anything.
    """

    scene: Scene
    mute: frozenset[str] = frozenset()
    town: str = TOWNS[0]
    episode: int = 1
    frame: int = 1
    time_s: float = 0.0
    settings: list[Any] = field(default_factory=lambda: list(SETTINGS))
    weather: list[float] = field(default_factory=lambda: list(CLEAR_NOON))
    actors: dict[int, Actor] = field(default_factory=dict)
    spawned: int = 0
    cues: int = 0
    """Ticks that a client asked for."""
    most_alive: int = 0

    @property
    def synchronous(self) -> bool:
        return bool(self.settings[0])

    @property
    def step_s(self) -> float:
        fixed = self.settings[2]
        return float(fixed[1]) if len(fixed) == 2 else FREE_STEP_S

    def map_info(self) -> list[Any]:
        return [f"Carla/Maps/{self.town}", [point.to_msgpack() for point in spawn_points()]]

    def map_data(self) -> str:
        return opendrive(self.town)

    def load(self, town: str, reset_settings: bool) -> None:
        """Another map: every actor is gone, the episode has a new number.

        Raises:
            Refusal: there is no such map.
        """
        name = town.rsplit("/", 1)[-1]
        if name not in TOWNS:
            raise Refusal("map not found")
        self.town = name
        self.episode += 1
        self.actors.clear()
        if reset_settings:
            self.settings = list(SETTINGS)

    def spawn(self, description: list[Any], transform: Transform, parent: int = 0) -> Actor:
        """Raises: Refusal, when something stands there or the parent or blueprint does not exist."""
        type_id = str(description[1])
        if type_id not in {definition[1] for definition in blueprints()}:
            raise Refusal(f"unknown blueprint {type_id}")
        if parent and parent not in self.actors:
            raise Refusal("unable to spawn actor: parent not found")
        if type_id.startswith(("vehicle.", "walker.")):
            for other in self.actors.values():
                near = abs(other.transform.x - transform.x) + abs(other.transform.y - transform.y) < _SPAWN_CLEARANCE_M
                if near and not other.parent:
                    raise Refusal("Spawn failed because of collision at spawn position")
        actor = Actor(_FIRST_ACTOR + self.spawned, description, transform, parent)
        self.spawned += 1
        self.actors[actor.id] = actor
        self.most_alive = max(self.most_alive, len(self.actors))
        return actor

    def destroy(self, actor_id: int) -> bool:
        return self.actors.pop(actor_id, None) is not None

    def place(self, actor: Actor) -> Transform:
        """Where it is in the world; attached ones ride on their parent (its rotation is left out)."""
        parent = self.actors.get(actor.parent)
        if parent is None:
            return actor.transform
        base, own = parent.transform, actor.transform
        return Transform(base.x + own.x, base.y + own.y, base.z + own.z, base.pitch, base.yaw, base.roll)

    def bounding_box(self, actor: Actor) -> list[Any]:
        """geom/BoundingBox.h: centre, half lengths, rotation, whose it is."""
        extent = _WALKER_EXTENT if actor.type_id.startswith("walker.") else _VEHICLE_EXTENT
        return [[0.0, 0.0, extent[2]], list(extent), [0.0, 0.0, 0.0], actor.id]

    def describe(self, actor: Actor, port: int) -> list[Any]:
        """rpc/Actor.h: id, parent, description, bounding box, semantic tags, stream token."""
        token = wire.token(actor.id, port) if actor.is_camera else b""
        return [actor.id, actor.parent, actor.description, self.bounding_box(actor), b"\x0e", token]

    def tick(self) -> None:
        self.frame += 1
        self.time_s += self.step_s

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """What each stream sends at this tick: its number and the message. The world itself goes first."""
        states = [wire.ActorState(a.id, self.place(a), type_state=_type_state(a)) for a in self.actors.values()]
        yield _WORLD_STREAM, wire.world_message(self.episode, self.frame, self.time_s, self.step_s, states)
        for actor in list(self.actors.values()):
            if actor.is_camera and actor.type_id not in self.mute:
                yield actor.id, self._picture(actor)

    def _picture(self, camera: Actor) -> bytes:
        width, height = int(camera.attribute("image_size_x", "800")), int(camera.attribute("image_size_y", "600"))
        picture, tags = self.scene.look(self.frame, width, height)
        bgra = np.full((height, width, 4), 255, np.uint8)
        if camera.type_id == "sensor.camera.rgb":
            bgra[:, :, :3] = picture
        else:
            bgra[:, :, :3] = 0
            bgra[:, :, 2] = tags
        fov = float(camera.attribute("fov", "90"))
        sensor = _SENSORS[camera.type_id]
        return wire.image_message(sensor, self.frame, self.time_s, self.place(camera), bgra, fov)

    def report(self) -> dict[str, Any]:
        """What lives here, for tests."""
        return {
            "alive": {str(actor.id): actor.type_id for actor in self.actors.values()},
            "autopilots": [actor.id for actor in self.actors.values() if actor.autopilot],
            "steered": [actor.id for actor in self.actors.values() if actor.controls],
            "roles": {str(a.id): a.attribute("role_name", "") for a in self.actors.values()},
            "spawned": self.spawned,
            "most_alive": self.most_alive,
            "cues": self.cues,
            "settings": self.settings,
            "weather": self.weather,
            "town": self.town,
        }


def _type_state(actor: Actor) -> bytes:
    """Vehicles: no pedals, 30 km/h limit, no traffic light (VehicleData of sensor/data/ActorDynamicState.h)."""
    if actor.type_id.startswith("vehicle."):
        return struct.pack("<3f3?ifB?IB", 0, 0, 0, False, False, False, 1, 30.0, 0, False, 0, 0)
    return b""
