"""Everything a run carries over a window boundary, as frozen arrays that can be written and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np

from gridtwin.errors import ResultsError
from gridtwin.policies.base import GridMemory
from gridtwin.records import ComputeState
from gridtwin.results.files import write_atomically

__all__ = ["TwinState", "load_state", "save_state", "state_writer"]


@dataclass(frozen=True, slots=True, eq=False)
class TwinState:
    """State at the start of a window."""

    window: int
    compute: ComputeState
    memory: GridMemory


def save_state(state: TwinState, path: Path) -> None:
    """Write a state to a file that `load_state` reads back bit by bit."""
    write_atomically(path, state_writer(state))


def state_writer(state: TwinState) -> Callable[[BinaryIO], None]:
    """Return what writes a state into an open file as a compressed NumPy archive; equal states give equal bytes."""
    arrays = {"window": np.asarray(state.window)}
    for name, part in (("compute", state.compute), ("memory", state.memory)):
        arrays |= {f"{name}.{field.name}": np.asarray(getattr(part, field.name)) for field in fields(part)}
    return lambda file: np.savez_compressed(file, allow_pickle=False, **arrays)


def load_state(path: Path) -> TwinState:
    """Read what `save_state` wrote.

    Raises
    ------
    ResultsError
        If the file is not a state of this version.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return TwinState(
            window=int(arrays["window"]),
            compute=ComputeState(**_part(arrays, "compute")),  # type: ignore[arg-type]
            memory=GridMemory(**_part(arrays, "memory")),  # type: ignore[arg-type]
        )
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{path}: not a gridtwin state ({error}); run the scenario again") from error


def _part(arrays: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray | int | float]:
    """Fields of one record; scalars come back as Python numbers."""
    prefix = f"{name}."
    own = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
    return {key: value.item() if value.ndim == 0 else value for key, value in own.items()}
