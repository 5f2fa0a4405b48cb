"""What long work tells whoever watches it."""

from __future__ import annotations

from typing import Final, Protocol

__all__ = ["UNWATCHED", "Watch"]


class Watch(Protocol):
    """Somebody who is told what is done now, and how far it is; what they raise stops the work."""

    def step(self, text: str) -> None:
        """Take note of what is done from now on."""

    def advance(self, done: int, total: int) -> None:
        """Take note of how much of the step is done."""


class _Unwatched:
    """Nobody."""

    def step(self, text: str) -> None:
        """Say nothing."""

    def advance(self, done: int, total: int) -> None:
        """Say nothing."""


UNWATCHED: Final[Watch] = _Unwatched()
