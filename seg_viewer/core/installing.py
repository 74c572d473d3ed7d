"""What a person can do about a package that is missing. The frozen program has no pip: nothing can be added to it."""

from __future__ import annotations

import sys


def extra(name: str) -> str:
    """The command that brings one of our extras, "ray" for instance.

    In the frozen program: that the one for Python has it, and the command for that.
    """
    package = f"'seg-viewer[{name}]'"
    if _is_frozen():
        return f"this program cannot be extended; install the one for Python: pipx install {package}"
    return f"pip install {package}"


def again(package: str) -> str:
    """The command that mends a package which came with the program; the frozen one comes as a whole."""
    return "install the program again" if _is_frozen() else f"pip install --force-reinstall {package}"


def _is_frozen() -> bool:
    return bool(getattr(sys, "frozen", False))
