"""Whether the figures of a run can be relied upon."""

from __future__ import annotations

from gridtwin.compare.records import Trust
from gridtwin.compare.series import RunSeries

__all__ = ["trust"]

SLACKS = {"shed": "unserved_mwh", "overload": "overload_mwh", "spill": "spill_mwh"}


def trust(run: RunSeries) -> Trust:
    """Collect what a run says of itself: ledgers, findings, what gave way, how closely its programs were solved."""
    summary, kpis = run.run.summary, run.run.kpis
    ledgers = summary["ledgers"]
    windows = run.run.manifest["windows"]
    gaps = (abs(window[f"{program}duality_gap"] or 0.0) for window in windows for program in ("", "redispatch_"))
    return Trust(
        label=run.card.label,
        ledgers=len(ledgers),
        broken=tuple(name for name, ledger in ledgers.items() if not ledger["pass"]),
        findings=dict(summary["findings"]),
        steps_not_converged=int(kpis["ac_steps_not_converged"] or 0),
        jobs_unfinished=int(kpis["jobs_unfinished"] or 0),
        slack_mwh={name: float(value) for name, kpi in SLACKS.items() if (value := kpis[kpi])},
        optimality_gap=float(sum(gaps)),
    )
