"""Thumbnails: of the time that they name, with the classes of that picture, within their memory."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import FrameId
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines import Engine, load_engine
from seg_viewer.media.look_ups import LookUps
from seg_viewer.player.thumbnails import Thumbnail, Thumbnails
from seg_viewer.sources import open_source
from tests.clips import CYCLE, make_clip
from tests.media.beeps import make_beep
from tests.models import color_model
from tests.waiting import wait_until


@pytest.fixture
def spec(model: Path) -> ModelSpec:
    return read_model_file(model)


class Wall:
    """Thumbnails, opened, and what was ready how often."""

    def __init__(self, source: Path, spec: ModelSpec, **options: object) -> None:
        self.ready = 0
        self.thumbnails = Thumbnails(self._count, **options)  # type: ignore[arg-type]
        opened = open_source(source)
        self.info = opened.info
        opened.close()
        self.thumbnails.open(str(source), self.info, spec)

    def _count(self) -> None:
        self.ready += 1

    def of(self, time_s: float, when: Callable[[Thumbnail], bool]) -> Thumbnail:
        self.thumbnails.want(time_s)

        def there() -> bool:
            found = self.thumbnails.best(time_s)
            return found is not None and when(found)

        wait_until(there, f"the thumbnail of {time_s} s")
        found = self.thumbnails.best(time_s)
        assert found is not None
        return found


@pytest.fixture
def wall() -> Iterator[Callable[..., Wall]]:
    walls: list[Wall] = []

    def make(source: Path, spec: ModelSpec, **options: object) -> Wall:
        walls.append(Wall(source, spec, **options))
        return walls[-1]

    yield make
    assert all(each.thumbnails.close() for each in walls)
    assert not [each.name for each in threading.enumerate() if each.name == "seg-thumbnails"]


def color_of(thumbnail: Thumbnail) -> int:
    """Which of CYCLE it shows."""
    mean = thumbnail.pixels.reshape(-1, 3).mean(axis=0)
    return int(np.argmin([np.abs(mean - color).sum() for color in CYCLE]))


@pytest.mark.parametrize("options", [{"g": "250", "bf": "3"}, {"g": "12"}, {"g": "1"}])
def test_it_is_the_picture_of_its_own_time_with_its_own_classes(
    tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall], options: dict[str, str]
):
    clip = make_clip(tmp_path / "clip.mp4", frames=60, rate=5, options=options)
    shown = wall(clip, spec)
    for index in (0, 37, 13, 59):
        found = shown.of(
            index / 5, lambda each, at=index / 5: each.classes is not None and abs(each.time_s - at) < 0.01
        )
        assert color_of(found) == index % 4, "key frames far apart do not matter in the end"
        assert found.classes is not None
        assert (found.classes == index % 4).all(), "as the colour model sees that picture"
        assert found.classes.shape == found.pixels.shape[:2]


@pytest.mark.parametrize(("suffix", "start_s"), [(".mp4", 0.72), (".mkv", 3600.0), (".ts", 5.0), (".avi", 0.0)])
def test_its_time_is_that_of_the_player(tmp_path: Path, suffix: str, start_s: float):
    clip = make_beep(tmp_path / f"clip{suffix}", "mp2" if suffix == ".ts" else "ac3", start_s=start_s)
    source = open_source(clip)
    times = [frame.time_s for frame in source]
    source.close()
    looks = LookUps(clip)
    for wanted_s in (times[3], times[20], times[12]):
        found = list(looks.near(wanted_s, lambda: True))
        assert found[-1].time_s == pytest.approx(wanted_s, abs=1e-3)
    looks.close()


def test_the_first_look_is_cheap_and_a_newer_wish_ends_it(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4", frames=100, rate=10, options={"g": "40", "sc_threshold": "0"})
    looks = LookUps(clip)
    decoded = 0
    decode = looks._reader.decode

    def counted(packet):  # type: ignore[no-untyped-def]
        nonlocal decoded
        decoded += 1
        return decode(packet)

    looks._reader.decode = counted  # type: ignore[method-assign]
    found = list(looks.near(7.9, lambda: False))
    looks.close()
    assert [look.time_s for look in found] == [4.0], "the key frame before"
    assert decoded <= 6


def test_the_newest_wish_wins(tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall]):
    clip = make_clip(tmp_path / "clip.mp4", frames=100, rate=5, options={"g": "50"})
    held = threading.Event()
    made: list[ModelSpec] = []

    def slow(wanted: ModelSpec) -> Engine:
        made.append(wanted)
        held.wait(60)
        raise EngineError("no engine")

    shown = wall(clip, spec, make_engine=slow)
    shown.thumbnails.want(1.0)
    wait_until(lambda: made, "the first wish to be under way")
    for time_s in (3.0, 5.0, 7.0, 15.0):
        shown.thumbnails.want(time_s)
    held.set()
    found = shown.of(15.0, lambda each: abs(each.time_s - 15.0) < 0.01)
    assert color_of(found) == 75 % 4
    assert found.classes is None, "without an engine there are pictures all the same"
    assert [shown.thumbnails.best(time_s) for time_s in (3.0, 5.0, 7.0)] == [None] * 3
    assert len(made) == 1


def test_nobody_waits_any_more(tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall]):
    shown = wall(make_clip(tmp_path / "clip.mp4", frames=20, rate=5), spec)
    shown.of(1.0, lambda each: each.classes is not None)
    count = shown.ready
    shown.thumbnails.forget()
    shown.thumbnails.want(1.0)  # it is there already
    shown.thumbnails.open(None, None, None)
    shown.thumbnails.want(2.0)
    assert shown.thumbnails.best(1.0) is None
    assert shown.ready == count


def test_memory_is_bounded_and_what_was_looked_at_last_stays(
    tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall]
):
    clip = make_clip(tmp_path / "clip.mp4", frames=40, rate=4, width=256, height=128, options={"g": "1"})
    one = 256 * 128 * 4
    shown = wall(clip, spec, capacity=5 * one)
    for index in range(0, 40, 2):
        shown.of(index / 4, lambda each: each.classes is not None)
        assert shown.thumbnails.held_bytes <= 5 * one
    kept = [index for index in range(0, 40, 2) if shown.thumbnails.best(index / 4) is not None]
    assert kept == [30, 32, 34, 36, 38]


def test_class_maps_that_are_known_are_not_computed(tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall]):
    clip = make_clip(tmp_path / "clip.mp4", frames=20, rate=5)
    asked: list[tuple[FrameId, str]] = []

    def known(frame: FrameId, model: str):  # type: ignore[no-untyped-def]
        asked.append((frame, model))
        return np.full((32, 64), 2, np.uint8)

    def never(_spec: ModelSpec) -> Engine:
        raise AssertionError("no engine is needed")

    shown = wall(clip, spec, maps=known, make_engine=never)
    source = open_source(clip)
    frame = next(each for each in source if each.index == 8)
    source.close()
    found = shown.of(8 / 5, lambda each: each.classes is not None and abs(each.time_s - 1.6) < 0.01)
    assert (found.classes == 2).all()
    assert (frame.id, spec.sha256) in asked


def _nothing(_shown: Wall, _clip: Path, _spec: ModelSpec) -> None: ...


def _another_source(shown: Wall, clip: Path, spec: ModelSpec) -> None:
    other = make_clip(clip.with_name("other.mp4"), frames=20, rate=5)
    opened = open_source(other)
    opened.close()
    shown.thumbnails.open(str(other), opened.info, spec)


def _the_same_again(shown: Wall, clip: Path, spec: ModelSpec) -> None:
    shown.thumbnails.open(str(clip), shown.info, spec)


def _another_model(shown: Wall, clip: Path, _spec: ModelSpec) -> None:
    other = read_model_file(color_model(clip.with_name("other.onnx"), 32, 32, name="other"))
    shown.thumbnails.open(str(clip), shown.info, other)


def _no_source(shown: Wall, _clip: Path, _spec: ModelSpec) -> None:
    shown.thumbnails.open(None, None, None)


@pytest.mark.parametrize("then", [_nothing, _another_source, _the_same_again, _another_model, _no_source])
def test_file_and_engine_are_let_go_after_a_while_whatever_is_opened_meanwhile(
    tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall], then: Callable[[Wall, Path, ModelSpec], None]
):
    clip = make_clip(tmp_path / "clip.mp4", frames=20, rate=5)
    engines: list[weakref.ref[Engine]] = []

    def make(of: ModelSpec) -> Engine:
        engine = load_engine(of, "openvino", "CPU", "background")
        engines.append(weakref.ref(engine))
        return engine

    shown = wall(clip, spec, make_engine=make, idle_s=1.0)
    shown.of(1.0, lambda each: each.classes is not None)
    then(shown, clip, spec)
    wait_until(lambda: engines[0]() is None, "the engine to be let go")
    wait_until(lambda: shown.thumbnails._pictures is None, "the file to be let go")
    assert len(engines) == 1


def test_folders_of_pictures_have_thumbnails_too(tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall]):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(8):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((64, 128, 3), CYCLE[index % 4][::-1], np.uint8))
    shown = wall(folder, spec)
    assert shown.info.duration_s
    step_s = shown.info.duration_s / 8
    for index in (6, 1):
        found = shown.of(index * step_s + 0.4 * step_s, lambda each: each.classes is not None)
        assert color_of(found) == round(found.time_s / step_s) % 4
        assert (found.classes == color_of(found)).all()


def test_what_cannot_be_read_any_more_has_none(tmp_path: Path, spec: ModelSpec, wall: Callable[..., Wall]):
    clip = make_clip(tmp_path / "clip.mp4", frames=20, rate=5)
    shown = wall(clip, spec)
    clip.unlink()
    shown.thumbnails.want(1.0)
    wait_until(lambda: shown.thumbnails._wish is None, "the wish to be given up")
    assert shown.thumbnails.best(1.0) is None
