"""What drives of ours left in a simulator when they were killed: found by role name, never what others spawned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seg_viewer.sources.carla import journal
from seg_viewer.sources.carla.cleanup import Leftovers, clean_up


@dataclass(frozen=True)
class Abandoned:
    """Actors of one drive of ours.

    Args:
        token: of the drive.
        machine: that it ran, or runs, on.
        ids: of its actors, oldest first.
        kinds: of its actors, such as "vehicle.tesla.model3", in the same order.
        is_running: whether the drive still runs; None where that cannot be seen from here.
    """

    token: str
    machine: str
    ids: tuple[int, ...]
    kinds: tuple[str, ...]
    is_running: bool | None

    def line(self) -> str:
        """ "vehicle 4, sensor 2", in CARLA's words."""
        return ", ".join(f"{kind} {count}" for kind, count in Counter(k.split(".")[0] for k in self.kinds).items())


def find(world: Any) -> list[Abandoned]:
    """Every drive of ours that has actors in a world, which has to have been seen ticking once."""
    actors = {actor.id: actor for actor in world.get_actors()}
    owners = {number: journal.drive_of(actor.attributes.get("role_name", "")) for number, actor in actors.items()}
    by_drive: dict[tuple[str, str], list[int]] = {}
    for number in sorted(actors):
        if (owner := owners[number]) is not None:
            by_drive.setdefault(owner, []).append(number)
    return [
        Abandoned(token, machine, tuple(ids), tuple(actors[number].type_id for number in ids), _runs(token, machine))
        for (token, machine), ids in by_drive.items()
    ]


def _runs(token: str, machine: str) -> bool | None:
    return journal.is_running(token) if machine == journal.this_machine() else None


def remove(carla: Any, client: Any, world: Any, name: str, where: str, found: Sequence[Abandoned]) -> list[str]:
    """Destroy what killed drives left, and put settings and weather back as they noted them.

    Args:
        carla, client, world: of the simulator.
        name: of it, for people.
        where: its host and port.
        found: of whom; the caller knows that they have ended.

    Returns:
        a line for each drive.

    Raises: RuntimeError when the server does not answer.
    """
    lines = []
    for drive in sorted(found, key=lambda each: each.ids, reverse=True):  # the oldest knows the world as it was first
        note = journal.noted(drive.token)
        known = note.leftovers if note is not None and note.where == where else Leftovers()
        clean_up(carla, client, world, replace(known, actors=drive.ids))
        journal.forget(drive.token)
        told = f"{name}: removed what a drive that was killed had left there: {drive.line()}"
        lines.append(f"{told}; the world is as before it" if known.settings or known.weather else told)
    return lines


def put_back_clock(carla: Any, client: Any, world: Any, where: str, found: Collection[Abandoned], stands: bool) -> bool:
    """See to the notes of drives of which no actor is there: killed before they had one, or the simulator is anew.

    Args:
        carla, client, world: of the simulator.
        where: its host and port.
        found: drives that have actors there.
        stands: the world is in synchronous mode, and nobody ticks it; a new one would run.

    Returns: whether settings, or weather, were put back.
    """
    done = False
    for token in sorted(set(journal.ended(where)) - {drive.token for drive in found}):
        note = journal.noted(token)
        if stands and note is not None and note.leftovers.settings:
            clean_up(carla, client, world, replace(note.leftovers, actors=()))
            done = True
        journal.forget(token)
    return done


def sweep(carla: Any, client: Any, world: Any, name: str, where: str, also_of: Collection[str] = ()) -> list[str]:
    """Remove what killed drives of this user left, wherever that is sure; says so, and of what else there is of ours.

    Args:
        carla, client: of the simulator.
        world: its world, which has to have been seen ticking once, unless it stands still.
        name: of the simulator, for people.
        where: its host and port.
        also_of: machines whose drives cannot be looked up here, and have ended.

    Returns: a line each.

    Raises: RuntimeError when the server does not answer.
    """
    found = find(world)
    gone = [drive for drive in found if drive.is_running is False or _may(drive, also_of)]
    lines = remove(carla, client, world, name, where, gone)
    for drive in found:
        if drive.is_running is None and drive not in gone:
            of = drive.machine
            lines.append(
                f"{name}: of a drive from {of} there is {drive.line()}, which is left alone: whether it still runs"
                f" cannot be seen from here; if not: seg-viewer record-carla {name} --clean-up --also-of {of}"
            )
    return lines


def _may(drive: Abandoned, also_of: Collection[str]) -> bool:
    return drive.is_running is None and drive.machine in also_of
