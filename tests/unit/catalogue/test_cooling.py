from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridtwin.catalogue.cooling import COOLING, pue

MODEL = Path(__file__).parents[3] / "models" / "rts_gmlc"


@pytest.mark.parametrize("cooling", COOLING.values(), ids=COOLING.keys())
def test_pue_rises_with_temperature_from_above_one(cooling):
    assert len(cooling.temp_air_degc) == len(cooling.pue)
    assert (np.diff(cooling.temp_air_degc) > 0).all()
    values = pue(np.linspace(-40.0, 60.0, 201), cooling)
    assert values.min() > 1.0
    assert (np.diff(values) >= 0).all()
    assert "estimate" in cooling.source


def test_pue_is_linear_between_breakpoints_and_flat_outside():
    evaporative = COOLING["evaporative"]
    assert pue(np.array([-40.0, 15.0, 99.0]), evaporative).tolist() == pytest.approx([1.11, 1.14, 1.37])
    assert np.isnan(pue(np.array([np.nan]), evaporative)).all()


def test_annual_mean_in_a_hot_desert_is_near_one_point_two():
    temperature = pd.read_parquet(MODEL / "temperature.parquet")["phoenix"].to_numpy(np.float64)
    assert pue(temperature, COOLING["evaporative"]).mean() == pytest.approx(1.2, abs=0.01)
