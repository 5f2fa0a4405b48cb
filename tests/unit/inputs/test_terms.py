# ruff: noqa: E501 - a table of faults reads better one to a line
"""Tariffs, green supply and rules of sites: what a model may say of them, and what comes of it."""

import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study

FAULTS = [
    ("tariffs.csv", "city,3,peak,8,11.5", "city,3,peak,7.5,11.5", "tariffs.csv:9:13: hours 7.5-8 of month 3 are 'peak' here and 'valley' in line 8; a tariff has one period for each hour"),
    ("tariffs.csv", "city,3,peak,8,11.5", "city,3,peak,8,11", "tariffs.csv:8:1: tariff 'city' has no period in month 3 for hours 11-11.5"),
    ("tariffs.csv", "city,3,peak,8,11.5\n", "", "tariffs.csv:8:1: tariff 'city' has no period in month 3 for hours 8-11.5"),
    ("tariffs.csv", "city,3,valley,0,8\ncity,3,peak,8,11.5\ncity,3,flat,11.5,24\n", "", "tariffs.csv:2:1: tariff 'city' says nothing of month 3"),
    ("tariffs.csv", "city,3,peak,8", "city,3,peek,8", "tariffs.csv:9:8: unknown period 'peek' (did you mean 'peak'?)"),
    ("tariffs.csv", "city,12,flat", "city,13,flat", "tariffs.csv:37:6: month is 13; expected 1 to 12"),
    ("tariffs.csv", "city,3,peak,8,", "city,3,peak,8.25,", "tariffs.csv:9:13: from_h is 8.25; expected whole or half hours from 0 to 24"),
    ("tariffs.csv", "city,3,flat,11.5,24", "city,3,flat,11.5,25", "tariffs.csv:10:18: to_h is 25; expected whole or half hours from 0 to 24"),
    ("tariffs.csv", "city,3,flat,11.5,24", "city,3,flat,11.5,24\ncity,3,valley,23,7", "tariffs.csv:11:18: period ends at 7 h but starts at 23 h; divide one that spans midnight into two rows"),
    ("tariff_prices.csv", "city,peak,90\n", "", "tariffs.csv:3:8: period 'peak' of tariff 'city' has no price in models/tiny/tariff_prices.csv"),
    ("tariff_prices.csv", "city,peak", "town,peak", "tariff_prices.csv:4:1: unknown tariff 'town' (known: city)"),
    ("tariff_prices.csv", "city,flat", "city,peak", "tariff_prices.csv:4:1: tariff 'city, peak' is there twice; the first is in line 3"),
    ("sites.csv", ",,city", ",,citty", "sites.csv:2:33: unknown tariff 'citty' (did you mean 'city'?)"),
    ("model.yaml", "tariffs: {periods: tariffs.csv, prices: tariff_prices.csv}\n", "", "sites.csv:2:33: unknown tariff (tariffs.periods names no file) 'city'"),
    ("model.yaml", "tariffs.csv", "tarifs.csv", "tariffs.periods: file models/tiny/tarifs.csv does not exist (did you mean 'tariffs.csv'?)"),
    ("model.yaml", ", prices: tariff_prices.csv", "", "'tariffs.prices' is missing: CSV file: the price of each period."),
    ("sites.csv", "1.25,0.65,", "1.25,65,", "sites.csv:2:43: rack_use_min is 65; expected a share of at most 1"),
    ("sites.csv", "0.8,400", "80,400", "sites.csv:2:48: green_share_min is 80; expected a share of at most 1"),
    ("sites.csv", "0.8,400", "0.8,", "sites.csv:2:43: rack_use_min without racks: nothing tells how many are there"),
    ("supply.csv", "ppa,east,contract", "ppa,east,contrac", "supply.csv:2:10: unknown kind 'contrac' (did you mean 'contract'?)"),
    ("supply.csv", "ppa,east", "ppa,eas", "supply.csv:2:5: unknown site 'eas' (did you mean 'east'?)"),
    ("supply.csv", "contract,wind", "contract,wnd", "supply.csv:2:19: unknown unit 'wnd' (did you mean 'wind'?)"),
    ("supply.csv", "contract,wind,10", "contract,coal,10", "supply.csv:2:19: unit 'coal' is not renewable in models/tiny/units.csv; its output is not green"),
    ("supply.csv", "contract,wind,10", "contract,wind,46", "supply.csv:3:27: 51 MW of unit 'wind' are sold in all, its p_max_mw is 50; no MWh can be claimed twice"),
    ("supply.csv", "contract,wind,10", "contract,wind,0", "supply.csv:2:24: p_mw is 0; expected a number > 0"),
    ("supply.csv", "direct,sun", "direct,wind", "supply.csv:5:19: unit 'wind' at bus '2' cannot stand behind the meter of site 'west' at '3'; power from elsewhere is aggregated or contract"),
    ("supply.csv", "pool,west,aggregated", "pool,west,certificate", "supply.csv:4:11: contract 'pool' is 'certificate' here and 'aggregated' in line 3; give the two different names"),
    ("supply.csv", "fence,west,direct,sun", "ppa,west,contract,sun", "supply.csv:5:5: contract 'ppa' of kind 'contract' has two sites, 'east' and 'west'; only what is aggregated is shared"),
    ("supply.csv", "pool,west,aggregated,sun", "pool,east,aggregated,wind", "supply.csv:4:1: contract 'pool, east, wind' is there twice; the first is in line 3"),
]  # fmt: skip


@pytest.fixture
def lab(lab):
    lab.add_terms()
    return lab


def issues_of(lab, *overrides):
    with pytest.raises(InputError) as raised:
        load_study(lab.scenario, overrides)
    return [str(issue) for issue in raised.value.issues]


@pytest.mark.parametrize(("name", "old", "new", "message"), FAULTS, ids=[f"{f[0]}-{f[3][:60]}" for f in FAULTS])
def test_one_fault(lab, name, old, new, message):
    lab.edit(name, old, new)
    issues = issues_of(lab)
    assert any(message in issue for issue in issues), issues
    assert len(issues) <= 3, "a fault drags others along"


def test_a_site_pays_the_tariff_that_it_names(lab):
    terms = load_study(lab.scenario).site_terms
    east, west = terms.tariff_per_mwh
    assert (east == east[0]).all()
    assert east[0, [0, 15, 16, 22, 23, 47]].tolist() == [20, 20, 90, 90, 50, 50]
    assert np.isnan(west).all()


def test_a_site_without_a_region_counts_in_the_area_of_its_bus(lab):
    terms = load_study(lab.scenario).site_terms
    assert terms.region == ("north", "far")
    assert terms.origin_region == ("here", "there")


def test_contracts_know_sites_and_units_by_their_place(lab):
    contracts = load_study(lab.scenario).contracts
    assert contracts.contract == ("ppa", "pool", "pool", "fence")
    assert contracts.site.tolist() == [0, 0, 1, 1]
    assert contracts.unit.tolist() == [1, 1, 3, 3]
    assert contracts.p_mw.tolist() == [10, 5, 4, 6]


def test_a_model_without_them(lab):
    lab.edit("model.yaml", "supply: {table: supply.csv}\n", "")
    assert len(load_study(lab.scenario).contracts.contract) == 0
