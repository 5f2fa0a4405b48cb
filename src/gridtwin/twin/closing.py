"""After the last window: jobs, ledgers, indicators, dataset and manifest, all from the folder of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from gridtwin.audit import Ledger, close_ledgers
from gridtwin.economics.accounts import account_kpis, accounts_table, carbon_table, grid_carbon, site_accounts
from gridtwin.economics.kpis import kpis
from gridtwin.economics.rules import rule_counts, rules_table
from gridtwin.economics.settlement import NETWORK, money_table
from gridtwin.economics.supply import claims, contract_table, delivered_mw
from gridtwin.economics.wan_settlement import wan_settlement_table
from gridtwin.results.dataset import to_dataset, write_dataset
from gridtwin.results.files import write_columns, write_json
from gridtwin.results.journal import CLOSED
from gridtwin.results.reading import NEVER, findings, read_run
from gridtwin.results.run_facts import RunFacts, read_facts
from gridtwin.results.store import JOB_END, RunData, RunFolder
from gridtwin.twin.n1 import N1_FILES, report_n1
from gridtwin.twin.sessions import SESSIONS, Sessions
from gridtwin.units import HOUR_S, FloatArray, IntArray
from gridtwin.watch import UNWATCHED, Watch

__all__ = ["FINAL", "close_run"]

OPTIMAL = "optimal"  # the only end of a program that lets a window be stored
ACCOUNTS = ("accounts", "carbon", "rules", "supply", "wan_settlement")
FINAL = (
    "jobs.parquet",
    "findings.parquet",
    "money.parquet",
    *(f"{name}.parquet" for name in ACCOUNTS),
    "results.nc",
    "manifest.json",
    "summary.json",
    SESSIONS,
)
REVIEWED = (
    "passes",
    "given_up",
    "tightened",
    "cuts",
    "thermal_before",
    "thermal_after",
    "voltage_before",
    "voltage_after",
)


def close_run(folder: RunFolder, sessions: Sessions, watch: Watch = UNWATCHED) -> dict[str, Any]:
    """Write jobs, findings, dataset, manifest and summary of a run whose windows are done, then commit them.

    Parameters
    ----------
    folder : RunFolder
    sessions : Sessions
        Of the processes that have worked on it.
    watch : Watch

    Returns
    -------
    dict
        The summary.
    """
    begun = perf_counter()
    facts, journal = read_facts(folder), folder.read_journal()
    watch.step("reading windows")
    run = read_run(folder, journal, facts)
    watch.step("ledgers")
    write_columns(folder.path / "jobs.parquet", _job_columns(run.jobs, facts))
    found = findings(run)
    write_columns(folder.path / "findings.parquet", found)
    ledgers = close_ledgers(run)
    money = money_table(run.variables, run.inputs, run.step_h)
    write_columns(folder.path / "money.parquet", money)
    accounts = _accounts(run)
    for name in ACCOUNTS:
        write_columns(folder.path / f"{name}.parquet", accounts[name])
    watch.step("results.nc")
    attrs = {"title": f"gridtwin run of {facts.scenario}", "source": f"gridtwin {facts.versions['gridtwin']}"}
    write_dataset(to_dataset(run, facts.currency, attrs), folder.path / "results.nc")
    write_json(folder.path / "manifest.json", _manifest(facts, run, ledgers))
    outages = {"n1": report_n1(folder, watch)} if facts.n1_report else {}
    watch.step("key figures")
    has_supply = len(accounts["supply"]["contract"]) > 0
    of_accounts = account_kpis(accounts["accounts"], has_supply=has_supply)
    figures = kpis(run.variables, run.jobs, run.inputs, run.time, run.step_s, facts.carbon_price_per_t, of_accounts)
    sessions.seconds["close"] = perf_counter() - begun
    sessions.note(journal.windows)
    summary = {
        "run_id": folder.path.name,
        "scenario": facts.scenario,
        "policy": facts.policy,
        "currency": facts.currency,
        "steps": len(run.time),
        "steps_wrapped": _steps_wrapped(facts, run),
        "step_s": run.step_s,
        "kpis": figures,
        "ledgers": {ledger.name: _ledger(ledger) for ledger in ledgers},
        "money_paid": _by_party(money),
        "rules": rule_counts(accounts["rules"]),
        "findings": dict(sorted(Counter(found["kind"].tolist()).items())),
        **outages,
        "sessions": len(sessions),
        "timing_s": sessions.total_s(),
    }
    write_json(folder.path / "summary.json", summary)
    folder.commit(CLOSED, [folder.path / name for name in (*FINAL, *(N1_FILES if facts.n1_report else ()))])
    return summary


def _accounts(run: RunData) -> dict[str, dict[str, np.ndarray]]:
    """Draw up who claims which green energy, bears which emissions, keeps which rules, and what regions pay."""
    v, inputs, step_h = run.variables, run.inputs, run.step_h
    supply, carbon = inputs["supply"], grid_carbon(v, inputs)
    contract, kind = supply["contract"].tolist(), supply["kind"].tolist()
    claimed = claims(contract, kind, supply["site_index"], delivered_mw(v, inputs), v["site_mw"], step_h)
    sites = site_accounts(v, inputs, claimed, carbon, step_h)
    return {
        "accounts": accounts_table(sites, inputs),
        "carbon": carbon_table(carbon, inputs, step_h),
        "rules": rules_table(v, inputs, sites),
        "supply": contract_table(v, inputs, claimed, step_h),
        "wan_settlement": wan_settlement_table(v, inputs),
    }


def _job_columns(jobs: Mapping[str, np.ndarray], facts: RunFacts) -> dict[str, np.ndarray | pa.Array]:
    """Add names for people beside the indices; none where a job has no site."""
    started = jobs["start_s"] >= 0
    return {
        **jobs,
        "origin": _labelled(jobs["origin_index"], facts.coords["origin"]),
        "class": _labelled(jobs["class_index"], facts.coords["compute_class"]),
        "delay_class": _labelled(jobs["delay_class_index"], facts.delay_class),
        "site": _labelled(jobs["site_index"], (*facts.coords["site"], "")),
        "wait_s": np.where(started, jobs["start_s"] - jobs["submit_s"], NEVER),
        "late": (jobs["end_s"] < 0) | (jobs["end_s"] > jobs["due_s"]),
    }


def _labelled(index: IntArray, labels: Sequence[str]) -> pa.DictionaryArray:
    """Return labels by index, each stored once; -1 is the last of them."""
    return pa.DictionaryArray.from_arrays((index % len(labels)).astype(np.int32), list(labels))


def _manifest(facts: RunFacts, run: RunData, ledgers: Sequence[Ledger]) -> dict[str, Any]:
    versions = dict(facts.versions)
    return {
        "gridtwin": versions.pop("gridtwin"),
        "python": versions.pop("python"),
        "libraries": versions,
        "seed": facts.seed,
        "model_hashes": dict(facts.model_hashes),
        "counts": {**facts.counts, "steps_wrapped": _steps_wrapped(facts, run)},
        "windows": _windows(run),
        "ledgers": {ledger.name: _ledger(ledger) for ledger in ledgers},
    }


def _steps_wrapped(facts: RunFacts, run: RunData) -> int:
    """Steps that the run took beyond the end of the model's series, on values from their beginning."""
    return max(0, len(run.time) - facts.model_steps)


