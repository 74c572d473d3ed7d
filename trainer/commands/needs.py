"""Which packages a command needs."""

from __future__ import annotations

import importlib.util

from seg_viewer.core.errors import UsageError


def need(*modules: str) -> None:
    """Raises: UsageError naming the extra when a package of the trainer is missing."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise UsageError(f"{module} is not installed: pip install 'seg-viewer[trainer]'")
