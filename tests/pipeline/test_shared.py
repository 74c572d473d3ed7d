"""Several pipelines on one engine: fair shares, counted; one that fails or leaves touches no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.errors import EngineError, SourceError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.pipeline import BUSY_ENGINE, Pipeline, Policy, Share, SharedEngine
from tests.pipeline.test_pipeline import Numbers
from tests.pipeline.test_segmenter import Named
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def no_thread_outlives() -> Iterator[None]:
    yield
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("seg-")], "all threads to end")


@dataclass
class Watched:
    """A live source and its share, iterated on a thread of its own."""

    engine: SharedEngine
    source: Numbers
    shots: list[Shot] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.share = self.engine.share()
        self.pipeline = Pipeline(self.source, self.share, policy=Policy.LATEST)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self.pipeline:
                for shot in self.pipeline:
                    self.shots.append(shot)
        except (EngineError, SourceError) as error:
            self.error = error

    def stop(self) -> None:
        self.pipeline.stop()
        self.thread.join(90)
        assert not self.thread.is_alive()


def test_a_camera_that_sends_ten_times_as_much_takes_no_turn_of_the_others() -> None:
    """All have a picture waiting at any time: each gets every fourth turn, whatever it sends."""
    inner = Named("one", delay_s=0.01)
    engine = SharedEngine(inner)
    watched = [Watched(engine, Numbers(10**6, delay_s=delay_s)) for delay_s in (0.001, 0.001, 0.002, 0.0002)]
    wait_until(lambda: all(one.share.served for one in watched), "a picture of each")
    before = [one.share.served for one in watched]
    wait_until(lambda: sum(one.share.served for one in watched) - sum(before) >= 100, "a hundred pictures")
    for one in watched:
        one.stop()
    gained = [one.share.served - had for one, had in zip(watched, before, strict=True)]
    assert max(gained) <= 1.25 * min(gained), gained
    for one in watched:
        assert all((shot.classes == shot.frame.index % 256).all() for shot in one.shots), "a mask of another camera"
    assert inner.events == ["open", "close"]


class Torn(Numbers):
    """Ends with an error after some pictures."""

    def __init__(self) -> None:
        super().__init__(10**6, delay_s=0.001, fail_at=30)


def test_a_picture_is_the_newest_one_when_its_turn_has_come() -> None:
    """While the engine works for one, the picture of the other is replaced by newer ones."""
    gate = threading.Event()
    inner = Named("one")
    collect = inner.collect

    def wait_and_collect() -> object:
        gate.wait(90)
        return collect()

    inner.collect = wait_and_collect  # type: ignore[method-assign, assignment]
    engine = SharedEngine(inner)
    first = Watched(engine, Numbers(10**6, delay_s=0.001))
    wait_until(lambda: inner._flying, "the engine to be at work for the first one")
    second = Watched(engine, Numbers(10**6, delay_s=0.001))
    wait_until(lambda: second.pipeline.ledger.snapshot().drops.get(BUSY_ENGINE, 0) >= 50, "fifty newer pictures")
    gate.set()
    wait_until(lambda: second.shots, "its first picture")
    assert second.shots[0].frame.index >= 50
    first.stop()
    second.stop()


def test_a_source_that_fails_and_comes_back_touches_no_other() -> None:
    engine = SharedEngine(Named("one", delay_s=0.002))
    others = [Watched(engine, Numbers(10**6, delay_s=0.001)) for _ in range(2)]
    torn = Watched(engine, Torn())
    torn.thread.join(90)
    assert str(torn.error) == "numbers: torn tape"
    had = [one.share.served for one in others]
    again = Watched(engine, Numbers(10**6, delay_s=0.001))
    wait_until(lambda: again.share.served >= 10, "ten pictures of the one that came back")
    wait_until(
        lambda: all(one.share.served >= count + 10 for one, count in zip(others, had, strict=True)), "the others"
    )
    for one in (*others, again):
        one.stop()
        assert one.error is None


class Openable(Named):
    """Can be opened again once it was closed."""

    opened = 0

    def open(self) -> None:
        assert self.events in ([], ["open", "close"])
        self.events.clear()
        self.opened += 1
        super().open()


def test_the_last_one_closes_it_and_the_next_one_opens_it_again() -> None:
    inner = Openable("one")
    engine = SharedEngine(inner)
    for count in (1, 2, 3):
        one = Watched(engine, Numbers(10**6, delay_s=0.001))
        wait_until(lambda one=one: one.share.served >= 3, "three pictures")
        one.stop()
        assert (inner.events, inner.opened) == (["open", "close"], count)


@pytest.mark.parametrize("when", ["it is opened", "it works"])
def test_an_engine_that_fails_says_so_to_all(when: str) -> None:
    inner = Named("one", delay_s=0.001)
    if when == "it is opened":
        inner.fails = "no room"
    else:
        collect = inner.collect

        def break_at_ten() -> object:
            if sum(one.share.served for one in watched) >= 10:
                raise EngineError("one: no room")
            return collect()

        inner.collect = break_at_ten  # type: ignore[method-assign, assignment]
    engine = SharedEngine(inner)
    watched: list[Watched] = []
    for _ in range(3):
        watched.append(Watched(engine, Numbers(10**6, delay_s=0.001)))
    for one in watched:
        one.thread.join(90)
        assert not one.thread.is_alive() and str(one.error) == "one: no room"
    assert inner.events == ["open", "close"]


def test_one_that_is_stopped_while_the_engine_loads_leaves_the_others_waiting() -> None:
    gate = threading.Event()
    engine = SharedEngine(Named("one", gate=gate))
    first, second = (Watched(engine, Numbers(10**6, delay_s=0.001)) for _ in range(2))
    first.stop()
    assert first.shots == [] and second.error is None
    gate.set()
    wait_until(lambda: second.share.served >= 3, "three pictures of the other one")
    second.stop()


def test_when_the_last_one_stops_while_it_loads_loading_ends() -> None:
    engine = SharedEngine(Named("one", gate=threading.Event()))
    only = Watched(engine, Numbers(100))
    only.stop()
    assert only.shots == [] and engine.error is not None


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=60))
@settings(max_examples=25)
def test_whoever_waits_is_served_within_as_many_turns_as_there_are_shares(rounds: list[list[bool]]) -> None:
    """The order alone, without threads: who asks at any time, and for how long it has waited."""
    engine = SharedEngine(Named("one"))
    shares = [engine.share() for _ in range(4)]
    engine._shares.extend(shares)
    for share in shares:  # asked for its picture, it has one
        share.wake = lambda share=share: share.submit(Frame(0, 0.0, None), ())  # type: ignore[misc, arg-type]
    waits: dict[Share, int] = {}
    for asks in rounds:
        for share, asked in zip(shares, asks, strict=True):
            if asked and share not in waits:
                waits[share] = 0
                assert not share.may_submit()
        if waits:
            served = engine._next()
            assert served is not None and waits.pop(served.share) < len(shares)
            waits = {share: turns + 1 for share, turns in waits.items()}
