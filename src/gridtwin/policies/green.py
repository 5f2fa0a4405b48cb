"""What green supply the sites of a system may count on in the hours to come."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.dispatch import GreenTarget
from gridtwin.policies.base import Forecast, System

__all__ = ["green_target"]

CERTIFICATE = "certificate"  # delivers nothing, so no hour is greener for it


def green_target(system: System, forecast: Forecast) -> GreenTarget | None:
    """Hold each site with a least green share to it in every hour, by what its contracts are expected to give.

    Parameters
    ----------
    system : System
    forecast : Forecast
        What is available counts; what will be curtailed of it is not known yet.

    Returns
    -------
    GreenTarget or None
        None where it has no price or no site has a least share.
    """
    share = np.nan_to_num(system.site_terms.green_share_min)
    if system.green_share_price_per_mwh == 0 or not share.any():
        return None
    contracts = system.contracts
    delivers = np.array([kind != CERTIFICATE for kind in contracts.kind], dtype=np.bool_)
    part = ratio_or_zero(contracts.p_mw, system.units.p_max_mw[contracts.unit]) * delivers
    output = sum_at(forecast.unit_available_mw[:, contracts.unit] * part, contracts.site, len(share))
    return GreenTarget(share, output, system.green_share_price_per_mwh)
