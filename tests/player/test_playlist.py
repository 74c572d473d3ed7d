"""The order of what plays one after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from seg_viewer.player.playlist import Entry, Playlist


def _filled(count: int, at: int | None = 0) -> Playlist:
    playlist = Playlist()
    playlist.replace([f"{number}.mp4" for number in range(count)])
    if at is not None:
        playlist.choose(playlist.entries[at])
    return playlist


def _name(entry: Entry | None) -> str | None:
    return entry.source.removesuffix(".mp4") if entry else None


def test_one_after_the_other_and_around() -> None:
    playlist = _filled(3, 1)
    assert (_name(playlist.before(around=False)), _name(playlist.after(around=False))) == ("0", "2")
    playlist.choose(playlist.entries[2])
    assert playlist.after(around=False) is None and _name(playlist.after(around=True)) == "0"
    playlist.choose(playlist.entries[0])
    assert playlist.before(around=False) is None and _name(playlist.before(around=True)) == "2"


def test_the_current_one_may_be_taken_out() -> None:
    playlist = _filled(4, 1)
    playlist.remove(playlist.entries[1])
    assert playlist.current is None
    assert (_name(playlist.before(around=False)), _name(playlist.after(around=False))) == ("0", "2")
    playlist.remove(playlist.entries[0])
    assert playlist.before(around=False) is None and _name(playlist.after(around=False)) == "2"


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_what_cannot_be_played_is_left_out_and_the_search_ends(good: list[bool], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(good) - 1))
    playlist = _filled(len(good), at)
    for entry, plays in zip(playlist.entries, good, strict=True):
        entry.problem = "" if plays else "is bad"
    behind = [number for number in range(at + 1, len(good)) if good[number]]
    assert _name(playlist.after(around=False, skip=True)) == (str(behind[0]) if behind else None)
    around = [number % len(good) for number in range(at + 1, at + 1 + len(good)) if good[number % len(good)]]
    assert _name(playlist.after(around=True, skip=True)) == (str(around[0]) if around else None)


class _Changes(RuleBasedStateMachine):
    """Against a plain list of the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.playlist, self.mirror, self.count = Playlist(), list[Entry](), 0

    @rule(more=st.integers(1, 3))
    def add(self, more: int) -> None:
        self.playlist.add([str(self.count + number) for number in range(more)])
        self.count += more
        self.mirror = [*self.mirror, *self.playlist.entries[len(self.mirror) :]]

    @precondition(lambda self: self.mirror)
    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        self.playlist.choose(data.draw(st.sampled_from(self.mirror)))

    @precondition(lambda self: self.mirror)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.mirror))
        after = self.playlist.after(around=False)
        was_current = entry is self.playlist.current
        self.playlist.remove(entry)
        self.mirror.remove(entry)
        if was_current:
            assert self.playlist.current is None and self.playlist.after(around=False) is after

    @precondition(lambda self: self.mirror)
    @rule(data=st.data(), to=st.integers(-2, 9))
    def move(self, data: st.DataObject, to: int) -> None:
        entry = data.draw(st.sampled_from(self.mirror))
        self.playlist.move(entry, to)
        self.mirror.remove(entry)
        self.mirror.insert(max(0, min(to, len(self.mirror))), entry)

    @precondition(lambda self: self.mirror)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        self.mirror = data.draw(st.permutations(self.mirror))
        self.playlist.reorder(self.mirror)

    @invariant()
    def same(self) -> None:
        assert list(self.playlist.entries) == self.mirror and len(self.playlist) == len(self.mirror)
        current = self.playlist.current
        assert current is None or self.mirror[self.playlist.place or 0] is current


def test_any_changes_leave_a_whole_list() -> None:
    run_state_machine_as_test(_Changes)
