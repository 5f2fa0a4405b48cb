"""Who pays and who receives, run against run."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from gridtwin.compare.records import Decomposition, Part
from gridtwin.compare.series import Alignment, RunSeries
from gridtwin.economics.settlement import network_account, parties
from gridtwin.units import IntArray

__all__ = ["payments"]

TITLE: Final = "who pays, at nodal prices"
NETWORK: Final = "network"
SIGNS: Final = "positive pays, negative receives; the network receives what all others pay more than they receive"
OTHERS: Final = "balancing of the grid"
LABELS: Final = {
    "loads": ("other customers", ""),
    "sites": ("data centres", ""),
    "units": ("generators", ""),
    "stores": ("stores at the grid", ""),
    "links": ("HVDC links", ""),
    "dumping": ("surplus dumped", OTHERS),
    "slack": ("left to the slack bus", OTHERS),
    "congestion": ("congestion rent", NETWORK),
    "overload": ("flow beyond ratings", NETWORK),
    "voltage": ("voltage limits", NETWORK),
    "losses": ("loss surplus", NETWORK),
    "balancing": ("AC balancing", NETWORK),
}


def payments(base: RunSeries, change: RunSeries, steps: Alignment) -> Decomposition:
    """Say what each party pays more, negative where it pays less or receives more.

    The parts come from prices and meters over the steps that both runs have; all of them add up to nothing, as the
    money tables of both runs do in all.
    """
    if base.card.currency != change.card.currency:
        reason = f"money is in {base.card.currency} and in {change.card.currency}"
        return Decomposition("payments", TITLE, "", (), None, unavailable=reason)
    old, new = (
        _paid(run, places if steps.usable else np.arange(run.card.steps))
        for run, places in ((base, steps.base), (change, steps.change))
    )
    parts = tuple(
        Part(name, label, new[name] - old[name], old[name], new[name], group) for name, (label, group) in LABELS.items()
    )
    before, after = (math.fsum(run.run.summary["money_paid"].values()) for run in (base, change))
    total = Part("all", "all parties together", after - before, before, after)
    scale = max(math.fsum(abs(paid) for paid in side.values()) for side in (old, new))
    notes = (SIGNS,) if steps.overlap.same else (SIGNS, _span_note(steps))
    return Decomposition("payments", TITLE, base.card.currency, parts, total, notes=notes, scale=scale)


def _paid(run: RunSeries, places: IntArray) -> dict[str, float]:
    """Sum what each party pays over some steps."""
    price = run.v["price_per_mwh"][places]
    paid: dict[str, float] = {}
    for kind, party in parties(run.v, run.inputs).items():
        name = "links" if kind.startswith("links_") else kind
        money = float((price[:, party.bus] * party.withdrawal_mw[places]).sum()) * run.step_h
        paid[name] = paid.get(name, 0.0) + money
    account = network_account(run.v, run.inputs, run.step_h)
    lines = ("congestion", "overload", "voltage", "losses", "balancing")
    return paid | {line: -float(getattr(account, line)[places].sum()) for line in lines}


def _span_note(steps: Alignment) -> str:
    if not steps.usable:
        return f"{steps.overlap.reason}: sums over each run's own span"
    return f"over the {steps.overlap.common:,} steps that both runs have"
