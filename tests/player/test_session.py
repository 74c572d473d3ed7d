"""A session's beginning, its end, and another model in between; without a window."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seg_viewer import engines, sources
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines import Engine, EngineKind, LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import BEHIND_WINDOW, PlayerState
from seg_viewer.player.player import Player
from seg_viewer.player.search import Outcome, Search, disagreement_share
from seg_viewer.sources import Source, SourceKind
from tests.clips import make_clip
from tests.models import color_model
from tests.servers.http_video import HttpVideo
from tests.waiting import wait_until


class Gate:
    """Holds up whoever comes to it, and counts them."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.count = 0

    def pass_through(self) -> None:
        self.count += 1
        self.reached.set()
        assert self.open.wait(60)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", frames=40)


@pytest.fixture
def player(model: Path) -> Iterator[Player]:
    player = Player(RunOptions(str(model), "onnxruntime"))
    yield player
    assert player.close(60)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("seg-")]


@pytest.fixture
def engine_gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """What every engine has to pass before it is made."""
    gate, real = Gate(), engines.engine_kinds()["onnxruntime"]

    def make(spec: ModelSpec, device: str | None, mode: str, progress: LoadProgress | None) -> Engine:
        gate.pass_through()
        return real.make(spec, device, mode, progress)

    kind = EngineKind(real.name, real.title, real.package, real.devices, make, real.is_gpu)
    monkeypatch.setattr(engines, "engine_kinds", lambda: {kind.name: kind})
    return gate


@pytest.fixture
def source_gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """What every source has to pass before it is opened."""
    gate, real = Gate(), sources.source_kinds()["video file"]

    def open_it(text: str) -> Source:
        gate.pass_through()
        return real.open(text)

    monkeypatch.setattr(
        sources, "source_kinds", lambda: {"gated": SourceKind("gated", real.matches, open_it, suffixes=real.suffixes)}
    )
    return gate


def _taken(player: Player, condition: Callable[[], bool], what: str) -> None:
    """Take what comes, as a window does, until a condition holds."""

    def look() -> bool:
        player.take()
        return condition()

    wait_until(look, what)


def _play(player: Player) -> None:
    """Until a picture was taken, and it plays."""
    taken: list[bool] = []

    def look() -> bool:
        taken.append(player.take() is not None)
        return any(taken) and player.state is PlayerState.PLAYING

    wait_until(look, "a picture")


def test_a_session_that_is_left_while_its_source_opens_builds_no_engine(
    player: Player, clip: Path, source_gate: Gate, engine_gate: Gate
) -> None:
    engine_gate.open.set()
    player.open(str(clip))
    assert source_gate.reached.wait(60)
    player.stop()
    source_gate.open.set()
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("seg-")], "its threads to end")
    assert engine_gate.count == 0


def test_a_model_that_is_chosen_while_the_source_opens_is_the_only_one_that_is_loaded(
    player: Player, clip: Path, source_gate: Gate, engine_gate: Gate, tmp_path: Path
) -> None:
    engine_gate.open.set()
    other = color_model(tmp_path / "other.onnx", 32, 32, name="other")
    player.open(str(clip))
    assert source_gate.reached.wait(60)
    player.use_model(str(other))
    source_gate.open.set()
    _play(player)
    assert player.spec is not None and player.spec.name == "other"
    assert (engine_gate.count, source_gate.count) == (1, 1)


def test_another_model_opens_the_source_no_second_time(
    player: Player, clip: Path, source_gate: Gate, tmp_path: Path
) -> None:
    source_gate.open.set()
    other = color_model(tmp_path / "other.onnx", 32, 32, name="other")
    player.open(str(clip))
    _play(player)
    player.use_model(str(other))
    _taken(player, lambda: player.spec is not None and player.spec.name == "other", "the other model")
    assert source_gate.count == 1


def test_what_is_told_of_a_model_is_told_of_the_one_that_is_shown(
    player: Player, clip: Path, engine_gate: Gate, tmp_path: Path
) -> None:
    other = color_model(tmp_path / "other.onnx", 32, 32, name="other")
    engine_gate.open.set()
    player.open(str(clip))
    _play(player)
    player.pause()
    engine_gate.open.clear()
    engine_gate.reached.clear()
    player.use_model(str(other))
    assert engine_gate.reached.wait(60)
    assert player.state is PlayerState.PAUSED and player.spec is not None and player.spec.name == "colors"
    engine_gate.open.set()
    _taken(player, lambda: player.spec is not None and player.spec.name == "other", "the other model")
    assert player.state is PlayerState.PAUSED


def test_a_model_that_cannot_be_read_is_told_and_the_choice_taken_back(player: Player, clip: Path, tmp_path: Path):
    before = player.options
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    player.open(str(clip))
    _play(player)
    player.use_model(str(tmp_path / "bad.onnx"))
    wait_until(lambda: player.options == before, "the choice to be taken back")
    problem = player.take_problem()
    assert problem is not None and "bad.onnx" in problem and player.take_problem() is None
    assert player.spec is not None and player.spec.name == "colors"


