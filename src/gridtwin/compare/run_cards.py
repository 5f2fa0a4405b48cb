"""Short names for runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gridtwin.compare.records import RunCard
from gridtwin.results.saved_run import SavedRun

__all__ = ["labels", "run_cards"]


def run_cards(runs: Sequence[SavedRun]) -> list[RunCard]:
    """Describe runs, each with a label of its own."""
    names = labels(
        [(run.facts.policy, run.facts.scenario, f"{run.facts.scenario} {run.facts.policy}", run.run_id) for run in runs]
    )
    return [
        RunCard(
            label=label,
            run_id=run.run_id,
            path=str(run.path),
            scenario=run.facts.scenario,
            policy=run.facts.policy,
            currency=run.facts.currency,
            start=run.facts.start,
            steps=int(run.summary["steps"]),
            step_h=run.step_h,
            seed=run.facts.seed,
        )
        for label, run in zip(names, runs, strict=True)
    ]


def labels(names: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the first kind of name that tells all things apart; numbered ones where none does.

    Examples
    --------
    >>> labels([("asap", "day"), ("customer", "day")]), labels([("asap", "day"), ("asap", "week")])
    (['asap', 'customer'], ['day', 'week'])
    >>> labels([("asap", "day"), ("asap", "day")])
    ['day', 'day (2)']
    """
    for kind in zip(*names, strict=True):
        if len(set(kind)) == len(kind):
            return list(kind)
    seen: Counter[str] = Counter()
    return [_numbered(name[-1], seen) for name in names]


def _numbered(name: str, seen: Counter[str]) -> str:
    seen[name] += 1
    return name if seen[name] == 1 else f"{name} ({seen[name]})"
