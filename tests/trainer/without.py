"""This process as on a machine where some packages are not installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


def leave_out(*packages: str) -> None:
    """Nobody finds them from here on; none of them may have been imported yet.

    A None in `sys.modules` is another thing: Keras asks whether a name is in there.
    """

    class Without(PathFinder):
        @classmethod
        def find_spec(
            cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            if fullname.partition(".")[0] in packages:
                return None
            return PathFinder.find_spec(fullname, path, target)

    assert not set(packages) & set(sys.modules)
    sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
