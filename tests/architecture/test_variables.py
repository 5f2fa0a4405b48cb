"""The tables of variables and key figures: names end in their unit, and the documentation says what they say."""

import importlib.util
from pathlib import Path

import pytest

from gridtwin.economics.kpi_table import KPIS
from gridtwin.results.variables import Variable, variables

REPO = Path(__file__).parents[2]
ENDINGS = {
    "MW": "_mw",
    "Mvar": "_mvar",
    "GB": "_gb",
    "kg": "_kg",
    "s": "_s",
    "h": "_h",
    "percent": "_percent",
    "%": "_percent",
    "degree": "_deg",
    "pu": "_pu",
    "MWh": "_mwh",
    "t": "_t",
    "node-s": "_node_s",
    "node-h": "_node_h",
    "{currency}": "_cost",
    "{currency}/MWh": "_per_mwh",
    "{currency}/node-h": "_per_node_h",
    "kg/MWh": "_kg_per_mwh",
}
DIMENSIONLESS_ENDINGS = ("_nodes", "_jobs", "_pu")
EXCEPTIONS = {
    "pue": "a ratio with a name of its own",
    "committed": "a flag",
    "ac_converged": "a flag",
    "price_degenerate": "a flag",
    "marginal": "a flag",
    "price_set_by": "a place",
    "holds_voltage": "a flag",
    "objective": "money, by the solver's word",
    "dual_objective": "money, by the solver's word",
    "primal_residual": "in the unit of the row that it stands in",
    "redispatch_objective": "money, by the solver's word",
    "redispatch_dual_objective": "money, by the solver's word",
    "redispatch_primal_residual": "in the unit of the row that it stands in",
    "columns": "a count",
    "rows": "a count",
    "rounds": "a count",
    "forecast_clipped": "a count",
    "review_passes": "a count",
    "review_given_up": "a count",
    "review_tightened": "a count",
    "review_cuts": "a count",
    "review_thermal_before": "a count",
    "review_thermal_after": "a count",
    "review_voltage_before": "a count",
    "review_voltage_after": "a count",
    "review_voltage_beyond_cure": "a count",
}


def says_its_unit(variable: Variable) -> bool:
    ending = DIMENSIONLESS_ENDINGS if variable.unit == "1" else ENDINGS[variable.unit]
    return variable.name.endswith(ending)


@pytest.mark.parametrize("variable", variables().values(), ids=variables())
def test_a_name_ends_in_its_unit(variable):
    assert says_its_unit(variable) != (variable.name in EXCEPTIONS)


def test_a_name_without_its_unit_is_noticed():
    assert not says_its_unit(Variable("site", "site_power", ("time", "site"), "MW", "mean", "draw"))
    assert not says_its_unit(Variable("site", "site_mw", ("time", "site"), "1", "mean", "draw"))


@pytest.mark.parametrize("name", KPIS)
def test_a_key_figure_ends_in_its_unit(name):
    unit = KPIS[name].unit
    bare = name.endswith(("_share", "_share_annual", "_share_hourly")) or name.startswith(("jobs_", "ac_steps_"))
    assert name.endswith(ENDINGS[unit]) if unit else bare


def test_every_exception_is_still_needed():
    assert EXCEPTIONS.keys() <= variables().keys()


def test_the_documentation_is_up_to_date():
    script = REPO / "docs" / "make_variables.py"
    spec = importlib.util.spec_from_file_location("make_variables", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (REPO / "docs" / "variables.md").read_text(encoding="utf-8")
    assert written == module.page(), "run: python docs/make_variables.py"
