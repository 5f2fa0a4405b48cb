from collections import Counter
from importlib.resources import files

import pytest

from gridtwin.results.variables import tables, variables

DIMS = {"time", "window", "site", "compute_class", "queue", "origin", "unit", "store", "link", "bus", "line", "element"}
ENDINGS = {"_mw": "MW", "_mvar": "Mvar", "_gb": "GB", "_kg": "kg", "_percent": "percent", "_pu": "1", "_deg": "degree"}


def test_names_are_unique():
    text = files("gridtwin.results").joinpath("variables.csv").read_text(encoding="utf-8")
    rows = [line.split(",")[1] for line in text.splitlines()[1:]]
    assert [name for name, count in Counter(rows).items() if count > 1] == []
    assert list(variables()) == rows


@pytest.mark.parametrize("variable", variables().values(), ids=lambda variable: variable.name)
def test_every_variable_says_what_it_is(variable):
    assert variable.unit
    assert variable.meaning
    assert variable.dims[0] in ("time", "window")
    assert set(variable.dims) <= DIMS
    for ending, unit in ENDINGS.items():
        if variable.name.endswith(ending):
            assert variable.unit == unit
    if variable.unit.startswith("{currency}"):
        assert variable.unit in ("{currency}", "{currency}/MWh", "{currency}/node-h")


def test_variables_of_a_table_share_their_dimensions():
    assert sum(map(len, tables().values())) == len(variables())
    for members in tables().values():
        assert len({variable.dims for variable in members}) == 1
