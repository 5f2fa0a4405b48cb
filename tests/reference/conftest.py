"""MATPOWER's RTS-GMLC case as our records, and the solution MATPOWER printed for it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridtwin.records import AcInjections, GridData, UnitData

collect_ignore = ["pypsa_solve.py"]  # runs in the environment of PyPSA
DATA = Path(__file__).parent / "data"
REFERENCE_BUS = 3  # MATPOWER's bus type


@dataclass(frozen=True)
class MatpowerCase:
    grid: GridData
    units: UnitData
    injections: AcInjections  # one step, as the case states it

    def printed(self, table: str, run: str) -> pd.DataFrame:
        frame = pd.read_csv(DATA / f"rts_matpower_solution_{table}.csv")
        return frame[frame["run"] == run].reset_index(drop=True)

    def repeated(self, load_factor: np.ndarray, committed: np.ndarray | None = None) -> AcInjections:
        """As many steps as factors; loads, reactive loads and units all scaled."""
        one, factor = self.injections, load_factor[:, None]
        return AcInjections(
            load_mw=factor * one.load_mw,
            load_mvar=factor * one.load_mvar,
            unit_mw=factor * one.unit_mw,
            committed=np.tile(one.committed, (len(factor), 1)) if committed is None else committed,
            link_mw=np.tile(one.link_mw, (len(factor), 1)),
        )


@pytest.fixture(scope="session")
def rts_case() -> MatpowerCase:
    with gzip.open(DATA / "rts_gmlc_matpower_case.json.gz", "rt") as file:
        case = json.load(file)
    bus, gen, branch = (np.array(case[name], dtype=float) for name in ("bus", "gen", "branch"))
    return MatpowerCase(_grid(case["baseMVA"], bus, gen, branch), _units(bus, gen), _injections(bus, gen))


def _bus_index(bus: np.ndarray, number: np.ndarray) -> np.ndarray:
    position = {value: index for index, value in enumerate(bus[:, 0])}
    return np.array([position[value] for value in number])


def _grid(base_mva: float, bus: np.ndarray, gen: np.ndarray, branch: np.ndarray) -> GridData:
    slack = int(np.flatnonzero(bus[:, 1] == REFERENCE_BUS)[0])
    at_slack = (gen[:, 0] == bus[slack, 0]) & (gen[:, 7] > 0)
    none = np.zeros(0)
    return GridData(
        base_mva=base_mva,
        bus=tuple(f"{number:.0f}" for number in bus[:, 0]),
        vn_kv=bus[:, 9],
        vm_min_pu=bus[:, 12],
        vm_max_pu=bus[:, 11],
        shunt_mw=bus[:, 4],
        shunt_mvar=bus[:, 5],
        slack=slack,
        slack_vm_pu=float(gen[at_slack, 5][0]),
        line=tuple(f"{index + 1}" for index in range(len(branch))),
        line_from=_bus_index(bus, branch[:, 0]),
        line_to=_bus_index(bus, branch[:, 1]),
        r_pu=branch[:, 2],
        x_pu=branch[:, 3],
        b_pu=branch[:, 4],
        tap_ratio=np.where(branch[:, 8] == 0, 1.0, branch[:, 8]),
        is_transformer=branch[:, 8] != 0,
        rate_mw=branch[:, 5],
        rate_long_mw=branch[:, 6],
        rate_short_mw=branch[:, 7],
        link=(),
        link_from=none.astype(int),
        link_to=none.astype(int),
        link_p_nom_mw=none,
        link_schedule_mw=none,
        link_dispatched=none.astype(bool),
        link_loss=none,
    )


def _units(bus: np.ndarray, gen: np.ndarray) -> UnitData:
    units = len(gen)
    online = gen[:, 7] > 0
    no, none = np.zeros(units, dtype=bool), np.zeros(0)
    return UnitData(
        unit=tuple(f"{number:.0f}_{index}" for index, number in enumerate(gen[:, 0])),
        bus=_bus_index(bus, gen[:, 0]),
        technology=("",) * units,
        p_min_mw=gen[:, 9],
        p_max_mw=gen[:, 8],
        q_min_mvar=gen[:, 4],
        q_max_mvar=gen[:, 3],
        vm_set_pu=gen[:, 5],
        ramp_mw_per_h=np.full(units, np.inf),
        holds_voltage=online,
        always_committed=no,
        quick_start=no,
        renewable=no,
        curtailable=no,
        profile=np.full(units, -1),
        store=np.full(units, -1),
        segment_unit=none.astype(int),
        segment_mw=none,
        segment_cost_per_mwh=none,
        segment_co2_kg_per_mwh=none,
    )


def _injections(bus: np.ndarray, gen: np.ndarray) -> AcInjections:
    online = gen[:, 7] > 0
    return AcInjections(
        load_mw=bus[None, :, 2],
        load_mvar=bus[None, :, 3],
        unit_mw=np.where(online, gen[:, 1], 0.0)[None],
        committed=online[None],
        link_mw=np.zeros((1, 0)),
    )
