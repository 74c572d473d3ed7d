"""What plays one after the other: an order, a place in it, what could not be played. Knows no Qt, and opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(eq=False)
class Entry:
    """One source of a playlist.

    Args:
        source: as the player takes it.
        problem: why it could not be played when it was tried last, one line; "" when it could, or was not tried.
    """

    source: str
    problem: str = ""


class Playlist:
    """Entries in order, one of them the current one.

    The current one may be taken out: what follows it is then next.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._current: Entry | None = None
        self._gone_at = 0  # where the current one stood, once it was taken out

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> Sequence[Entry]:
        return tuple(self._entries)

    @property
    def current(self) -> Entry | None:
        """What plays, or was to play; None where nothing was chosen yet, or it was taken out."""
        return self._current

    @property
    def place(self) -> int | None:
        """Of the current one, counted from 0."""
        return self._entries.index(self._current) if self._current is not None else None

    # -- what is in it ---------------------------------------------------------------------------------------------

    def replace(self, sources: Iterable[str]) -> None:
        """These and no others; none of them is current."""
        self._entries = [Entry(source) for source in sources]
        self._current, self._gone_at = None, 0

    def add(self, sources: Iterable[str]) -> None:
        """Behind the others."""
        self._entries += [Entry(source) for source in sources]

    def remove(self, entry: Entry) -> None:
        place = self._entries.index(entry)
        if entry is self._current:
            self._current, self._gone_at = None, place
        elif self._current is None and place < self._gone_at:
            self._gone_at -= 1
        del self._entries[place]

    def reorder(self, entries: Sequence[Entry]) -> None:
        """The same ones in another order."""
        assert set(map(id, entries)) == set(map(id, self._entries)) and len(entries) == len(self._entries)
        self._entries = list(entries)

    def move(self, entry: Entry, to: int) -> None:
        """To another place, counted from 0 without it; beyond the ends means the ends."""
        old = self._entries.index(entry)
        del self._entries[old]
        self._entries.insert(max(0, min(to, len(self._entries))), entry)

    # -- one after the other ---------------------------------------------------------------------------------------

    def choose(self, entry: Entry) -> None:
        """It is current from now on."""
        assert entry in self._entries
        self._current = entry

    def after(self, *, around: bool, skip: bool = False) -> Entry | None:
        """What comes after the current one; None where there is nothing.

        Args:
            around: the first one comes after the last.
            skip: leave out what could not be played.
        """
        return self._neighbour(1, around, skip)

    def before(self, *, around: bool, skip: bool = False) -> Entry | None:
        """What comes before the current one; see `after`."""
        return self._neighbour(-1, around, skip)

    def _neighbour(self, step: int, around: bool, skip: bool) -> Entry | None:
        count = len(self._entries)
        place = self.place
        if place is None:
            place = self._gone_at - 1 if step > 0 else self._gone_at
        for _ in range(count):
            place += step
            if not 0 <= place < count:
                if not around:
                    return None
                place %= count
            if not (skip and self._entries[place].problem):
                return self._entries[place]
        return None
