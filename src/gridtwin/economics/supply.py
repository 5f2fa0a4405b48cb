"""Green electricity under contract: who may claim which MWh, by the rules of each kind of contract.

- *direct* (绿电直连): output behind the meter of a site, matched with what it draws in the same step;
- *aggregated* (集合交易): output of a portfolio, matched step by step with what its sites draw together;
- *contract* (绿电交易): output of any time, against what the site draws over the run;
- *certificate* (绿证): the same, but nothing is delivered.

Kinds are counted in this order, each against the draw that those before it have left, so no MWh of output and no MWh
of draw is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["KINDS", "Claims", "claims", "contract_table", "delivered_mw"]

KINDS = ("direct", "aggregated", "contract", "certificate")
DIRECT, AGGREGATED, CONTRACT, CERTIFICATE = KINDS

Arrays = Mapping[str, np.ndarray]
Inputs = Mapping[str, Arrays]


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """What may be claimed of the output under contract."""

    mwh: FloatArray  # (contract, site) over the run; of the unit in the row, by any site of its portfolio
    matched_mw: FloatArray  # (time, site) drawn while as much was delivered; certificates deliver nothing
    direct_mw: FloatArray  # (time, site) the part of it behind the meter


def delivered_mw(variables: Arrays, inputs: Inputs) -> FloatArray:
    """Settled output of the part of each unit that a contract names (time, contract), MW; what was curtailed is gone.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    """
    unit = inputs["supply"]["unit_index"]
    share = ratio_or_zero(inputs["supply"]["p_mw"], inputs["units"]["p_max_mw"][unit])
    return np.maximum(variables["unit_mw"][:, unit], 0.0) * share


def claims(
    contract: Sequence[str],
    kind: Sequence[str],
    site: IntArray,
    delivered_mw: FloatArray,
    site_mw: FloatArray,
    step_h: float,
) -> Claims:
    """Match output under contract with what sites draw.

    Parameters
    ----------
    contract, kind : sequence of str
        One for each row; rows of one name are one portfolio.
    site : ndarray (contract,)
        Site index of each row.
    delivered_mw : ndarray (time, contract), MW
    site_mw : ndarray (time, site), MW
        At the meters; where a site gives more than it draws, nothing is to be covered.
    step_h : float, h

    Returns
    -------
    Claims

    Examples
    --------
    A site draws 10 MW in each of two hours. 12 MW behind its meter come in the first: 10 of them are matched.

    >>> found = claims(["fence"], ["direct"], np.array([0]), np.array([[12.0], [0.0]]), np.array([[10.0], [10.0]]), 1.0)
    >>> found.mwh, found.matched_mw.ravel()
    (array([[10.]]), array([10.,  0.]))
    """
    left_mw = np.maximum(site_mw, 0.0)
    matched_mw, direct_mw = np.zeros(left_mw.shape), np.zeros(left_mw.shape)
    mwh = np.zeros((len(kind), left_mw.shape[1]))
    for name in (DIRECT, AGGREGATED):
        for pool in _pools(name, contract, kind, site):
            taken_mw, given_mw = _matched(delivered_mw[:, pool.rows], left_mw[:, pool.sites])
            left_mw[:, pool.sites] -= given_mw
            matched_mw[:, pool.sites] += given_mw
            mwh[np.ix_(pool.rows, pool.sites)] = _by_both(taken_mw, given_mw) * step_h
        if name == DIRECT:
            direct_mw[:] = matched_mw
    left_mwh = left_mw.sum(axis=0, keepdims=True) * step_h
    for name in (CONTRACT, CERTIFICATE):
        for pool in _pools(name, contract, kind, site):
            volume_mwh = delivered_mw[:, pool.rows].sum(axis=0, keepdims=True) * step_h
            taken_mwh, given_mwh = _matched(volume_mwh, left_mwh[:, pool.sites])
            left_mwh[:, pool.sites] -= given_mwh
            mwh[np.ix_(pool.rows, pool.sites)] = _by_both(taken_mwh, given_mwh)
            if name == CONTRACT:
                matched_mw[:, pool.sites] += _matched(delivered_mw[:, pool.rows], left_mw[:, pool.sites])[1]
    return Claims(mwh, matched_mw, direct_mw)


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Rows that are matched together, and the sites that they serve."""

    rows: IntArray
    sites: IntArray


def _pools(wanted: str, contract: Sequence[str], kind: Sequence[str], site: IntArray) -> Iterator[_Pool]:
    """Yield the pools of a kind.

    Portfolios go in the order of the table; of the other kinds all rows of a site are one.
    """
    mine: BoolArray = np.array([name == wanted for name in kind], dtype=np.bool_)
    label = np.array(contract, dtype=object) if wanted == AGGREGATED else site
    for name in dict.fromkeys(label[mine].tolist()):
        rows = np.flatnonzero(mine & (label == name))
        yield _Pool(rows, np.unique(site[rows]))


def _matched(output: FloatArray, draw: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The lesser of output (time, row) and draw (time, site) in each step, shared by both in proportion."""
    all_output, all_draw = output.sum(axis=1, keepdims=True), draw.sum(axis=1, keepdims=True)
    both = np.minimum(all_output, all_draw)
    return output * ratio_or_zero(both, all_output), draw * ratio_or_zero(both, all_draw)


def _by_both(output: FloatArray, draw: FloatArray) -> FloatArray:
    """Sum over steps of what each row gives to each site (row, site), all sites taking the same mixture."""
    share = ratio_or_zero(draw, draw.sum(axis=1, keepdims=True))
    return np.asarray(output.T @ share)


def contract_table(variables: Arrays, inputs: Inputs, claimed: Claims, step_h: float) -> dict[str, np.ndarray]:
    """List what came of each contract.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    claimed : Claims
    step_h : float, h

    Returns
    -------
    dict
        One row for each of the model's, with `delivered_mwh`, what is claimed of it and the price of that.
    """
    supply, claimed_mwh = inputs["supply"], claimed.mwh.sum(axis=1)
    return {
        **{name: supply[name] for name in ("contract", "name_zh", "kind")},
        "site": inputs["sites"]["site"][supply["site_index"]],
        "unit": inputs["units"]["unit"][supply["unit_index"]],
        "delivered_mwh": delivered_mw(variables, inputs).sum(axis=0) * step_h,
        "claimed_mwh": claimed_mwh,
        "paid_cost": claimed_mwh * supply["price_per_mwh"],
    }
