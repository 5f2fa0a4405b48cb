"""Every error gridtwin raises on purpose.

::

    GridtwinError
    ├── InputError          what the user wrote is wrong; carries all `Issue`s of a study
    ├── GridError           the network cannot be built or solved
    ├── DispatchError       an optimisation did not end in an optimum
    ├── ComputeError        a plan asks for what the fleet cannot do
    ├── ResultsError        a run folder is incomplete or not ours
    │   └── LockedError     another process is at work in it
    ├── CheckError          a ledger or a comparison did not hold
    ├── PrecisionError      speeds of unlike precisions were added; also a TypeError
    ├── RegistryError       the registry does not know what was asked for
    ├── ViewError           the web page cannot be served, or cannot start a run now
    └── StoppedError        somebody stopped a run that can go on
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "CheckError",
    "ComputeError",
    "DispatchError",
    "ExitCode",
    "GridError",
    "GridtwinError",
    "InputError",
    "Issue",
    "LockedError",
    "PrecisionError",
    "RegistryError",
    "ResultsError",
    "StoppedError",
    "ViewError",
]


class ExitCode(IntEnum):
    """Exit codes of the command line.

    Where several fit, 3 comes before 8, 8 before 5, and 5 before 4: what is most wrong, not the greatest number.
    """

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INVALID_INPUT = 3
    SLACK_USED = 4
    NOT_CONVERGED = 5
    LIMIT = 6
    LOCKED = 7
    CHECK_FAILED = 8
    INTERRUPTED = 130


class GridtwinError(Exception):
    """Root of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code: ExitCode = ExitCode.INTERNAL


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One thing wrong with an input file, and where it stands.

    Parameters
    ----------
    file : str
        Path as the user would write it.
    line, column : int
        Counted from 1; in a Parquet file the row and the column of the table. 0 where the file as a whole is meant.
    message : str
        What was given, what was expected, what to try.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class InputError(GridtwinError):
    """The study cannot be built; `issues` lists everything that is wrong with it."""

    exit_code = ExitCode.INVALID_INPUT

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(sorted(set(issues)))
        super().__init__("\n".join(str(issue) for issue in self.issues))


class GridError(GridtwinError):
    """The network cannot be built or solved."""


class DispatchError(GridtwinError):
    """An optimisation did not end in an optimum."""


class ComputeError(GridtwinError):
    """A plan asks for something the fleet cannot do."""


class ResultsError(GridtwinError):
    """A run folder is missing, incomplete or was not written by gridtwin."""

    exit_code = ExitCode.INVALID_INPUT


class LockedError(ResultsError):
    """Another process is at work in a run folder."""

    exit_code = ExitCode.LOCKED


class CheckError(GridtwinError):
    """A ledger, a verification or a comparison did not hold."""

    exit_code = ExitCode.CHECK_FAILED


class PrecisionError(GridtwinError, TypeError):
    """Speeds of unlike precisions were added or compared, or given in a unit of another kind."""


class RegistryError(GridtwinError):
    """The registry of compute does not know an identifier, a system or a word."""

    exit_code = ExitCode.INVALID_INPUT


class ViewError(GridtwinError):
    """The web page cannot be served, or cannot start a run now."""

    exit_code = ExitCode.LIMIT


class StoppedError(GridtwinError):
    """A run was stopped from outside; its folder can be resumed."""

    exit_code = ExitCode.INTERRUPTED
