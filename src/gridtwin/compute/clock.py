"""SimPy as a clock: at most one timeout per instant, whatever happens at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simpy import Environment
from simpy.events import Timeout

__all__ = ["Calendar"]


class Calendar:
    """What is due at which instant; `on_instant(now_s, due)` is called once for each, in order of time.

    One shared timeout per instant, instead of one per job, makes the order of things within an instant plain code
    rather than a matter of event priorities, and costs a third of a SimPy process per job.

    Parameters
    ----------
    now_s, end_s : int, s
        Instants in [now_s, end_s) are called; what is due at or after `end_s` stays in `due_at`.
    on_instant : callable
        Takes the instant and the list of what is due then.
    """

    __slots__ = ("_env", "_now_s", "_on_instant", "due_at", "end_s")

    def __init__(self, now_s: int, end_s: int, on_instant: Callable[[int, list[int]], None]) -> None:
        self._env = Environment(initial_time=now_s)
        self._on_instant = on_instant
        self._now_s = now_s
        self.due_at: dict[int, list[int]] = {}
        self.end_s = end_s

    def note(self, instant_s: int, what: int) -> None:
        """Note that `what` is due at `instant_s`, not earlier than now."""
        due = self.due_at.get(instant_s)
        if due is None:
            self.due_at[instant_s] = [what]
            self._wake(instant_s)
        else:
            due.append(what)

    def drop(self, instant_s: int, what: int) -> None:
        """Forget what was noted; the instant is still called."""
        self.due_at[instant_s].remove(what)

    def wake(self, instant_s: int) -> None:
        """Have `on_instant` called at `instant_s` even if nothing is due then."""
        if instant_s not in self.due_at and instant_s < self.end_s:
            self.due_at[instant_s] = []
            self._wake(instant_s)

    def run(self) -> None:
        """Run to `end_s`, exclusive."""
        self._env.run(until=self.end_s)

    def _wake(self, instant_s: int) -> None:
        if instant_s < self.end_s:
            Timeout(self._env, instant_s - self._now_s).callbacks.append(self._call)

    def _call(self, _event: Any) -> None:  # noqa: ANN401 - SimPy is untyped here
        self._now_s = now_s = self._env.now
        self._on_instant(now_s, self.due_at.pop(now_s))
