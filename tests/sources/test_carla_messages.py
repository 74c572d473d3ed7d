"""What goes through the pipe between the two processes of a drive."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.sources.carla.cleanup import Leftovers
from seg_viewer.sources.carla.messages import Answers, Close, Closed, Failed, Message, Ready, Seen, Tick, decode, encode
from seg_viewer.sources.carla.pairing import CameraPair

_LEFT = Leftovers(
    (24, 25, 27), {"synchronous_mode": False, "fixed_delta_seconds": None}, {"cloudiness": 0.1}, "0123456789ab"
)


@pytest.mark.parametrize(
    "message",
    [
        Tick(3),
        Close(),
        Ready("0.9.16", "Town03", ("CARLA: 4 of 9 walkers could be placed",), "0.9.14"),
        Leftovers(),
        _LEFT,
        Failed("carla://host:2000: no map 'Ö'", is_usage=True),
        Answers(1.5),
        Closed(),
        Closed(("one", "two")),
    ],
)
def test_what_is_said_is_what_arrives(message: Message) -> None:
    assert decode(encode(message)) == message


def test_pictures_arrive_bit_for_bit() -> None:
    random = np.random.default_rng(7)
    rgb, tags = (random.integers(0, 256, shape, dtype=np.uint8) for shape in ((5, 7, 3), (5, 7)))
    seen = decode(encode(Seen(CameraPair(31, 1.55, rgb, tags, 2.25), {"overtaken": 2})))
    assert isinstance(seen, Seen) and seen.drops == {"overtaken": 2}
    assert (seen.pair.tick, seen.pair.time_s, seen.pair.arrived_s) == (31, 1.55, 2.25)
    assert np.array_equal(seen.pair.rgb, rgb) and np.array_equal(seen.pair.tags, tags)


_SEEN = Seen(CameraPair(1, 0.0, np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint8), 0.0))


class _Mark:
    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (Path(self._path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_an_unknown_kind_and_does_nothing(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(ValueError, match="a message of the unknown kind b'"):
        decode(pickle.dumps(_Mark(str(tmp_path / "ran")), protocol))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "data",
    [b"T", b"T{", b"T[]", b'T{"pounds": 3}', b"S", b"S\xff\xff\xff\x7f{}", encode(Tick(1))[:-1], encode(_SEEN)[:-1]],
)
def test_what_is_cut_short_or_damaged_is_named(data: bytes) -> None:
    with pytest.raises(ValueError, match=f"a damaged message of the kind {data[:1]!r}"):
        decode(data)
    with pytest.raises(ValueError, match="unknown kind b''"):
        decode(b"")
