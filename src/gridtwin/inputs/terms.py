"""The terms on which the sites of a model folder run."""

from __future__ import annotations

import numpy as np

from gridtwin.errors import Issue
from gridtwin.inputs.network import indices
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.inputs.tariffs import site_tariffs
from gridtwin.records import Fleet, SiteTerms

__all__ = ["site_terms", "terms_issues"]


def terms_issues(model: ModelFolder) -> list[Issue]:
    """Return rules of sites that nothing could meet, or that nothing could be held against."""
    sites = model.tables.get("sites")
    if sites is None:
        return []
    return [
        *(
            sites.at(row, name).issue(f"{name} is {share:g}; expected a share of at most 1")
            for name in ("rack_use_min", "green_share_min")
            for row, share in enumerate(sites.columns[name])
            if share > 1
        ),
        *(
            sites.at(row, "rack_use_min").issue("rack_use_min without racks: nothing tells how many are there")
            for row, (share, racks) in enumerate(
                zip(sites.columns["rack_use_min"], sites.columns["racks"], strict=True)
            )
            if share > 0 and not racks > 0
        ),
    ]


def site_terms(model: ModelFolder, fleet: Fleet) -> SiteTerms:
    """Build the record of sites whose tables have no issues; a site without a region counts in the area of its bus."""
    sites, origins, wan, buses = (model.tables[name] for name in ("sites", "origins", "wan", "buses"))
    area = np.array(buses.text("area"))[fleet.bus].tolist()
    home = dict(zip(origins.text("origin"), origins.text("region"), strict=True))
    whole = [fleet.axes.origin[o] for o in fleet.axes.link_origin.tolist()]  # parts of origins are where those are
    settlement = np.zeros(fleet.price_per_gb.shape)
    pair = indices(wan.text("origin"), fleet.axes.origin), indices(wan.text("site"), fleet.site)
    settlement[pair] = numbers(wan, "settlement_per_gb")
    return SiteTerms(
        region=tuple(named or inferred for named, inferred in zip(sites.text("region"), area, strict=True)),
        origin_region=tuple(home[name] or name for name in whole),
        tariff_per_mwh=site_tariffs(model),
        green_share_min=numbers(sites, "green_share_min"),
        labour_cost_per_rack_year=numbers(sites, "labour_cost_per_rack_year"),
        settlement_per_gb=settlement[fleet.axes.link_origin],
    )
