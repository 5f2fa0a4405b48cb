"""What the first screen says of differences."""

import pytest

from gridtwin.economics.kpi_table import KPIS
from gridtwin.report.first_screen import LESS_IS_BETTER, MORE_IS_BETTER, _direction


@pytest.mark.parametrize(
    ("name", "delta", "direction"),
    [
        ("co2_t", -1.0, "better"),
        ("co2_t", 1.0, "worse"),
        ("renewable_share", 0.1, "better"),
        ("renewable_share", -0.1, "worse"),
        ("energy_mwh", 5.0, ""),
        ("co2_t", 0.0, ""),
        ("co2_t", None, ""),
    ],
)
def test_colours_mean_better_or_worse(name, delta, direction):
    assert _direction(name, delta) == direction


def test_what_is_judged_is_compared():
    assert {*LESS_IS_BETTER, *MORE_IS_BETTER} <= {*KPIS, "all_costs", "loads_paid"}
    assert not LESS_IS_BETTER & MORE_IS_BETTER
