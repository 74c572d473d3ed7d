"""The house in numbers: rooms (files), arrows (imports between them), circles, the longest file.

python -m tests.house
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grimp
import numpy as np

ROOT = Path(__file__).parents[1]
PACKAGES = ("seg_viewer", "trainer")


@dataclass(frozen=True)
class House:
    """What was counted; imports within functions and for type checking alone count too.

    Args:
        modules: names of all files, packages' `__init__` by the package's name.
        arrows: importer → imported, each once.
        circles: groups of files, and of folders, that import each other in a loop.
        lines: of each file, by its path from the project's root.
    """

    modules: tuple[str, ...]
    arrows: tuple[tuple[str, str], ...]
    circles: tuple[tuple[str, ...], ...]
    lines: dict[str, int]


def measure() -> House:
    """Reads the imports of both packages; nothing of them is run."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    modules = tuple(sorted(graph.modules))
    arrows = tuple(
        (importer, imported)
        for importer in modules
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
    )
    between = {(_folder(a), _folder(b)) for a, b in arrows if not _within(_folder(a), _folder(b))}
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    return House(modules, arrows, (*_circles(arrows), *_circles(sorted(between))), lines)


def _folder(module: str) -> str:
    """The folder that a file lies in: "seg_viewer.sinks" for "seg_viewer.sinks.video" and for itself."""
    is_package = (ROOT / Path(*module.split("."))).is_dir()
    return module if is_package else module.rpartition(".")[0]


def _within(one: str, other: str) -> bool:
    """Whether one folder lies within the other, or is the same."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _circles(arrows: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[tuple[str, ...]]:
    names = sorted({name for arrow in arrows for name in arrow})
    place = {name: number for number, name in enumerate(names)}
    if not arrows:
        return []
    # only here: many tests import this file for its ROOT
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = zip(*((place[a], place[b]) for a, b in arrows), strict=True)
    matrix = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    _count, group = connected_components(matrix, connection="strong")
    sizes = np.bincount(group)
    return [tuple(np.array(names)[group == number]) for number in np.flatnonzero(sizes > 1)]


def main() -> None:
    house = measure()
    longest = max(house.lines, key=lambda path: house.lines[path])
    print(f"{len(house.modules)} rooms, {len(house.arrows)} arrows, {len(house.circles)} circles")
    print(f"{sum(house.lines.values())} lines; the longest file is {longest}, {house.lines[longest]} lines")
    for circle in house.circles:
        print(f"  circle: {', '.join(circle)}")


if __name__ == "__main__":
    main()
