"""Several sinks as one: each gets everything, none waits for another, none ends with another."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from seg_viewer.core.errors import ExportError
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.queued import Queued, WhenFull
from seg_viewer.sinks.tee import Tee
from tests.waiting import wait_until


class Notes(Sink[int]):
    """Notes what is done with it; `fail_at` names what raises."""

    def __init__(self, name: str = "notes", fail_at: str = "") -> None:
        self.name, self.fail_at = name, fail_at
        self.got: list[int] = []
        self.calls: list[str] = []

    def write(self, item: int) -> None:
        self._check("write")
        self.got.append(item)

    def finish(self) -> None:
        self.calls.append("finish")
        self._check("finish")

    def abandon(self) -> None:
        self.calls.append("abandon")
        self._check("abandon")

    def _check(self, what: str) -> None:
        if what in self.fail_at:
            raise ExportError(f"{self.name}: {what} failed")


class Gate(Notes):
    """Lets one item through each time it is opened."""

    def __init__(self) -> None:
        super().__init__("gate")
        self.open = threading.Semaphore(0)

    def write(self, item: int) -> None:
        assert self.open.acquire(timeout=30)
        super().write(item)


def test_each_gets_everything_in_order_from_when_it_was_added() -> None:
    first, second, third = Notes(), Notes(), Notes()
    with Tee(first, second) as tee:
        tee.write(1)
        tee.add(third)
        tee.write(2)
        tee.remove(second)
        tee.write(3)
    assert (first.got, second.got, third.got) == ([1, 2, 3], [1, 2], [2, 3])
    assert (first.calls, second.calls, third.calls) == (["finish"], [], ["finish"])


def test_the_error_of_one_is_told_with_its_name_and_the_others_go_on() -> None:
    told: list[tuple[Any, str]] = []
    bad, good = Notes("bad", "write"), Notes("good")
    with Tee(bad, good, on_failure=lambda sink, error: told.append((sink, str(error)))) as tee:
        tee.write(1)
        tee.write(2)
    assert told == [(bad, "bad: write failed")] and bad.calls == ["abandon"]
    assert good.got == [1, 2] and good.calls == ["finish"]


def test_where_nobody_is_told_it_is_raised_once_the_others_have_theirs() -> None:
    bad, good = Notes("bad", "write"), Notes("good")
    tee = Tee(bad, good)
    with pytest.raises(ExportError, match="bad: write failed"), tee:
        tee.write(1)
    assert good.got == [1] and good.calls == ["abandon"]


@pytest.mark.parametrize("what", ["finish", "abandon"])
def test_all_are_ended_also_when_one_fails(what: str) -> None:
    sinks = [Notes("a", what), Notes("b"), Notes("c", what), Notes("d")]
    with pytest.raises(ExportError) as caught:
        getattr(Tee(*sinks), what)()
    assert all(what in sink.calls for sink in sinks)
    assert f"a: {what} failed" in str(caught.value) and f"c: {what} failed" in str(caught.value)


def test_a_slow_one_keeps_nobody_waiting_and_what_it_misses_is_counted() -> None:
    fast, slow, missed = Notes(), Gate(), [0]

    def count() -> None:
        missed[0] += 1

    queued = Queued(slow, most=2, when_full=WhenFull.LEAVE_OUT, on_left_out=count)
    tee = Tee(fast, queued)
    for number in range(20):
        tee.write(number)
    assert fast.got == list(range(20))  # though the slow one waits for `open`
    slow.open.release(100)
    tee.finish()
    assert slow.got[:2] == [0, 1] and slow.got == sorted(slow.got)
    assert len(slow.got) + missed[0] == 20 and missed[0] == queued.left_out >= 16
    assert slow.calls == ["finish"]


def test_where_nothing_may_be_left_out_the_caller_waits() -> None:
    slow = Gate()
    queued = Queued(slow, most=2, when_full=WhenFull.WAIT)
    writer = threading.Thread(target=lambda: [queued.write(number) for number in range(20)])
    writer.start()
    time.sleep(0.1)
    assert writer.is_alive() and queued.waiting <= 2
    slow.open.release(100)
    writer.join(60)
    assert not writer.is_alive()
    queued.finish()
    assert slow.got == list(range(20)) and queued.left_out == 0


@pytest.mark.parametrize("fail_at", ["write", "finish", "finish abandon", "write abandon"])
def test_an_error_on_the_thread_of_its_own_is_raised_to_whoever_writes_or_ends(fail_at: str) -> None:
    queued = Queued(Notes("bad", fail_at))
    first = fail_at.split()[0]
    queued.write(1)
    if first == "write":
        wait_until(lambda: bool(queued.problem), "the error")
        with pytest.raises(ExportError, match="bad: write failed"):
            queued.write(2)
    with pytest.raises(ExportError, match=f"bad: {first} failed"):
        queued.finish()
    assert "abandon" in queued.sink.calls and not queued.running


def test_an_abandoned_queue_writes_no_more() -> None:
    slow = Gate()
    queued = Queued(slow, most=10)
    for number in range(5):
        queued.write(number)
    wait_until(lambda: queued.waiting == 4, "the first to be taken")
    ending = threading.Thread(target=queued.abandon)
    ending.start()
    wait_until(lambda: not queued.running, "the end to be asked for")
    slow.open.release(100)
    ending.join(60)
    assert slow.got == [0] and slow.calls == ["abandon"]


def test_sinks_come_and_go_while_it_runs() -> None:
    tee: Tee[int] = Tee(steady := Notes())
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            other = Notes()
            tee.add(other)
            tee.remove(other)

    changer = threading.Thread(target=change)
    changer.start()
    for number in range(5000):
        tee.write(number)
    stop.set()
    changer.join(60)
    assert steady.got == list(range(5000)) and tee.sinks == (steady,)


class InTwoSteps(Notes):
    """Does what may fail before it takes its name."""

    def make_whole(self) -> None:
        self.calls.append("make whole")
        self._check("make whole")


@pytest.mark.parametrize("place", range(3))
def test_names_are_given_once_all_are_whole(place: int) -> None:
    sinks = [InTwoSteps(str(number), "make whole" if number == place else "") for number in range(3)]
    with pytest.raises(ExportError, match=f"{place}: make whole failed"), Tee(*sinks) as tee:
        tee.write(1)
    assert all(sink.calls == ["make whole", "abandon"] for sink in sinks)


def test_where_somebody_is_told_those_that_are_whole_get_their_names() -> None:
    told: list[Any] = []
    bad, good = InTwoSteps("bad", "make whole"), InTwoSteps("good")
    with Tee(bad, good, on_failure=lambda sink, _error: told.append(sink)) as tee:
        tee.write(1)
    assert told == [bad]
    assert (bad.calls, good.calls) == (["make whole", "abandon"], ["make whole", "finish"])
