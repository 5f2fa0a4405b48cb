"""Who pays and who receives when everything is settled at locational prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridtwin.units import FloatArray, IntArray

__all__ = ["NETWORK", "NetworkAccount", "Party", "money_table", "network_account", "parties"]

Arrays = Mapping[str, np.ndarray]
Inputs = Mapping[str, Arrays]

NETWORK = "network"  # the party that receives what all others pay more than they receive


@dataclass(frozen=True, slots=True, eq=False)
class NetworkAccount:
    """What the network receives in each step, money (time,). The first equals the sum of the next four."""

    surplus: FloatArray  # Σ price · (withdrawal - injection), as dispatched
    congestion: FloatArray  # shadow price of every line limit times the rating
    overload: FloatArray  # price of overload times what was beyond the rating
    voltage: FloatArray  # shadow price of cuts on injections times what they weigh
    losses: FloatArray  # marginal losses that were paid for, less the losses that there were
    balancing: FloatArray  # price times what AC withdrew more than was dispatched


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """Participants of one kind; each member stands at one bus."""

    name: tuple[str, ...]  # (member,)
    bus: IntArray  # (member,)
    withdrawal_mw: FloatArray  # (time, member) negative where it injects


def network_account(variables: Arrays, inputs: Inputs, step_h: float) -> NetworkAccount:
    """Settle the network from stored prices, shadow prices, ratings and injections.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    step_h : float, h

    Notes
    -----
    With the balance Σ (1 - φ) · injection = K and |PTDF · (injection - drawn losses)| <= rating + overload, the duals
    give surplus = Σ shadow price · (rating + overload) + cut rent - energy price
    · K - Σ congestion price · drawn losses.
    """
    v, price = variables, variables["price_per_mwh"]
    shadow = v["shadow_price_per_mwh"]
    rate = np.where(shadow > 0, v["rate_mw"], 0.0)
    overload_price = float(inputs["penalties"]["overload_per_mwh"][0])
    drawn = (v["congestion_price_per_mwh"] * v["dispatched_losses_mw"]).sum(axis=1)
    dispatched = v["dispatched_injection_mw"]
    slack_mw = np.where(inputs["buses"]["slack"], np.nan_to_num(v["slack_excess_mw"])[:, None], 0.0)
    return NetworkAccount(
        surplus=-(price * dispatched).sum(axis=1) * step_h,
        congestion=(shadow * rate).sum(axis=1) * step_h,
        overload=overload_price * v["overload_mw"].sum(axis=1) * step_h,
        voltage=v["cut_rent_cost"],
        losses=-(v["energy_price_per_mwh"] * v["fixed_losses_mw"] + drawn) * step_h,
        balancing=(price * (dispatched - v["net_injection_mw"] - slack_mw)).sum(axis=1) * step_h,
    )


def parties(variables: Arrays, inputs: Inputs) -> dict[str, Party]:
    """Return all who withdraw or inject, each from its own meter.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    """
    v, names = (
        variables,
        {table: tuple(inputs[f"{table}s"][table].tolist()) for table in ("unit", "site", "store", "link")},
    )
    bus = tuple(inputs["buses"]["bus"].tolist())
    every_bus = np.arange(len(bus))
    links, at_grid = inputs["links"], inputs["stores"]["site_index"] < 0
    stores = tuple(np.array(names["store"])[at_grid].tolist())
    arriving_mw = (1.0 - links["loss"]) * v["link_mw"]
    slack = np.flatnonzero(inputs["buses"]["slack"])
    return {
        "loads": Party(bus, every_bus, v["load_mw"] - v["shed_mw"]),
        "sites": Party(names["site"], inputs["sites"]["bus_index"], v["site_mw"]),
        "units": Party(names["unit"], inputs["units"]["bus_index"], -v["unit_mw"]),
        "stores": Party(
            stores, inputs["stores"]["bus_index"][at_grid], (v["charge_mw"] - v["discharge_mw"])[:, at_grid]
        ),
        "links_from": Party(names["link"], links["from_index"], np.maximum(v["link_mw"], arriving_mw)),
        "links_to": Party(names["link"], links["to_index"], np.maximum(-v["link_mw"], -arriving_mw)),
        "dumping": Party(bus, every_bus, v["dumped_mw"]),
        "slack": Party((bus[slack[0]],), slack, -np.nan_to_num(v["slack_excess_mw"])[:, None]),
    }


def money_table(variables: Arrays, inputs: Inputs, step_h: float) -> dict[str, np.ndarray]:
    """List what everybody pays over the run.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    step_h : float, h

    Returns
    -------
    dict
        Columns `party`, `name`, `energy_mwh` withdrawn and `paid_cost`, negative where it is received. `paid_cost`
        adds up to nothing.
    """
    price = variables["price_per_mwh"]
    rows: list[tuple[str, str, float, float]] = []
    for kind, party in parties(variables, inputs).items():
        mwh = party.withdrawal_mw * step_h
        paid = (price[:, party.bus] * mwh).sum(axis=0)
        rows += [(kind, *row) for row in zip(party.name, mwh.sum(axis=0).tolist(), paid.tolist(), strict=True)]
    account = network_account(variables, inputs, step_h)
    for line in ("congestion", "overload", "voltage", "losses", "balancing"):
        rows.append((NETWORK, line, 0.0, -float(getattr(account, line).sum())))
    kinds = (("party", str), ("name", str), ("energy_mwh", float), ("paid_cost", float))
    return {
        column: np.array(values, dtype=kind)
        for (column, kind), values in zip(kinds, zip(*rows, strict=True), strict=True)
    }
