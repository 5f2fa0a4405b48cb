"""What green supply a plan counts on."""

from types import SimpleNamespace

import numpy as np
import pytest

from gridtwin.policies.green import green_target
from gridtwin.twin.build import make_system

PRICE = "dispatch.green_share_price_per_mwh=50.0"


@pytest.fixture
def forecast():
    """Of coal, gas, peaker, wind, roof, condenser, hydro."""
    return SimpleNamespace(unit_available_mw=np.array([[80, 60, 30, 20, 8, 0, 10], [80, 60, 30, 0, 4, 0, 10]], float))


def test_contracts_that_deliver_count_at_their_site(pocket, forecast):
    """West has 4 and 3 of 40 MW of wind, east 4 of 40 and half the roof; a certificate delivers nothing."""
    target = green_target(make_system(pocket("variants=[terms]", PRICE)), forecast)
    assert target.output_mw.tolist() == [[2 + 4, 3.5], [2, 0]]
    assert target.share.tolist() == [0.8, 0.8]
    assert target.price_per_mwh == 50


@pytest.mark.parametrize("overrides", [("variants=[terms]",), (PRICE,)], ids=["no price", "no least share"])
def test_without_a_price_or_a_share_there_is_no_target(pocket, forecast, overrides):
    assert green_target(make_system(pocket(*overrides)), forecast) is None
