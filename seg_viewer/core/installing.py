"""What a person can do about a package that is missing, by how the program was installed.

Nothing can be added to the frozen program. pipx and uv keep each program in an environment of its own, where their
commands put packages, not pip's; they leave a file at its top (`pipx_metadata.json`, `uv-receipt.toml`).
"""

from __future__ import annotations

import sys
from pathlib import Path

_BY_RECEIPT = {"pipx_metadata.json": "pipx install --force", "uv-receipt.toml": "uv tool install"}


def extra(name: str) -> str:
    """The command that brings one of our extras, "ray" for instance.

    In the frozen program: that the one for Python has it, and the command for that.
    """
    package = f"'seg-viewer[{name}]'"
    if _is_frozen():
        return f"this program cannot be extended; install the one for Python: pipx install {package}"
    ways = [way for receipt, way in _BY_RECEIPT.items() if Path(sys.prefix, receipt).is_file()]
    return f"{ways[0] if ways else 'pip install'} {package}"


def again(package: str) -> str:
    """The command that mends a package which came with the program; the frozen one comes as a whole."""
    return "install the program again" if _is_frozen() else f"pip install --force-reinstall {package}"


def _is_frozen() -> bool:
    return bool(getattr(sys, "frozen", False))
