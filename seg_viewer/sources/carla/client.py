"""CARLA: rides on a car of the simulator, two cameras on it. The only door to the `carla` package.

Everything that a drive spawned is destroyed, and what it changed in the world is put back, when it is closed.
Runs in a process of its own, see `process.py`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from seg_viewer.core.carla_tags import TAGS, table_version
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.installing import extra
from seg_viewer.sources.carla import journal
from seg_viewer.sources.carla.address import CarlaOptions
from seg_viewer.sources.carla.cleanup import SETTINGS, WEATHER, Leftovers, clean_up, set_clock
from seg_viewer.sources.carla.pairing import CAMERAS, CameraPair, Pairs
from seg_viewer.sources.carla.reach import connected, free_port, moves, number_of, one_line, short, swept
from seg_viewer.sources.carla.traffic import Traffic

_EGO = "vehicle.tesla.model3"
_HERO = "hero"
_WARM_UP_TICKS = 4
_LOAD_TIMEOUT_S = 120.0
_GONE_TIMEOUT_S = 1.0


class CarlaDrive:
    """One drive through a simulator that runs already: a car, two cameras on it, traffic around it.

    Args:
        options: see there.
        on_leftovers: called whenever there is more to clean up.
        on_answer: called whenever the simulator has answered, from its cleaning up on.
        wanted: whether the drive still is; it is broken off on the way to its first picture where it is not.

    Raises:
        UsageError: the town, weather or car that was asked for does not exist, or the `carla` package is missing.
        SourceError: no server answers, it has another version than the client, or there is no room for the car.
    """

    def __init__(
        self,
        options: CarlaOptions,
        on_leftovers: Callable[[Leftovers], None] = lambda _: None,
        on_answer: Callable[[], object] = lambda: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.options = options
        self.warnings: list[str] = []
        self.version = self.tags = ""
        self._on_leftovers, self._on_answer, self._wanted = on_leftovers, on_answer, wanted
        self.town = ""
        self._pairs, self._carla = Pairs(), _carla_package()
        self._client: Any = None
        self._world: Any = None
        self._cameras: list[Any] = []
        self._traffic: Traffic | None = None
        self._is_gone = self._is_closed = False
        self._random = random.Random(options.seed)
        self._journal = journal.Journal(options.where)
        self.leftovers = Leftovers(token=self._journal.token)
        if self._journal.problem:
            self._warn(f"{options.name}: what a killed drive leaves there cannot be noted: {self._journal.problem}")
        try:
            self._connect()
            self._prepare_world()
            self._board()
        except BaseException as error:
            known = len(self.warnings)
            self.close()
            for line in self.warnings[known:]:
                error.add_note(line)
            raise

    @property
    def drops(self) -> dict[str, int]:
        """Pictures so far that nobody got, by cause."""
        return dict(self._pairs.drops)

    def next_pair(self) -> CameraPair:
        """Tick the world and wait for what the cameras saw.

        Raises:
            SourceError: the server or a camera did not answer in time.
        """
        options, tick = self.options, self._tick() if self.options.tick else None
        pair = self._pairs.take(tick, options.timeout_s)
        arrived_s = time.perf_counter()
        missing = [camera for camera in CAMERAS if camera not in pair]
        if missing:
            raise SourceError(
                f"{options.name}: {' and '.join(missing)} sent no picture within {options.timeout_s:g} s;"
                " is the simulator rendering?"
            )
        picture, tags = (_pixels(pair[camera]) for camera in CAMERAS)
        rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB), np.uint8)
        image = pair[CAMERAS[0]]
        return CameraPair(image.frame, image.timestamp, rgb, np.ascontiguousarray(tags[:, :, 2]), arrived_s)

    def interrupt(self) -> None:
        """End a `next_pair` that waits for its cameras, from any thread; for good. A tick cannot be broken off."""
        self._pairs.end()

    def close(self) -> None:
        """Destroy what was spawned and put the world back as it was; again is fine."""
        if self._is_closed:
            return
        self._is_closed = True
        clean = True
        if self._is_gone and not self._answers_again():
            if not (clean := not self.leftovers.is_something):
                self._warn(f"{self.options.name}: no longer answers; what was spawned there could not be removed")
        elif self._world is not None:
            for camera in self._cameras:
                self._quietly(camera.stop)
            if (traffic := self._traffic) is not None:
                self._quietly(lambda: traffic.stop(self._on_answer))
            what = (self._carla, self._client, self._world, self.leftovers)
            clean = self._quietly(lambda: clean_up(*what, self._on_answer))
        self._journal.close(clean=clean)
        # the library's threads end with the last of these
        self._cameras, self._traffic, self._world, self._client = [], None, None, None

    # -- one after the other, in order -----------------------------------------------------------------------------

    def _connect(self) -> None:
        options = self.options
        self._client = connected(self._carla, options)
        self.version = str(self._client.get_server_version())
        ours = str(self._client.get_client_version())
        if number_of(ours) != number_of(self.version):
            raise SourceError(
                f"{options.name}: the server is CARLA {self.version}, the client {ours};"
                f" install the client of the same version: pip install carla=={number_of(self.version)}"
            )
        try:
            self.tags = options.tags or table_version(self.version)
        except ValueError as error:
            raise SourceError(
                f"{options.name}: {error}; if you know which of them it follows: {options.name}?tags={list(TAGS)[-1]}"
            ) from None

    def _prepare_world(self) -> None:
        options = self.options
        with self._explained():
            self._world = self._client.get_world()
            moving = moves(self._world, options.timeout_s)
            if options.tick or moving:
                for line in swept(self._carla, self._client, self._world, options, moving):
                    self._warn(line)
            if options.tick and self._world.get_settings().synchronous_mode:
                self._refuse_second_clock(moving)
            self._load_town()
            weather = self._world.get_weather()
            if options.weather:
                preset = self._preset(options.weather)
                self._remember(weather={key: getattr(weather, key) for key in WEATHER if hasattr(weather, key)})
                self._world.set_weather(preset)
            if options.tick:
                settings = self._world.get_settings()
                self._remember(settings={key: getattr(settings, key) for key in SETTINGS})
                self._world.apply_settings(set_clock(self._world.get_settings(), options.fps))
                self._world.tick(options.timeout_s)

    def _refuse_second_clock(self, moving: bool) -> None:
        """A world in synchronous mode that moves is ticked by somebody else; one that stands was left like that."""
        if not moving:
            self._warn(f"{self.options.name}: was left in synchronous mode, and is left so again")
            return
        raise UsageError(
            f"{self.options.name}: another client sets the pace of this simulator;"
            " ride along with tick=0 (and ego=ROLE), or stop that client"
        )

    def _load_town(self) -> None:
        options = self.options
        self.town = short(self._world.get_map().name)
        if options.town and options.town != self.town:
            towns = sorted(short(town) for town in self._client.get_available_maps())
            if options.town not in towns:
                raise UsageError(f"{options.name}: has no map '{options.town}'; it has {', '.join(towns)}")
            self._client.set_timeout(max(options.timeout_s, _LOAD_TIMEOUT_S))
            self._world = self._client.load_world(options.town)
            self._client.set_timeout(options.timeout_s)
            self.town = short(self._world.get_map().name)

    def _board(self) -> None:
        """A car, cameras on it, traffic around it."""
        options = self.options
        with self._explained():
            blueprints = self._world.get_blueprint_library()
            points = list(self._world.get_map().get_spawn_points())
            self._random.shuffle(points)
            drives = options.autopilot and not options.ego
            traffic = None
            if options.vehicles or options.walkers or drives:
                traffic = self._traffic = Traffic(
                    self._carla,
                    self._client,
                    self._world,
                    free_port(),
                    options.seed,
                    options.tick,
                    self._remember_spawned,
                    journal.role_name(self._journal.token),
                )
                if options.vehicles or drives:
                    traffic.start()
                    # it begins in its own time, and forgets cars that it hears of before the world shows them
                    self._tick_or_wait()
            ego = self._find_car(options.ego) if options.ego else self._spawn_car(blueprints, points)
            if traffic is not None:
                self._tick_or_wait()
                if drives:
                    traffic.drive(ego)
                self.warnings += traffic.add_vehicles(options.vehicles, points, self._random)
                self.warnings += traffic.add_walkers(options.walkers, self._random, self._tick_or_wait)
            for name in CAMERAS:
                self._mount(blueprints.find(name), ego)
            if options.tick:
                for _ in range(_WARM_UP_TICKS):
                    self._tick()

    def _find_car(self, role: str) -> Any:
        self._tick_or_wait()
        cars = list(self._world.get_actors().filter("vehicle.*"))
        for car in cars:
            name = car.attributes.get("role_name", "")
            if name == role or (role == _HERO and journal.is_hero(name)):
                return car
        roles = sorted({car.attributes.get("role_name", "") for car in cars})
        has = f"the cars there are called {', '.join(roles)}" if roles else "there are no cars"
        raise UsageError(f"{self.options.name}: no car has the role name '{role}'; {has}")

    def _spawn_car(self, blueprints: Any, points: list[Any]) -> Any:
        cars = [b for b in blueprints.filter("vehicle.*") if b.id == _EGO] or list(blueprints.filter("vehicle.*"))
        if not cars:
            raise SourceError(f"{self.options.name}: the server offers no cars to spawn")
        cars[0].set_attribute("role_name", journal.role_name(self._journal.token, hero=True))
        while points:
            car = self._world.try_spawn_actor(cars[0], points.pop())
            if car is not None:
                self._remember_spawned([car.id])
                return car
        raise SourceError(f"{self.options.name}: no spawn point of {self.town} is free; remove some cars")

    def _mount(self, blueprint: Any, ego: Any) -> None:
        options, carla = self.options, self._carla
        for key, value in (("image_size_x", options.width), ("image_size_y", options.height), ("fov", options.fov)):
            blueprint.set_attribute(key, str(value))
        if blueprint.has_attribute("role_name"):
            blueprint.set_attribute("role_name", journal.role_name(self._journal.token))
        place = carla.Transform(
            carla.Location(options.mount.x, options.mount.y, options.mount.z),
            carla.Rotation(pitch=options.mount.pitch),
        )
        camera = self._world.spawn_actor(blueprint, place, attach_to=ego)
        self._remember_spawned([camera.id])
        name = str(blueprint.id)
        camera.listen(lambda image: self._pairs.put(name, image))
        self._cameras.append(camera)

    def _remember_spawned(self, ids: Sequence[int]) -> None:
        self._remember(actors=(*self.leftovers.actors, *ids))

    def _remember(self, **more: Any) -> None:
        """To be cleaned up; said before anything else can go wrong."""
        self.leftovers = replace(self.leftovers, **more)
        self._journal.note(self.leftovers)
        self._on_leftovers(self.leftovers)
        self.check_wanted()

    def check_wanted(self) -> None:
        """Raises: SourceError, told to nobody, where the drive is not wanted any more."""
        if not self._wanted():
            raise SourceError(f"{self.options.name}: was left")

    # -- talking to the server -------------------------------------------------------------------------------------

    def _tick(self) -> int:
        with self._explained():
            return int(self._world.tick(self.options.timeout_s))

    def _tick_or_wait(self) -> None:
        if self.options.tick:
            self._tick()
            return
        try:
            self._world.wait_for_tick(self.options.timeout_s)
        except RuntimeError:
            raise SourceError(
                f"{self.options.name}: no tick within {self.options.timeout_s:g} s;"
                " tick=0 leaves the pace to another client, which has to set it"
            ) from None

    def _explained(self) -> _Explained:
        return _Explained(self)

    def lost(self, error: RuntimeError) -> SourceError:
        """The one line for an error of the client library."""
        self._is_gone = "time-out" in str(error)
        if self._is_gone:
            return SourceError(
                f"{self.options.name}: the simulator did not answer within {self.options.timeout_s:g} s;"
                " is it still running? A longer wait: timeout=60"
            )
        return SourceError(f"{self.options.name}: {one_line(error)}")

    def _answers_again(self) -> bool:
        self._client.set_timeout(_GONE_TIMEOUT_S)
        try:
            self._client.get_server_version()
        except RuntimeError:
            return False
        return True

    def _preset(self, name: str) -> Any:
        kind = self._carla.WeatherParameters
        presets = sorted(key for key, value in vars(kind).items() if isinstance(value, kind))
        if name not in presets:
            raise UsageError(f"{self.options.name}: no weather '{name}'; choose one of {', '.join(presets)}")
        return getattr(kind, name)

    def _quietly(self, step: Callable[[], object]) -> bool:
        """Whatever happens, what comes after it is put back too. Returns whether it went well."""
        try:
            step()
        except RuntimeError as error:
            self._warn(f"{self.options.name}: while tidying up: {one_line(error)}")
            return False
        return True

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


class _Explained:
    """Turns an error of the client library into the one line of ours."""

    def __init__(self, drive: CarlaDrive) -> None:
        self._drive = drive

    def __enter__(self) -> None:
        self._drive.check_wanted()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, RuntimeError):
            raise self._drive.lost(error) from None


def clean_up_after(options: CarlaOptions, leftovers: Leftovers) -> None:
    """`clean_up` for a drive that ended without. Raises: RuntimeError when the server does not answer."""
    carla = _carla_package()
    client = carla.Client(options.host, options.port)
    client.set_timeout(options.timeout_s)
    clean_up(carla, client, client.get_world(), leftovers)
    journal.forget(leftovers.token)


def clean_up_orphans(options: CarlaOptions, also_of: Sequence[str]) -> list[str]:
    """Remove what killed drives of ours left in a simulator; a line for each thing that was done, or left alone.

    Args:
        options: which simulator.
        also_of: machines whose drives cannot be looked up here, and have ended.

    Raises:
        UsageError: the `carla` package is missing. SourceError: no server answers, or not any more.
    """
    carla = _carla_package()
    client = connected(carla, options)
    try:
        world = client.get_world()
        lines = swept(carla, client, world, options, moves(world, options.timeout_s), also_of)
    except RuntimeError as error:
        raise SourceError(f"{options.name}: {one_line(error)}") from None
    return lines or [f"{options.name}: nothing of seg-viewer was left there"]


def _carla_package() -> Any:
    try:
        import carla
    except ImportError as error:
        raise UsageError(f"carla://: the CARLA client is missing ({error}); {extra('carla')}") from None
    return carla


def _pixels(image: Any) -> ByteArray:
    """Shape (H, W, 4), uint8, blue-green-red-alpha; borrows the image's memory."""
    return np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
