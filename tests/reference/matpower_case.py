"""A reader of case files and a power flow of their own: the manual's model, nothing of gridtwin's."""

from __future__ import annotations

import re

import numpy as np

TEXT = re.compile(r"'((?:[^']|'')*)';")


def read_case(text: str) -> dict[str, object]:
    """Matrices as arrays, cells as lists of names."""
    case: dict[str, object] = {"baseMVA": float(re.search(r"^mpc\.baseMVA = (.*);$", text, re.MULTILINE)[1])}
    for name, body in re.findall(r"^mpc\.(\w+) = \[\n(.*?)^\];$", text, re.MULTILINE | re.DOTALL):
        case[name] = np.array([line.strip(" \t;").split() for line in body.splitlines()], dtype=float)
    for name, body in re.findall(r"^mpc\.(\w+) = \{\n(.*?)^\};$", text, re.MULTILINE | re.DOTALL):
        case[name] = [match.replace("''", "'") for match in TEXT.findall(body)]
    return case


def power_flow(case: dict[str, object]) -> tuple[np.ndarray, np.ndarray, float]:
    """Newton's method from a flat start; magnitudes, angles in degrees and MW of the reference bus."""
    bus, gen, base = case["bus"], case["gen"], case["baseMVA"]
    row = {int(number): place for place, number in enumerate(bus[:, 0])}
    at = np.array([row[int(number)] for number in gen[:, 0]])
    on = gen[:, 7] > 0
    y = admittance(case, row)
    injection = -(bus[:, 2] + 1j * bus[:, 3]) / base
    np.add.at(injection, at[on], (gen[on, 1] + 1j * gen[on, 2]) / base)
    reference, pv = np.flatnonzero(bus[:, 1] == 3), np.flatnonzero(bus[:, 1] == 2)
    pq = np.flatnonzero(bus[:, 1] == 1)
    vm = np.ones(len(bus))
    held = on & np.isin(at, [*reference, *pv])
    vm[at[held]] = gen[held, 5]
    va = np.full(len(bus), np.deg2rad(bus[reference[0], 8]))
    moving = np.concatenate([pv, pq])
    for _ in range(30):
        v = vm * np.exp(1j * va)
        current = y @ v
        wrong = v * current.conj() - injection
        mismatch = np.concatenate([wrong[moving].real, wrong[pq].imag])
        if np.abs(mismatch).max() < 1e-12:
            break
        by_va = 1j * v[:, None] * (np.diag(current) - y * v).conj()
        by_vm = v[:, None] * (y * (v / vm)).conj() + np.diag(current.conj() * v / vm)
        jacobian = np.block(
            [
                [by_va[np.ix_(moving, moving)].real, by_vm[np.ix_(moving, pq)].real],
                [by_va[np.ix_(pq, moving)].imag, by_vm[np.ix_(pq, pq)].imag],
            ]
        )
        step = np.linalg.solve(jacobian, -mismatch)
        va[moving] += step[: len(moving)]
        vm[pq] += step[len(moving) :]
    assert np.abs(mismatch).max() < 1e-9
    at_reference = (v * (y @ v).conj())[reference[0]].real * base + bus[reference[0], 2]
    return vm, np.rad2deg(va), float(at_reference)


def admittance(case: dict[str, object], row: dict[int, int]) -> np.ndarray:
    """MATPOWER's branch model: the tap at the from end."""
    bus, branch = case["bus"], case["branch"]
    y = np.diag((bus[:, 4] + 1j * bus[:, 5]) / case["baseMVA"])
    for f, t, r, x, b, _a, _b, _c, ratio, shift, status, *_angles in branch:
        tap = (ratio or 1.0) * np.exp(1j * np.deg2rad(shift))
        series, start, end = status / complex(r, x), row[int(f)], row[int(t)]
        y[start, start] += (series + 0.5j * b * status) / abs(tap) ** 2
        y[end, end] += series + 0.5j * b * status
        y[start, end] -= series / tap.conjugate()
        y[end, start] -= series / tap
    return y
