"""What every sink is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Generic, Self, TypeVar

Item_contra = TypeVar("Item_contra", contravariant=True)


class Sink(ABC, Generic[Item_contra]):
    """Takes items in order: shots, or what else its type says.

    Use it as a context manager: leaving the block well finishes what was begun, an error abandons it.
    """

    @abstractmethod
    def write(self, item: Item_contra) -> None:
        """Take one item. Raises: ExportError when it cannot be stored."""

    @abstractmethod
    def finish(self) -> None:
        """Make what was written whole and give it its name; nothing can be written after. Raises: ExportError."""

    @abstractmethod
    def abandon(self) -> None:
        """Give up: nothing that is not whole is left behind under its name; again, or after `finish`, is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abandon()
            return
        try:
            self.finish()
        except BaseException:
            self.abandon()
            raise
