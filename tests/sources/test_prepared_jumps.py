"""Jumps that were prepared, and places that were left: they show, bit for bit, what playing shows, and read on so."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.frame import Frame
from seg_viewer.sources import VideoFile
from tests.clips import make_clip

from .seen import played_through, seen_of

FRAMES, RATE, JUMP_S = 420, 25, 2.4
MANY = 200 << 20
KINDS = {
    "H.264 in MP4": ("libx264", ".mp4", {"bf": "3", "x264-params": "b-pyramid=normal:ref=4"}),
    "H.264 in Matroska": ("libx264", ".mkv", {"bf": "2", "x264-params": "open-gop=1"}),
    "H.265": ("libx265", ".mp4", {"x265-params": "log-level=none:keyint=200:min-keyint=200:scenecut=0:bframes=4"}),
    "VP9": ("libvpx-vp9", ".webm", {"deadline": "realtime", "cpu-used": "8"}),
}


def _drift(index: int, width: int, height: int) -> np.ndarray:
    """Noise that moves, so that each picture leans on others and is like none of them."""
    noise = np.random.default_rng(3).integers(0, 255, (height // 8 + 80, width // 8 + 80, 3), np.uint8)
    whole = noise.repeat(8, 0).repeat(8, 1)
    x, y = index * 3 % 600, index * 2 % 600
    return np.ascontiguousarray(whole[y : y + height, x : x + width])


def _film(folder: Path, kind: str, group: int = 200) -> Path:
    codec, suffix, options = KINDS[kind]
    groups = {"g": str(group), "keyint_min": str(group), "sc_threshold": "0", **options}
    if codec == "libvpx-vp9":
        del groups["sc_threshold"]
    return make_clip(
        folder / f"film{suffix}", codec=codec, frames=FRAMES, rate=RATE, options=groups, picture=_drift,
        width=128, height=96,
    )  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _film(tmp_path_factory.mktemp("film"), request.param)


@pytest.fixture(scope="module")
def played(film: Path) -> tuple[list[tuple[int, str]], list[float]]:
    return played_through(film)


@pytest.fixture(scope="module")
def h264(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _film(tmp_path_factory.mktemp("h264"), "H.264 in MP4")


class Player:
    """A source as a pipeline uses it, that counts the packets it decodes; closed at the end of the test."""

    def __init__(self, path: Path, most_bytes: int = MANY, jump_s: float = JUMP_S) -> None:
        self.source = VideoFile(path)
        self.source.keep(most_bytes, jump_s)
        self.frame = next(iter(self.source))

    def jump(self, time_s: float) -> Frame:
        """To the frame on the screen then; the one after it is read, too."""
        self.source.seek(time_s)
        frames = iter(self.source)
        self.frame = next(frames)
        next(frames, None)
        return self.frame

    def prepare(self, most: int = 100_000) -> int:
        """As often as there is something to do; returns how often."""
        for count in range(most):
            if not self.source.prepare():
                return count
        return most


@pytest.fixture
def open_film() -> Iterator[list[Player]]:
    players: list[Player] = []
    yield players
    for player in players:
        player.source.close()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Times of the packets that any reader has decoded."""
    from seg_viewer.media.video_reader import VideoReader

    times: list[float] = []
    decode = VideoReader.decode

    def counting(reader: VideoReader, packet):  # type: ignore[no-untyped-def]
        if packet.size:
            times.append(float(packet.pts * packet.time_base))
        return decode(reader, packet)

    monkeypatch.setattr(VideoReader, "decode", counting)
    return times


def test_whatever_is_prepared_shows_what_playing_shows(
    film: Path, played: tuple[list[tuple[int, str]], list[float]], open_film: list[Player]
) -> None:
    """Jumps there and back, steps, what is played from there on; prepared wholly, in part, or not."""
    seen, times_s = played
    player = Player(film)
    open_film.append(player)
    rng = random.Random(5)
    at = 0
    for turn in range(40):
        kind = rng.choice(("back", "on", "on", "back", "step", "far"))
        if kind == "step":
            count = rng.choice((-12, -2, -1, 1, 3))
            player.source.step(player.frame, count)
            at = min(max(0, at + count), len(seen) - 1)
        else:
            jump = {"back": -round(JUMP_S * RATE), "on": round(JUMP_S * RATE), "far": 0}[kind]
            at = min(max(0, at + jump), len(seen) - 1) if jump else rng.randrange(len(seen))
            player.source.seek(times_s[at] + rng.choice((0.0, 0.4)) / RATE)
        frames = iter(player.source)
        for place in range(at, min(at + rng.choice((1, 2, 2, 30)), len(seen))):
            player.frame = next(frames)
            assert seen_of(player.frame) == seen[place], f"turn {turn}, {kind}: frame {place}"
            assert player.frame.index == place
            at = place
        player.prepare(rng.choice((0, 3, 40, 100_000)))
    assert player.source.warnings == []


@pytest.mark.parametrize("way", [-1, 1])
def test_a_prepared_jump_decodes_nothing_more(
    h264: Path, open_film: list[Player], decoded: list[float], way: int
) -> None:
    """Both ways are prepared where a rest is long enough, and again where it has led."""
    player = Player(h264)
    open_film.append(player)
    at_s = player.jump(15.5 if way < 0 else 4.9).time_s
    for _ in range(2):
        player.prepare()
        before, to_s = len(decoded), at_s + way * JUMP_S
        assert player.jump(to_s).time_s == pytest.approx(to_s, abs=0.01)
        player.source.step(player.frame, -1)
        at_s = next(iter(player.source)).time_s
        assert at_s == pytest.approx(to_s - 1 / RATE, abs=0.01)
        assert len(decoded) == before


