"""Nothing of a source stays once another one has taken its place: no cycles that only the collector would find."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from seg_viewer.core.ledger import Ledger
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import EngineSegmenter, Pipeline
from seg_viewer.player.player import Player
from seg_viewer.player.session import Session
from seg_viewer.sources import VideoFile
from seg_viewer.sources.frame_ring import FrameRing
from tests.clips import make_clip
from tests.models import color_model
from tests.waiting import wait_until

OPENS = 40
SIZE = (72, 56)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_forty_sources_one_after_the_other_leave_nothing(
    model: Path, tmp_path: Path, no_collector: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [
        make_clip(tmp_path / f"{name}.mp4", frames=30, width=SIZE[0], height=SIZE[1], options={"g": "12"})
        for name in "ab"
    ]
    other = color_model(tmp_path / "other.onnx", 32, 32, name="other")
    left: list[weakref.ref[object]] = []
    assert _frames() == []
    for kind in (Session, Pipeline, VideoFile, FrameRing, EngineSegmenter, Ledger):
        _note_each(kind, left, monkeypatch)
    _open_one_after_the_other(model, other, clips)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("seg-")], "its threads to end")
    assert len(left) >= 3 * OPENS
    wait_until(lambda: not [reference for reference in left if reference() is not None], "all of it to be gone")
    wait_until(lambda: not _frames(), "its pictures to be gone")


def _frames() -> list[av.VideoFrame]:
    """Those of the clips that this process holds: no other test has pictures of their size."""
    frames = [each for each in gc.get_objects() if isinstance(each, av.VideoFrame)]
    return [each for each in frames if (each.width, each.height) == SIZE]


def _note_each(kind: type, left: list[weakref.ref[object]], monkeypatch: pytest.MonkeyPatch) -> None:
    begin = kind.__init__

    def noted(self: object, *arguments: object, **named: object) -> None:
        left.append(weakref.ref(self))
        begin(self, *arguments, **named)

    monkeypatch.setattr(kind, "__init__", noted)


def _open_one_after_the_other(model: Path, other: Path, clips: list[Path]) -> None:
    player = Player(RunOptions(str(model), "onnxruntime"))
    for number in range(OPENS):
        count = player.opened_count
        player.open(str(clips[number % 2]))
        wait_until(lambda count=count: player.take() is not None and player.opened_count > count, "the next source")  # type: ignore[misc]
        if number % 8 == 0:
            player.step(-1)
            player.seek_by(0.5)
            player.use_model(str(other if number % 16 else model))
            wait_until(lambda: player.take() is not None, "another picture")
        if number % 10 == 5:
            player.open(str(model.parent / "missing.mp4"))
            wait_until(lambda: player.take_problem(), "the failure")
    assert player.close(60)
