"""Callbacks that keep nobody alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable


def weakly(method: Callable[..., None]) -> Callable[..., None]:
    """A method of an object that this does not keep alive."""
    reference = weakref.WeakMethod(method)

    def call(*arguments: object) -> None:
        if (alive := reference()) is not None:
            alive(*arguments)

    return call