def test_a_model_that_fails_leaves_the_choice_with_the_one_that_runs(
    player: Player, clip: Path, engine_gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is given up while it loads for another one, which then fails: the first of all still runs."""
    before, gated = player.options, engines.engine_kinds()["onnxruntime"]

    def make(spec: ModelSpec, device: str | None, mode: str, progress: LoadProgress | None) -> Engine:
        if spec.name == "bad":
            raise EngineError("bad: has an operator that nobody knows")
        return gated.make(spec, device, mode, progress)

    kind = EngineKind(gated.name, gated.title, gated.package, gated.devices, make, gated.is_gpu)
    monkeypatch.setattr(engines, "engine_kinds", lambda: {kind.name: kind})
    slow = color_model(tmp_path / "slow.onnx", 32, 32, name="slow")
    bad = color_model(tmp_path / "bad.onnx", 32, 32, name="bad")
    engine_gate.open.set()
    player.open(str(clip))
    _play(player)
    engine_gate.open.clear()
    engine_gate.reached.clear()
    player.use_model(str(slow))
    assert engine_gate.reached.wait(60)
    player.use_model(str(bad))
    problems: list[str | None] = []

    def told() -> bool:
        problems.append(player.take_problem())
        return problems[-1] is not None

    wait_until(told, "the failure to be told")
    engine_gate.open.set()
    assert "operator" in str(problems[-1])
    assert player.options == before
    assert player.spec is not None and player.spec.name == "colors"
    player.use_model(str(slow))
    _taken(player, lambda: player.spec is not None and player.spec.name == "slow", "the model chosen at last")


# -- two models --------------------------------------------------------------------------------------------------------


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """The colour model at another size."""
    return color_model(tmp_path / "other.onnx", 96, 64, name="other")


def _maps(player: Player, count: int, what: str) -> Shot:
    """The first shot in the window with so many class maps."""
    found: list[Shot] = []

    def look() -> bool:
        shown = player.take()
        if shown is not None and len(shown.shot.maps) == count:
            found.append(shown.shot)
        return bool(found)

    wait_until(look, what)
    return found[0]


def test_a_second_model_looks_on_at_the_same_place_and_leaves_again(
    player: Player, clip: Path, model: Path, other_model: Path
) -> None:
    player.open(str(clip))
    _play(player)
    player.pause()
    _taken(player, lambda: player.state is PlayerState.PAUSED, "the pause")
    at_s = player.position_s
    player.use_pair(str(other_model))
    shot = _maps(player, 2, "both models")
    assert shot.frame.time_s == pytest.approx(at_s, abs=0.2) and player.state is PlayerState.PAUSED
    assert player.spec is not None and player.spec.path == model
    assert player.against == str(other_model)
    assert player.against_spec is not None and player.against_spec.name == "other"
    assert [map_.ids.shape for map_ in shot.maps] == [(32, 64), (64, 96)]
    assert player.options.model == str(model)  # what exports, recordings and screenshots use
    player.use_pair(None)
    alone = _maps(player, 1, "the first model alone")
    assert alone.frame.id == shot.frame.id and player.against is None and player.against_spec is None
    assert player.take_problem() is None


@pytest.mark.parametrize("when", ["while it plays", "from the start"])
def test_a_second_model_that_cannot_run_leaves_the_first_one_playing(
    player: Player, clip: Path, tmp_path: Path, when: str
) -> None:
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no model")
    if when == "from the start":
        player.use_pair(str(damaged))
    player.open(str(clip))
    _play(player)
    if when == "while it plays":
        player.use_pair(str(damaged))
    problems: list[str] = []

    def look() -> bool:
        player.take()
        problem = player.take_problem()
        problems.extend([problem] if problem else [])
        return bool(problems)

    wait_until(look, "the reason")
    assert len(problems) == 1 and "damaged.onnx" in problems[0] and "\n" not in problems[0]
    assert player.against is None
    before = player.position_s
    _taken(player, lambda: player.position_s != before, "more pictures")
    assert player.error is None
    player.open(str(clip))  # it is not tried again with every source
    _play(player)
    assert player.take_problem() is None


def test_another_first_model_keeps_the_second_and_the_next_source_has_both(
    player: Player, clip: Path, model: Path, other_model: Path, tmp_path: Path
) -> None:
    third = color_model(tmp_path / "third.onnx", 32, 32, name="third")
    player.open(str(clip))
    player.use_pair(str(other_model))
    _maps(player, 2, "both models")
    player.use_model(str(third))
    _taken(player, lambda: player.spec is not None and player.spec.name == "third", "the third model")
    assert player.against == str(other_model) and player.against_spec is not None
    player.open(str(clip))
    shot = _maps(player, 2, "both models again")
    assert [map_.ids.shape for map_ in shot.maps] == [(32, 32), (64, 96)]


def _disagreeing(frames: set[int]) -> Callable[[Shot], float | None]:
    return lambda shot: (0.5 if shot.frame.index in frames else 0.0) if len(shot.maps) > 1 else None


def test_it_goes_on_to_the_beginning_of_the_next_disagreement(player: Player, clip: Path, other_model: Path) -> None:
    player.open(str(clip))
    player.use_pair(str(other_model))
    _maps(player, 2, "both models")
    share = _disagreeing({7, 8, 9, 20, 21})

    def find(above: float = 0.1) -> Search:
        search = Search(share, above)
        player.find(search)
        _taken(player, lambda: search.outcome is not None, "an answer")
        wait_until(lambda: player.take() is not None or player.position_s > 0, "its picture")
        return search

    def shown_is(index: int) -> bool:
        return round(player.position_s * 25) == index

    player.seek(0.0)
    player.pause()
    _taken(player, lambda: shown_is(0), "the start")
    found = find()
    _taken(player, lambda: shown_is(7), "the first one")
    assert found.outcome is Outcome.FOUND and found.share_found == 0.5
    assert player.state is PlayerState.PAUSED
    found = find()  # from within one: it is left first
    _taken(player, lambda: shown_is(20), "the second one")
    assert found.outcome is Outcome.FOUND
    found = find()
    assert found.outcome is Outcome.END
    _taken(player, lambda: player.state is PlayerState.ENDED, "the end")
    assert find().outcome is Outcome.END  # also from there


def test_a_search_stops_when_told_when_too_far_and_with_one_model(player: Player, tmp_path: Path, model: Path) -> None:
    long = make_clip(tmp_path / "long.mp4", frames=400)
    player.open(str(long))
    _play(player)
    search = Search(disagreement_share, 0.1)
    player.find(search)
    _taken(player, lambda: search.outcome is not None, "an answer")
    assert search.outcome is Outcome.NONE
    player.use_pair(str(model))
    _maps(player, 2, "both models")
    player.seek(0.0)
    _taken(player, lambda: player.position_s < 0.1, "the start")
    search = Search(disagreement_share, 0.1, most_s=2.0)  # they are the same model, and never differ
    player.find(search)
    _taken(player, lambda: search.outcome is not None, "an answer")
    assert search.outcome is Outcome.FAR
    _taken(player, lambda: player.position_s == pytest.approx(2.04, abs=0.25), "where it gave up")
    search = Search(disagreement_share, 0.1)
    player.find(search)
    player.stop_finding()
    assert search.outcome is Outcome.STOPPED
    player.play()
    _taken(player, lambda: player.state is PlayerState.PLAYING, "playing on")


@pytest.mark.parametrize("before", ["nothing", "a file", "a stream"])
def test_a_password_is_asked_for_once_whatever_is_looked_at_first(
    player: Player, clip: Path, tmp_path: Path, before: str
) -> None:
    with HttpVideo(tmp_path / "open") as there, HttpVideo(tmp_path / "locked") as locked:
        locked.needs = "Basic Ym9iOnNlY3JldA=="
        if before != "nothing":
            player.open(str(clip) if before == "a file" else there.url())
            _play(player)
        player.open(locked.url())
        problems: list[str] = []

        def is_told() -> bool:
            problems.extend(filter(None, [player.take_problem(), player.error]))
            return bool(problems)

        _taken(player, is_told, "the server's answer")
        assert player.take_password_wanted() == (locked.url(), problems[0])
        assert player.take_password_wanted() is None
        player.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_all_that_plays_stands_back_behind_the_window(player: Player, clip: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    player.open(str(clip))
    wait_until(lambda: player.take() is not None, "a picture")
    names = {"seg-player", "seg-decode", "seg-engine"}
    plays = {thread.name: thread.native_id for thread in threading.enumerate() if thread.name in names}
    assert set(plays) == names
    behind = {os.getpriority(os.PRIO_PROCESS, number) - own for number in plays.values() if number}
    assert behind == {BEHIND_WINDOW} and os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_the_engine_of_another_model_stands_back_too(player: Player, clip: Path, tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    other = color_model(tmp_path / "other.onnx", width=64, height=48)
    player.open(str(clip))
    wait_until(lambda: player.take() is not None, "a picture")
    before = {thread.native_id for thread in threading.enumerate()}
    player.use_model(str(other))
    wait_until(lambda: player.take() is not None and player.spec is not None and player.spec.path == other, "the other")
    engines = [thread for thread in threading.enumerate() if thread.name == "seg-engine"]
    new = [thread.native_id for thread in engines if thread.native_id and thread.native_id not in before]
    assert [os.getpriority(os.PRIO_PROCESS, number) - own for number in new] == [BEHIND_WINDOW]
