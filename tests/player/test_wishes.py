"""Whatever is asked for, and whenever answers come: it ends where one press after the other would have ended."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.pipeline import Move, Seek, SeekBy, Step
from seg_viewer.player.course import Course
from seg_viewer.player.wishes import Ends, Wishes

FRAME_S, COUNT = 0.2, 100
ENDS = Ends((COUNT - 1) * FRAME_S, FRAME_S)
PRESSES = st.one_of(
    st.builds(Seek, st.integers(0, 22).map(float)),
    st.builds(SeekBy, st.sampled_from([-5.0, 5.0, 1.0, -1.0])),
    st.builds(Step, st.sampled_from([-1, 1])),
    st.none(),  # an answer comes
)


def _place(time_s: float) -> int:
    return min(COUNT - 1, max(0, int(time_s / FRAME_S + 1e-6)))


class Source:
    """Frames every 0.2 s, whose answers come when asked for."""

    def __init__(self) -> None:
        self.place = 0

    def make(self, moves: list[Move]) -> None:
        for move in moves:
            match move:
                case Seek(time_s):
                    self.place = _place(time_s)
                case SeekBy(delta_s):
                    self.place = _place(max(0.0, self.place * FRAME_S + delta_s))
                case Step(count):
                    self.place = min(COUNT - 1, max(0, self.place + count))


@settings(deadline=None, max_examples=300)
@given(st.lists(PRESSES, max_size=40))
def test_presses_add_up(presses: list[Move | None]) -> None:
    wishes, source, patient = Wishes(), Source(), Source()

    def begin() -> list[Move] | None:
        moves = wishes.begin()
        return list(moves) if moves is not None else None

    under_way: list[Move] | None = None

    def answer() -> None:
        nonlocal under_way
        if under_way is not None:
            source.make(under_way)
            wishes.answer(source.place * FRAME_S)
        under_way = begin()

    for press in presses:
        match press:
            case None:
                answer()
                continue
            case Seek(time_s):
                wishes.seek(ENDS.within(time_s))
            case SeekBy(delta_s):
                wishes.seek_by(delta_s, source.place * FRAME_S, ENDS)
            case Step(count):
                wishes.step(count)
        patient.make([press])
        under_way = under_way if under_way is not None else begin()
    while under_way is not None:
        answer()
    assert source.place == patient.place and not wishes.is_under_way


def test_ten_jumps_are_exact_where_frames_are_far_apart() -> None:
    wishes, position_s = Wishes(), 0.0
    for _ in range(10):
        wishes.seek_by(5.0, position_s, Ends(1000.0))
        (move,) = wishes.begin() or ()
        assert isinstance(move, Seek)
        position_s = move.time_s // 3 * 3  # a frame every three seconds
        wishes.answer(position_s)
    assert move.time_s == 50.0


def test_where_it_goes_is_known_while_it_is_on_its_way() -> None:
    wishes = Wishes()
    wishes.seek_by(5.0, 1.0, ENDS)
    wishes.begin()
    wishes.step(2)
    wishes.seek_by(-5.0, 1.0, ENDS)
    assert wishes.wished_s(1.0, ENDS) == 6.0 + 2 * FRAME_S - 5.0


@pytest.mark.parametrize("answers", [0, 1, 2])
@pytest.mark.parametrize("is_taken", [False, True])
def test_where_it_goes_is_known_until_it_is_in_the_window(answers: int, is_taken: bool) -> None:
    info = SimpleNamespace(can_seek=True, rate=1 / FRAME_S, duration_s=20.0)
    pipeline = SimpleNamespace(source=SimpleNamespace(info=info), at_end=False, wishes=0, answered=0)

    def begin(*_: object) -> None:
        pipeline.wishes += 1

    pipeline.move = pipeline.step = begin
    course, shown_s, leads_to = Course(threading.Condition()), 2.0, (7.0, 7.0 + 2 * FRAME_S)
    course.pipeline = cast(Any, pipeline)
    course.delivered(cast(Any, SimpleNamespace(frame=SimpleNamespace(time_s=shown_s))))
    course.seek(7.0)
    course.step(2)
    assert course.wished_s(shown_s) == pytest.approx(leads_to[1])
    for time_s in leads_to[:answers]:
        pipeline.answered += 1
        course.delivered(cast(Any, SimpleNamespace(frame=SimpleNamespace(time_s=time_s))))
        assert course.wished_s(shown_s) == pytest.approx(leads_to[1])
        if is_taken:
            shown_s = time_s
            course.taken()
        assert course.wished_s(shown_s) == pytest.approx(leads_to[1])
