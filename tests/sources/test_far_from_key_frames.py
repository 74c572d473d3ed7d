"""Jumps far behind a key frame decode several pictures at once, and give what one picture at a time gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from seg_viewer.core.frame import Frame
from seg_viewer.media.frame_times import Repairs
from seg_viewer.media.together import long_way, works_together
from seg_viewer.sources.file_frames import FileFrames
from tests.clips import make_clip

pytestmark = pytest.mark.skipif(not works_together(), reason="this machine decodes by one thread, or always by several")
COUNT, RATE = 150, 25
CODINGS = {
    "h264": ("libx264", {"g": "500", "bf": "3", "b-pyramid": "normal"}),
    "hevc": ("libx265", {"x265-params": "log-level=none:keyint=500:bframes=3"}),
}


@pytest.fixture(scope="module", params=CODINGS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    codec, options = CODINGS[request.param]
    path = tmp_path_factory.mktemp("far") / f"{request.param}.mkv"
    return make_clip(
        path, frames=COUNT, rate=RATE, codec=codec, options=options, width=256, height=144, picture=_moving
    )


def _moving(index: int, width: int, height: int) -> NDArray[np.uint8]:
    scene = np.random.default_rng(1).integers(0, 255, (height // 8 + 20, width // 8 + 20, 3), np.uint8)
    return scene.repeat(8, axis=0).repeat(8, axis=1)[index % 150 :, index % 150 :][:height, :width]


def _damaged(film: Path, folder: Path, seed: int) -> Path:
    """The film with a few bytes of some packets changed: of later ones the larger the seed is."""
    rng, path, data = random.Random(seed), folder / f"{seed}.mkv", bytearray(film.read_bytes())
    with av.open(str(film)) as source:
        packets = [bytes(packet) for packet in source.demux(video=0) if packet.size]
    for packet in packets[20 * seed + 20 :]:
        if rng.random() < 0.12:
            begins = data.find(packet)
            for place in rng.sample(range(len(packet) // 2, len(packet)), min(4, len(packet) // 2)):
                data[begins + place] ^= rng.randrange(1, 256)
    path.write_bytes(data)
    return path


def _open(path: Path) -> FileFrames:
    head = FileFrames(path, None, "film", Repairs())
    head.first_s = next(head.decode()).time_s
    return head


def _seen(frames: Iterator[Frame]) -> list[tuple[int, bytes]]:
    return [(frame.id.pts, frame.picture.rgb().tobytes()) for frame in frames]


def test_far_from_a_key_frame_several_pictures_are_decoded_at_once(film: Path) -> None:
    head = _open(film)
    whole = _seen(head.starting_at(0.0))
    assert len(whole) == COUNT
    for place in (90, 60, 149, 120):
        frames = head.starting_at(place / RATE)
        assert _seen(islice(frames, 1)) == whole[place : place + 1]
        assert head.reader.is_together
        assert _seen(frames) == whole[place + 1 :]
    frames = head.starting_at(20 / RATE)
    assert _seen(islice(frames, 3)) == whole[20:23]
    assert not head.reader.is_together
    found = [frames for frames in head.before(next(head.starting_at(100 / RATE)), 30) if frames is not None]
    assert _seen(iter(found[0])) == whole[70:100]
    head.close()


def test_of_large_pictures_fewer_make_a_long_way(tmp_path: Path) -> None:
    assert [long_way(*size) for size in ((64, 48), (1920, 1080), (2560, 1440), (3840, 2160), (7680, 4320))] == [
        40, 40, 22, 10, 8,
    ]  # fmt: skip
    path = make_clip(
        tmp_path / "large.mkv", frames=38, rate=RATE, options={"g": "500", "preset": "ultrafast", "bf": "2"},
        width=2880, height=1600, picture=_moving,
    )  # fmt: skip
    head = _open(path)
    whole = _seen(head.starting_at(0.0, may_hurry=False))
    for place, together in ((26, False), (34, True)):  # 10 before each are wanted as well; 18 are a long way
        frames = head.starting_at((place + 0.5) / RATE)
        assert _seen(islice(frames, 2)) == whole[place : place + 2]
        assert head.reader.is_together == together
    head.close()


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_where_it_is_damaged_it_is_decoded_as_by_one_thread(film: Path, tmp_path: Path, seed: int) -> None:
    head = _open(_damaged(film, tmp_path, seed))
    is_h265 = film.stem == "hevc"  # one thread, too, makes up a damaged picture anew each time
    for place in (60, 110):
        alone = _seen(head.starting_at(place / RATE, may_hurry=False))
        quick = _seen(head.starting_at(place / RATE))
        assert not head.reader.is_together
        assert [pts for pts, _ in quick] == [pts for pts, _ in alone]
        assert quick == alone or is_h265
        before = head.before(next(head.starting_at(place / RATE, may_hurry=False)), 8)
        found = _seen(iter(next((frames for frames in before if frames is not None), [])))
        expected = _seen(islice(head.starting_at((place - 8) / RATE, may_hurry=False), 8))
        assert [pts for pts, _ in found] == [pts for pts, _ in expected]
        assert found == expected or is_h265
    head.close()


def test_a_film_that_is_gone_is_decoded_by_one_thread(film: Path, tmp_path: Path) -> None:
    copy = tmp_path / film.name
    copy.write_bytes(film.read_bytes())
    head = _open(copy)
    copy.unlink()
    assert len(_seen(head.starting_at(100 / RATE))) == COUNT - 100
    assert not head.reader.is_together
    head.close()
