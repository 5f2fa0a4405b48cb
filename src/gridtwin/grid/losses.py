"""Losses of DC flows, and how they answer to injections."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.errors import GridError
from gridtwin.records import LossEstimate, NetworkMatrices
from gridtwin.units import FloatArray

__all__ = ["line_losses_mw", "loss_estimate", "loss_ratio"]


def line_losses_mw(flow_mw: FloatArray, matrices: NetworkMatrices) -> FloatArray:
    """Losses r·f² / base of DC flows, as at 1 pu voltage and unit power factor.

    Parameters
    ----------
    flow_mw : ndarray (time, line)
    matrices : NetworkMatrices

    Returns
    -------
    ndarray (time, line), MW
    """
    return matrices.r_pu / matrices.base_mva * flow_mw**2


def loss_ratio(losses_mw: FloatArray, flow_mw: FloatArray, matrices: NetworkMatrices) -> FloatArray:
    """AC losses (time,) over those of `line_losses_mw` at the same flows; 1 where nothing flows.

    It carries what active flows do not show: reactive flow, voltage, charging and shunts.
    """
    of_flow_mw = line_losses_mw(flow_mw, matrices).sum(axis=1)
    return np.where(of_flow_mw > 0, ratio_or_zero(losses_mw, of_flow_mw), 1.0)


def loss_estimate(flow_mw: FloatArray, matrices: NetworkMatrices, ratio: FloatArray | None = None) -> LossEstimate:
    """Linearise the losses of a DC flow around it.

    Parameters
    ----------
    flow_mw : ndarray (time, line)
        Positive from the from end to the to end.
    matrices : NetworkMatrices
    ratio : ndarray (time,), optional
        Scales everything; AC losses of the same steps over the sum of `line_losses_mw` make the losses equal to AC.

    Returns
    -------
    LossEstimate

    Raises
    ------
    GridError
        If a flow or a ratio is not finite, or a ratio is negative.

    Notes
    -----
    The factor of bus b is d losses / d injection = Σ 2·r·f / base · PTDF[line, b], the slack taking up the difference.
    """
    scale = np.ones(len(flow_mw)) if ratio is None else np.asarray(ratio, dtype=float)
    _check(flow_mw, scale)
    losses_mw = scale[:, None] * line_losses_mw(flow_mw, matrices)
    slope = scale[:, None] * (2 * matrices.r_pu / matrices.base_mva * flow_mw)
    buses = len(matrices.bus)
    leaving_mw = sum_at(flow_mw, matrices.line_from, buses) - sum_at(flow_mw, matrices.line_to, buses)
    bus_losses_mw = sum_at(losses_mw / 2, matrices.line_from, buses) + sum_at(losses_mw / 2, matrices.line_to, buses)
    return LossEstimate(
        losses_mw=losses_mw.sum(axis=1),
        factor=slope @ matrices.ptdf,
        reference_injection_mw=leaving_mw + bus_losses_mw,
        bus_losses_mw=bus_losses_mw,
    )


def _check(flow_mw: FloatArray, ratio: FloatArray) -> None:
    bad_flow = ~np.isfinite(flow_mw).all(axis=1)
    if bad_flow.any():
        raise GridError(f"loss_estimate: flow_mw at step {int(np.argmax(bad_flow))} holds NaN or infinity")
    bad_ratio = ~(np.isfinite(ratio) & (ratio >= 0))
    if bad_ratio.any():
        step = int(np.argmax(bad_ratio))
        raise GridError(f"loss_estimate: ratio {ratio[step]:g} at step {step}; expected a finite number >= 0")