def _windows(run: RunData) -> list[dict[str, Any]]:
    """How each window's programs ended and what gave way in it."""
    v = run.variables
    relaxed = _relaxations(run)
    return [
        {
            "status": OPTIMAL,
            **{
                f"{program}{name}": value
                for program in ("", "redispatch_")
                for name, value in _optimum(v, program, window).items()
            },
            **{name: int(v[name][window]) for name in ("columns", "rows", "rounds")},
            "review": {name: int(v[f"review_{name}"][window]) for name in REVIEWED},
            "relaxations": {name: float(values[window]) for name, values in relaxed.items()},
        }
        for window in range(len(v["objective"]))
    ]


def _optimum(variables: Mapping[str, np.ndarray], program: str, window: int) -> dict[str, float | None]:
    primal, dual, residual = (
        float(variables[f"{program}{name}"][window]) for name in ("objective", "dual_objective", "primal_residual")
    )
    return {"objective": primal, "duality_gap": _number(primal - dual), "primal_residual": residual}


def _relaxations(run: RunData) -> dict[str, FloatArray]:
    """What was taken of every priced slack, by window: energy as settled, node-hours of jobs that ended late in it."""
    v, windows, ends = run.variables, len(run.variables["objective"]), run.events[JOB_END]
    nodes, due_s = (run.jobs[name][ends["row"]] for name in ("nodes", "due_s"))
    late_node_h = nodes * np.maximum(ends["end_s"] - due_s, 0) / HOUR_S
    return {
        **{
            f"{name}_mwh": v[f"{name}_mw"].reshape(windows, -1).sum(axis=1) * run.step_h
            for name in ("shed", "spill", "overload")
        },
        "late_node_h": np.bincount(ends["window"], weights=late_node_h, minlength=windows),
    }


def _ledger(ledger: Ledger) -> dict[str, Any]:
    return {
        "residual": _number(ledger.residual),
        "tolerance": ledger.tolerance,
        "unit": ledger.unit,
        "pass": ledger.passed,
    }


def _by_party(money: Mapping[str, np.ndarray]) -> dict[str, float]:
    """What each party pays in all, negative where it receives; the network's lines stand apart."""
    party, name = money["party"], money["name"]
    line = np.where(party == NETWORK, np.char.add(f"{NETWORK}_", name), party)
    return {kind: float(money["paid_cost"][line == kind].sum()) for kind in dict.fromkeys(line.tolist())}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
