"""The last few things that were made, by what they were made from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from gridtwin.results.saved_run import SavedRun

__all__ = ["Kept", "stamp"]

T = TypeVar("T")


class Kept(Generic[T]):
    """Things that are costly to make, forgotten when others were asked for more recently.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `key` stands for, made now if it is not there; two requests at once may both make it."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made


def stamp(run: SavedRun) -> tuple[str, int]:
    """Return what changes when another run takes the place of this one."""
    return run.run_id, (run.path / "summary.json").stat().st_mtime_ns
