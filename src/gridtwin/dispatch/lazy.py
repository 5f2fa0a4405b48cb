"""Programs that are written only as far as they matter."""

from __future__ import annotations

from typing import Protocol

from gridtwin.errors import DispatchError
from gridtwin.optim import Session, Solution

__all__ = ["Lazy", "solve_lazily"]

MAX_ROUNDS = 50


class Lazy(Protocol):
    """Constraints of which only those are written that a solution breaks."""

    def tighten(self, session: Session, solution: Solution) -> bool:
        """Write what the solution breaks. Returns whether there was anything."""
        ...


def solve_lazily(session: Session, *parts: Lazy) -> tuple[Solution, int]:
    """Solve, write what the first part that is broken lacks, and solve again. Returns the number of rounds as well.

    Raises
    ------
    DispatchError
        If something is still broken after `MAX_ROUNDS` rounds, or the program has no optimum.
    """
    for rounds in range(1, MAX_ROUNDS + 1):
        solution = session.solve()
        if not any(part.tighten(session, solution) for part in parts):
            return solution, rounds
    raise DispatchError(f"limits were still violated after {MAX_ROUNDS} rounds of adding them")
