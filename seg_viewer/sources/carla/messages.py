"""What the two processes of a drive say to each other: one byte for the kind, then JSON, then pixels.

Nothing is unpickled: pixels may hold any bytes, and so may what is left in a pipe when the other process dies.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import numpy as np

from seg_viewer.sources.carla.cleanup import Leftovers
from seg_viewer.sources.carla.pairing import CameraPair


@dataclass(frozen=True)
class Tick:
    """To the drive: go on for so many ticks, and send what is seen then.

    Args:
        count: of ticks, from 1.
    """

    count: int


@dataclass(frozen=True)
class Close:
    """To the drive: clean up and end."""


@dataclass(frozen=True)
class Ready:
    """From the drive: the car stands in its town.

    Args:
        version: of the server.
        town: short name of its map.
        warnings: a line each.
        tags: the table that the tags follow.
    """

    version: str
    town: str
    warnings: tuple[str, ...] = ()
    tags: str = ""


@dataclass(frozen=True)
class Seen:
    """From the drive: the answer to `Tick`.

    Args:
        pair: what both cameras saw.
        drops: pictures so far that were left out, by cause.
    """

    pair: CameraPair
    drops: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """From the drive, which ends with it.

    Args:
        text: one line.
        is_usage: what was asked for cannot be had, rather than that the simulator failed.
    """

    text: str
    is_usage: bool = False


@dataclass(frozen=True)
class Answers:
    """From the drive, after `Close`: the simulator has answered once more, and will soon be as it was.

    Args:
        at_s: `time.perf_counter()` then; that clock is the same in all processes of a machine.
    """

    at_s: float


@dataclass(frozen=True)
class Closed:
    """From the drive, last of all: it has cleaned up.

    Args:
        warnings: all of the drive, a line each.
    """

    warnings: tuple[str, ...] = ()


Message: TypeAlias = Tick | Close | Ready | Seen | Leftovers | Failed | Answers | Closed

KINDS: dict[bytes, Callable[..., Message]] = {
    b"T": Tick,
    b"Q": Close,
    b"R": Ready,
    b"L": Leftovers,
    b"F": Failed,
    b"A": Answers,
    b"C": Closed,
}
"""The byte of each kind of message that is JSON alone."""
SEEN = b"S"
"""The byte of `Seen`, whose JSON pixels follow."""
_LENGTH = struct.Struct("<I")


def encode(message: Message) -> bytes:
    """The message as `decode` takes it."""
    if isinstance(message, Seen):
        return _encode_seen(message)
    kind = next(kind for kind, made in KINDS.items() if type(message) is made)
    return kind + json.dumps(asdict(message)).encode()


def decode(data: bytes) -> Message:
    """The message in what came out of the pipe. A picture borrows `data` and cannot be written to.

    Raises: ValueError when it is none.
    """
    kind, body = data[:1], memoryview(data)[1:]
    try:
        if kind == SEEN:
            return _decode_seen(body)
        if kind in KINDS:
            fields: dict[str, Any] = json.loads(bytes(body))
            return KINDS[kind](**{key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()})
    except (ValueError, TypeError, KeyError, AttributeError, struct.error) as error:
        raise ValueError(f"a damaged message of the kind {kind!r}: {error}") from error
    raise ValueError(f"a message of the unknown kind {kind!r}")


def _encode_seen(message: Seen) -> bytes:
    pair = message.pair
    height, width = pair.tags.shape
    head: dict[str, Any] = {
        "tick": pair.tick,
        "time_s": pair.time_s,
        "arrived_s": pair.arrived_s,
        "shape": [height, width],
        "drops": dict(message.drops),
    }
    text = json.dumps(head).encode()
    pixels = (np.ascontiguousarray(pair.rgb).data.cast("B"), np.ascontiguousarray(pair.tags).data.cast("B"))
    return b"".join((SEEN, _LENGTH.pack(len(text)), text, *pixels))


def _decode_seen(body: memoryview) -> Seen:
    (length,) = _LENGTH.unpack_from(body)
    head = json.loads(bytes(body[_LENGTH.size : _LENGTH.size + length]))
    height, width = head["shape"]
    pixels = np.frombuffer(body, np.uint8, offset=_LENGTH.size + length)
    rgb, tags = pixels[: 3 * height * width], pixels[3 * height * width :]
    pair = CameraPair(
        head["tick"], head["time_s"], rgb.reshape(height, width, 3), tags.reshape(height, width), head["arrived_s"]
    )
    return Seen(pair, head["drops"])
