"""Losses of DC flows, and how they answer to injections."""

from __future__ import annotations

from typing import Final

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.errors import GridError
from gridtwin.records import LossEstimate, LossFit, NetworkMatrices
from gridtwin.units import FloatArray

__all__ = ["fit_losses", "line_losses_mw", "loss_estimate"]

MOST_SCALE: Final = 1.5  # r·f²/(v·cos φ)² over r·f² at a voltage of 0.9 pu and a power factor of 0.9


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


def fit_losses(losses_mw: FloatArray, flow_mw: FloatArray, matrices: NetworkMatrices) -> LossFit:
    """Split AC losses (time,) into those that follow the active flows (time, line) and a rest that does not.

    The scale is AC losses over those of `line_losses_mw`, and 1 where nothing flows. A ratio beyond `MOST_SCALE` is no
    more the doing of active power: marginal losses scaled by it would promise, or ask for, more than what is injected.
    What is beyond is the rest.
    """
    of_flow_mw = line_losses_mw(flow_mw, matrices).sum(axis=1)
    ratio = ratio_or_zero(losses_mw, of_flow_mw)
    scale = np.where(of_flow_mw > 0, np.minimum(ratio, MOST_SCALE), 1.0)
    explained = (of_flow_mw > 0) & (ratio <= MOST_SCALE)
    return LossFit(scale, np.where(explained, 0.0, losses_mw - scale * of_flow_mw))


def loss_estimate(flow_mw: FloatArray, matrices: NetworkMatrices, fit: LossFit | None = None) -> LossEstimate:
    """Linearise the losses of a DC flow around it.

    Parameters
    ----------
    flow_mw : ndarray (time, line)
        Positive from the from end to the to end.
    matrices : NetworkMatrices
    fit : LossFit, optional
        What AC makes of the losses: its scale holds for all of them and their factors, its rest is drawn at the slack.

    Returns
    -------
    LossEstimate

    Raises
    ------
    GridError
        If a flow or a value of the fit is not finite, or a value of the fit is negative.

    Notes
    -----
    The factor of bus b is d losses / d injection = Σ 2·r·f / base · PTDF[line, b], the slack taking up the difference.
    """
    if fit is None:
        fit = LossFit(np.ones(len(flow_mw)), np.zeros(len(flow_mw)))
    _check(flow_mw, fit)
    scale = fit.scale
    losses_mw = scale[:, None] * line_losses_mw(flow_mw, matrices)
    slope = scale[:, None] * (2 * matrices.r_pu / matrices.base_mva * flow_mw)
    buses = len(matrices.bus)
    leaving_mw = sum_at(flow_mw, matrices.line_from, buses) - sum_at(flow_mw, matrices.line_to, buses)
    bus_losses_mw = sum_at(losses_mw / 2, matrices.line_from, buses) + sum_at(losses_mw / 2, matrices.line_to, buses)
    return LossEstimate(
        losses_mw=losses_mw.sum(axis=1) + fit.rest_mw,
        factor=slope @ matrices.ptdf,
        reference_injection_mw=leaving_mw + bus_losses_mw,
        bus_losses_mw=bus_losses_mw,
    )


def _check(flow_mw: FloatArray, fit: LossFit) -> None:
    bad_flow = ~np.isfinite(flow_mw).all(axis=1)
    if bad_flow.any():
        raise GridError(f"loss_estimate: flow_mw at step {int(np.argmax(bad_flow))} holds NaN or infinity")
    for name, values in (("scale", fit.scale), ("rest_mw", fit.rest_mw)):
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            step = int(np.argmax(bad))
            raise GridError(f"loss_estimate: {name} {values[step]:g} at step {step}; expected a finite number >= 0")
