"""The bytes that CARLA 0.9.16 sends: stream tokens, sensor messages, the state of the world. Little-endian, packed."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]

# place of each sensor in LibCarla's registry (sensor/SensorRegistry.h)
SCENE_CAMERA = 13
SEMANTIC_CAMERA = 14
WORLD_OBSERVER = 17

_TCP, _IPV4 = 1, 1
_ACTIVE = 1


@dataclass
class Transform:
    """Metres and degrees; x forward, y right, z up (left-handed, as Unreal has it)."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0

    @classmethod
    def from_msgpack(cls, value: Sequence[Sequence[float]]) -> Transform:
        location, rotation = value
        return cls(*location, *rotation)

    def to_msgpack(self) -> list[list[float]]:
        return [[self.x, self.y, self.z], [self.pitch, self.yaw, self.roll]]

    def to_bytes(self) -> bytes:
        return struct.pack("<6f", self.x, self.y, self.z, self.pitch, self.yaw, self.roll)


@dataclass
class ActorState:
    """What the world observer tells of one actor each tick."""

    id: int
    transform: Transform
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    type_state: bytes = field(default=b"")
    """Union of 54 bytes: traffic light, traffic sign, vehicle or walker."""

    def to_bytes(self) -> bytes:
        """119 bytes (sensor/data/ActorDynamicState.h)."""
        fixed = struct.pack("<IB", self.id, _ACTIVE) + self.transform.to_bytes()
        motion = struct.pack("<9f", *self.velocity, 0, 0, 0, 0, 0, 0)
        return fixed + motion + self.type_state.ljust(54, b"\0")


def token(stream_id: int, port: int, address: str = "127.0.0.1") -> bytes:
    """Where a stream is to be had, 24 bytes (streaming/detail/Token.h)."""
    packed = bytes(int(part) for part in address.split("."))
    return struct.pack("<IHBB", stream_id, port, _TCP, _IPV4) + packed.ljust(16, b"\0")


def stream_id(stream_token: bytes) -> int:
    return int(struct.unpack_from("<I", stream_token)[0])


def _header(sensor: int, frame: int, time_s: float, transform: Transform) -> bytes:
    """48 bytes before the data of every sensor (sensor/s11n/SensorHeaderSerializer.h)."""
    return struct.pack("<QQd", sensor, frame, time_s) + transform.to_bytes()


def image_message(sensor: int, frame: int, time_s: float, transform: Transform, bgra: ByteArray, fov: float) -> bytes:
    """One picture (sensor/s11n/ImageSerializer.h).

    Args:
        bgra: shape (H, W, 4), uint8, blue-green-red-alpha.
        fov: horizontal field of view, degrees.
    """
    height, width = bgra.shape[:2]
    return _header(sensor, frame, time_s, transform) + struct.pack("<IIf", width, height, fov) + bgra.tobytes()


def world_message(episode: int, frame: int, time_s: float, delta_s: float, actors: Sequence[ActorState]) -> bytes:
    """The state of the whole world (sensor/s11n/EpisodeStateSerializer.h): its header, 36 bytes, then every actor."""
    state = struct.pack("<Qdf3iI", episode, time_s, delta_s, 0, 0, 0, 0)
    return _header(WORLD_OBSERVER, frame, time_s, Transform()) + state + b"".join(a.to_bytes() for a in actors)


def framed(message: bytes) -> bytes:
    """As it goes through the socket: length, then the message (streaming/detail/tcp)."""
    return struct.pack("<I", len(message)) + message
