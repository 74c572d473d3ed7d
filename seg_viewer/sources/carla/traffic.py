"""Cars and people around the car that carries the cameras. Given the `carla` package by `client.py`."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

_TRIES_PER_WALKER = 4


class Traffic:
    """What the traffic manager drives and what walks; its maker destroys them after `stop`.

    Args:
        carla: the package.
        client, world: of the drive.
        port: of a traffic manager of our own, which ends with `stop`.
        seed: of its choices.
        synchronous: it moves with our ticks.
        on_spawn: called with the ids of everybody who was spawned.
        role: role name of all of them.
    """

    def __init__(
        self,
        carla: Any,
        client: Any,
        world: Any,
        port: int,
        seed: int,
        synchronous: bool,
        on_spawn: Callable[[Sequence[int]], None],
        role: str,
    ) -> None:
        self._carla = carla
        self._client = client
        self._world = world
        self._port = port
        self._seed = seed
        self._synchronous = synchronous
        self._on_spawn = on_spawn
        self._role = role
        self._manager: Any = None
        self._controllers: list[int] = []

    def start(self) -> None:
        """Start the traffic manager."""
        self._manager = self._client.get_trafficmanager(self._port)
        self._manager.set_synchronous_mode(self._synchronous)
        self._manager.set_random_device_seed(self._seed)

    def drive(self, car: Any) -> None:
        """Hand a car, which the world shows already, to the traffic manager."""
        car.set_autopilot(True, self._port)

    def add_vehicles(self, count: int, points: list[Any], chance: random.Random) -> list[str]:
        """Spawn cars at `points`, in that order, after `start`; returns a line when there are fewer than asked for."""
        if not count:
            return []
        command = self._carla.command
        blueprints = list(self._world.get_blueprint_library().filter("vehicle.*"))
        batch = []
        for point in points[:count]:
            blueprint = chance.choice(blueprints)
            self._sign(blueprint)
            if blueprint.has_attribute("color"):
                blueprint.set_attribute("color", chance.choice(blueprint.get_attribute("color").recommended_values))
            autopilot = command.SetAutopilot(command.FutureActor, True, self._port)
            batch.append(command.SpawnActor(blueprint, point).then(autopilot))
        return _fewer(count, len(self._spawn(batch)), "vehicles", "the other spawn points are taken")

    def add_walkers(self, count: int, chance: random.Random, tick: Callable[[], None]) -> list[str]:
        """Spawn people on pavements who walk to and fro; returns a line when there are fewer than asked for."""
        if not count:
            return []
        carla, world = self._carla, self._world
        world.set_pedestrians_seed(self._seed)
        blueprints = list(world.get_blueprint_library().filter("walker.pedestrian.*"))
        batch = []
        for _ in range(count * _TRIES_PER_WALKER):
            place = world.get_random_location_from_navigation()
            if place is None:
                break  # this map has no navigation mesh
            blueprint = chance.choice(blueprints)
            self._sign(blueprint)
            if blueprint.has_attribute("is_invincible"):
                blueprint.set_attribute("is_invincible", "false")
            batch.append(carla.command.SpawnActor(blueprint, carla.Transform(place)))
        walkers: list[int] = []
        while batch and len(walkers) < count:
            wanted = count - len(walkers)
            walkers += self._spawn(batch[:wanted])
            batch = batch[wanted:]
        brain = self._sign(world.get_blueprint_library().find("controller.ai.walker"))
        minds = [carla.command.SpawnActor(brain, carla.Transform(), walker) for walker in walkers]
        self._controllers += self._spawn(minds)
        tick()  # a controller can be started only once the world knows its walker
        for controller in world.get_actors(self._controllers):
            controller.start()
            controller.go_to_location(world.get_random_location_from_navigation())
            controller.set_max_speed(chance.choice((1.0, 1.4, 1.8)))
        return _fewer(count, len(walkers), "walkers", "the map's navigation mesh gives no more places")

    def stop(self, answered: Callable[[], object] = lambda: None) -> None:
        """Everybody stands; the traffic manager ends. `answered` is called whenever the simulator has answered."""
        for controller in self._world.get_actors(self._controllers) if self._controllers else ():
            controller.stop()
            answered()
        if self._manager is not None:
            self._manager.shut_down()
            answered()

    def _sign(self, blueprint: Any) -> Any:
        if blueprint.has_attribute("role_name"):
            blueprint.set_attribute("role_name", self._role)
        return blueprint

    def _spawn(self, batch: list[Any]) -> list[int]:
        answers = self._client.apply_batch_sync(batch, False)
        spawned = [answer.actor_id for answer in answers if not answer.error]
        self._on_spawn(spawned)
        return spawned


def _fewer(asked: int, got: int, what: str, why: str) -> list[str]:
    return [f"CARLA: {got} of {asked} {what} could be placed; {why}"] if got < asked else []
