"""The sockets: msgpack-RPC (rpclib's wire format) and the sensor streams, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import msgpack

from tests.carla_server import wire
from tests.carla_server.navmesh import pavement
from tests.carla_server.town import PAVEMENT, TOWNS, blueprints
from tests.carla_server.wire import Transform
from tests.carla_server.world import FREE_STEP_S, Actor, Refusal, World

HOST = "127.0.0.1"
_SPECTATOR = 10
_REQUEST, _RESPONSE = 0, 1
_NOTHING = object()
# places in rpc/Command.h's variant
_SPAWN, _DESTROY, _VEHICLE_CONTROL, _WALKER_STATE, _SET_AUTOPILOT = 0, 1, 2, 7, 16


class Server:
    """Serves one `World`.

    Args:
        version: what it says it is.
        silent_after: once a client asked for that many ticks, no call is answered any more, as when the simulator
            hangs; 0 is never.
        stop_at_removal: once, the process stops as by SIGSTOP when a client has an actor removed.
        log: called with the name and arguments of every call.
    """

    def __init__(
        self,
        world: World,
        version: str = "0.9.16",
        silent_after: int = 0,
        stop_at_removal: bool = False,
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.world = world
        self._version = version
        self._silent_after = silent_after
        self._stop_at_removal = stop_at_removal
        self._log = log
        self._stream_port = 0
        self._subscribers: dict[int, list[asyncio.StreamWriter]] = {}
        self._traffic_managers: dict[int, list[Any]] = {}

    async def serve(self, port: int, on_ready: Callable[[int], None]) -> None:
        """Until cancelled; `on_ready` gets the port of the RPC, which is chosen where `port` is 0."""
        streams = await asyncio.start_server(self._stream, HOST, 0)
        self._stream_port = streams.sockets[0].getsockname()[1]
        calls = await asyncio.start_server(self._calls, HOST, port)
        async with streams, calls:
            on_ready(calls.sockets[0].getsockname()[1])
            while True:
                await asyncio.sleep(FREE_STEP_S)
                if not self.world.synchronous:
                    await self._tick()

    # -- streams ---------------------------------------------------------------------------------------------------

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client sends the number of the stream, once; from then on it only reads."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            (number,) = struct.unpack("<I", await reader.readexactly(4))
            self._subscribers.setdefault(number, []).append(writer)
            await reader.read()
        for writers in self._subscribers.values():
            if writer in writers:
                writers.remove(writer)
        writer.close()

    async def _tick(self) -> None:
        self.world.tick()
        for number, message in self.world.messages():
            for writer in list(self._subscribers.get(number, ())):
                with contextlib.suppress(ConnectionError):
                    writer.write(wire.framed(message))
                    await writer.drain()

    # -- calls -----------------------------------------------------------------------------------------------------

    async def _calls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = msgpack.Unpacker(raw=False)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                unpacker.feed(data)
                for kind, number, name, arguments in unpacker:
                    if kind != _REQUEST or (self._is_hung() and name != "report"):
                        continue
                    result = await self._answer(name, arguments)
                    writer.write(msgpack.packb([_RESPONSE, number, None, result]))
                    await writer.drain()
        writer.close()

    def _is_hung(self) -> bool:
        return 0 < self._silent_after <= self.world.cues

    async def _answer(self, name: str, arguments: Sequence[Any]) -> Any:
        """The result as it is packed (rpc/Response.h): [[1, value]], [[0, [why]]], without a value [[false]]."""
        self._log(f"{name} {arguments!r}"[:1200])
        if name == "report":
            return self.world.report()
        given = arguments[1:]  # the first is rpc/Metadata.h
        if name == "apply_batch":
            return [self._command(command) for (command,) in given[0]]
        if name == "tick_cue":
            self.world.cues += 1
            await self._tick()
            return [[1, self.world.frame]]
        method = getattr(self, f"_call_{name}", None)
        if method is None:
            return [[0, [f"the test server has no '{name}'"]]]
        try:
            value = method(*given)
        except Refusal as refusal:
            return [[0, [str(refusal)]]]
        return [[False]] if value is _NOTHING else [[1, value]]

    def _command(self, command: Sequence[Any]) -> list[Any]:
        """One command of a batch (rpc/Command.h); answers with the actor's id, or why not."""
        kind, body = command
        try:
            if kind == _SPAWN:
                description, transform, parent, _attachment, _bone, after = body
                actor = self.world.spawn(description, Transform.from_msgpack(transform), _optional(parent))
                for (follow_up,) in after:
                    self._command([follow_up[0], [actor.id, *follow_up[1][1:]]])
                return [[1, actor.id]]
            if body[0] not in self.world.actors:
                raise Refusal("unable to find actor")
            if kind == _DESTROY:
                if self._stop_at_removal:
                    self._stop_at_removal = False
                    os.kill(os.getpid(), signal.SIGSTOP)
                self.world.destroy(body[0])
            elif kind == _VEHICLE_CONTROL:
                self.world.actors[body[0]].controls += 1
            elif kind == _WALKER_STATE:
                self.world.actors[body[0]].controls += 1
                self.world.actors[body[0]].transform = Transform.from_msgpack(body[1])
            elif kind == _SET_AUTOPILOT:
                self.world.actors[body[0]].autopilot = bool(body[1])
        except Refusal as refusal:
            return [[0, [str(refusal)]]]
        return [[1, body[0]]]

    def _actor(self, actor_id: int) -> Actor:
        if actor_id not in self.world.actors:
            raise Refusal("unable to find actor")
        return self.world.actors[actor_id]

    def _call_version(self) -> str:
        return self._version

    def _call_get_episode_info(self) -> list[Any]:
        return [self.world.episode, [wire.token(1, self._stream_port)]]

    def _call_get_sensor_token(self, stream_id: int) -> list[bytes]:
        return [wire.token(stream_id, self._stream_port)]

    def _call_get_required_files(self, folder: str) -> list[str]:
        # the client keeps files by their names for ever, so that another content needs another one
        return [f"SegViewerTests/Nav/{zlib.crc32(pavement(*PAVEMENT)):08x}.bin"] if folder == "Nav" else []

    def _call_request_file(self, _name: str) -> bytes:
        return pavement(*PAVEMENT)

    def _call_query_lights_state(self, _client: str) -> list[Any]:
        return []

    def _call_get_map_info(self) -> list[Any]:
        return self.world.map_info()

    def _call_get_map_data(self) -> str:
        return self.world.map_data()

    def _call_get_available_maps(self) -> list[str]:
        return [f"/Game/Carla/Maps/{town}" for town in TOWNS]

    def _call_load_new_episode(self, town: str, reset_settings: bool, _layers: int) -> Any:
        self.world.load(town, reset_settings)
        return _NOTHING

    def _call_get_episode_settings(self) -> list[Any]:
        return self.world.settings

    def _call_set_episode_settings(self, settings: list[Any]) -> int:
        self.world.settings = settings
        return self.world.frame

    def _call_get_weather_parameters(self) -> list[float]:
        return self.world.weather

    def _call_set_weather_parameters(self, weather: list[float]) -> Any:
        self.world.weather = weather
        return _NOTHING

    def _call_get_actor_definitions(self) -> list[Any]:
        return blueprints()

    def _call_get_spectator(self) -> list[Any]:
        spectator = Actor(_SPECTATOR, [0, "spectator", []], Transform())
        return self.world.describe(spectator, self._stream_port)

    def _call_get_actors_by_id(self, ids: list[int]) -> list[Any]:
        found = [self.world.actors[i] for i in ids if i in self.world.actors]
        return [self.world.describe(actor, self._stream_port) for actor in found]

    def _call_get_actor_bounding_box(self, actor_id: int) -> list[Any]:
        return self.world.bounding_box(self._actor(actor_id))

    def _call_get_vehicle_light_states(self) -> list[list[int]]:
        return [[actor.id, 0] for actor in self.world.actors.values() if actor.type_id.startswith("vehicle.")]

    def _call_spawn_actor(self, description: list[Any], transform: Any) -> list[Any]:
        actor = self.world.spawn(description, Transform.from_msgpack(transform))
        return self.world.describe(actor, self._stream_port)

    def _call_spawn_actor_with_parent(
        self, description: list[Any], transform: Any, parent: int, _attachment: int, _bone: str
    ) -> list[Any]:
        actor = self.world.spawn(description, Transform.from_msgpack(transform), parent)
        return self.world.describe(actor, self._stream_port)

    def _call_destroy_actor(self, actor_id: int) -> bool:
        return self.world.destroy(actor_id)

    def _call_set_actor_autopilot(self, actor_id: int, enabled: bool) -> Any:
        self._actor(actor_id).autopilot = enabled
        return _NOTHING

    def _call_set_actor_simulate_physics(self, _actor_id: int, _enabled: bool) -> Any:
        return _NOTHING

    def _call_set_actor_collisions(self, _actor_id: int, _enabled: bool) -> Any:
        return _NOTHING

    def _call_reset_all_traffic_lights(self) -> Any:
        return _NOTHING

    def _call_is_traffic_manager_running(self, port: int) -> bool:
        return port in self._traffic_managers

    def _call_get_traffic_manager_running(self, port: int) -> list[Any]:
        return self._traffic_managers.get(port, ["", 0])

    def _call_add_traffic_manager_running(self, address: list[Any]) -> bool:
        return self._traffic_managers.setdefault(int(address[1]), address) is address

    def _call_destroy_traffic_manager(self, port: int) -> bool:
        return self._traffic_managers.pop(port, None) is not None


def _optional(value: Sequence[Any]) -> int:
    return int(value[1]) if len(value) == 2 else 0