def test_both_ways_are_prepared_as_far_as_they_fit(h264: Path, open_film: list[Player], decoded: list[float]) -> None:
    """Where both do not fit, the way back is, and it does not begin again and again."""
    size = VideoFile(h264).info.width * VideoFile(h264).info.height * 3 // 2
    for places, ways in ((2.5, {-1, 1}), (1.2, {-1})):
        ready = set()
        for way in (-1, 1):
            player = Player(h264, round(4 * places * 18 * size))
            open_film.append(player)
            at_s = player.jump(12.0).time_s
            assert player.prepare(2000) < 2000
            before = len(decoded)
            player.jump(at_s + way * JUMP_S)
            if len(decoded) == before:
                ready.add(way)
        assert ready == ways


def test_back_to_the_place_before_decodes_nothing_more(
    h264: Path, open_film: list[Player], decoded: list[float]
) -> None:
    """Though nothing was prepared; what follows there is read once it is wanted."""
    player = Player(h264, jump_s=0.0)
    open_film.append(player)
    for from_s, to_s in ((6.0, 7.5), (15.5, 6.0), (7.0, 15.0)):
        here = seen_of(player.jump(from_s))
        player.jump(to_s)
        before = len(decoded)
        assert seen_of(player.jump(from_s)) == here
        assert len(decoded) == before


def test_a_jump_goes_on_with_what_is_being_prepared_for_it(
    h264: Path, open_film: list[Player], decoded: list[float]
) -> None:
    """What was decoded for it is not decoded again, and nothing is decoded for a jump to another place."""
    player = Player(h264)
    open_film.append(player)
    at_s = player.jump(11.0).time_s
    player.prepare(60)
    before = len(decoded)
    player.jump(at_s - JUMP_S)
    assert not set(decoded[before:]) & set(decoded[before - 30 : before])
    player.jump(15.0)
    player.prepare(60)
    before = len(decoded)
    player.jump(2.0)
    assert max(decoded[before:]) < 3.0


def test_what_is_kept_stays_within_its_bytes(h264: Path, open_film: list[Player]) -> None:
    """All frames together, at any time; where a few do not fit, nothing is prepared."""
    for most_bytes in (3_000_000, 1_500_000, 400_000):
        player = Player(h264, most_bytes)
        open_film.append(player)
        size = player.frame.picture.nbytes  # type: ignore[attr-defined]
        rng = random.Random(2)
        for _ in range(12):
            player.jump(rng.uniform(0.0, FRAMES / RATE))
            for _ in range(200):
                kept = player.source.kept_bytes
                assert kept <= max(most_bytes, 13 * size)
                if not player.source.prepare():
                    break


def test_where_key_frames_are_near_nothing_is_prepared_for_jumps(
    tmp_path: Path, open_film: list[Player], decoded: list[float]
) -> None:
    """But the steps back are."""
    player = Player(_film(tmp_path, "H.264 in MP4", group=25), jump_s=6.0)
    open_film.append(player)
    at_s = player.jump(10.0).time_s
    before = len(decoded)
    player.prepare()
    assert at_s - 4.0 < min(decoded[before:]) < at_s < max(decoded[before:]) + 0.1 < at_s + 1.0


def test_a_film_that_is_gone_is_played_on(h264: Path, tmp_path: Path, open_film: list[Player]) -> None:
    path = tmp_path / h264.name
    path.write_bytes(h264.read_bytes())
    seen, times_s = played_through(path)
    player = Player(path)
    open_film.append(player)
    player.jump(times_s[300])
    path.unlink()
    player.prepare()
    for at in (225, 300, 375):
        assert seen_of(player.jump(times_s[at])) == seen[at]


def test_the_last_frames_of_a_group_are_known_to_belong_to_it(h264: Path) -> None:
    """Though an MP4 file's index lists the key frame that follows by when it is decoded: before it is shown."""
    source = VideoFile(h264)
    head = source._head
    for frame in (197, 198, 199):
        assert head.is_far((frame + 0.5) / RATE)
        assert head.is_nearer(frame / RATE - 1, (frame + 0.5) / RATE)
    assert not head.is_far(8.0 + 0.5 / RATE)
    assert not head.is_nearer(7.0, 8.0 + 0.5 / RATE)
    source.close()


@pytest.mark.parametrize("prepared", [False, True])
def test_after_the_end_it_starts_over(tmp_path: Path, open_film: list[Player], prepared: bool) -> None:
    """Though the end is of a place that was left, or was prepared."""
    film = _film(tmp_path, "H.264 in MP4", group=250)
    seen, times_s = played_through(film)
    player = Player(film, jump_s=JUMP_S if prepared else 0.0)
    open_film.append(player)
    at = len(seen) - 1 - round(JUMP_S * RATE)
    if prepared:
        player.jump(times_s[at - round(JUMP_S * RATE)])
    else:
        player.jump(times_s[-1])
    player.jump(times_s[at])
    player.prepare()
    player.source.seek(times_s[-1])
    assert [seen_of(frame) for frame in player.source] == seen[-1:]
    frames = iter(player.source)
    assert [seen_of(next(frames)) for _ in range(3)] == seen[:3]
    assert player.source.warnings == []
